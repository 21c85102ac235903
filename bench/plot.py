"""A picture of figures: bars beside each other, with a line from the least to the most that was found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from xml.sax.saxutils import escape

from bench.results import Spread

WIDTH, BAR, LEFT, RIGHT, TOP = 720, 26, 110, 120, 40  # pixels
STYLE: Final = (
    "text{font:13px system-ui,sans-serif;fill:#333}rect{fill:#9aa7b4}rect.ours{fill:#2a7a5a}line{stroke:#333}"
    "@media(prefers-color-scheme:dark){text{fill:#ddd}rect{fill:#5b6875}rect.ours{fill:#4cb58a}line{stroke:#ddd}}"
)


def bars(title: str, found: Mapping[str, Spread], figure: str, ours: str = "chat") -> str:
    """Return an SVG with a bar for each name; ``figure`` is a format for the number beside it."""
    most = max(spread.high for spread in found.values()) or 1
    scale = (WIDTH - LEFT - RIGHT) / most
    height = TOP + BAR * len(found) + 10
    rows = [
        _bar(TOP + BAR * row, name, spread, scale, figure, ours) for row, (name, spread) in enumerate(found.items())
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" role="img">'
        f"<style>{STYLE}</style><title>{escape(title)}</title>"
        f'<text x="{LEFT}" y="24" font-weight="bold">{escape(title)}</text>{"".join(rows)}</svg>\n'
    )


def _bar(top: int, name: str, spread: Spread, scale: float, figure: str, ours: str) -> str:
    middle = top + BAR / 2
    low, high, end = (LEFT + scale * value for value in (spread.low, spread.high, spread.middle))
    kind = ' class="ours"' if name == ours else ""
    return (
        f'<text x="{LEFT - 8}" y="{middle + 5:.0f}" text-anchor="end">{escape(name)}</text>'
        f'<rect{kind} x="{LEFT}" y="{top + 4}" width="{end - LEFT:.1f}" height="{BAR - 8}"/>'
        f'<line x1="{low:.1f}" y1="{middle:.1f}" x2="{high:.1f}" y2="{middle:.1f}"/>'
        f'<text x="{max(end, high) + 8:.0f}" y="{middle + 5:.0f}">{escape(figure.format(spread.middle))}</text>'
    )
