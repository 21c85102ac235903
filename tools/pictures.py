"""``make pictures``: the pictures of the README, from a real server and the real client in a terminal.

Who talks is made up, what is seen is not: the client's output is shown by pyte and drawn from its cells as SVG.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final, NamedTuple
from xml.sax.saxutils import escape

from pyte.screens import Char

from tests.plain_client import PlainClient
from tests.processes import ROOT, ServerProcess
from tests.terminal import Terminal

COLUMNS, ROWS = 92, 18
WIDTH, HEIGHT, EDGE = 8.4, 18, 14  # of a cell and of the margin, in pixels
BASE = 0.75  # of a cell's height is above the line on which letters stand
QUIET = 0.5  # seconds without output after which the screen is what it is
FONT = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', 'Noto Sans Mono', monospace"

# The sixteen colours as many terminals have them, and the text and the background.
_NAMES = ("black", "red", "green", "brown", "blue", "magenta", "cyan", "white")
_BRIGHT = tuple(f"bright{name}" for name in _NAMES)


class Theme(NamedTuple):
    """What a terminal makes of the names of colours."""

    text: str
    background: str
    colours: dict[str, str]


def _theme(text: str, background: str, normal: str, bright: str) -> Theme:
    names = dict(zip((*_NAMES, *_BRIGHT), (*normal.split(), *bright.split()), strict=True))
    return Theme(text, background, names | {"brightyellow": names["brightbrown"], "yellow": names["brown"]})


THEMES: Final = {
    "dark": _theme(
        "#d8dee9", "#16191d",
        "#23272e #e06c75 #98c379 #d7ba7d #61afef #c678dd #56b6c2 #d8dee9",
        "#7f8794 #ff7b86 #b5e890 #ffd75f #82c3ff #df9cf5 #79d7e2 #ffffff",
    ),
    "light": _theme(
        "#24292f", "#ffffff",
        "#24292f #b3202a #1a7f37 #7d5a00 #0550ae #8250df #1b7c83 #d0d7de",
        "#6e7781 #cf222e #2da44e #9a6700 #218bff #a475f9 #3192aa #ffffff",
    ),
}  # fmt: skip


class Style(NamedTuple):
    """How a run of cells looks, in colours that a picture has."""

    text: str
    background: str
    bold: bool
    italic: bool
    underlined: bool


class Run(NamedTuple):
    """Cells of one row that look alike, from ``column`` on."""

    column: int
    text: str
    cells: int
    style: Style


def svg(rows: Sequence[Sequence[Char]], theme: Theme, cursor: tuple[int, int] | None = None) -> str:
    """Return the picture of a terminal's cells; ``cursor`` is a column and a row."""
    width, height = len(rows[0]) * WIDTH + 2 * EDGE, len(rows) * HEIGHT + 2 * EDGE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}">',
        f'<rect width="100%" height="100%" rx="8" fill="{theme.background}" stroke="#888" stroke-opacity="0.4"/>',
        f'<g font-family="{FONT}" font-size="14" xml:space="preserve">',
    ]
    for row, cells in enumerate(rows):
        for run in runs(cells, theme):
            parts += _drawn(run, row, theme)
    if cursor is not None:
        x, y = _place(*cursor)
        parts.append(f'<rect x="{x:.1f}" y="{y}" width="{WIDTH}" height="{HEIGHT}" fill="{theme.text}" opacity="0.6"/>')
    return "\n".join([*parts, "</g>", "</svg>", ""])


def runs(cells: Sequence[Char], theme: Theme) -> Iterator[Run]:
    """Return the runs of a row; a wide character is one of its own, so that it stands where it has to."""
    column = 0
    wide = [after.data == "" for after in cells[1:]] + [False]
    shown = [(cell, two) for cell, two in zip(cells, wide, strict=True) if cell.data]
    for (style, two), group in groupby(shown, lambda cell: (_style(cell[0], theme), cell[1])):
        for text in [cell.data for cell, _ in group] if two else ["".join(cell.data for cell, _ in group)]:
            count = 2 if two else len(text)
            yield Run(column, text, count, style)
            column += count


def _style(cell: Char, theme: Theme) -> Style:
    text, background = _colour(cell.fg, theme, theme.text), _colour(cell.bg, theme, theme.background)
    if cell.reverse:
        text, background = background, text
    return Style(text, background, cell.bold, cell.italics, cell.underscore)


def _colour(name: str, theme: Theme, default: str) -> str:
    return default if name == "default" else theme.colours.get(name) or f"#{name}"


def _place(column: int, row: int) -> tuple[float, int]:
    return EDGE + column * WIDTH, EDGE + row * HEIGHT


def _drawn(run: Run, row: int, theme: Theme) -> Iterator[str]:
    x, y = _place(run.column, row)
    style = run.style
    if style.background != theme.background:
        yield f'<rect x="{x:.1f}" y="{y}" width="{run.cells * WIDTH:.1f}" height="{HEIGHT}" fill="{style.background}"/>'
    if text := run.text.strip():
        x += WIDTH * (len(run.text) - len(run.text.lstrip()))
        width = WIDTH * (len(text) if len(run.text) == run.cells else run.cells)
        more = ' font-weight="bold"' * style.bold + ' font-style="italic"' * style.italic
        more += ' text-decoration="underline"' * style.underlined
        yield (
            f'<text x="{x:.1f}" y="{y + BASE * HEIGHT:.1f}" textLength="{width:.1f}" fill="{style.text}"{more}>'
            f"{escape(text)}</text>"
        )


BEFORE = (  # read when ann comes
    ("bob", "lobby", "Morning! Is the release out?"),
    ("carol", "lobby", "/me brings coffee"),
    ("ci", "lobby", "build 812: 1524 tests passed, https://ci.example.org/console-chat/builds/812"),
)
WHILE = (  # seen live
    ("bob", "lobby", "谢谢 carol ☕"),
    ("carol", "ops", "The new disks are in."),
    ("dora", "ops", "ann, may I restart the mail server?"),
    ("carol", "lobby", "ann: before you tag it, there is one question left about the notes: the part on searching "
     "is longer than the rest together. Shall we move half of it to the guide?"),
    ("bob", "lobby", "+1, and a picture says more anyway"),
)  # fmt: skip
TYPED = ("Move it. I tag at three.", "/me pours another cup")


def take(theme: str) -> str:
    """Return the picture of a morning in that theme."""
    with ServerProcess() as server, tempfile.TemporaryDirectory() as home:
        people: dict[str, PlainClient] = {}
        for name, room, text in BEFORE:
            _person(server, people, name).store(text, room)
        _person(server, people, "dora")
        config = Path(home) / "console-chat" / "config.toml"  # so it is not the first start
        config.parent.mkdir()
        config.write_text(f'theme = "{theme}"\nrooms = ["lobby", "ops"]\n')
        chat = [sys.executable, str(ROOT / "cmd" / "cli"), "ann", "--port", str(server.port)]
        env = {"HOME": home, "XDG_CONFIG_HOME": home, "XDG_STATE_HOME": home, "COLORTERM": "truecolor"}
        with Terminal(chat, COLUMNS, ROWS, env) as terminal:
            terminal.wait_for("812")
            for name, room, text in WHILE:
                people[name].store(text, room)
            terminal.wait_for("picture says more")
            for text in TYPED:
                terminal.type(f"{text}\r")
            terminal.type("And now, about Friday")
            terminal.wait_for("Friday")
            terminal.settle(QUIET)
            return svg(terminal.cells, THEMES[theme], terminal.cursor)


def _person(server: ServerProcess, people: dict[str, PlainClient], name: str) -> PlainClient:
    if name not in people:
        people[name] = server.connect()
        people[name].login(name)
        people[name].join("ops")
    return people[name]


def main() -> None:
    """Write them."""
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("--folder", type=Path, default=ROOT / "docs" / "pictures")
    folder = flags.parse_args().folder
    folder.mkdir(exist_ok=True)
    for theme in THEMES:
        began = time.monotonic()
        path = folder / f"chat-{theme}.svg"
        path.write_text(take(theme))
        print(f"{path} in {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    main()
