"""What a search finds, shown one after another in its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionLost
from twisted.python.failure import Failure

from cli.client import Client
from cli.refusals import AskRefused
from cli.screen.paste import Pasted
from cli.screen.room import Room
from cli.session import Found

if TYPE_CHECKING:
    from cli.screen.talk import Talk

HITS: Final = 100  # that are asked for at once


@dataclass(slots=True, eq=False)
class Walk:
    """A walk through the messages of ``room`` that hold ``words``; ``place`` is the one that is shown, -1 for none."""

    room: Room
    words: str
    hits: list[int] = field(default_factory=list)  # their ids, the newest first
    place: int = -1
    before: int | None = None  # from where to ask on
    whole: bool = False  # all were found
    asks: bool = False  # for more
    asked: Deferred[Any] | None = None

    @property
    def told(self) -> str:
        """How far it is, for a person."""
        if self.asks:
            return f"searching for {self.words}, Esc ends"
        more = "" if self.whole else "+"
        return f"hit {self.place + 1} of {len(self.hits)}{more} for {self.words}, n N Esc"

    def take(self, found: Found) -> None:
        """Take an answer; one that does not lead on is the last."""
        limit = self.before
        hits = sorted((message.id for message in found.hits if limit is None or message.id < limit), reverse=True)
        self.hits += hits
        self.room.hits = frozenset(self.hits)
        self.whole = found.before is None or (limit is not None and found.before >= limit)
        self.before = found.before


class Search:
    """Walks through what was found in the room that ``talk`` shows: by ``n`` and ``N`` while nothing is typed."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._walk: Walk | None = None
        talk.commands.add("search", self._begin, "find messages: n goes to the one before, N back, Esc ends", "WORDS")

    def take(self, key: str) -> bool:
        """Take a key that goes on or ends, and return whether it was one; whatever is typed ends it too."""
        walk = self._walk
        if walk is None:
            return False
        if key == "esc":
            self._end()
            return True
        steps = {"n": 1, "N": -1}
        walks = walk.room is self._talk.conversation.current and not self._talk.typed and set(key) <= steps.keys()
        if walks:
            for step in key:
                self._step(walk, steps[step])
        elif isinstance(key, Pasted) or walk.room is not self._talk.conversation.current:
            self._end()
        return walks

    def _begin(self, words: str) -> None:
        self._end()
        if words.strip():
            self._walk = walk = Walk(self._talk.conversation.current, words.strip())
            self._ask(walk)
        else:
            self._talk.say("say which WORDS: /search WORDS")

    def _step(self, walk: Walk, by: int) -> None:
        if not walk.asks and 0 <= walk.place + by < len(walk.hits):
            walk.place += by
            walk.room.look_at((walk.hits[walk.place], 0))
            self._tell()
        elif not walk.asks and by > 0 and not walk.whole:
            self._ask(walk)

    def _ask(self, walk: Walk) -> None:
        def answered(found: Found) -> None:
            walk.asks = False
            walk.take(found)
            if walk.place + 1 < len(walk.hits):
                self._step(walk, 1)
            elif not walk.whole:
                self._ask(walk)
            elif not walk.hits:
                self._end()
                self._talk.say(f"nothing found for {walk.words}")
            self._tell()

        def refused(failure: Failure) -> None:
            failure.trap(AskRefused, ConnectionLost, CancelledError)
            if not failure.check(CancelledError):
                self._end()
                why = "there is no connection; try again once it is live"
                self._talk.say(f"no search: {why if failure.check(ConnectionLost) else failure.getErrorMessage()}")

        def ask(client: Client) -> None:
            if walk is self._walk:
                walk.asked = client.search(walk.room.name, walk.words, HITS, walk.before)
                walk.asked.addCallbacks(answered, refused).addErrback(self._talk.failed)

        walk.asks = True
        self._tell()
        self._talk.when_there(ask)

    def _end(self) -> None:
        walk, self._walk = self._walk, None
        if walk is not None:
            walk.room.hits = frozenset()
            if walk.asked is not None:
                walk.asked.cancel()
        self._tell()

    def _tell(self) -> None:
        self._talk.conversation.search = "" if self._walk is None else self._walk.told
        self._talk.changed()
