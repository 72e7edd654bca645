"""What a check says of a mistake: what is wrong and where, and what mends it."""

from dataclasses import dataclass

from kata_lib.mesh.analyze import Choice, Finding


@dataclass(frozen=True)
class Mistake:
    """What is wrong and where it was seen; mend: a line for a shell. choices: where a person decides."""

    text: str
    mend: str = ""
    choices: tuple[Choice, ...] = ()


def of_finding(finding: Finding, mend: str = "") -> Mistake:
    """Return a finding as a mistake; mend: the line that a step has for it, in place of the finding's own."""
    message = finding.message.removesuffix(".")
    text = f"{message}. Seen: {finding.seen} ({finding.code})."
    return Mistake(text, mend or finding.mend, () if mend else finding.choices)
