"""What a cell shows that uses a name which no cell has made."""

from collections.abc import Iterator

import pytest
from IPython.core.interactiveshell import InteractiveShell

from kata_lib.lab import missing_names


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(history_manager=None, colors="nocolor")
    missing_names.explain()
    yield shell
    InteractiveShell.clear_instance()


def shown(shell: InteractiveShell, cell: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert not shell.run_cell(cell, store_history=False).success
    return "".join(capsys.readouterr())


def test_a_name_that_a_cell_lacks_is_answered_in_words(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    text = shown(shell, "counted", capsys)
    assert text == f"NameError: name 'counted' is not defined. {missing_names.HELP}\n"


@pytest.mark.parametrize("cell", ["def work():\n    return counted\nwork()", "1 / 0"])
def test_another_error_has_its_traceback(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str], cell: str
) -> None:
    text = shown(shell, cell, capsys)
    assert "Traceback" in text
    assert missing_names.HELP not in text
