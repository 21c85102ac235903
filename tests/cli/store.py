"""A server's side of uploads, sends and fetches, in memory, for a client in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import UNSET

from tests.cli.ends import End
from wire import frames
from wire.frames import Frame

PIECE = 50_000  # bytes of one `part` that it gives


class Store:
    """What a server keeps of one sender: it outlives connections. ``serve`` answers what was heard on one.

    ``limit`` is how many frames it takes from one connection before it falls silent; ``stored`` False keeps it from
    answering `resume`, as a server does whose database is slow.
    """

    def __init__(self) -> None:
        self.received = 0
        self.uploads: dict[int, bytearray] = {}
        self.messages: list[tuple[Any, bytes]] = []  # the `send` and the whole content
        self.asked: list[Frame] = []  # all but parts
        self.parts = 0
        self.refuse: Callable[[Frame], str | None] = lambda _: None  # a code for what is to be refused

    def serve(self, end: End, limit: int | None = None) -> int:
        """Answer what was heard until nothing more is; return how many frames that were."""
        taken = 0
        while heard := end.heard():
            for frame, body in heard:
                if limit is not None and taken >= limit:
                    return taken
                taken += 1
                self.take(end, frame, body)
            if end.producer is not None and not end.lost:
                end.producer.resumeProducing()
        return taken

    def welcome(self, end: End) -> None:
        end.welcome(received=self.received, lobby=(1, len(self.messages)))

    def take(self, end: End, frame: Frame, body: bytes) -> None:
        if isinstance(frame, frames.Part):
            self.parts += 1
        else:
            self.asked.append(frame)
        code = self.refuse(frame)
        match frame:
            case frames.Part():
                copy = self.uploads.setdefault(frame.upload, bytearray())
                if code or frame.offset != len(copy):
                    end.say(frames.Error(code=code or "unknown_upload", text="no", upload=frame.upload))
                else:
                    copy += body
            case frames.Resume():
                size = len(self.uploads.get(frame.upload, b""))
                end.say(frames.Resumed(ref=frame.ref, upload=frame.upload, size=size))
            case frames.Drop():
                self.uploads.pop(frame.upload, None)
            case frames.Send():
                self.send(end, frame, body, code)
            case frames.History():
                assert isinstance(frame.before, int)
                self.give_message(end, frame.before - 1, frame.ref)
                end.say(frames.Done(ref=frame.ref))
            case frames.Fetch():
                content = self.messages[frame.id - 1][1]
                for offset in range(frame.offset, len(content), PIECE):
                    piece = content[offset : offset + PIECE]
                    end.say((frames.Piece(ref=frame.ref, offset=offset), piece))
                end.say(frames.Done(ref=frame.ref))

    def send(self, end: End, frame: frames.Send, body: bytes, code: str | None) -> None:
        if frame.seq <= self.received:
            return
        assert frame.seq == self.received + 1, "a number was skipped"
        self.received += 1
        if frame.upload is not UNSET:
            body = bytes(self.uploads.get(frame.upload, b""))
            if len(body) != frame.size:
                code = code or "unknown_upload"
        if code:
            end.say(frames.Error(code=code, text="no", seq=frame.seq))
            return
        if frame.upload is not UNSET:
            self.uploads.pop(frame.upload, None)
        self.messages.append((frame, body))
        end.say(frames.Ack(seq=frame.seq, room="lobby", id=len(self.messages)))

    def give_message(self, end: End, id: int, ref: int) -> None:
        if 0 < id <= len(self.messages):
            frame, content = self.messages[id - 1]
            large = frame.upload is not UNSET
            told = frames.Message(room="lobby", id=id, sender="ann", at=0, ref=ref, name=frame.name)
            told.size = len(content) if large else UNSET
            end.say((told, content[:4096] if large and frame.name is UNSET else b"" if large else content))
