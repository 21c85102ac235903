"""Content without a limit on its way to the server: said in pieces, then sent as one message."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from secrets import randbelow
from typing import Any, Final

from msgspec import UNSET
from twisted.internet.defer import CancelledError, Deferred, DeferredLock, DeferredSemaphore
from twisted.internet.error import ConnectionLost
from twisted.python.failure import Failure

from cli import kept
from cli.attempts import Attempt, InThread
from cli.kept import Kept
from cli.outbox import Outbox, Say, Sending
from cli.outlet import Outlet
from cli.questions import Questions
from cli.refusals import AskRefused, SendRefused
from cli.sources import CHUNK, Disk, Memory, Source, Stamp, Stream, look
from cli.status import Progress
from wire import frames
from wire.frames import MAX_BODY, Frame
from wire.names import fold

RUNNING: Final = 4  # uploads at once; the others wait
WINDOW: Final = 8 * 1024 * 1024  # bytes that all of them together said and do not know to be stored: held, of streams
TRIES: Final = 5  # times that a server may have lost some of an upload


class Uploaded(Sending):
    """The `send` of an upload, all parts of which were said. On another connection that has to be seen first."""

    __slots__ = ("name", "size", "upload")

    repeatable = False

    def __init__(self, room: str, upload: int, size: int, name: str | None, entry: int) -> None:
        super().__init__(room, b"", entry)
        self.upload: Final = upload
        self.size: Final = size
        self.name: Final = name

    def frame(self, seq: int) -> frames.Send:
        """Return the `send` that says it."""
        name = UNSET if self.name is None else self.name
        return frames.Send(seq=seq, room=self.room, upload=self.upload, size=self.size, name=name)


class Upload:
    """One upload: where its content comes from, and how far it is. ``entry`` is its place in the outbox on disk."""

    def __init__(
        self, source: Source, room: str, name: str | None, progress: Progress | None, entry: int, number: int
    ) -> None:
        self.source: Final = source
        self.room: Final = room
        self.name: Final = name
        self.entry: Final = entry
        self.number: Final = number
        self.begun = False  # the server may have some of it
        self.resuming = False  # asks how much that is
        self.said = 0  # bytes
        self.stored = 0  # bytes of them that are known to be stored
        self.asking = False  # whether more of them are
        self.sending: Uploaded | None = None
        self.whole: Final[Attempt[int | None]] = Attempt()
        self.parts: Attempt[int] = Attempt()
        self.progress = progress
        self.adopter: Deferred[int | None] = Deferred(lambda _: self.whole.end(CancelledError()))
        self._more: Deferred[None] | None = None

    def is_of(self, path: str, stamp: Stamp, room: str, name: str) -> bool:
        """Whether it is of this very file, to be sent like this."""
        return (
            isinstance(self.source, Disk)
            and self.source.is_of(path, stamp)
            and fold(self.room) == fold(room)
            and self.name == name
        )

    def more_stored(self) -> Deferred[None]:
        """Fire when it is worth another look at what is stored."""
        self._more = Deferred(lambda _: setattr(self, "_more", None))
        return self._more

    def is_stored(self, size: int) -> None:
        """So many bytes of it are stored now."""
        self.stored = size
        self.source.forget(size)
        if self.progress is not None:
            self.progress(size, self.source.size)

    def look(self) -> None:
        """Somebody who waits for more to be stored is to look again."""
        more, self._more = self._more, None
        if more is not None:
            more.callback(None)


class Uploads:
    """All uploads of a client. They outlive its connections.

    Each is a coroutine that says a piece whenever the outlet gives it a turn, and asks after every chunk how much is
    stored. On a new connection it asks that first and goes on from there.
    """

    def __init__(
        self, outbox: Outbox, outlet: Outlet, questions: Questions, on_disk: Kept, in_thread: InThread
    ) -> None:
        self._outbox = outbox
        self._outlet = outlet
        self._questions = questions
        self._kept = on_disk
        self._in_thread = in_thread
        self._slots = DeferredSemaphore(RUNNING)
        self._looking = DeferredLock()  # at one file at a time
        self._uploads: dict[int, Upload] = {}
        self._left: list[Upload] = []  # by an earlier run; who asks for the same again is given what comes of this one
        self._running = 0
        self._forgotten: dict[int, int] = {}  # what the server need not keep, with the entries
        self._closed: Exception | None = None

    def __len__(self) -> int:
        """How many there are, but for those in the outbox."""
        looked_at = len(self._looking.waiting) + self._looking.locked
        return looked_at + sum(upload.sending is None for upload in self._uploads.values())

    def text(self, body: bytes, room: str) -> Deferred[int | None]:
        """Send a long text; fires and fails as all here does, as :meth:`cli.client.Client.send_file`."""
        number = _number()
        entry = self._kept.keep(lambda entry: kept.Text(entry, room, body.decode(), number))
        return self._start(Upload(Memory(body), room, None, None, entry, number))

    def file(self, path: str, room: str, name: str, progress: Progress | None) -> Deferred[int | None]:
        """Send a file; see :meth:`cli.client.Client.send_file`."""
        return Deferred.fromCoroutine(self._file(str(Path(path).absolute()), room, name, progress))

    async def _file(self, path: str, room: str, name: str, progress: Progress | None) -> int | None:
        stamp = await self._looking.run(self._in_thread, look, path)
        for left in self._left:
            if left.is_of(path, stamp, room, name):
                self._left.remove(left)
                left.progress = progress
                return await left.adopter
        number = _number()
        entry = self._kept.keep(
            lambda entry: kept.File(entry, room, number, kept.quoted(path), name, stamp.size, stamp.changed)
        )
        return await self._send(Upload(Disk(path, stamp, self._in_thread), room, name, progress, entry, number))

    def stream(
        self, read: Callable[[int], bytes], room: str, name: str | None, progress: Progress | None
    ) -> Deferred[int | None]:
        """Send what is read; see :meth:`cli.client.Client.send_stream`."""
        number = _number()
        entry = self._kept.keep(lambda entry: kept.Stream(entry, number))
        return self._start(Upload(Stream(read, self._in_thread), room, name, progress, entry, number))

    def restore(self, entry: kept.Text | kept.File, upload: int, said: int | None) -> Deferred[int | None]:
        """Go on with what an earlier run left, whose `send` was ``said`` with that number, if it was."""
        source: Source
        if isinstance(entry, kept.Text):
            source, name = Memory(entry.text.encode()), None
        else:
            path = kept.unquoted(entry.path)
            source, name = Disk(path, Stamp(entry.size, entry.changed), self._in_thread), entry.name
        restored = Upload(source, entry.room, name, None, entry.entry, upload)
        restored.begun = True
        if said is not None:
            restored.sending = _send_of(restored, source.size or 0)
            self._outbox.restore(restored.sending, said)
        self._left.append(restored)
        return self._start(restored).addBoth(self._tell_adopter, restored)

    def forget(self, number: int, entry: int) -> None:
        """The server need not keep this upload."""
        self._forgotten[number] = entry
        self._drop(number)

    # The life of a connection.

    def open(self) -> None:
        """Logged in."""
        for number in list(self._forgotten):
            self._drop(number)

    def close(self, why: Exception) -> None:
        """The client ends; what can be gone on with stays in the outbox on disk."""
        self._closed = why
        for upload in reversed(list(self._uploads.values())):  # those first that wait for the slots of others
            upload.whole.end(why)

    def refused(self, number: int, code: str, text: str) -> None:
        """The server does not take a part. Of an upload that was given up some may have been on their way."""
        upload = self._uploads.get(number)
        if upload is None:
            return
        if code != "unknown_upload":
            upload.whole.end(SendRefused(code, text))
        elif not upload.resuming:  # else the part was on its way already, behind the first that was not taken
            upload.parts.end(SendRefused(code, text))

    # One upload.

    def _start(self, upload: Upload) -> Deferred[int | None]:
        return Deferred.fromCoroutine(self._send(upload))

    def _tell_adopter(self, result: Any, restored: Upload) -> Any:
        adopted = restored not in self._left
        if isinstance(result, Failure) and not adopted:
            self._left.remove(restored)
            return result
        if not restored.adopter.called:
            restored.adopter.callback(result)
        return None if adopted else result

    async def _send(self, upload: Upload) -> int | None:
        if self._closed is not None:
            raise self._closed
        self._uploads[upload.number] = upload
        try:
            id = await upload.whole.run(self._in_slot(upload))
        except (SendRefused, CancelledError):
            self._give_up(upload)
            raise
        finally:
            del self._uploads[upload.number]
        self._kept.done(upload.entry)
        return id

    def _give_up(self, upload: Upload) -> None:
        if upload.sending is not None:
            self._outbox.withdraw(upload.sending)
            upload.sending.stored.addErrback(lambda _: None)  # nobody waits for it any more
        if upload.begun:
            self.forget(upload.number, upload.entry)
        else:
            self._kept.done(upload.entry)

    async def _in_slot(self, upload: Upload) -> int | None:
        await self._slots.acquire()
        self._running += 1
        try:
            return await self._until_stored(upload)
        finally:
            self._running -= 1
            self._slots.release()

    async def _until_stored(self, upload: Upload) -> int | None:
        tries = TRIES
        while True:
            try:
                if upload.sending is None:
                    upload.parts = Attempt()
                    self._put(upload, await upload.parts.run(self._say_parts(upload)))
                assert upload.sending is not None
                size = upload.sending.size
                id = await upload.sending.stored
                if id is None and size and await self._was_refused(upload):
                    self._put(upload, size)  # for the reason, which was lost with the connection
                    continue
            except ConnectionLost:
                pass
            except SendRefused as refused:
                tries -= 1
                if refused.code != "unknown_upload" or not tries:
                    raise
            else:
                upload.is_stored(size)
                return id
            upload.sending = None
            self._kept.place(upload.entry, None)

    def _put(self, upload: Upload, size: int) -> None:
        upload.sending = _send_of(upload, size)
        self._outbox.put(upload.sending)
        self._outlet.produce()

    async def _was_refused(self, upload: Upload) -> bool:
        """Tell what became of a `send` that arrived: had it been stored, the server would know of no such upload."""
        upload.sending = None
        return await self._ask_until_told(upload) > 0

    async def _say_parts(self, upload: Upload) -> int:
        """Say what the server has not, and return how many bytes it all is; errback ``ConnectionLost`` on the way."""
        await self._questions.ready()
        if upload.begun:
            await self._resume(upload)
        upload.begun = True
        connection = self._outlet.connections
        while data := await upload.source.read(upload.said):
            for start in range(0, len(data), MAX_BODY):
                say = await self._outlet.turn(connection)
                piece = data[start : start + MAX_BODY]
                say(frames.Part(upload=upload.number, offset=upload.said), piece)
                upload.said += len(piece)
            self._ask_if_stored(upload)
            while upload.said - upload.stored > WINDOW // self._running - CHUNK:
                await upload.more_stored()
                await self._questions.ready()
                if connection != self._outlet.connections:
                    raise ConnectionLost("the connection went")
                self._ask_if_stored(upload)
        return upload.said

    async def _resume(self, upload: Upload) -> None:
        size = await self._ask_until_told(upload)
        if size > upload.source.reach:
            raise SendRefused("failed", "the server has more of it than was sent")
        upload.said = size
        upload.is_stored(size)

    async def _ask_until_told(self, upload: Upload) -> int:
        upload.resuming = True
        try:
            return await self._questions.persist(lambda: self._ask(upload))
        except AskRefused as refused:
            raise SendRefused(refused.code, refused.text) from None
        finally:
            upload.resuming = False

    def _ask_if_stored(self, upload: Upload) -> None:
        if not upload.asking and upload.said - upload.stored >= CHUNK:
            upload.asking = True
            self._ask(upload).addBoth(self._has_told, upload, upload.parts)

    def _has_told(self, told: int | Failure, upload: Upload, parts: Attempt[int]) -> None:
        upload.asking = False
        if isinstance(told, Failure):
            told.trap(ConnectionLost, AskRefused)
            if isinstance(told.value, AskRefused) and told.value.code == "storage_down":
                self._questions.stalled(True)
            elif isinstance(told.value, AskRefused):
                parts.end(SendRefused(told.value.code, told.value.text))
        elif parts is not upload.parts:
            pass  # it had to begin anew meanwhile: this tells nothing, but now it can be asked again
        elif told > upload.said:
            parts.end(SendRefused("failed", "the server has more of it than was sent"))
        else:
            upload.is_stored(told)
        upload.look()

    def _ask(self, upload: Upload) -> Deferred[int]:
        sizes: list[int] = []

        def take(frame: Frame, _: bytes) -> None:
            if isinstance(frame, frames.Resumed):
                sizes.append(frame.size)

        return self._questions.ask(lambda ref: frames.Resume(upload=upload.number, ref=ref), sizes, take).addCallback(
            lambda sizes: sizes[-1] if sizes else 0
        )

    def _drop(self, number: int) -> None:
        def has_turn(say: Say) -> None:
            say(frames.Drop(upload=number), b"")
            self._kept.done(self._forgotten.pop(number))

        # Without a connection, the next one comes back to it.
        self._outlet.turn(self._outlet.connections).addCallbacks(has_turn, lambda lost: lost.trap(ConnectionLost))


def _number() -> int:
    """Return a number for an upload that the server knows nothing of, most likely."""
    return randbelow(2**53)


def _send_of(upload: Upload, size: int) -> Uploaded:
    return Uploaded(upload.room, upload.number, size, upload.name, upload.entry)
