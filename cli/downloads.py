"""Content on its way from the server, no faster than whoever takes it does."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from hashlib import sha256
from typing import Any, Final

from msgspec import UNSET
from twisted.internet.defer import Deferred, DeferredSemaphore, succeed
from twisted.internet.interfaces import IPushProducer
from twisted.python.failure import Failure

from cli.attempts import Attempt, InThread
from cli.partial import Partial
from cli.questions import Questions
from cli.refusals import AskRefused
from cli.status import Progress
from wire import frames
from wire.frames import Frame

RUNNING: Final = 4  # downloads at once; the others wait
UNWRITTEN: Final = 2 * 1024 * 1024  # bytes of all of them at which nothing more is read: one MiB is written, one waits

Write = Callable[[bytes], object]


class Content:
    """The content of one message from a byte on: taken as it comes, and written by calls that block, one at a time.

    ``wrote`` is called with the size of each piece that was written, ``failed`` with why one was not.
    """

    def __init__(
        self,
        offset: int,
        size: int,
        write: Write,
        in_thread: InThread,
        wrote: Callable[[Content], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self.size: Final = size
        self.taken = offset
        self.written = offset
        self._write = write
        self._in_thread = in_thread
        self._wrote = wrote
        self._failed = failed
        self._pieces: list[bytes] = []
        self._writing = False
        self._drained: Deferred[None] | None = None

    @property
    def unwritten(self) -> int:
        """How many bytes of it are held here."""
        return self.taken - self.written

    def take(self, frame: Frame, body: bytes) -> None:
        """Take one piece; raises :class:`AskRefused` for what does not follow or is too much."""
        if not isinstance(frame, frames.Piece):
            return
        if frame.offset != self.taken or not body:
            raise AskRefused("failed", "what the server gives does not follow what it gave before")
        if self.taken + len(body) > self.size:
            raise AskRefused("failed", f"the server gives more than the {self.size} bytes that it spoke of")
        self.taken += len(body)
        self._pieces.append(body)
        self._write_on()

    def drained(self) -> Deferred[None]:
        """Fire when all that was taken is written."""
        if not self.unwritten:
            return succeed(None)
        self._drained = Deferred()
        return self._drained

    def _write_on(self) -> None:
        if self._pieces and not self._writing:
            data = b"".join(self._pieces)
            self._pieces.clear()
            self._writing = True
            self._in_thread(self._write, data).addCallback(self._has_written, len(data)).addErrback(self._has_failed)

    def _has_written(self, _: object, size: int) -> None:
        self._writing = False
        self.written += size
        self._write_on()
        self._wrote(self)
        if self._drained is not None and not self.unwritten:
            self._drained.callback(None)

    def _has_failed(self, failure: Failure) -> None:
        assert isinstance(failure.value, Exception)
        self._failed(failure.value)


class Downloads:
    """All downloads of a client. They outlive its connections, and go on where they were.

    A consumer in Twisted's sense: it pauses its producer, the connection, while too much waits to be written. That
    holds up everything else that comes, but not for longer than a write takes.
    """

    def __init__(self, questions: Questions, in_thread: InThread) -> None:
        self._questions = questions
        self._in_thread = in_thread
        self._slots = DeferredSemaphore(RUNNING)
        self._attempts: set[Attempt[int]] = set()
        self._contents: set[Content] = set()
        self._producer: IPushProducer | None = None
        self._closed: Exception | None = None

    def registerProducer(self, producer: IPushProducer, streaming: bool = True) -> None:  # noqa: ARG002
        """Read from another connection from now on."""
        self._producer = producer

    def unregisterProducer(self) -> None:
        """The connection is gone."""
        self._producer = None

    def close(self, why: Exception) -> None:
        """The client ends."""
        self._closed = why
        for attempt in list(self._attempts):
            attempt.end(why)

    def fetch(self, room: str, id: int, write: Write, offset: int, progress: Progress | None) -> Deferred[int]:
        """See :meth:`cli.client.Client.fetch`."""

        async def work(attempt: Attempt[int]) -> int:
            _, size = await self._look_up(room, id)
            return await self._give(attempt, room, id, write, offset, size, progress)

        return self._start(work)

    def save(self, room: str, id: int, path: str, progress: Progress | None) -> Deferred[int]:
        """See :meth:`cli.client.Client.save`."""

        async def work(attempt: Attempt[int]) -> int:
            message, size = await self._look_up(room, id)
            partial = Partial(path, f"{id}-{_mark(message, size)}")
            offset = await self._in_thread(partial.begin, size)
            await self._give(attempt, room, id, partial.write, offset, size, progress)
            await self._in_thread(partial.finish)
            return size

        return self._start(work)

    def _start(self, work: Callable[[Attempt[int]], Coroutine[Any, Any, int]]) -> Deferred[int]:
        return Deferred.fromCoroutine(self._run(work))

    async def _run(self, work: Callable[[Attempt[int]], Coroutine[Any, Any, int]]) -> int:
        if self._closed is not None:
            raise self._closed
        attempt: Attempt[int] = Attempt()
        self._attempts.add(attempt)
        try:
            return await attempt.run(self._in_slot(work(attempt)))
        finally:
            self._attempts.discard(attempt)

    async def _in_slot(self, work: Coroutine[Any, Any, int]) -> int:
        try:
            await self._slots.acquire()
        except BaseException:
            work.close()
            raise
        try:
            return await work
        finally:
            self._slots.release()

    async def _give(
        self,
        attempt: Attempt[int],
        room: str,
        id: int,
        write: Write,
        offset: int,
        size: int,
        progress: Progress | None,
    ) -> int:
        def wrote(content: Content) -> None:
            self._look()
            if progress is not None:
                progress(content.written, size)

        content = Content(offset, size, write, self._in_thread, wrote, attempt.end)
        self._contents.add(content)
        try:
            if progress is not None:
                progress(offset, size)
            if offset < size:
                await self._questions.persist(lambda: self._fetch(room, id, content))
                await content.drained()
        finally:
            self._contents.discard(content)
            self._look()
        if content.taken < size:
            raise AskRefused("failed", f"the server gave {content.taken} of {size} bytes")
        return size

    def _fetch(self, room: str, id: int, content: Content) -> Deferred[object]:
        def take(frame: Frame, body: bytes) -> None:
            content.take(frame, body)
            self._look()

        offset = content.taken
        return self._questions.ask(
            lambda ref: frames.Fetch(id=id, ref=ref, room=room, offset=offset), None, take, endless=True
        )

    async def _look_up(self, room: str, id: int) -> tuple[frames.Message, int]:
        """Return message ``id`` and the size of its whole content."""
        found: list[tuple[frames.Message, int]] = []

        def take(frame: Frame, body: bytes) -> None:
            if isinstance(frame, frames.Message) and frame.id == id:
                found.append((frame, len(body) if frame.size is UNSET else frame.size))

        def ask() -> Deferred[object]:
            return self._questions.ask(
                lambda ref: frames.History(limit=1, ref=ref, room=room, before=id + 1), None, take
            )

        await self._questions.persist(ask)
        if not found or found[0][0].deleted is True:
            raise AskRefused("unknown_message", f"there is no message {id} in {room}")
        return found[0]

    def _look(self) -> None:
        """See whether the connection is to be held or let go on."""
        unwritten = sum(content.unwritten for content in self._contents)
        if self._producer is None:
            return
        if unwritten >= UNWRITTEN:
            self._producer.pauseProducing()
        elif unwritten < UNWRITTEN // 2:
            self._producer.resumeProducing()


def _mark(message: frames.Message, size: int) -> str:
    """Return what tells ``message`` from another one of that number, of another room, server or database."""
    told = f"{message.room}/{message.id}/{message.sender}/{message.at}/{size}"
    return sha256(told.encode()).hexdigest()[:8]
