"""Pictures in a dark page: the colours of paper, ink and grid as style sheets, which follow the page.

Pictures are drawn for white paper. plotly's and matplotlib's colours stand in the elements' style, where no
variable can be; a rule for each colour, by the style that has it, gives it the page's. So a picture that is
there already changes with the theme, and one that is looked at elsewhere stays as it was drawn.
"""

from collections.abc import Iterator

from kata_lib.pictures.stills import FAILED, GRID, INK, PAPER

DARK_PAGE = 'body[data-jp-theme-light="false"]'
"""Where JupyterLab's theme is dark."""
DARK = {INK: "#dddddd", GRID: "#3c3c3c", PAPER: "var(--jp-layout-color0, #111111)", FAILED: "#ff7b8d"}
"""What a colour becomes on dark paper."""
PICTURES = ":is(.kata-picture, .js-plotly-plot)"
_FAILED_WIDGET = ".jp-OutputArea-output.jupyter-widgets:not(:has(*))"
_NO_WIDGET = "This moves with a running kernel: run the notebook's cells from the first one on."


def css(page: str = DARK_PAGE) -> str:
    """Return the rules for pictures in a page that is dark where the selector `page` holds."""
    return "\n".join(_rules(f"{page} {PICTURES}"))


def page_css() -> str:
    """Return the rules for a notebook's page: its pictures, and words where a widget has no kernel."""
    return "\n".join(
        [
            ".kata-picture svg { display: block; width: 100%; height: auto; }",
            f"{_FAILED_WIDGET} {{ font-size: 0; }}",
            f'{_FAILED_WIDGET}::after {{ content: "{_NO_WIDGET}"; font-size: 13px; }}',
            css(),
        ]
    )


def _rules(pictures: str) -> Iterator[str]:
    for color, dark in DARK.items():
        for part in ("fill", "stroke", "background"):
            written = ", ".join(
                f'{pictures} {_but_words(color)}[style*="{part}: {form}"]'
                for form in (color.lower(), _as_browsers_say(color))
            )
            yield f"{written} {{ {part}: {dark} !important; }}"
    yield f"{pictures} .modebar-group {{ background: none !important; }}"
    yield f"{pictures} .modebar-btn path {{ fill: {DARK[INK]} !important; }}"


def _but_words(color: str) -> str:
    """Return what leaves out words in the colour of paper: they stand on a version's colour."""
    return ":not(text)" if color == PAPER else ""


def _as_browsers_say(color: str) -> str:
    return f"rgb({', '.join(str(int(color[i : i + 2], 16)) for i in (1, 3, 5))})"
