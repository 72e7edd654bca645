"""Pictures in a dark page: the colours of paper, ink and grid as style sheets, which follow the page.

Pictures are drawn for white paper. A still's colours stand in attributes, plotly's in the elements' style,
where no variable can be; a rule for each colour, by what has it, makes it one. So a picture that is there
already changes with the theme, and one that is looked at elsewhere stays as it was drawn.
"""

from collections.abc import Iterator

from kata_lib.pictures.svg import FAILED, GRID, INK, PAPER

DARK_PAGE = 'body[data-jp-theme-light="false"]'
"""Where JupyterLab's theme is dark."""
COLORS = {
    "ink": (INK, "#dddddd"),
    "grid": (GRID, "#3c3c3c"),
    "paper": (PAPER, "var(--jp-layout-color0, #111111)"),
    "failed": (FAILED, "#ff7b8d"),
}
"""What pictures are drawn with, and what becomes of it on dark paper."""
PICTURES = ":is(.kata-picture, .js-plotly-plot)"
_FAILED_WIDGET = ".jp-OutputArea-output.jupyter-widgets:not(:has(*))"
_NO_WIDGET = "This moves with a running kernel: run the notebook's cells from the first one on."


def show() -> None:
    """Give the notebook's page the rules, where there is one; they show nothing by themselves."""
    from IPython.core.getipython import get_ipython
    from IPython.display import HTML, display

    if get_ipython() is not None:
        display(HTML(f"<style>{page_css()}</style>"))


def page_css(dark: str = DARK_PAGE) -> str:
    """Return the rules for a page of pictures: they are dark where the selector `dark` holds.

    And a word where a widget is without its kernel, in place of JupyterLab's.
    """
    return "\n".join(
        [
            ".kata-picture { overflow-x: auto; }",
            ".kata-picture svg { display: block; width: 100%; height: auto; }",
            "@media print { .kata-picture svg { min-width: 0 !important; } }",
            ".jp-OutputArea-output .widget-hslider { max-width: 100%; }",
            f"{_FAILED_WIDGET} {{ font-size: 0; }}",
            f'{_FAILED_WIDGET}::after {{ content: "{_NO_WIDGET}"; font-size: 13px; }}',
            f"{PICTURES} .modebar-group {{ background: none !important; }}",
            f"{PICTURES} .modebar-btn path {{ fill: {_variable('ink')} !important; }}",
            *_rules(),
            f"{dark} {{ {' '.join(f'--kata-{name}: {on_dark};' for name, (_, on_dark) in COLORS.items())} }}",
        ]
    )


def _variable(name: str) -> str:
    return f"var(--kata-{name}, {COLORS[name][0]})"


def _rules() -> Iterator[str]:
    for name, (color, _) in COLORS.items():
        # Words in the colour of paper stand on a version's colour, which stays.
        element = ":not(text)" if name == "paper" else ""
        for part in ("fill", "stroke", "background"):
            written = [
                f"{PICTURES} {element}[{where}]"
                for where in (f'{part}="{color}"', f'style*="{part}: {_as_browsers_say(color)}"')
            ]
            yield f"{', '.join(written)} {{ {part}: {_variable(name)} !important; }}"


def _as_browsers_say(color: str) -> str:
    return f"rgb({', '.join(str(int(color[i : i + 2], 16)) for i in (1, 3, 5))})"
