"""`kata class`: the instructor's board, and joining one."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from kata_lib.cli.base import app
from kata_lib.errors import KataError

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
) -> None:
    """Serve the class's board until Ctrl-C; what it knows is kept for the next time."""
    from kata_lib import classroom

    where = classroom.Where(host, port, certificate, key)
    asyncio.run(classroom.serve(where, new_codes, print))


@class_app.command()
def join(
    url: Annotated[str, typer.Argument(help="The board's address.")],
    code: Annotated[str, typer.Option(help="The class's code, as it stands on the board.")],
    name: Annotated[str, typer.Option("--as", help="The name to be listed by.")] = "",
) -> None:
    """Join a class: your verdicts, predictions and counts go to the board, until `kata class leave`."""
    from kata_lib.course import outbox, progress
    from kata_lib.course.outbox import membership

    listed = name or progress.load().learner
    if not listed:
        raise KataError("A name is needed: kata class join URL --code CODE --as 'Your name'.")
    joined = membership.join(url, code, listed)
    outbox.catch_up()
    print(f"You are in the class at {joined.url} as {joined.name}. `kata class leave` leaves it.")


@class_app.command()
def leave(
    forget: Annotated[bool, typer.Option("--forget", help="The board removes all it has of you.")] = False,
) -> None:
    """Leave the class: nothing is sent any more."""
    from kata_lib.course.outbox import membership

    joined = membership.current()
    if joined is None:
        raise KataError("You are in no class.")
    if forget:
        membership.forget(joined)
    membership.leave()
    print(f"You have left the class at {joined.url}." + (" It has forgotten you." if forget else ""))


@class_app.command()
def mine() -> None:
    """Write as JSON all that the board keeps of you."""
    from kata_lib.course.outbox import membership

    joined = membership.current()
    if joined is None:
        raise KataError("You are in no class.")
    sys.stdout.write(membership.kept(joined).decode() + "\n")
