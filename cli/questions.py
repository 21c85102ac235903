"""Questions to the server that are open, and what came of their answers so far."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.python.failure import Failure

from cli.outbox import Say
from cli.refusals import AskRefused
from wire.frames import BadFrame, Frame

PARTS: Final = 1000  # frames of one answer, at most: 64 MiB; a page of history has 500

T = TypeVar("T")


class Question(Generic[T]):
    """One question: ``take`` is given each frame of the answer, ``whole`` is what they make together."""

    def __init__(self, whole: T, take: Callable[[Frame, bytes], None]) -> None:
        self.whole: Final = whole
        self.take: Final = take
        self.parts = 0
        self.answered: Deferred[T] = Deferred()

    def finish(self) -> None:
        """The answer is complete."""
        self.answered.callback(self.whole)


class Questions:
    """The open questions of one connection by their ``ref``."""

    def __init__(self) -> None:
        self._open: dict[int, Question[object]] = {}
        self._last_ref = 0
        self._say: Say | None = None

    def open(self, say: Say) -> None:
        """Logged in: questions go out by ``say``."""
        self._say = say

    def ask(self, frame: Callable[[int], Frame], whole: T, take: Callable[[Frame, bytes], None]) -> Deferred[T]:
        """Say what ``frame`` makes of a ref, and return ``whole`` when its answer is complete.

        Errback :class:`AskRefused`, or :class:`ConnectionLost` where there is no connection or it went.
        """
        question = Question(whole, take)
        if self._say is None:
            question.answered.errback(ConnectionLost("there is no connection"))
            return question.answered
        self._last_ref += 1
        self._open[self._last_ref] = question  # type: ignore[assignment]  # T is known to the asker alone
        self._say(frame(self._last_ref), b"")
        return question.answered

    def part(self, ref: int, frame: Frame, body: bytes) -> None:
        """Take one frame of an answer; raises :class:`BadFrame` where there are too many. Unasked ones are nothing."""
        question = self._open.get(ref)
        if question is None:
            return
        question.parts += 1
        if question.parts > PARTS:
            raise BadFrame("the server's answer has no end")
        question.take(frame, body)

    def done(self, ref: int) -> None:
        """An answer is complete."""
        question = self._open.pop(ref, None)
        if question is not None:
            question.finish()

    def refused(self, ref: int, code: str, text: str) -> None:
        """A question is not answered."""
        question = self._open.pop(ref, None)
        if question is not None:
            question.answered.errback(AskRefused(code, text))

    def close(self) -> None:
        """The connection is gone, and no answer will come."""
        self._say = None
        left, self._open = self._open, {}
        for question in left.values():
            question.answered.errback(Failure(ConnectionLost("the connection went before the answer")))
