"""Random sets and storms: a plain run has a sample, always the same; `scripts/test --all` twenty times more.

    @examples(50)
    @given(...)

    @pytest.mark.parametrize("seed", rounds(20))

Hypothesis' examples are then other ones in each run; it says how to have one that failed again.
"""

import os

from hypothesis import HealthCheck, settings

ALL = os.environ.get("KATA_TEST_ALL") == "1"
TIMES = 20

# A busy machine is no failure: time is measured by scripts/bench.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
untimed = settings.get_profile("untimed")
settings.register_profile("sample", untimed, derandomize=True)
settings.register_profile("all", untimed, max_examples=100 * TIMES, print_blob=True)
settings.load_profile("all" if ALL else "sample")


def examples(sample: int) -> settings:
    """Return Hypothesis' settings of a test of which a plain run takes so many examples."""
    return settings(max_examples=sample * TIMES if ALL else sample)


def rounds(sample: int) -> range:
    """Return the numbers of what a plain run does so many times: seeds, or the changes of a storm."""
    return range(sample * TIMES if ALL else sample)
