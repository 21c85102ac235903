"""The text that is being written, and what the keys of readline do to it. No terminal.

Places are those of :attr:`Buffer.text`. The cursor stands where a person would say that a character begins: a letter
with its marks and an emoji of several parts are one.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from typing import Final, Literal, NamedTuple

from wcwidth import grapheme_boundary_before, iter_graphemes

from cli.words import amount, counted, line_count
from wire.text import safe

LONG: Final = 4096  # characters of a text, from which it is held: laying out a long one takes seconds
LINES: Final = 50  # of a text, likewise
SHORT: Final = 80  # characters of a text that is not held even where the buffer is long already
HELD: Final = 100  # texts that one buffer holds apart from each other
UNDONE: Final = 200  # changes that can be taken back
RING: Final = 10  # kills that can be had again, as in readline

_HALVES: Final = [chr(code) for code in range(0xD800, 0xE000)]  # of surrogate pairs
_HALF: Final = re.compile(r"[\ud800-\udfff]")
_NOT_ITSELF: Final = re.compile(r"[\t\ud800-\udfff]")  # where it is shown
_TAB: Final = "    "

Doing = Literal["type", "delete", "kill", "yank", "other"]


class EditCommand(NamedTuple):
    """What a key may do to a buffer, and the keys that do it unless somebody binds others."""

    name: str
    run: Callable[[Buffer], None]
    help: str
    keys: tuple[str, ...]


COMMANDS: Final[list[EditCommand]] = []


def command(*keys: str) -> Callable[[Callable[[Buffer], None]], Callable[[Buffer], None]]:
    """Make a method a command that ``keys`` do; its docstring is its help."""

    def made(run: Callable[[Buffer], None]) -> Callable[[Buffer], None]:
        help = (run.__doc__ or "").rstrip(".")
        COMMANDS.append(EditCommand(run.__name__.replace("_", "-"), run, help[:1].lower() + help[1:], keys))
        return run

    return made


class Held(NamedTuple):
    """A long text, and what is shown in its place."""

    text: str
    mark: str


class KillRing:
    """What was killed, to be had again."""

    def __init__(self) -> None:
        self._killed: deque[str] = deque(maxlen=RING)

    @property
    def newest(self) -> str:
        """What was killed last, or turned to; nothing where nothing was."""
        return self._killed[-1] if self._killed else ""

    def add(self, text: str) -> None:
        """Have ``text`` as the newest."""
        self._killed.append(text)

    def join(self, text: str, *, before: bool) -> None:
        """Put ``text`` before or behind the newest."""
        newest = self._killed.pop()
        self._killed.append(text + newest if before else newest + text)

    def turn(self) -> None:
        """Go to the one before the newest, and from the oldest to the newest again."""
        self._killed.rotate(1)


class Buffer:
    """The text that is being written.

    A long text that is put in is held beside it and stands in it as one character: half of a surrogate pair, which no
    text has. ``ring`` is where kills go; several buffers may share one.
    """

    def __init__(self, ring: KillRing, text: str = "") -> None:
        self.text = ""
        self.cursor = 0
        self._ring = ring
        self._held: dict[str, Held] = {}
        self._last: tuple[Doing, str, int] = "other", "", 0  # what the last change did, and what it left
        self._undone: deque[tuple[str, int]] = deque(maxlen=UNDONE)  # what there was before each change
        self._yanked = 0  # where the last yank begins
        self.insert(text)
        self._undone.clear()
        self._last = "other", self.text, self.cursor

    # What it is.

    @property
    def whole(self) -> str:
        """All that was typed and pasted."""
        return self._whole(self.text)

    @property
    def shown(self) -> str:
        """The text as it is shown: made harmless, with marks in place of what is held."""
        return self._shown(self.text)

    @property
    def shown_cursor(self) -> int:
        """The cursor's place in what is shown."""
        return len(self._shown(self.text[: self.cursor]))

    def place(self, shown: int) -> int:
        """Return the place of what stands at ``shown`` in what is shown."""
        return bisect_right(range(len(self.text)), shown, key=lambda place: len(self._shown(self.text[: place + 1])))

    # What anybody may do.

    def go(self, place: int) -> None:
        """Put the cursor where the character at ``place`` begins."""
        self.cursor = grapheme_boundary_before(self.text, place + 1) if place < len(self.text) else len(self.text)

    def insert(self, text: str) -> None:
        """Put ``text`` where the cursor is, held where it is long."""
        self._make_room()
        text = self._stand_in(text)
        begins = text[:1].strip() and self.text[self.cursor - 1 : self.cursor].isspace()  # a word
        self._change(self.cursor, self.cursor, text, "other" if begins else "type")
        self._last = "type", self.text, self.cursor

    def replace(self, start: int, end: int, text: str) -> None:
        """Have ``text`` between two places, with the cursor behind it."""
        self._change(start, end, self._stand_in(text), "other")

    # Commands, by readline's names.

    @command("ctrl a", "home")
    def beginning_of_line(self) -> None:
        """Go to where the line begins."""
        self.cursor = self._line_start

    @command("ctrl e")
    def end_of_line(self) -> None:
        """Go to where the line ends."""
        self.cursor = self._line_end

    @command("ctrl f", "right")
    def forward_char(self) -> None:
        """Go one character on."""
        self.cursor = self._after(self.cursor)

    @command("ctrl b", "left")
    def backward_char(self) -> None:
        """Go one character back."""
        self.cursor = self._before(self.cursor)

    @command("meta f", "ctrl right")
    def forward_word(self) -> None:
        """Go to where the word ends."""
        self.cursor = self._word_end(self.cursor)

    @command("meta b", "ctrl left")
    def backward_word(self) -> None:
        """Go to where the word begins."""
        self.cursor = self._word_start(self.cursor)

    @command("delete")
    def delete_char(self) -> None:
        """Delete the character under the cursor."""
        self._change(self.cursor, self._after(self.cursor), "", "delete")

    @command("backspace")
    def backward_delete_char(self) -> None:
        """Delete the character before the cursor."""
        self._change(self._before(self.cursor), self.cursor, "", "delete")

    @command("ctrl k")
    def kill_line(self) -> None:
        """Kill the rest of the line; at its end, the line break."""
        end = self._line_end
        self._kill(self.cursor, end if end > self.cursor else self._after(end))

    @command("ctrl u")
    def unix_line_discard(self) -> None:
        """Kill the line before the cursor; at its beginning, the line break."""
        start = self._line_start
        self._kill(start if start < self.cursor else self._before(start), self.cursor)

    @command()
    def kill_whole_text(self) -> None:
        """Kill all that is typed."""
        self._kill(0, len(self.text))

    @command("meta d", "ctrl delete")
    def kill_word(self) -> None:
        """Kill up to where the word ends."""
        self._kill(self.cursor, self._word_end(self.cursor))

    @command("meta backspace")
    def backward_kill_word(self) -> None:
        """Kill back to where the word begins."""
        self._kill(self._word_start(self.cursor), self.cursor)

    @command("ctrl w")
    def unix_word_rubout(self) -> None:
        """Kill back to the white space before."""
        before = self.text[: self.cursor].rstrip()
        word = before.rsplit(None, 1)[-1:]
        self._kill(len(before) - len("".join(word)), self.cursor)

    @command("ctrl y")
    def yank(self) -> None:
        """Put in what was killed last."""
        self._make_room()
        self._yank(self.cursor)

    @command("meta y")
    def yank_pop(self) -> None:
        """After a yank, put in what was killed before that instead."""
        if self._goes_on("yank"):
            self._ring.turn()
            self._yank(self._yanked)

    @command("ctrl t")
    def transpose_chars(self) -> None:
        """Exchange the two characters at the cursor."""
        second = self.cursor if self.cursor < self._line_end else self._before(self.cursor)
        first, end = self._before(second), self._after(second)
        if first >= self._line_start and first < second:
            self._change(first, end, self.text[second:end] + self.text[first:second], "other")

    @command("meta t")
    def transpose_words(self) -> None:
        """Exchange the word at the cursor with the one before."""
        end = self._word_end(self._word_start(self._word_end(self.cursor)))
        second = self._word_start(end)
        first = self._word_start(second)
        gap = self._word_end(first)
        if gap <= second:
            words = self.text[second:end] + self.text[gap:second] + self.text[first:gap]
            self._change(first, end, words, "other")

    @command("meta U")
    def upcase_word(self) -> None:
        """Write the rest of the word in capitals."""
        self._spell(str.upper)

    @command("meta L")
    def downcase_word(self) -> None:
        """Write the rest of the word small."""
        self._spell(str.lower)

    @command("meta c")
    def capitalize_word(self) -> None:
        """Write the word with a capital."""
        self._spell(str.capitalize)

    @command("ctrl _", "ctrl x ctrl u")
    def undo(self) -> None:
        """Take back the last change, or the last word typed."""
        if self._undone:
            self.text, self.cursor = self._undone.pop()
            self._last = "other", self.text, self.cursor

    # Where things begin and end.

    @property
    def _line_start(self) -> int:
        return self.text.rfind("\n", 0, self.cursor) + 1

    @property
    def _line_end(self) -> int:
        end = self.text.find("\n", self.cursor)
        return len(self.text) if end < 0 else end

    def _after(self, place: int) -> int:
        return place + len(next(iter_graphemes(self.text, place), ""))

    def _before(self, place: int) -> int:
        return grapheme_boundary_before(self.text, place)

    def _in_word(self, place: int) -> bool:
        return self.text[place].isalnum() or self.text[place] == "_"

    def _word_end(self, place: int) -> int:
        for inside in (False, True):
            while place < len(self.text) and self._in_word(place) is inside:
                place = self._after(place)
        return place

    def _word_start(self, place: int) -> int:
        for inside in (False, True):
            while place and self._in_word(self._before(place)) is inside:
                place = self._before(place)
        return place

    # How it changes.

    def _change(self, start: int, end: int, text: str, doing: Doing) -> None:
        """Have ``text`` between two places; a run of typing or deleting is taken back at once."""
        if start == end and not text:
            return
        if doing not in ("type", "delete") or not self._goes_on(doing):
            self._undone.append((self.text, self.cursor))
        self.text = self.text[:start] + text + self.text[end:]
        self.cursor = start + len(text)
        if 0 < self.cursor < len(self.text) and (begin := self._before(self.cursor + 1)) < self.cursor:
            self.cursor = self._after(begin)  # what was put in became one with what stands behind it
        self._last = doing, self.text, self.cursor

    def _goes_on(self, doing: Doing) -> bool:
        return self._last == (doing, self.text, self.cursor)

    def _kill(self, start: int, end: int) -> None:
        if start == end:
            return
        text = self._whole(self.text[start:end])
        if self._goes_on("kill"):
            self._ring.join(text, before=start < self.cursor)
        else:
            self._ring.add(text)
        self._change(start, end, "", "kill")

    def _yank(self, start: int) -> None:
        self._yanked = start
        self._change(start, self.cursor, self._stand_in(self._ring.newest), "yank")

    def _spell(self, how: Callable[[str], str]) -> None:
        end = self._word_end(self.cursor)
        start = max(self.cursor, self._word_start(end))
        self._change(self.cursor, end, self.text[self.cursor : start] + how(self.text[start:end]), "other")

    # What is held.

    def _whole(self, text: str) -> str:
        return _HALF.sub(lambda half: self._held[half[0]].text, text)

    def _shown(self, text: str) -> str:
        return safe(_NOT_ITSELF.sub(self._mark, text))

    def _mark(self, shown: re.Match[str]) -> str:
        return _TAB if shown[0] == "\t" else self._held[shown[0]].mark

    def _stand_in(self, text: str) -> str:
        """Return ``text``, or the character that stands for it."""
        most = SHORT if len(self.text) > LONG else LONG  # a terminal without marks gives a paste in pieces
        return self._hold(text) if len(text) > most or text.count("\n") >= LINES else _HALF.sub("\ufffd", text)

    def _hold(self, text: str) -> str:
        used = set(self.text).union(*(before for before, _ in self._undone))
        self._held = {half: held for half, held in self._held.items() if half in used}
        for half, held in self._held.items():
            if held.text == text:
                return half
        half = next(half for half in _HALVES if half not in self._held)
        size, lines = amount(len(text.encode(errors="replace"))), counted(line_count(text), "line")
        self._held[half] = Held(text, f"[pasted text, {size}, {lines}]")
        return half

    def _make_room(self) -> None:
        """Hold as one what is before the cursor, and what is behind it, where too many held texts would be shown."""
        if len(_HALF.findall(self.text)) < HELD:
            return
        before, behind = self._whole(self.text[: self.cursor]), self._whole(self.text[self.cursor :])
        self._undone.clear()
        self.text = ""
        for text in (before, behind):
            self.text += self._hold(text) if text else ""
        self.cursor = 1 if before else 0
