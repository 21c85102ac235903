"""The frames of the protocol: typed headers, how they become bytes and how bytes become them.

A frame is one netstring: a JSON header, then, where there is one, a newline and the body. Which frames there are and
what they mean is told in ``docs/protocol.md``; a class here is called as its ``type`` is there, in CamelCase, and
where a question and its answer share a type the answer has a name of its own.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Generic, TypeVar, get_args

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

from wire.netstring import netstring

PROTOCOL: Final = 1
MAX_FRAME: Final = 65_536  # bytes of a payload
MAX_BODY: Final = 61_440  # bytes; leaves room for every header
MAX_DEPTH: Final = 16  # nested levels of a header
MAX_PAGE: Final = 500  # messages that one question is answered with at most
MAX_ROOMS: Final = 100  # that one connection may be in
LOBBY: Final = "lobby"

Number = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Secret = Annotated[str, Meta(max_length=64)]
Query = Annotated[str, Meta(max_length=1000)]


class Frame(Struct, tag=str.lower, tag_field="type", gc=False):
    """One header; ``type`` is the class's name in lower case unless the class says otherwise."""


class RoomSpan(Struct, gc=False):
    """Which ids of a room are kept: ``first_id`` … ``last_id``, none where ``first_id`` is ``last_id`` + 1."""

    first_id: Number
    last_id: Number


class RoomInfo(RoomSpan, gc=False):
    """A room as ``rooms`` lists it: what is kept, and how many users are in it."""

    users: Number


# Said by both sides.


class Ping(Frame):
    ref: Number | UnsetType = UNSET


class Pong(Frame):
    ref: Number | UnsetType = UNSET


# Said by a client.


class Login(Frame):
    user: str
    key: Secret | UnsetType = UNSET
    client: Secret | UnsetType = UNSET
    password: str | UnsetType = UNSET
    rooms: dict[str, Number | None] | UnsetType = UNSET
    history: Number | UnsetType = UNSET


class Send(Frame):
    seq: Number
    room: str | UnsetType = UNSET
    upload: Number | UnsetType = UNSET
    size: Number | UnsetType = UNSET
    name: str | UnsetType = UNSET


class Quit(Frame):
    pass


class Join(Frame):
    room: str | UnsetType = UNSET
    after: Number | None = None
    history: Number | UnsetType = UNSET


class Leave(Frame):
    room: str | UnsetType = UNSET


class History(Frame):
    limit: Number
    ref: Number
    room: str | UnsetType = UNSET
    before: Number | UnsetType = UNSET


class Search(Frame):
    query: Query
    limit: Number
    ref: Number
    room: str | UnsetType = UNSET
    before: Number | UnsetType = UNSET


class Who(Frame):
    ref: Number
    room: str | UnsetType = UNSET


class Rooms(Frame):
    ref: Number


class Cancel(Frame):
    ref: Number


class Part(Frame):
    upload: Number
    offset: Number


class Drop(Frame):
    upload: Number


class Resume(Frame):
    upload: Number
    ref: Number


class Fetch(Frame):
    id: Number
    ref: Number
    room: str | UnsetType = UNSET
    offset: Number = 0


class Register(Frame):
    password: str
    ref: Number
    old: str | UnsetType = UNSET


class Delete(Frame):
    id: Number
    ref: Number
    room: str | UnsetType = UNSET


class Run(Frame):
    line: str
    ref: Number
    room: str | UnsetType = UNSET


def room_of(frame: Send | Join | Leave | History | Search | Who | Fetch | Delete | Run) -> str:
    """Return the room that ``frame`` is about: the lobby where it names none."""
    return LOBBY if isinstance(frame.room, UnsetType) else frame.room


# Said by the server.


class Welcome(Frame):
    user: str
    server: str
    ping_every: Number  # seconds
    received: Number
    rooms: dict[str, RoomSpan]
    protocol: Number = PROTOCOL
    max_frame: Number = MAX_FRAME
    max_body: Number = MAX_BODY


class Message(Frame):
    room: str
    id: Number
    sender: str = field(name="from")
    at: Number  # milliseconds since 1970-01-01 UTC
    size: Number | UnsetType = UNSET
    name: str | UnsetType = UNSET
    deleted: bool | UnsetType = UNSET
    ref: Number | UnsetType = UNSET


class Ack(Frame):
    seq: Number
    room: str
    id: Number


class Error(Frame):
    code: str
    text: str
    fatal: bool | UnsetType = UNSET
    seq: Number | UnsetType = UNSET
    ref: Number | UnsetType = UNSET
    room: str | UnsetType = UNSET
    upload: Number | UnsetType = UNSET


class Bye(Frame):
    reason: str


class Joined(Frame):
    room: str
    first_id: Number
    last_id: Number


class Left(Frame):
    room: str


class Presence(Frame):
    room: str
    users: Number
    joined: list[str] | UnsetType = UNSET
    left: list[str] | UnsetType = UNSET


class Notice(Frame):
    code: str
    text: str


class Done(Frame):
    ref: Number
    before: Number | UnsetType = UNSET


class Users(Frame, tag="who"):
    ref: Number
    users: list[str]


class RoomList(Frame, tag="rooms"):
    ref: Number
    rooms: dict[str, RoomInfo]


class Piece(Frame, tag="part"):
    ref: Number
    offset: Number


class Resumed(Frame):
    ref: Number
    upload: Number
    size: Number


class Deleted(Frame):
    room: str
    id: Number
    by: str


class Text(Frame):
    ref: Number


ClientFrame = (
    Ping | Pong | Login | Send | Quit | Join | Leave | History | Search | Who | Rooms | Cancel
    | Part | Drop | Resume | Fetch | Register | Delete | Run
)  # fmt: skip
ServerFrame = (
    Ping | Pong | Welcome | Message | Ack | Error | Bye | Joined | Left | Presence | Notice | Done
    | Users | RoomList | Piece | Resumed | Deleted | Text
)  # fmt: skip

_encode = msgspec.json.Encoder().encode


def encode(frame: Frame, body: bytes = b"") -> bytes:
    """Return ``frame`` and its ``body`` as one netstring."""
    header = _encode(frame)
    return netstring(b"%b\n%b" % (header, body) if body else header)


class Echo(Struct, omit_defaults=True):
    """What an ``error`` repeats of the frame that it answers, as far as it was valid."""

    seq: int | UnsetType = UNSET
    ref: int | UnsetType = UNSET
    room: str | UnsetType = UNSET
    upload: int | UnsetType = UNSET


class BadFrame(ValueError):
    """A payload that is no frame of this side; the text says why, for a person.

    ``type`` is the frame's type where that is known to be one of this side, else ``None``: then it was no header, or
    one of an unknown type (``unknown``). ``echo`` is what could be read of it all the same.
    """

    def __init__(self, why: str, type: str | None = None, unknown: bool = False, echo: Echo | None = None) -> None:
        super().__init__(why)
        self.type = type
        self.unknown = unknown
        self.echo = echo or Echo()


class _Loose(Struct):
    type: Raw
    seq: Raw = Raw()
    ref: Raw = Raw()
    room: Raw = Raw()
    upload: Raw = Raw()


_BACKSLASH = ord("\\")
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')
_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"{}[]"))
_loose = msgspec.json.Decoder(_Loose).decode
_number = msgspec.json.Decoder(Number).decode
_string = msgspec.json.Decoder(str).decode
_object = msgspec.json.Decoder(dict[str, Any]).decode

F = TypeVar("F")


class FrameDecoder(Generic[F]):
    """Bytes to the frames that one side may say."""

    def __init__(self, frames: Any) -> None:
        self._decode = msgspec.json.Decoder(frames).decode
        self._types = {frame.__struct_config__.tag for frame in get_args(frames)}

    def decode(self, payload: bytes) -> tuple[F, bytes]:
        """Return the frame and the body of one netstring's ``payload``; raises :class:`BadFrame`."""
        header, _, body = payload.partition(b"\n")
        _check_shape(header)
        try:
            return self._decode(header), body
        except msgspec.ValidationError as wrong:
            raise self._explain(header, str(wrong)) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
            raise BadFrame(f"no header: {wrong}") from None

    def _explain(self, header: bytes, why: str) -> BadFrame:
        try:
            loose = _loose(header)
            type = _string(loose.type)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return BadFrame("no header: it must be an object with a type")
        echo = Echo(
            seq=_valid(_number, loose.seq), ref=_valid(_number, loose.ref),
            room=_valid(_string, loose.room), upload=_valid(_number, loose.upload),
        )  # fmt: skip
        if type not in self._types:
            return BadFrame("a frame of an unknown type", unknown=True, echo=echo)
        return BadFrame(f"{type}: {why}", type=type, echo=echo)


def _valid(decode: Any, raw: Raw) -> Any:
    try:
        return decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return UNSET


def _check_shape(header: bytes) -> None:
    """Raise :class:`BadFrame` for what msgspec passes over in fields that it does not know: depth and broken text."""
    if header.count(b"{") + header.count(b"[") > MAX_DEPTH and _is_deep(header):
        raise BadFrame(f"no header: nested deeper than {MAX_DEPTH} levels, or not closed")
    try:
        if not header.isascii():
            header.decode()
        if _BACKSLASH in header:  # looked for as a number: as bytes it takes twenty times as long
            _object(header)
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise BadFrame(f"no header: {wrong}") from None


def _is_deep(header: bytes) -> bool:
    """Say whether ``header`` is nested deeper than :data:`MAX_DEPTH` levels, or not closed; which kind closes is alike.

    Each round takes away the innermost level: looking at one bracket after the other takes thirty times as long.
    """
    brackets = _STRING.sub(b"", header).translate(_ONE_KIND, delete=_NO_BRACKETS)
    for _ in range(MAX_DEPTH):
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)


from_client: FrameDecoder[ClientFrame] = FrameDecoder(ClientFrame)
from_server: FrameDecoder[ServerFrame] = FrameDecoder(ServerFrame)
