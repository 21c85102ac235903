"""What a search finds, shown one after another in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from cli.refusals import UNANSWERED, why
from cli.screen.reading import STAYING
from cli.screen.room import Room
from cli.session import Found

if TYPE_CHECKING:
    from cli.screen.talk import Talk

HITS: Final = 100  # that are asked for at once

_STEPS: Final = {"n": 1, "N": -1}


class Search:
    """Finds messages for ``talk``."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        talk.commands.add("search", self._begin, "find messages by their words", "WORDS", subject="talk")

    def _begin(self, words: str) -> None:
        if words.strip():
            walk = Walk(self._talk, self._talk.conversation.current, words.strip())
            self._talk.writing.let(walk)
            walk.begin()
        else:
            self._talk.say("say which WORDS: /search WORDS")


class Walk:
    """A walk through the messages of ``room`` that hold ``words``, from the newest on; takes the keys meanwhile."""

    def __init__(self, talk: Talk, room: Room, words: str) -> None:
        self.over = False
        self._talk = talk
        self._room = room
        self._words = words
        self._hits: list[int] = []  # their ids, the newest first
        self._place = -1  # of the one that is shown
        self._before: int | None = None  # from where to ask on
        self._whole = False  # all were found
        self._asks = False  # for more
        self._asked: Deferred[Any] | None = None
        self._trouble = ""

    @property
    def prompt(self) -> str:
        """How far it is."""
        if self._trouble:
            return self._trouble
        if self._asks:
            return f"searching for {self._words}: Esc ends"
        if not self._hits:
            return f"nothing found for {self._words}"
        more = "" if self._whole else "+"
        return f"hit {self._place + 1} of {len(self._hits)}{more} for {self._words}: n the one before, N back, Esc ends"

    def begin(self) -> None:
        """Ask for the newest."""
        self._asks = True
        self._ask()

    def press(self, key: str) -> bool:
        """Go to the hit before by ``n``, back by ``N``; what else is typed ends it, but for looking around."""
        if key == "esc":
            self._end()
            return True
        if set(key) <= _STEPS.keys() and (self._hits or self._asks):
            for step in key:
                self._step(_STEPS[step])
            return True
        action = self._talk.keys.bound(key)
        if action is not None and action.name in STAYING:
            action.run()
            return True
        self._end()
        return False

    def _step(self, by: int) -> None:
        self._trouble = ""
        if not self._asks and 0 <= self._place + by < len(self._hits):
            self._place += by
            self._room.look_at((self._hits[self._place], 0))
        elif not self._asks and by > 0 and not self._whole:
            self.begin()

    def _ask(self) -> None:
        self._asked = self._talk.client.search(self._room.name, self._words, HITS, self._before)
        self._asked.addCallbacks(self._answered, self._refused).addErrback(self._talk.failed)

    def _answered(self, found: Found) -> None:
        limit = self._before
        new = {message.id for message in found.hits if limit is None or message.id < limit}
        self._hits += sorted(new, reverse=True)
        self._room.hits = frozenset(self._hits)
        self._before = found.before
        self._whole = found.before is None or (limit is not None and found.before >= limit)  # it would not lead on
        self._asks = False
        if new or not self._whole:
            self._step(1)
        self._talk.changed()

    def _refused(self, failure: Failure) -> None:
        failure.trap(*UNANSWERED, CancelledError)
        self._trouble = f"no search: {why(failure.value)}"
        self._asks = False
        self._talk.changed()

    def _end(self) -> None:
        self.over = True
        self._room.hits = frozenset()
        if self._asked is not None:
            self._asked.cancel()
