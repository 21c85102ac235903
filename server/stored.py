"""What the database has, read in a reading thread and encoded there for who asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from server.budget import PLACE
from server.journal import InThread
from server.log import Segment
from server.pages import read_page
from server.room import Room
from server.shelf import Shelf
from storage.interface import Account, IStorage, Message, StorageDown, UploadKey
from storage.interface import Room as StoredRoom
from storage.order import Act
from storage.talks import Talk
from wire import frames
from wire.frames import encode

CONTENTS: Final = 16 * 1024 * 1024  # bytes of contents kept: of 64 different ones what one reading gives
READ_AGAIN: Final = 1.0  # seconds between attempts while the database is away


class Stored:
    """Reads for the server: messages, contents, accounts. ``in_reader`` calls a function in a reading thread.

    What somebody waits for who can be told errbacks :class:`StorageDown`; the coroutines wait until the database can be
    asked.
    """

    def __init__(self, storage: IStorage, in_reader: InThread, clock: IReactorTime) -> None:
        self.contents: Shelf[tuple[int, int, int], bytes] = Shelf(self._content, _kept, CONTENTS)
        self._storage = storage
        self._in_reader = in_reader
        self._clock = clock
        self._reading_contents = DeferredLock()  # one at a time: the other threads read what was said

    async def until_read(self, function: Callable[..., Any], *args: Any) -> Any:
        """Read, again and again while the database is away."""
        while True:
            try:
                return await self._in_reader(function, *args)
            except StorageDown:
                await deferLater(self._clock, READ_AGAIN)

    # -- messages

    def segment(self, room: Room, ref: int, first: int, last: int) -> Deferred[Segment | None]:
        """Read the messages ``first`` … ``last`` for the question ``ref``; None where none of them is kept."""
        return self._newest(room, self._segment, room.key, room.name, first, last, ref)

    def some(self, room: Room, ref: int, ids: Sequence[int]) -> Deferred[dict[int, bytes]]:
        """Read those of the messages that are still there for the question ``ref``, by their ids."""
        return self._newest(room, self._some, room.key, room.name, ids, ref)

    def messages(self, room: Room, first: int, last: int) -> Deferred[tuple[int, list[bytes]]]:
        """Read the messages ``first`` … ``last``, with the id of the first one that is there."""
        return self._newest(room, self._messages, room.key, room.name, first, last)

    async def page(self, key: int, name: str, first: int) -> Segment | None:
        """Read one page of a room: see :func:`read_page`."""
        page: Segment | None = await self.until_read(read_page, partial(self._messages, key, name), first)
        return page

    def _newest(self, room: Room, function: Callable[..., Any], *args: Any) -> Deferred[Any]:
        return Deferred.fromCoroutine(self._until_same(room, function, *args))

    async def _until_same(self, room: Room, function: Callable[..., Any], *args: Any) -> Any:
        """Read messages of a room, again where some of them are not any more what they were."""
        while True:
            edition = room.edition
            found = await self._in_reader(function, *args)
            if room.edition == edition:
                return found

    # In a reading thread.

    def _segment(self, key: int, name: str, first: int, last: int, ref: int) -> Segment | None:
        first_id, messages = self._messages(key, name, first, last, ref)
        return Segment(first_id, messages) if messages else None

    def _messages(self, key: int, name: str, first: int, last: int, ref: int | None = None) -> tuple[int, list[bytes]]:
        found = self._storage.page(key, first, last)
        return found[0].id if found else first, [encoded(message, name, ref) for message in found]

    def _some(self, key: int, name: str, ids: Sequence[int], ref: int) -> dict[int, bytes]:
        return {message.id: encoded(message, name, ref) for message in self._storage.some(key, ids)}

    # -- what else there is

    def rooms(self) -> Deferred[Sequence[StoredRoom]]:
        """Read which rooms there are."""
        return self._in_reader(self._storage.rooms)

    def talks(self, user: str) -> Deferred[Sequence[tuple[StoredRoom, Talk]]]:
        """Read which talks of two a user (folded) has."""
        return self._in_reader(self._storage.talks, user)

    def _content(self, place: tuple[int, int, int]) -> Deferred[bytes]:
        return self._reading_contents.run(self._in_reader, self._storage.content, *place)

    async def open_uploads(self, user: str, client: bytes) -> int:
        """Return how many uploads of a client are stored and not finished."""
        count: int = await self.until_read(self._storage.open_uploads, user, client)
        return count

    async def upload_size(self, upload: UploadKey) -> int:
        """Return how many bytes of an upload are stored."""
        size: int = await self.until_read(self._storage.upload_size, upload)
        return size

    async def account(self, user: str) -> Account | None:
        """Return the account of a user (folded), None where there is none."""
        account: Account | None = await self.until_read(self._storage.account, user)
        return account

    async def is_here(self, user: str) -> bool:
        """Say whether a user (folded) is logged in, wherever."""
        here: bool = await self.until_read(self._storage.is_here, user)
        return here

    async def audit(self, limit: int) -> list[Act]:
        """Return the newest acts, newest first."""
        acts: list[Act] = await self.until_read(self._storage.audit, limit)
        return acts


def encoded(message: Message, room: str, ref: int | None = None) -> bytes:
    """Return the frame of a stored message, for the question ``ref`` or for all who are in ``room``."""
    optional: dict[str, Any] = {"size": message.size, "name": message.name, "ref": ref}
    present = {name: value for name, value in optional.items() if value is not None}
    if message.deleted:
        present["deleted"] = True
    return encode(frames.Message(room, message.id, message.sender, message.sent_at, **present), message.text.encode())


def _kept(content: bytes) -> int:
    return len(content) + PLACE  # also nothing at an end is something
