"""One room as one person sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from msgspec import structs

from cli.inbox import Message
from cli.screen.history import PAGE, History, Span
from cli.screen.lines import Kind, Line, day, lines_of, typed
from cli.screen.notes import Notes
from cli.screen.present import Present
from cli.screen.reached import Reached
from cli.screen.rows import UNSENT, Lines, Position, Rows
from cli.screen.scrollback import HIDDEN, SHOWN
from cli.settings import Settings
from cli.words import amount, counted
from cli.words import day as day_of
from wire.names import TALK

SPEAKERS: Final = 1000  # people who are known to have said something


@dataclass(slots=True, eq=False)
class Unsent:
    """What was sent and is not known to be stored; ``id`` once it is stored but has not come back yet."""

    lines: list[Line]
    id: int | None = None


class Room:
    """What is known of one room: its ``rows``, which of them is looked at, and how far it was read.

    Any messages may be missing: a row stands for each gap, and :meth:`wanted` tells what to fetch. ``is_news`` tells
    which messages are worth coming for, ``is_mention`` which of those speak to the person; ``hides`` tells of whom one
    hears nothing.
    """

    def __init__(
        self,
        name: str,
        is_mention: Callable[[Message], bool] = lambda _: False,
        hides: Callable[[str], bool] = lambda _: False,
        is_news: Callable[[Message], bool] = lambda _: True,
        settings: Settings | None = None,
    ) -> None:
        self.name = name
        self.users: int | None = None  # in the room now, None while unknown
        self.present = Present()
        self.live_after = 0  # what has a higher id came while we were there
        self.follows = True  # the newest row is shown, also when others come
        self.looked_at: Position = (0, 0)  # for who does not follow
        self.hits: Set[int] = frozenset()  # ids of what a search found
        self.absence = "loading"  # what is said of messages that are not here
        self.history = History()
        self.rows = Rows(self.history, self._lines)
        self._is_mention = is_mention
        self._hides = hides
        self._is_news = is_news
        self._settings = settings or Settings()
        self._shown = False
        self._reached = Reached()
        self._notes = Notes()
        self._speakers: dict[str, int] = {}  # the last message of each
        self._unsent: list[Unsent] = []
        self._seen = Span(0, 0)

    # How far it was read.

    @property
    def last_id(self) -> int:
        """The newest message that came."""
        return self.history.last_id

    @property
    def read_id(self) -> int | None:
        """The last message that was read, None where that is not known."""
        return self._reached.read_id

    @read_id.setter
    def read_id(self, id: int | None) -> None:
        self._reached.read(id)

    @property
    def unread(self) -> int:
        """How many messages came since it was read."""
        return self._reached.unread(self.history.first_id, self.last_id)

    @property
    def mentions(self) -> int:
        """How many of the unread messages are mentions, as far as they are here; all are where nobody else is meant."""
        return self.unread if self.name.startswith(TALK) else self._reached.mentions

    @property
    def bar(self) -> Position | None:
        """Where unread began when the room was entered, None where nothing came since."""
        id = self._reached.bar_id
        return None if id is None or id >= self.last_id else (max(id + 1, self.history.first_id), 0)

    def enter(self) -> None:
        """Somebody looks at it now."""
        self._shown = True
        self._reached.set_bar(self.last_id)
        self._read()

    def leave(self) -> None:
        """Nobody looks at it any more."""
        self._shown = False
        self._let_go()

    def look_at(self, position: Position) -> None:
        """Stay at ``position``, whatever comes."""
        self.looked_at = position
        self.follows = False

    @property
    def looked_at_day(self) -> date | None:
        """The day of the message that is looked at, None where it is not here."""
        message = self.history.get(max(self.looked_at[0], self.history.first_id))
        return None if message is None else day_of(message.at / 1000)

    def follow(self) -> None:
        """Go to the newest row and stay with it."""
        self.follows = True
        self._read()

    def see(self, first: int, last: int) -> None:
        """The messages between these ids are on the screen."""
        self._seen = Span(first, last)

    def _read(self) -> None:
        if self._shown and self.follows and self._reached.is_unread(self.last_id):
            self._reached.read(self.last_id)

    @property
    def on_screen(self) -> Span:
        """Which messages are on the screen."""
        first, last = self._seen
        return Span(self.last_id - (last - first), self.last_id) if self.follows else self._seen

    def _near(self) -> Span:
        """Return what is on the screen and, where that is seen, a page on both sides, so that one scrolls smoothly."""
        first, last = self.on_screen
        ahead = PAGE if self._shown else 0
        return Span(first - ahead, last + ahead)

    # What comes.

    def open(self, first_id: int, last_id: int) -> None:
        """The server keeps these messages; what is not here is fetched when it is looked at."""
        first_time = not self.history.opened
        if self.history.open(first_id, last_id) or first_time:
            self._notes.move(self.last_id, self.last_id)
            self._reached.open(self.last_id)
            if self._shown:
                self._reached.set_bar(self.last_id)
        self._begin()
        self.live_after = last_id
        self.present = Present()
        self._read()

    def add(self, message: Message) -> None:
        """Show the next message that came."""
        self._take(message)
        self._read()
        self._unsent = [unsent for unsent in self._unsent if unsent.id is None or unsent.id > message.id]
        if message.size is not None:
            self._has_come(message)
        self._let_go()

    def delete(self, id: int) -> None:
        """A message has no content any more."""
        if message := self.history.get(id):
            self.history.put(structs.replace(message, text="", size=None, name=None, deleted=True))

    def wanted(self) -> Span | None:
        """Return which messages to fetch next, None where all that one sees or may soon see are here."""
        return self.history.wanted(self.on_screen.last, self._near())

    def load(self, wanted: Span, messages: Iterable[Message]) -> None:
        """Take the answer for what was ``wanted``."""
        for message in self.history.load(wanted, messages):
            self._take(message)
        self._begin()
        self._let_go()

    def come_and_go(self, joined: list[str], left: list[str], but: str = "") -> None:
        """Tell of people who came and went, ``but`` not of one."""
        self.present.come_and_go(joined, left)
        self._notes.come_and_go(self.last_id, *([name for name in names if name != but] for names in (joined, left)))

    def show(self, lines: Iterable[Line]) -> None:
        """Put ``lines`` behind what came."""
        for line in lines:
            self._notes.add(self.last_id, line)

    def count_anew(self) -> None:
        """Others are hidden now: count what is unread, as far as it is here."""
        for message in self.history:
            self._count(message)

    def mention(self, id: int, by: int) -> int | None:
        """Return the nearest mention above (``by`` -1) or below (1) the message ``id``, None where none is here."""
        run = self.history.run(id + by)
        if run is None:
            return None
        ids = range(id - 1, run.first - 1, -1) if by < 0 else range(id + 1, run.last + 1)
        return next((id for id in ids if (found := self.history.get(id)) and self._is_mention(found)), None)

    def speakers(self) -> list[str]:
        """Return who is known to have said something, the last speaker first."""
        return sorted(self._speakers, key=self._speakers.__getitem__, reverse=True)

    def _take(self, message: Message) -> None:
        self.history.put(message)
        self._speakers[message.sender] = max(message.id, self._speakers.get(message.sender, 0))
        if len(self._speakers) > SPEAKERS:
            self._speakers = {name: self._speakers[name] for name in self.speakers()[: SPEAKERS // 2]}
        self._count(message)

    def _count(self, message: Message) -> None:
        if self._reached.is_unread(message.id):
            news = self._is_news(message)
            self._reached.count(message.id, news=news, mention=news and self._is_mention(message))

    def _begin(self) -> None:
        """There is nothing before the first message that the server keeps."""
        self._notes.move(self.history.first_id - 1, self.last_id)
        self._reached.prune(self.history.first_id)

    def _let_go(self) -> None:
        self.history.let_go(self._near(), SHOWN if self._shown else HIDDEN)

    # What is not sent yet.

    def type(self, text: str, at: float, user: str) -> Unsent:
        """Show what was typed as not sent yet."""
        return self._wait_for(typed(text, at, user))

    def attach(self, name: str, size: int, at: float, user: str) -> Unsent:
        """Show the file called ``name`` as not sent yet."""
        return self._wait_for([Line(Kind.UNSENT, f"file {name}, {amount(size)}", at, user)])

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

    def _has_come(self, message: Message) -> None:
        """Let go of the upload that ``message`` was: after a lost connection that is known only a question later."""
        shown, *_ = lines_of(message)
        for unsent in self._unsent:
            sent, *_ = unsent.lines
            same = shown.text.startswith(sent.text) or sent.text.startswith(shown.text)  # more is shown of one
            if same and unsent.id is None and sent.name == shown.name:
                self._unsent.remove(unsent)
                return

    def _wait_for(self, lines: list[Line]) -> Unsent:
        unsent = Unsent(lines)
        self._unsent.append(unsent)
        self.follow()
        return unsent

    # The lines of each message, and of what stands in its place.

    def _lines(self, id: int) -> Lines:
        if id == UNSENT:
            return Lines([], [line for unsent in self._unsent for line in unsent.lines])
        behind = self._notes.lines(id, self._shows)
        if id < self.history.first_id:
            return Lines([], [*self._beginning(), *behind])
        message = self.history.get(id)
        if message is None:
            return Lines([], [self._absent(self.history.gap(id)), *behind])
        lines = [] if self._hides(message.sender) else lines_of(message)
        hit, mention = id in self.hits, self._is_mention(message)
        if hit or mention:
            lines = [replace(line, hit=hit, mention=mention) for line in lines]
        return Lines([*self._above(message)], [*lines, *behind])

    def _beginning(self) -> Iterator[Line]:
        if self.history.opened:
            all_kept = self.history.first_id == 1
            yield Line(Kind.BEGINNING, f"{self.name} begins here" if all_kept else "what was before is not kept")

    def _absent(self, gap: Span) -> Line:
        return Line(Kind.ABSENT, f"… {counted(gap.last - gap.first + 1, 'message')}: {self.absence}")

    def _above(self, message: Message) -> Iterator[Line]:
        if self.bar == (message.id, 0):
            yield Line(Kind.BAR, "unread")
        on, before = day_of(message.at / 1000), self.history.get(message.id - 1)
        if on is not None and (before is None or on != day_of(before.at / 1000)):
            yield day(on)

    def _shows(self, name: str) -> bool:
        """Whether one sees that ``name`` comes and goes."""
        wanted = self._settings.presence
        return (wanted == "all" or (wanted == "speakers" and name in self._speakers)) and not self._hides(name)
