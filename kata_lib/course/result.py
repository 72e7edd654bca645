"""What a check says, as text and in a notebook."""

import html
from dataclasses import dataclass

from kata_lib.mesh.analyze import Choice

_SIGNS = {"right": "✓", "wrong": "✗", "not enough yet": "…"}


@dataclass(frozen=True)
class Result:
    """A check's verdict, what was seen, and for a mistake the line that mends it, or choices for a person."""

    name: str
    verdict: str
    text: str
    mend: str = ""
    choices: tuple[Choice, ...] = ()

    def __repr__(self) -> str:
        lines = [f"{_SIGNS[self.verdict]} {self.name}: {self.verdict}. {self.text}"]
        if self.mend:
            lines.append(f"Mend it: {self.mend}")
        lines += [f"Choose: {choice}" for choice in self.choices]
        return "\n  ".join(lines)

    def _repr_html_(self) -> str:
        colour = {"right": "#009e73", "wrong": "#d55e00"}.get(self.verdict, "#e69f00")
        mends = [f"Mend it: <code>{html.escape(self.mend)}</code>"] if self.mend else []
        mends += [f"Choose: {choice.as_html()}" for choice in self.choices]
        return (
            f"<div style='border-left:4px solid {colour};padding:.2em .8em'><b>{_SIGNS[self.verdict]} "
            f"{self.name}: {self.verdict}</b><br>{'<br>'.join([html.escape(self.text), *mends])}</div>"
        )
