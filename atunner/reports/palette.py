"""Colours and lettering of plots: fixed ones for files, style-sheet variables for the page."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields

import matplotlib as mpl
from matplotlib.axes import Axes


@dataclass(frozen=True)
class Colours:
    """What a plot needs; every value is a colour that matplotlib knows."""

    ink: str = "#1c2430"
    muted: str = "#5d6978"
    line: str = "#d5dae1"
    first: str = "#0b62b8"
    second: str = "#6aa1d8"
    good: str = "#1f7a45"
    bad: str = "#b3372b"


PRINTED = Colours()
SCREEN = Colours(
    ink="#010101", muted="#010102", line="#010103", first="#010104", second="#010105", good="#010106", bad="#010107"
)
"""Stand-ins that `themed` turns into variables, so that one drawing serves light and dark."""


@contextmanager
def fixed(salt: str) -> Iterator[None]:
    """Text as text and ids by `salt`, so that equal content is equal SVG."""
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": salt, "font.sans-serif": ["DejaVu Sans"]}):
        yield


def dress(axes: Axes, colours: Colours) -> None:
    """Light grid behind, no box."""
    axes.set_facecolor("none")
    axes.set_axisbelow(True)
    axes.grid(visible=True, color=colours.line, linewidth=0.6)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(colours.line)


def tint(axes: Axes, colours: Colours) -> None:
    """Give every text the ink; after drawing, when all texts are there."""
    axes.tick_params(which="both", colors=colours.muted, labelsize=8.5)
    texts = [axes.xaxis.label, axes.yaxis.label, *axes.texts]
    legend = axes.get_legend()
    if legend is not None:
        texts.extend(legend.get_texts())
    for text in texts:
        text.set_color(colours.ink)
        text.set_fontsize(8.5)


def themed(svg: str, name: str) -> str:
    """The `<svg>` element alone: variables for colours, ids that are unique on the page, no size of its own."""
    body = svg[svg.index("<svg") :]
    for entry in fields(Colours):
        body = body.replace(getattr(SCREEN, entry.name), f"var(--{entry.name})")
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = re.sub(r'href="#', f'href="#{name}-', body)
    body = re.sub(r"url\(#", f"url(#{name}-", body)
    body = re.sub(r"font-family: [^;\"]*", "font-family: var(--sans)", body)
    return re.sub(r'<svg[^>]*?viewBox="([^"]+)"[^>]*>', r'<svg viewBox="\1" aria-hidden="true">', body, count=1)
