"""Who may talk with whom, and who has to come in when something is said in a talk of two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from server.accounts import NOT_OFFERED
from server.refusals import Refused
from server.rooms import Rooms
from server.stored import Stored
from server.talk import Place
from storage.interface import Account, Auth
from storage.interface import Room as StoredRoom
from storage.talks import Talk
from wire.names import TALK, fold

if TYPE_CHECKING:
    from server.connection import Connection


class Talks:
    """The talks of two of a server; ``users`` gets the connections of a user (folded)."""

    _log = Logger()

    def __init__(self, auth: Auth, stored: Stored, rooms: Rooms, users: Callable[[str], Sequence[Connection]]) -> None:
        self._auth = auth
        self._stored = stored
        self._rooms = rooms
        self._users = users

    def check(self, account: Account | None, name: str) -> Account:
        """Return the account that wants a talk of that name; raises :class:`Refused` where it can have none."""
        if self._auth is Auth.OPEN:
            raise Refused("forbidden", NOT_OFFERED)
        if account is None:
            raise Refused("forbidden", "only accounts talk with one another; register first")
        if fold(name) == TALK + account.user:
            raise Refused("forbidden", "a talk of two is with somebody else")
        return account

    async def place(self, account: Account | None, name: str) -> Place:
        """Return where what ``account`` calls so is: a talk, or a room; raises :class:`Refused`."""
        if not name.startswith(TALK):
            return Place(name)
        asker = self.check(account, name)
        other = await self._stored.account(fold(name.removeprefix(TALK)))
        if other is None:
            raise Refused("unknown_room", f"{name.removeprefix(TALK)} has no account, so there is no talk with them")
        return _seen(Talk.between(asker, other), asker.user)

    async def of(self, account: Account | None) -> dict[str, StoredRoom]:
        """Return the talks of an account, by what it calls them; raises StorageDown."""
        if account is None:
            return {}
        return {talk.called(account.user): room for room, talk in await self._stored.talks(account.user)}

    def call(self, talk: Talk, id: int) -> None:
        """Something was said, message ``id``: who is here of the two gets it, in it or not."""
        for party in talk.parties:
            place = _seen(talk, party.user)
            missing = [
                connection
                for connection in self._users(party.user)
                if party.is_of(connection.account) and connection.joining.misses(place)
            ]
            if missing:
                called = Deferred.fromCoroutine(self._call(place, id, missing))
                called.addErrback(lambda failure: self._log.failure("calling into a talk", failure))

    async def _call(self, place: Place, id: int, missing: Sequence[Connection]) -> None:
        [side] = await self._rooms.open([place])
        for connection in missing:
            if connection.joining.misses(place):
                connection.joining.call_in(side, min(id - 1, side.last_id))


def _seen(talk: Talk, user: str) -> Place:
    return Place(talk.called(user), talk, user)
