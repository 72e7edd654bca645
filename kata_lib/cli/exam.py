"""`kata exam`: one task after the other, handed in once each."""

import click

from kata_lib.cli.base import app, open_cluster, the_place
from kata_lib.errors import KataError


@app.command()
@click.option("--seed", type=int, help="Which exam: the same seed draws the same tasks; default: any.")
@click.option("--hand-in", is_flag=True, help="Check the task, once, and go on.")
@click.option("--stop", is_flag=True, help="End it without handing in; nothing is left.")
def exam(seed: int | None, hand_in: bool, stop: bool) -> None:
    """Show what you have learned on services that you do not know: three tasks, in a namespace of its own."""
    from kata_lib import engines
    from kata_lib.course.exam.sitting import Sitting
    from kata_lib.lab import activity

    if sum((seed is not None, hand_in, stop)) > 1:
        raise KataError("Say one of --seed, --hand-in and --stop.")
    sitting = Sitting(engines.cluster_name(), open_cluster(the_place()))
    with activity.shown():
        if stop:
            said = "The exam is ended." if sitting.stop() else "No exam is under way."
        elif hand_in:
            result, then = sitting.hand_in()
            said = f"{result}\n\n{then}"
        else:
            said = sitting.begin(seed)
    print(said)
