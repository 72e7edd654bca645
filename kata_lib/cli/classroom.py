"""`kata class`: the instructor's board, and joining one."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kata_lib.cli.base import app
from kata_lib.errors import KataError

if TYPE_CHECKING:
    from kata_lib.course.outbox.membership import Membership

class_app = typer.Typer(help="The instructor's board, and joining it.", no_args_is_help=True)
app.add_typer(class_app, name="class")

LOOPBACK = "127.0.0.1"


@class_app.command()
def serve(
    host: Annotated[
        str, typer.Option(help="Where it listens; 0.0.0.0 is for all in the network.")
    ] = LOOPBACK,
    port: Annotated[int, typer.Option(help="Its port.")] = 8780,
    certificate: Annotated[
        Path | None, typer.Option(help="A certificate's chain in PEM, for https; with --key.")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="Its key in PEM.")] = None,
    new_codes: Annotated[
        bool, typer.Option("--new-codes", help="The codes until now let nobody in.")
    ] = False,
    hub: Annotated[
        bool,
        typer.Option("--hub", help="As a service that a JupyterHub starts: it says where, and who is who."),
    ] = False,
) -> None:
    """Serve the class's board until Ctrl-C; what it knows is kept for the next time."""
    from kata_lib import classroom

    if hub:
        asyncio.run(classroom.serve_hub(print))
        return
    where = classroom.Where(host, port, certificate, key)
    asyncio.run(classroom.serve(where, new_codes, print))


@class_app.command()
def join(
    url: Annotated[
        str | None, typer.Argument(help="The board's address; none in a JupyterHub with a class.")
    ] = None,
    code: Annotated[str, typer.Option(help="The class's code, as it stands on the board.")] = "",
    name: Annotated[str, typer.Option("--as", help="The name to be listed by.")] = "",
) -> None:
    """Join a class: your verdicts, predictions and counts go to the board, until `kata class leave`."""
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
def leave(
    forget: Annotated[bool, typer.Option("--forget", help="The board removes all it has of you.")] = False,
) -> None:
    """Leave the class: nothing is sent any more."""
    from kata_lib.course.outbox import membership

    joined = _joined()
    if forget:
        membership.forget(joined)
    membership.leave()
    print(f"You have left the class at {joined.url}." + (" It has forgotten you." if forget else ""))


@class_app.command()
def mine(
    as_json: Annotated[
        bool, typer.Option("--json", help="All that the board keeps of you, word for word.")
    ] = False,
) -> None:
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
def reset(
    decline: Annotated[bool, typer.Option("--decline", help="Leave everything as it is.")] = False,
) -> None:
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
