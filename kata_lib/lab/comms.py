"""What a person does with a widget is heard while a cell runs."""

from kata_lib.lab.activity import displays


def go_where_addressed() -> None:
    """Take what the browser says to a widget to the subshell that it names; outside a kernel do nothing.

    A subshell is free while a cell runs: https://github.com/jupyter/enhancement-proposals/pull/91. ipykernel
    7.4 goes to the shell that sent to the widget last instead: of a new widget that is the cell's.
    """
    if displays.in_kernel():
        from ipykernel.comm.comm import BaseComm

        # The kernel asks only a comm that has an answer.
        BaseComm._reply_subshell_for = None  # type: ignore[method-assign, assignment]
