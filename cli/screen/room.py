"""One room as one person sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cli.inbox import Message
from cli.screen.lines import Kind, Line, lines_of, typed
from cli.words import amount

SCROLLBACK = 16 * 2**20  # of one room, in characters: what is kept to be scrolled through
LINE = 256  # what a line counts beside its text
SPEAKERS = 1000  # of whom it is known who spoke last


@dataclass(slots=True, eq=False)
class Unsent:
    """What was sent and is not known to be stored; ``id`` once it is stored but has not come back yet."""

    lines: list[Line]
    id: int | None = None


class Room:
    """The lines of one room at absolute positions, oldest first, and which of them is looked at.

    A line keeps its position when older ones are forgotten. What is not sent yet stands behind the last line.
    """

    def __init__(
        self,
        name: str,
        is_mention: Callable[[Message], bool] = lambda _: False,
        hides: Callable[[Message], bool] = lambda _: False,
    ) -> None:
        self.name = name
        self.last_id = 0  # of the messages shown
        self.live_after = 0  # what has a higher id came while we were there
        self.read_id: int | None = None  # of the newest message that was read, None in a room that one is new in
        self.mentions = 0  # unread messages that concern one
        self.users: int | None = None  # in the room now, None while unknown
        self.people: set[str] | None = None  # who they are, None while unknown
        self.follows = True  # the newest line is shown, also when others come
        self.first = 0  # position of the oldest line that is kept
        self._lines: list[Line] = []
        self._characters = 0
        self._unsent: list[Unsent] = []
        self._tail: list[Line] = []  # of _unsent
        self._looked_at = 0
        self._speakers: dict[str, None] = {}  # who spoke last is last
        self._is_mention = is_mention
        self._hides = hides
        self._shown = False
        self._hidden = 0  # unread messages that are not shown

    @property
    def unread(self) -> int:
        """How many messages came since one looked at the end; ids have no gaps."""
        return max(0, max(self.last_id, self.live_after) - (self.read_id or 0) - self._hidden)

    def open(self, first_id: int, last_id: int) -> None:  # noqa: ARG002
        """The server keeps ``first_id`` … ``last_id``, and all above is live. What was said before one came is read."""
        if self.read_id is None or self.read_id > last_id:
            self.read_id = last_id
        self.live_after = last_id
        self.people = None
        self._read()

    def enter(self) -> None:
        """Somebody looks at it now."""
        self._shown = True
        self._read()

    def leave(self) -> None:
        """Nobody looks at it any more."""
        self._shown = False

    def _read(self) -> None:
        if self._shown and self.follows:
            self.read_id = max(self.read_id or 0, self.last_id, self.live_after)
            self.mentions = self._hidden = 0

    @property
    def end(self) -> int:
        """The position behind the last line."""
        return self.first + len(self._lines) + len(self._tail)

    def __getitem__(self, position: int) -> Line:
        """Return the line at ``position``; IndexError where there is none."""
        index = position - self.first
        if index < 0:
            raise IndexError(position)
        return self._lines[index] if index < len(self._lines) else self._tail[index - len(self._lines)]

    @property
    def position(self) -> int:
        """The line that is looked at: the last one for who follows."""
        last = self.end - 1
        return last if self.follows else max(self.first, min(self._looked_at, last))

    def look_at(self, position: int) -> None:
        """Stay at ``position``, whatever comes."""
        self._looked_at = position
        self.follows = False

    def follow(self) -> None:
        """Go to the newest line and stay with it."""
        self.follows = True
        self._read()

    def show(self, lines: Iterable[Line]) -> None:
        """Append ``lines``, and forget the oldest where there are too many."""
        for line in lines:
            self._lines.append(line)
            self._characters += len(line.text) + LINE
        if self._characters > SCROLLBACK:
            forgotten = len(self._lines) // 8 + 1
            self._characters -= sum(len(line.text) + LINE for line in self._lines[:forgotten])
            del self._lines[:forgotten]
            self.first += forgotten

    def add(self, message: Message) -> None:
        """Show the next message that came."""
        unread = message.id > (self.read_id or 0)
        if self._hides(message):
            self._hidden += unread
        else:
            self.show(lines_of(message))
            self.mentions += unread and self._is_mention(message)
        self.last_id = message.id
        self._speakers.pop(message.sender, None)
        self._speakers[message.sender] = None
        if len(self._speakers) > SPEAKERS:
            del self._speakers[next(iter(self._speakers))]
        self._read()
        self._unsent = [unsent for unsent in self._unsent if unsent.id is None or unsent.id > message.id]
        self._set_tail()

    def speakers(self) -> list[str]:
        """Return who spoke, the last one first."""
        return list(reversed(self._speakers))

    def come_and_go(self, joined: list[str], left: list[str]) -> None:
        """People came and went; in a large room nobody says who."""
        if not joined and not left:
            self.people = None
        elif self.people is not None:
            self.people = (self.people | set(joined)) - set(left)

    def type(self, text: str, at: float, user: str) -> Unsent:
        """Show what was typed as not sent yet."""
        return self._wait_for(typed(text, at, user))

    def attach(self, name: str, size: int, at: float, user: str) -> Unsent:
        """Show the file called ``name`` as not sent yet."""
        return self._wait_for([Line(Kind.UNSENT, f"file {name}, {amount(size)}", at, user)])

    def _wait_for(self, lines: list[Line]) -> Unsent:
        unsent = Unsent(lines)
        self._unsent.append(unsent)
        self._set_tail()
        self.follow()
        return unsent

    def sent(self, unsent: Unsent, id: int | None) -> None:
        """It is stored; it stays until the message itself has come, so that it is never out of sight."""
        unsent.id = id
        if id is None or id <= self.last_id:
            self.forget(unsent)

    def refused(self, unsent: Unsent, why: str) -> None:
        """It will not be stored: say so among the other lines."""
        first, *_ = unsent.lines
        self.forget(unsent)
        self.show([Line(Kind.REFUSED, f"{first.text} ({why})", first.at, first.name)])

    def forget(self, unsent: Unsent) -> None:
        """Show it no more."""
        if unsent in self._unsent:
            self._unsent.remove(unsent)
            self._set_tail()

    def _set_tail(self) -> None:
        self._tail = [line for unsent in self._unsent for line in unsent.lines]
