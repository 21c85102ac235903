"""The conversation as one person sees it, without a terminal.

What came from the server and what was typed goes in; what the screen shows is a function of what is here. Texts are
kept as they came: whoever shows them makes them harmless.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from math import ceil

from cli.inbox import Message
from cli.status import State, Status
from wire.frames import MAX_BODY
from wire.names import fold

PART = 2048  # characters; a longer text is shown as several lines, because laying out a long one takes seconds
SCROLLBACK = 16 * 2**20  # of one room, in characters: what is kept to be scrolled through
LINE = 256  # what a line counts beside its text
RECALLED = 1000  # inputs that Up goes back through
BEGINNING = 4096  # bytes that are shown of a text longer than a frame; of others' texts no more comes
NAME = 24  # columns of the status line for a file's name
SLOW = 0.5  # seconds; a server that answers sooner is not worth a word


class Kind(Enum):
    """What a line is; the value is the name of its style."""

    TALK = "talk"
    ACTION = "action"
    DELETED = "deleted"
    NOTICE = "notice"
    UNSENT = "unsent"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Line:
    """Something to show, or a part of it. The first part has the time (seconds since the epoch) and the name."""

    kind: Kind
    text: str
    at: float | None = None
    name: str = ""

    @property
    def clock(self) -> str:
        """The local time as ``12:03``; nothing where the line has none."""
        return "" if self.at is None else clock(self.at)


def clock(at: float) -> str:
    """Return ``at`` (seconds since the epoch) as local time: ``12:03``."""
    try:
        return f"{datetime.fromtimestamp(at):%H:%M}"
    except (ValueError, OverflowError, OSError):  # a server may claim any time
        return "--:--"


def amount(size: int) -> str:
    """Return ``size`` (bytes) for a person: ``3.2 MB``."""
    if size == 1:
        return "1 byte"
    number = float(size)
    for unit in ("bytes", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.4g} TB"


def lines_of(message: Message) -> list[Line]:
    """Return the lines that show ``message``, at least one."""
    at, name, size = message.at / 1000, message.sender, message.size or 0
    if message.deleted:
        return [Line(Kind.DELETED, "deleted", at, name)]
    if message.name is not None:
        return [Line(Kind.NOTICE, f"file {message.name}, {amount(size)}: /save {message.id}", at, name)]
    lines = talk(message.text, at, name)
    if message.size is not None:
        lines.append(Line(Kind.NOTICE, f"… {amount(size)} in all: /save {message.id}"))
    return lines


def talk(text: str, at: float, name: str, kind: Kind = Kind.TALK) -> list[Line]:
    """Return the lines that show what ``name`` said, or did: ``/me waves``."""
    text = text.removesuffix("\n")  # many a file ends with one
    if text.startswith("/me "):
        text, name, kind = f"{name} {text[4:]}", "*", Kind.ACTION if kind is Kind.TALK else kind
    first, *more = _parts(text)
    return [Line(kind, first, at, name), *(Line(kind, part) for part in more)]


def typed(text: str, at: float, user: str) -> list[Line]:
    """Return the lines that show what was typed and is not sent yet: of a long text the beginning and the size."""
    whole = text.encode(errors="replace")
    if len(whole) <= MAX_BODY:
        return talk(text, at, user, Kind.UNSENT)
    lines = talk(whole[:BEGINNING].decode(errors="ignore"), at, user, Kind.UNSENT)
    return [*lines, Line(Kind.UNSENT, f"… {amount(len(whole))} in all")]


def _parts(text: str) -> Iterator[str]:
    start = 0
    while len(text) - start > PART:
        # A part begins a new line on the screen, so cut where a line begins anyway, or at least a word.
        end = start + PART
        cut = text.rfind("\n", start + PART // 2, end) + 1 or text.rfind(" ", start + PART // 2, end) + 1 or end
        yield text[start:cut].removesuffix("\n")
        start = cut
    yield text[start:]


@dataclass(slots=True, eq=False)
class Unsent:
    """What was sent and is not known to be stored; ``id`` once it is stored but has not come back yet."""

    lines: list[Line]
    id: int | None = None


@dataclass(slots=True, eq=False)
class Transfer:
    """A file that is being sent or saved: ``done`` bytes of ``size``, which is None while it is not known."""

    doing: str
    name: str
    done: int = 0
    size: int | None = None

    @property
    def words(self) -> str:
        """How far it is, for a person."""
        name = self.name if len(self.name) <= NAME else f"{self.name[: NAME - 1]}…"
        far = amount(self.done) if self.size is None else f"{100 * self.done // max(self.size, 1)} %"
        return f"{self.doing} {name} {far}"


class Room:
    """The lines of one room at absolute positions, oldest first, and which of them is looked at.

    A line keeps its position when older ones are forgotten. What is not sent yet stands behind the last line.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.last_id = 0  # of the messages shown
        self.users: int | None = None  # in the room now, None while unknown
        self.unread = 0  # messages that came while nobody looked at the end
        self.follows = True  # the newest line is shown, also when others come
        self.first = 0  # position of the oldest line that is kept
        self._lines: list[Line] = []
        self._characters = 0
        self._unsent: list[Unsent] = []
        self._tail: list[Line] = []  # of _unsent
        self._looked_at = 0

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
        self.unread = 0

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
        self.show(lines_of(message))
        self.last_id = message.id
        self._unsent = [unsent for unsent in self._unsent if unsent.id is None or unsent.id > message.id]
        self._set_tail()

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


class Conversation:
    """The rooms that one user is in, and which of them is shown."""

    def __init__(self, user: str, rooms: list[str]) -> None:
        self.user = user
        self.status: Status | None = None  # None before anything is known
        self.transfers: list[Transfer] = []  # that are under way
        self._rooms = {fold(name): Room(name) for name in rooms}
        self.current = next(iter(self._rooms.values()))

    @property
    def rooms(self) -> list[Room]:
        """All rooms, in the order in which they were opened."""
        return list(self._rooms.values())

    def room(self, name: str) -> Room:
        """Return the room of that name, which is opened where it was not."""
        return self._rooms.setdefault(fold(name), Room(name))

    def add(self, message: Message) -> None:
        """Show the next message that came."""
        room = self.room(message.room)
        room.add(message)
        if room is not self.current or not room.follows:
            room.unread += 1

    def notice(self, text: str, at: float) -> None:
        """Say something of the program's own in the room that is shown."""
        self.current.show([Line(Kind.NOTICE, text, at, "-")])

    def turn(self, by: int) -> None:
        """Show the room ``by`` places further on."""
        rooms = self.rooms
        self.current = rooms[(rooms.index(self.current) + by) % len(rooms)]
        if self.current.follows:
            self.current.unread = 0

    def status_line(self, now: float) -> str:
        """Return the state of the connection and of the rooms; ``now`` by the reactor's clock."""
        rooms = " ".join(self._room_word(room) for room in self.rooms)
        here = "" if self.current.users is None else f"{self.current.users} here"
        below = f"↓ {self.current.unread} new" if self.current.unread else "↓ more"
        new = "" if self.current.follows else below
        state = "connecting" if self.status is None else ", ".join(_words(self.status, now))
        transfers = (transfer.words for transfer in self.transfers)
        return " · ".join(word for word in (new, state, *transfers, rooms, here, self.user) if word)

    def _room_word(self, room: Room) -> str:
        if room is self.current:
            return f"[{room.name}]"
        return f"{room.name}({room.unread})" if room.unread else room.name


def _words(status: Status, now: float) -> Iterator[str]:
    match status.state:
        case State.LOST:
            yield f"lost since {clock(status.since)}"
            yield "trying again" if status.retry_at is None else f"next try in {max(0, ceil(status.retry_at - now))} s"
        case State.BEHIND:
            yield f"behind by {status.behind}"
        case State.CLOSED:
            yield f"closed since {clock(status.since)}"
        case _:
            yield status.state.value
    if status.lag is not None and status.lag > SLOW:
        yield f"lag {status.lag * 1000:.0f} ms"
    if status.unsent:
        yield f"unsent {status.unsent}"
    if status.reason:
        yield status.reason


class Recall:
    """What was typed before, to be had again. A half-written line is the newest of it, and is not lost."""

    def __init__(self) -> None:
        self._entered: list[str] = []
        self._written: list[str] = [""]  # the entered lines as they were changed since, then the one being written
        self._place = 0

    def enter(self, text: str) -> None:
        """Keep ``text``, which is finished."""
        if text and self._entered[-1:] != [text]:
            self._entered.append(text)
            del self._entered[:-RECALLED]
        self._written = [*self._entered, ""]
        self._place = len(self._entered)

    def step(self, by: int, text: str) -> str:
        """Leave ``text`` where it is and return the line ``by`` places further on, or ``text`` at either end."""
        self._written[self._place] = text
        self._place = max(0, min(self._place + by, len(self._entered)))
        return self._written[self._place]
