"""A lab on the engine under test, for a file of tests."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import pytest

from kata_lib import engines
from kata_lib.course.application import APPLICATION
from kata_lib.lab import lab
from kata_lib.lab.lab import Lab


@contextmanager
def lab_on(environment: Mapping[str, str], cluster: str, say: Callable[[str], None] = print) -> Iterator[Lab]:
    """Yield a lab on a cluster of that name, under the engine's environment; the cluster is removed."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**environment, "KATA_NAME": cluster}.items():
            patch.setenv(name, value)
        try:
            yield lab.connect(say=say)
        finally:
            engines.select(APPLICATION, cluster=cluster).stop()
