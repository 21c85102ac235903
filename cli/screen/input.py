"""Where one types."""

from __future__ import annotations

import urwid

from cli.screen.editing import Buffer, KillRing


class Input(urwid.Edit):
    """Shows what is being written, and knows how it is wrapped. What keys do to it is the buffer's."""

    def __init__(self) -> None:
        super().__init__("> ", multiline=True)
        self._buffer = Buffer(KillRing())
        self._columns = 80

    def show(self, buffer: Buffer) -> None:
        """Show what is in ``buffer`` now."""
        self._buffer = buffer
        shown, cursor = buffer.shown, buffer.shown_cursor
        if (shown, cursor) != (self.edit_text, self.edit_pos):
            self.set_edit_text(shown)
            self.set_edit_pos(cursor)

    def step(self, by: int) -> bool:
        """Go to the row above (-1) or below (1); False where there is none."""
        self.show(self._buffer)
        moved = super().keypress((self._columns,), "up" if by < 0 else "down") is None
        if moved:
            self._buffer.go(self._buffer.place(self.edit_pos))
        return moved

    def rows(self, size: tuple[int], focus: bool = False) -> int:
        """Return how many rows it takes."""
        self._columns = size[0]
        return super().rows(size, focus)
