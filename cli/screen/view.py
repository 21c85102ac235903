"""One room, as far as it is on the screen."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

import urwid

from cli.screen.lines import BETWEEN, Kind, Line
from cli.screen.look import Look
from cli.screen.room import Room
from cli.screen.row import Row, row
from cli.screen.rows import UNSENT, Position

KEPT: Final = 3  # screens full of widgets: a collection that looks through many of them is felt as a pause
WHEEL: Final = 3  # rows


@dataclass(slots=True)
class Placed:
    """A line with what shows it, ``height`` rows from row ``top`` of the screen on, which may be above the screen."""

    position: Position
    line: Line
    widget: Row
    top: int
    height: int

    @property
    def bottom(self) -> int:
        """The row below it."""
        return self.top + self.height

    @property
    def is_gap(self) -> bool:
        """Whether it stands for messages that are not here."""
        return self.line.kind is Kind.ABSENT

    @property
    def stays(self) -> bool:
        """Whether it is of a message that is here, so that nothing takes its place."""
        return not self.is_gap and self.position[0] != UNSENT and self.position[1] >= 0


class View(urwid.Widget):
    """A room, as far as it is on the screen.

    One line of it stays where it is, and the others stand around that: the last one at the bottom for who follows,
    else the ``looked_at`` of the room. A gap is a wall until it is loaded: what is beyond it is not shown, and nothing
    on the screen moves when its messages come.
    """

    _sizing = frozenset([urwid.BOX])
    _selectable = False

    def __init__(self, room: Room, look: Look) -> None:
        super().__init__()
        self.room = room
        self._look = look
        self._size = (1, 1)
        self._anchor: Position | None = None  # the looked_at that stands at _top
        self._top = 0
        self._placed: list[Placed] = []  # on the screen, without a hole
        self._widgets: OrderedDict[Line, tuple[Row, int]] = OrderedDict()  # with their heights, as looked at

    def refresh(self, size: tuple[int, int]) -> None:
        """Take what is in the room now, for a view of ``size`` (columns, rows)."""
        self._resize(size)
        room, rows = self.room, self._size[1]
        at = room.rows.end if room.follows else room.rows.nearest(room.looked_at)
        if at is None:
            self._placed = []
        elif room.follows:
            self._placed = self._lay_out(at, rows - self._place(at, 0).height)
        else:
            if self._anchor != room.looked_at:  # a jump
                self._anchor, self._top = room.looked_at, rows // 3
            self._top = max(self._top, 1 - self._place(at, 0).height)  # it may be shorter now than where it was left
            self._placed = self._lay_out(at, self._top)
            self._stay_at(at)
        self._see()
        self._invalidate()

    def scroll(self, by: int) -> None:
        """Look ``by`` rows further down (below 0: up), and follow where the end is seen."""
        self.refresh(self._size)
        known = [placed for placed in self._placed if not placed.is_gap]
        if not known:
            return
        edge = known[0 if by < 0 else -1]
        self._placed = self._lay_out(edge.position, edge.top - by, to_walls=True)
        anchor = ([placed for placed in self._placed if placed.stays] or self._placed)[-1]
        self._anchor, self._top = anchor.position, anchor.top
        self.room.look_at(anchor.position)
        self._stay_at(anchor.position)
        self._see()
        self._invalidate()

    def page(self, by: int) -> None:
        """Look ``by`` pages further down (below 0: up); a row stays on the screen."""
        self.scroll(by * max(1, self._size[1] - 1))

    def look_anew(self) -> None:
        """What stands out in a row is another now."""
        self._widgets.clear()

    @property
    def placed(self) -> list[Placed]:
        """What is on the screen, or will be, downward."""
        self.refresh(self._size)
        return self._placed

    def lines(self) -> list[Line]:
        """Return what was said and is on the screen, downward."""
        return [self._look.plain(placed.line) for placed in self._placed if placed.line.kind not in BETWEEN]

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:  # type: ignore[override]  # a box
        """Draw it."""
        if size != self._size:
            self.refresh(size)
        columns, rows = size
        if not self._placed:
            return urwid.SolidCanvas(" ", columns, rows)
        canvas = urwid.CanvasCombine(
            [(placed.widget.render((columns,), focus), placed.position, False) for placed in self._placed]
        )
        first, last = self._placed[0], self._placed[-1]
        canvas.pad_trim_top_bottom(first.top, rows - last.bottom)
        return canvas

    def _resize(self, size: tuple[int, int]) -> None:
        if size[0] != self._size[0]:
            self._widgets.clear()
        self._size = max(1, size[0]), max(1, size[1])
        self._top = min(self._top, self._size[1] - 1)

    def _stay_at(self, at: Position) -> None:
        """Follow where the end is seen; else let the line ``at`` stay where it came to stand."""
        last = self._placed[-1]
        if last.position == self.room.rows.end and last.bottom <= self._size[1] and not last.is_gap:
            self.room.follow()
        self._top = next((placed.top for placed in self._placed if placed.position == at), self._top)

    def _see(self) -> None:
        """Tell the room which messages are on the screen."""
        ids = [placed.position[0] for placed in self._placed if not placed.is_gap and placed.position[0] != UNSENT]
        if self._placed and not ids:
            ids = [self.room.last_id if self.room.follows else self.room.looked_at[0]]
        if ids:
            self.room.see(ids[0], ids[-1])

    def _lay_out(self, position: Position, top: int, to_walls: bool = False) -> list[Placed]:
        """Return what is on the screen where the line at ``position`` begins at row ``top``.

        It is moved where the screen would reach beyond the room's ends, or ``to_walls``: beyond a gap.
        """
        rows = self._size[1]
        placed = [self._place(position, top)]
        self._lay_down(placed)
        if to_walls or not placed[-1].is_gap:
            _move(placed, max(0, rows - placed[-1].bottom))
        self._lay_up(placed)
        if to_walls or not placed[0].is_gap:
            _move(placed, min(0, -placed[0].top))
            self._lay_down(placed)
        return [line for line in placed if line.bottom > 0 and line.top < rows]

    def _lay_down(self, placed: list[Placed]) -> None:
        for position, line in self.room.rows.newer(placed[-1].position):
            if placed[-1].is_gap or placed[-1].bottom >= self._size[1]:
                break
            placed.append(self._place(position, placed[-1].bottom, line))

    def _lay_up(self, placed: list[Placed]) -> None:
        for position, line in self.room.rows.older(placed[0].position):
            if placed[0].is_gap or placed[0].top <= 0:
                break
            above = self._place(position, 0, line)
            above.top = placed[0].top - above.height
            placed.insert(0, above)

    def _place(self, position: Position, top: int, line: Line | None = None) -> Placed:
        line = self.room.rows[position] if line is None else line
        known = self._widgets.pop(line, None)
        if known is None:
            made = row(line, self._size[0], self._look)
            known = made, made.rows((self._size[0],))
        self._widgets[line] = known
        if len(self._widgets) > KEPT * self._size[1]:
            self._widgets.popitem(last=False)
        return Placed(position, line, known[0], top, known[1])


def _move(placed: list[Placed], by: int) -> None:
    for line in placed:
        line.top += by
