"""`kata class`: the instructor's board, and joining one."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kata_lib.cli.base import FILE, app
from kata_lib.errors import KataError

if TYPE_CHECKING:
    from kata_lib.course.outbox.membership import Membership

LOOPBACK = "127.0.0.1"


@app.group("class")
def class_app() -> None:
    """The instructor's board, and joining it."""


@class_app.command()
@click.option(
    "--host", default=LOOPBACK, show_default=True, help="Where it listens; 0.0.0.0 is for all in the network."
)
@click.option("--port", type=int, default=8780, show_default=True, help="Its port.")
@click.option("--certificate", type=FILE, help="A certificate's chain in PEM, for https; with --key.")
@click.option("--key", type=FILE, help="Its key in PEM.")
@click.option("--new-codes", is_flag=True, help="The codes until now let nobody in.")
@click.option(
    "--hub", is_flag=True, help="As a service that a JupyterHub starts: it says where, and who is who."
)
def serve(
    host: str, port: int, certificate: Path | None, key: Path | None, new_codes: bool, hub: bool
) -> None:
    """Serve the class's board until Ctrl-C; what it knows is kept for the next time."""
    import asyncio

    from kata_lib import classroom

    if hub:
        asyncio.run(classroom.serve_hub(print))
        return
    where = classroom.Where(host, port, certificate, key)
    asyncio.run(classroom.serve(where, new_codes, print))


@class_app.command()
@click.argument("url", required=False)
@click.option("--code", default="", help="The class's code, as it stands on the board.")
@click.option("--as", "name", default="", help="The name to be listed by.")
def join(url: str | None, code: str, name: str) -> None:
    """Join a class: your verdicts, predictions and counts go to the board, until `kata class leave`.

    URL: the board's address; none in a JupyterHub with a class.
    """
    from kata_lib.course import outbox
    from kata_lib.course.outbox import membership

    joined = membership.join_hubs() if url is None else membership.join(url, code, _name(name))
    outbox.catch_up()
    print(f"You are in the class at {joined.url} as {joined.name}. `kata class leave` leaves it.")


def _name(given: str) -> str:
    from kata_lib.course import progress

    if listed := given or progress.load().learner:
        return listed
    raise KataError("A name is needed: kata class join URL --code CODE --as 'Your name'.")


@class_app.command()
@click.option("--forget", is_flag=True, help="The board removes all it has of you.")
def leave(forget: bool) -> None:
    """Leave the class: nothing is sent any more."""
    from kata_lib.course.outbox import membership

    joined = _joined()
    if forget:
        membership.forget(joined)
    membership.leave()
    print(f"You have left the class at {joined.url}." + (" It has forgotten you." if forget else ""))


@class_app.command()
@click.option("--json", "as_json", is_flag=True, help="All that the board keeps of you, word for word.")
def mine(as_json: bool) -> None:
    """Show how you stand on the board, and what your instructor set."""
    from kata_lib.course import inbox, outbox
    from kata_lib.course.inbox import words
    from kata_lib.course.outbox import membership

    joined = _joined()
    if as_json:
        sys.stdout.write(membership.kept(joined).decode() + "\n")
        return
    print("\n".join(words.standing(inbox.ask(), outbox.waiting())))


@class_app.command()
def page() -> None:
    """Print where your own page on the board is: a link that opens it once, or in a hub its path there."""
    from kata_lib.course.outbox import membership

    print(membership.page(_joined()))


@class_app.command()
def report() -> None:
    """Send your instructor your report, the page that `kata report` writes."""
    from kata_lib.course import outbox, report

    _joined()
    outbox.report(report.page_of_learner())
    outbox.send_all()
    print("Your instructor has your report.")


@class_app.command()
@click.option("--decline", is_flag=True, help="Leave everything as it is.")
def reset(decline: bool) -> None:
    """Do the reset that your instructor offers, or decline it."""
    from kata_lib.course import outbox
    from kata_lib.lab import attending, lab

    attending.offered()  # where there is none, no cluster is started
    opened = lab.connect()
    if decline:
        opened.decline_reset()
    else:
        opened.accept_reset()
    outbox.send_all()


def _joined() -> "Membership":
    from kata_lib.course.outbox import membership

    if (joined := membership.current()) is None:
        raise KataError("You are in no class.")
    return joined
