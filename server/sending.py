"""What one connection has stored: its messages, in the order of their numbers, and its uploads."""

from __future__ import annotations

from functools import partial
from secrets import token_bytes
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, UnsetType
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from server.folding import is_long
from server.journal import Failed
from server.questions import Asked
from server.refusals import NOT_STORED, Refused, echo_of, error, named
from server.uploads import Upload
from storage.interface import (
    Content,
    Drop,
    LoggedIn,
    Message,
    Outcome,
    Piece,
    Refusal,
    Refuse,
    Send,
    SendContent,
    Sender,
    Taken,
    UploadKey,
)
from wire import frames
from wire.frames import MAX_BODY, Echo, encode, room_of
from wire.names import file_name, fold

if TYPE_CHECKING:
    from server.connection import Connection
    from server.room import Room


class Sending:
    """Takes what ``connection`` sends and answers it, in the order in which it came.

    An upload's frames that need a look into the database, or that what went before is stored, are waited for, so that
    what has to be stored keeps its order.
    """

    __slots__ = (
        "_client", "_connection", "_ended", "_received", "_room_asked", "_sender", "_server", "_unanswered",
        "_uploads", "says_little",
    )  # fmt: skip
    _log = Logger()

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._server = connection.server
        self._sender: Sender | None = None
        self._client = b""  # whose uploads ours are; drawn for this connection where the client has no secret
        self._received = 0  # the highest seq that was taken
        self._unanswered = 0  # messages, sent or refused
        self.says_little = True
        self._room_asked: str | UnsetType = UNSET  # as the last message called it
        self._uploads: dict[int, Upload] = {}  # those that something was said of, as far as it matters
        self._ended = False

    def begin(self, logged_in: LoggedIn) -> None:
        """The client is logged in."""
        self._sender, self._received = logged_in.sender, logged_in.received
        self._client = token_bytes(32) if self._sender is None else self._sender.client

    @property
    def epoch(self) -> int:
        """Which login of its client this is; 0 before it, and for a client without a secret."""
        return self._sender.epoch if self._sender else 0

    @property
    def received(self) -> int:
        """The highest ``seq`` that was taken."""
        return self._received

    @property
    def is_settled(self) -> bool:
        """Whether all that was taken is stored and answered."""
        return not self._unanswered and not any(upload.waiting for upload in self._uploads.values())

    def end(self) -> None:
        """The connection is gone. Nobody can go on with the uploads of a client without a secret."""
        self._ended = True
        if self._sender is None:
            for upload in self._uploads.values():
                if upload.size:
                    upload.settled().addCallback(self._drop, upload.key)

    # -- messages

    def send(self, frame: frames.Send, body: bytes) -> None:
        """Store a message, or refuse it."""
        if (pace := self._connection.paces.messages) is not None:
            pace.spent(1)
        if not self._takes(frame.seq, frame):
            return
        try:
            upload = _upload(frame, body)
            room = self._connection.cursor(room_of(frame)).room
            self._server.rules.check_voice(self._connection.user)
            if upload is not None:
                self._connection.intake.wait_for(self._send_upload(frame, room, upload))
                return
            if len(body) > MAX_BODY:
                raise Refused("too_large", f"a body has at most {MAX_BODY} bytes")
            text = body.decode()
            self._server.limits.take_message(len(body))
        except Refused as refused:
            self._refuse(frame.seq, echo_of(frame), refused.code, str(refused))
        except UnicodeDecodeError:
            self._refuse(frame.seq, echo_of(frame), "bad_text", "a message is text in UTF-8")
        else:
            if is_long(text):
                self._connection.intake.wait_for(self._fold(frame, room, text))
            else:
                self._put(frame, room, text)

    def bad_send(self, echo: Echo, why: str) -> None:
        """Refuse a ``send`` that is no proper frame but has a number."""
        assert isinstance(echo.seq, int)
        if self._takes(echo.seq, echo):
            self._refuse(echo.seq, echo, "bad_frame", why)

    async def _fold(self, frame: frames.Send, room: Room, text: str) -> None:
        folded = await self._server.folding.fold(text)
        if not self._connection.is_over:  # it may have been sent away
            self._put(frame, room, text, folded)

    def _put(self, frame: frames.Send, room: Room, text: str, folded: str | None = None) -> None:
        """Store a message, which may be folded already, and answer it."""
        journal, now = self._server.journal, self._server.now()
        self._unanswered += 1
        goes_on = folded is None and frame.room == self._room_asked
        if not (goes_on and journal.add(text, frame.seq, room.key, now, self)):
            self._room_asked = frame.room
            send = Send(self._sender, frame.seq, room.key, self._connection.user, now, [text], room.talk, folded)
            journal.put(send, partial(self._stored, frame.room, room), self, little=self.says_little)
        if journal.budget.full:
            self._connection.intake.keep_within(journal.budget, "journal")

    def _takes(self, seq: int, frame: frames.Send | Echo) -> bool:
        """Count ``seq`` if it is the next one; answer one that skips; say whether it was the next one."""
        if seq == self._received + 1:
            self._received = seq
            return True
        if seq > self._received:
            echo = frame if isinstance(frame, Echo) else echo_of(frame)
            self._refuse(None, echo, "bad_seq", f"the next seq is {self._received + 1}")
        return False

    def _refuse(self, seq: int | None, echo: Echo, code: str, text: str) -> None:
        """Refuse a send when its turn has come; one with a ``seq`` counts as received."""
        self._unanswered += 1
        entry = Refuse(self._sender if seq is not None else None, seq or 0)
        self._server.journal.put(entry, partial(self._was_refused, error(code, text, echo)), self)
        self._connection.intake.keep_within(self._server.journal.budget, "journal")

    def _stored(self, asked: str | UnsetType, room: Room, outcome: Any) -> None:
        """Answer messages to ``room``, which was ``asked`` for by that name."""
        if isinstance(outcome, Failed):
            self._answer([error("failed", NOT_STORED, Echo(seq=outcome.seq, room=asked))])
            return
        assert isinstance(outcome, Taken)
        # Those that are left out go unanswered: a newer connection of the same client has taken over.
        self._acknowledge(room, outcome.seq + outcome.left_out, outcome.ids)
        self._unanswered -= outcome.left_out

    def _content_stored(self, frame: frames.Send, room: Room, outcome: Outcome | Failed) -> None:
        if isinstance(outcome, Message):
            self._acknowledge(room, frame.seq, range(outcome.id, outcome.id + 1))
        elif isinstance(outcome, Refusal):
            self._answer([error(outcome.code, outcome.text, echo_of(frame))])
        elif isinstance(outcome, Failed):
            self._answer([error("failed", NOT_STORED, echo_of(frame))])
        else:
            self._answer([b""])

    def _acknowledge(self, room: Room, seq: int, ids: range) -> None:
        """Answer the messages from number ``seq`` on, which got ``ids``."""
        name = room.name
        self._answer([encode(frames.Ack(number, name, id)) for number, id in enumerate(ids, seq)])
        if room.talk is not None and ids:
            self._server.talks.call(room.talk, ids[0])

    def _was_refused(self, error: bytes, counted: Any) -> None:
        self._answer([b"" if counted is False else error])

    def _answer(self, answers: list[bytes]) -> None:
        """Gather what one batch answers, so that it takes one write."""
        self._server.answering[self] += answers
        self._unanswered -= len(answers)

    def flush(self, answers: list[bytes]) -> None:
        """Write what was gathered."""
        self._connection.send(b"".join(answers))
        self._connection.settled()

    # -- uploads

    def part(self, frame: frames.Part, body: bytes) -> None:
        """Store the next piece of an upload."""
        upload = self._uploads.get(frame.upload)
        if upload is None:
            self._connection.intake.wait_for(self._first_part(frame, body))
        else:
            self._append(upload, frame, body)

    async def _first_part(self, frame: frames.Part, body: bytes) -> None:
        try:
            upload = await self._find(frame.upload)
            if not upload.size and not await self._may_begin():
                raise Refused("too_many", f"at most {self._server.limits.max_uploads} unfinished uploads at once")
        except Refused as refused:
            self._connection.error(refused.code, str(refused), echo_of(frame))
            self._let_go(upload)
            return
        except Exception:
            self._log.failure("looking for an upload")
            self._connection.error("failed", NOT_STORED, echo_of(frame))
            return
        if not (self._ended and self._sender is None):
            self._append(upload, frame, body)

    async def _may_begin(self) -> bool:
        while True:
            begun = self._begun()
            stored = await self._server.stored.open_uploads(fold(self._connection.user), self._client)
            if begun == self._begun():  # or one was stored meanwhile, which the database may have known of or not
                return stored + begun < self._server.limits.max_uploads

    def _begun(self) -> int:
        """Return how many uploads there are of which nothing is stored yet."""
        return sum(upload.waiting > 0 and not upload.stored for upload in self._uploads.values())

    def _append(self, upload: Upload, frame: frames.Part, body: bytes) -> None:
        try:
            if len(body) > MAX_BODY:
                raise Refused("too_large", f"a body has at most {MAX_BODY} bytes")
            if frame.offset != upload.size:
                raise Refused("unknown_upload", f"of this upload there are {upload.size} bytes")
        except Refused as refused:
            self._connection.error(refused.code, str(refused), echo_of(frame))
            self._let_go(upload)
            return
        try:
            self._server.limits.check_message(upload.size + len(body))
            self._server.limits.take(len(body))
        except Refused as refused:
            self._connection.error(refused.code, str(refused), echo_of(frame))
            self._connection.intake.wait_for(self._forget(frame.upload))
            return
        if body:
            self._server.uploads.put(upload, body)
            self._connection.intake.keep_within(self._server.uploads.budget, "uploads")

    def drop(self, frame: frames.Drop) -> None:
        """Forget an upload."""
        self._connection.intake.wait_for(self._forget(frame.upload))

    async def _forget(self, number: int) -> None:
        upload = await self._find(number)
        await upload.settled()
        if upload.size:
            await self._server.journal.ask(Drop(self._sender, upload.key), self)
        self._uploads.pop(number, None)

    def resume(self, frame: frames.Resume) -> None:
        """Tell how far an upload is, once what came of it is stored."""
        if asked := self._connection.questions.opens(frame):
            self._connection.intake.wait_for(self._resume(frame, asked))

    async def _resume(self, frame: frames.Resume, asked: Asked) -> None:
        """Find the upload; the client goes on while it settles."""
        try:
            upload = await self._find(frame.upload)
        except Exception:
            self._connection.questions.failed(asked, Failure())
            return
        told = Deferred.fromCoroutine(self._tell_size(upload, asked))
        told.addErrback(partial(self._connection.questions.failed, asked))

    async def _tell_size(self, upload: Upload, asked: Asked) -> None:
        await upload.settled()
        size = await self._server.stored.upload_size(upload.key) if upload.broken else upload.stored
        self._connection.questions.answered(asked, encode(frames.Resumed(asked.ref, upload.key.number, size)))
        if size:  # nothing at its end: it is not left alone
            self._server.journal.put(Piece(self._sender, upload.key, size, b""), lambda _: None, self)
        self._let_go(upload)

    def _let_go(self, upload: Upload) -> None:
        """Look for it anew when it is spoken of again, if all of it is stored."""
        if not upload.waiting and self._uploads.get(upload.key.number) is upload:
            del self._uploads[upload.key.number]

    async def _send_upload(self, frame: frames.Send, room: Room, number: int) -> None:
        """Make an upload a message; only then is it known whether its number is free again."""
        assert isinstance(frame.size, int)
        try:
            upload = await self._find(number)
        except Exception:  # its seq counts: it must not go unanswered
            self._log.failure("looking for an upload")
            self._refuse(frame.seq, echo_of(frame), "failed", NOT_STORED)
            return
        try:
            self._server.limits.check_message(frame.size)
        except Refused as refused:
            self._refuse(frame.seq, echo_of(frame), refused.code, str(refused))
            await self._forget(number)
            return
        await upload.settled()
        name = frame.name if isinstance(frame.name, str) else None
        content = Content(upload.key, frame.size, name)
        send = SendContent(
            self._sender, frame.seq, room.key, self._connection.user, self._server.now(), content, room.talk
        )
        self._unanswered += 1
        stored: Deferred[Outcome | Failed] = Deferred()
        self._server.journal.put(send, stored.callback, self)
        self._content_stored(frame, room, await stored)
        self._uploads.pop(number, None)  # looked for anew: it was used up, or it was refused and is still there

    async def _find(self, number: int) -> Upload:
        """Return the client's upload of that number, which may be empty."""
        if number not in self._uploads:
            key = UploadKey(fold(self._connection.user), self._client, number)
            size = await self._server.stored.upload_size(key)
            self._uploads[number] = Upload(key, self._sender, size, self)
        return self._uploads[number]

    def _drop(self, _: None, key: UploadKey) -> None:
        self._server.journal.put(Drop(self._sender, key), lambda _: None, self)

    def upload_settled(self) -> None:
        """All that was taken of an upload is stored."""
        self._connection.settled()

    def upload_broke(self, upload: Upload, outcome: Outcome | Failed) -> None:
        """The storage did not take a piece: it is not as we knew it, or it will not have it."""
        self._uploads.pop(upload.key.number, None)
        code, text = ("failed", NOT_STORED) if isinstance(outcome, Failed) else ("unknown_upload", "it was forgotten")
        self._connection.error(code, text, Echo(upload=upload.key.number))


def _upload(frame: frames.Send, body: bytes) -> int | None:
    """Return the number of the upload that ``frame`` sends, None where it is a text; raises :class:`Refused`."""
    if isinstance(frame.upload, UnsetType):
        if isinstance(frame.name, UnsetType):
            return None
        raise Refused("bad_frame", "only an upload has a name")
    if isinstance(frame.name, str):
        named(frame.name, file_name)
    if body or isinstance(frame.size, UnsetType):
        raise Refused("bad_frame", "an upload is sent with its size and without a body")
    return frame.upload
