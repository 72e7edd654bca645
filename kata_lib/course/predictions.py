"""A number said before the truth is shown, read as people write it, and afterwards how far off it was."""

import html
import math
import re
from dataclasses import dataclass
from types import EllipsisType

from kata_lib.course.exercise import PERCENT, Question
from kata_lib.course.exercises import question
from kata_lib.errors import KataError
from kata_lib.statistics.shares import Share, at_least, at_most, number, wilson

Said = float | str | EllipsisType
"""A number, a text such as "33 %" or "1/3", or dots: none yet."""

_NO_CHANCE = 1e-6
"""What has a smaller probability under the expected share was no chance."""
_NUMBER = r"(\d{1,3}(?:[, ]\d{3})+(?![\d.,])|\d+(?:[.,]\d+)?|[.,]\d+)"
_FORMS = re.compile(
    rf"(?:about |ca\.? |[~≈])?{_NUMBER}(?: ?(/| in | of | out of ) ?{_NUMBER})?(.*)", re.IGNORECASE
)


@dataclass(frozen=True)
class Comparison:
    """What a person said, what is expected, what was seen, how far off it was, and what to make of it."""

    question: str
    said: str
    expected: str
    seen: str
    how_far: str
    why: str

    def __repr__(self) -> str:
        row = "; ".join(f"{head}: {cell}" for head, cell in zip(_HEADS, self.cells(), strict=True))
        return f"{row}\n{self._words()}"

    def _repr_html_(self) -> str:
        head = "".join(f"<th style='text-align:left'>{h}</th>" for h in _HEADS)
        row = "".join(f"<td style='text-align:left'>{html.escape(c)}</td>" for c in self.cells())
        table = f"<table><thead><tr>{head}</tr></thead><tbody><tr>{row}</tr></tbody></table>"
        return f"{table}<p>{html.escape(self._words())}</p>"

    def cells(self) -> tuple[str, str, str, str]:
        """Return question, prediction, expectation and observation as a table shows them."""
        return self.question, self.said or "nothing", self.expected, self.seen

    def _words(self) -> str:
        return f"{self.how_far} {self.why}".strip()


_HEADS = ("question", "you said", "expected", "seen")


def read(text: str, value: Said) -> float | None:
    """Return a number in the question's unit, None for dots; raise KataError where it cannot be one.

    Of a share, and of a count out of so many, a fraction and a percentage are taken as such: for percent
    1/3 is 33.3, and for a count out of a thousand 10 % is 100.
    """
    asked = question(text)
    if isinstance(value, EllipsisType):
        return None
    found, is_part = _parsed(value, asked) if isinstance(value, str) else (_plain(value), False)
    if found is None or not math.isfinite(found) or found < 0:
        raise KataError(f"{value!r} is no prediction of this: {text}. {_example(asked)}")
    if asked.out_of is None:
        return found
    return found * asked.out_of if is_part or 0 < found < 1 else found


def noted(text: str, said: float | None) -> str:
    """Return a line that says how a prediction was read."""
    if said is None:
        return f"No prediction ({text}): put a number in place of the dots, or go on without."
    return f"Noted, {text}: {question(text).written(said)}. Now look."


def compare(text: str, said: float | None, seen: Share | float) -> Comparison:
    """Put prediction, expectation and observation side by side.

    seen: a number in the question's unit; or a Share, which a question in percent shows with its interval,
    and a question of a count by its count.
    """
    asked = question(text)
    value, low, high = _range(asked, seen)
    return Comparison(
        text,
        "" if said is None else asked.written(said),
        "" if asked.expected is None else asked.written(asked.expected),
        str(seen) if isinstance(seen, Share) and asked.unit == PERCENT else asked.written(value),
        _how_far(asked, said, value, low, high),
        _no_chance(asked, seen) or asked.others,
    )


def _plain(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _parsed(text: str, asked: Question) -> tuple[float | None, bool]:
    """Return the number in a text, and whether it is a part: a fraction, or a percentage of a count."""
    found = _FORMS.fullmatch(text.strip())
    if found is None or (unit := found[4].strip().rstrip(".")) not in {"", PERCENT, "percent", asked.unit}:
        return None, False
    value, below = _digits(found[1]), _digits(found[3]) if found[2] else 1.0
    if below == 0:
        return None, False
    in_percent = unit in {PERCENT, "percent"}
    if in_percent and asked.unit != PERCENT:
        return (value / below / 100, True) if asked.out_of else (None, False)
    if in_percent and value < 1:  # half a percent is no half
        return value / below / 100, True
    return value / below, bool(found[2])


def _digits(text: str) -> float:
    grouped = re.fullmatch(r"\d{1,3}(?:[, ]\d{3})+", text)
    return float(re.sub("[, ]", "", text) if grouped else text.replace(",", "."))


def _example(asked: Question) -> str:
    if asked.out_of is None:
        return f"Expected is a number{f' in {asked.unit}' if asked.unit else ''}, such as 40."
    return 'Expected is a number such as 33, "33 %" or 1/3.'


def _range(asked: Question, seen: Share | float) -> tuple[float, float, float]:
    """Return what was seen in the question's unit, and between which numbers a prediction is near it."""
    if (counted := _counted(asked, seen)) is None:
        value = float(seen) if not isinstance(seen, Share) else 100 * seen.share
        return value, value / (1 + asked.rough), value * (1 + asked.rough)
    count, n = counted
    scale = 100 if asked.unit == PERCENT else n
    low, high = wilson(count, n)
    return scale * count / n, scale * low, scale * high


def _counted(asked: Question, seen: Share | float) -> tuple[int, int] | None:
    """Return what was counted, and of how many; None of what is no count, or of none."""
    if isinstance(seen, Share):
        return (seen.count, seen.n) if seen.n else None
    if asked.unit == PERCENT or asked.out_of is None or not 0 <= seen <= asked.out_of:
        return None
    return round(float(seen)), asked.out_of


def _how_far(asked: Question, said: float | None, value: float, low: float, high: float) -> str:
    if said is None:
        return ""
    if low <= said <= high:
        return f"You said {asked.written(said)}: near enough." if low < high else "You said so."
    over = "many" if said > value else "few"
    small, large = sorted((said, value))
    if asked.unit == PERCENT:
        off = f"{asked.written(large - small).removesuffix(' %')} percentage points"
    elif small > 0 and large / small >= 2:
        off = f"{number(large / small)} times"
    else:
        off = asked.written(large - small)
    return f"You said {asked.written(said)}: {off} too {over}."


def _no_chance(asked: Question, seen: Share | float) -> str:
    """Say that what was seen is not what the step is about; "" where chance could have made it."""
    counted = _counted(asked, seen)
    if asked.expected is None or asked.out_of is None or counted is None:
        return ""
    share = asked.expected / asked.out_of
    if min(at_least(*counted, share), at_most(*counted, share)) > _NO_CHANCE:
        return ""
    return (
        f"But look: expected is {asked.written(asked.expected)}, and chance does not lead that far away. "
        "A turn above is still open, or something was changed: the text below is about the numbers that come "
        "once that is mended."
    )
