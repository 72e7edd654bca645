"""How a command ends by Ctrl-C or SIGTERM: what it began is undone, one line and the exit code say so.

What takes long is done in a process of its own, with a session of its own, by a parent that does nothing but
wait: so a signal at any moment finds somebody who can end it, and it cannot interrupt the cleaning up.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

_SIGNALS = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}
_END_SECONDS = 10.0


def at_once() -> None:
    """Let a signal end this process in one line: nothing is begun yet that would have to be undone.

    One that came before, and was held back by who started it, does so now.
    """
    for number in _SIGNALS:
        signal.signal(number, lambda number, _: _end(number))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


def as_usual() -> None:
    """Let Ctrl-C raise KeyboardInterrupt and SIGTERM end the process, as Python does."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def supervised(work: Callable[[], int], clean_up: Callable[[], object]) -> int:
    """Do the work in a process of its own and return its exit code.

    Ctrl-C and SIGTERM end that process and all that descends from it, then `clean_up` is called, which is not
    interrupted; the code is then 130 or 143.
    """
    waited = {*_SIGNALS, signal.SIGCHLD}
    signal.signal(signal.SIGCHLD, lambda number, frame: None)  # what is ignored is not waited for everywhere
    before = signal.pthread_sigmask(signal.SIG_BLOCK, waited)
    sys.stdout.flush()
    worker = os.fork()
    if worker == 0:
        os.setsid()
        as_usual()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        sys.exit(work())
    while True:
        number = signal.sigwait(waited)
        if number != signal.SIGCHLD:
            _kill(worker)
            clean_up()
            _end(number)
        ended, status = os.waitpid(worker, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)


def _kill(worker: int) -> None:
    """End a child and all that descends from it; it starts nothing more while they are counted."""
    import psutil

    process = psutil.Process(worker)
    with contextlib.suppress(psutil.NoSuchProcess):
        process.suspend()
    family = [process]
    with contextlib.suppress(psutil.NoSuchProcess):
        family += process.children(recursive=True)
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    psutil.wait_procs(family, timeout=_END_SECONDS)


def _end(number: int) -> NoReturn:
    clear = "\r\x1b[K\x1b[?25h" if sys.stderr.isatty() else ""  # a progress display hides the cursor
    print(f"{clear}kata: ended by {_SIGNALS[signal.Signals(number)]}.", file=sys.stderr, flush=True)
    os._exit(128 + number)
