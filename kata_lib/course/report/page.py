"""One HTML page: a title, facts, sections with a contents list; complete in itself, for screen and paper.

What is text is escaped; what is HTML or SVG says so by its field. The page's own policy (Content-Security-
Policy) lets no script run and nothing be loaded.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """Heads, and rows with as many cells: plain text."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Picture:
    """A picture as SVG, under a caption that is plain text; alt: what it shows in words."""

    caption: str
    alt: str
    svg: str


@dataclass(frozen=True)
class Section:
    """A part with an entry in the contents list.

    words, notes: plain text. html: trusted, made by nbconvert. on_paper: whether it is printed.
    """

    id: str
    title: str
    words: str = ""
    tables: Sequence[Table] = ()
    notes: Sequence[str] = ()
    pictures: Sequence[Picture] = ()
    html: str = ""
    on_paper: bool = True


def render(title: str, facts: Sequence[tuple[str, str]], sections: Sequence[Section], css: str = "") -> str:
    """Return the page; css: rules in addition to style.css."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("kata_lib.course.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2").render(
        title=title, facts=facts, sections=sections, css=css
    )
