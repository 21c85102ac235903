"""Questions to the server that are open, and what came of their answers so far."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final, Generic, TypeVar

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionLost
from twisted.python.failure import Failure

from cli.outbox import Say
from cli.refusals import AskRefused
from wire.frames import BadFrame, Cancel, Frame

OPEN: Final = 16  # at once: so many every server takes; more wait here for their turn
PARTS: Final = 1000  # frames of one answer, at most: 64 MiB; a page of history has 500

T = TypeVar("T")


class Question(Generic[T]):
    """One question: ``take`` is given each frame of the answer, ``whole`` is what they make together.

    ``frame`` makes the question of a ref. An answer is ``endless`` where ``take`` sees to its end itself.
    """

    def __init__(
        self,
        frame: Callable[[int], Frame],
        whole: T,
        take: Callable[[Frame, bytes], None],
        endless: bool,
        cancel: Callable[[Question[T]], None],
    ) -> None:
        self.frame: Final = frame
        self.whole: Final = whole
        self.take: Final = take
        self.left = None if endless else PARTS
        self.ref: int | None = None  # once it was asked
        self.answered: Deferred[T] = Deferred(lambda _: cancel(self))

    def finish(self) -> None:
        """The answer is complete."""
        self.answered.callback(self.whole)


class Questions:
    """The open questions of one connection by their ``ref``, and those that wait to be asked."""

    def __init__(self) -> None:
        self._open: dict[int, Question[object]] = {}
        self._line: deque[Question[object]] = deque()
        self._last_ref = 0
        self._say: Say | None = None
        self._stalled = False  # the database is away: what needs it waits
        self._ready: list[Deferred[None]] = []

    def open(self, say: Say) -> None:
        """Logged in: questions go out by ``say``."""
        self._say = say
        self.stalled(False)

    def ask(
        self,
        frame: Callable[[int], Frame],
        whole: T,
        take: Callable[[Frame, bytes], None],
        endless: bool = False,
    ) -> Deferred[T]:
        """Say what ``frame`` makes of a ref, and return ``whole`` when its answer is complete. It may be cancelled.

        Errback :class:`AskRefused`, also where ``take`` raises it, or :class:`ConnectionLost` where there is no
        connection or it went.
        """
        question = Question(frame, whole, take, endless, self._cancel)
        if self._say is None:
            question.answered.errback(ConnectionLost("there is no connection"))
            return question.answered
        self._line.append(question)  # type: ignore[arg-type]  # T is known to the asker alone
        self._advance()
        return question.answered

    async def persist(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Return what comes of ``attempt``, made anew after a lost connection and when the database was away."""
        while True:
            await self.ready()
            try:
                return await attempt()
            except ConnectionLost:
                pass
            except AskRefused as refused:
                if refused.code != "storage_down":
                    raise
                self.stalled(True)

    def ready(self) -> Deferred[None]:
        """Fire when questions can be asked: now, or when we are logged in and the database is there."""
        if self._say is not None and not self._stalled:
            return succeed(None)
        ready: Deferred[None] = Deferred(self._ready.remove)
        self._ready.append(ready)
        return ready

    def stalled(self, stalled: bool) -> None:
        """The database is away, or it is worth another try."""
        self._stalled = stalled
        if not stalled and self._say is not None:
            waiting, self._ready = self._ready, []
            for ready in waiting:
                ready.callback(None)

    def part(self, ref: int, frame: Frame, body: bytes) -> None:
        """Take one frame of an answer; raises :class:`BadFrame` where there are too many. Unasked ones are nothing."""
        question = self._open.get(ref)
        if question is None:
            return
        if question.left is not None:
            question.left -= 1
            if question.left < 0:
                raise BadFrame("the server's answer has no end")
        try:
            question.take(frame, body)
        except AskRefused as wrong:
            self._cancel(question)
            question.answered.errback(Failure(wrong))

    def done(self, ref: int, last: Frame) -> None:
        """An answer is complete with its ``last`` frame."""
        question = self._open.pop(ref, None)
        if question is not None:
            question.take(last, b"")
            question.finish()
            self._advance()

    def refused(self, ref: int, code: str, text: str) -> None:
        """A question is not answered."""
        question = self._open.pop(ref, None)
        if question is not None:
            question.answered.errback(AskRefused(code, text))
            self._advance()

    def close(self) -> None:
        """The connection is gone, and no answer will come."""
        self._say = None
        left = [*self._open.values(), *self._line]
        self._open.clear()
        self._line.clear()
        for question in left:
            question.answered.errback(Failure(ConnectionLost("the connection went before the answer")))

    def _advance(self) -> None:
        while self._say is not None and self._line and len(self._open) < OPEN:
            question = self._line.popleft()
            self._last_ref += 1
            question.ref = self._last_ref
            self._open[question.ref] = question
            self._say(question.frame(question.ref), b"")

    def _cancel(self, question: Question[Any]) -> None:
        if question in self._line:
            self._line.remove(question)
        elif question.ref is not None and self._open.pop(question.ref, None) is not None and self._say is not None:
            self._say(Cancel(ref=question.ref), b"")
            self._advance()
