"""Who is in the rooms at the other servers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable


class Elsewhere:
    """The users at each other server, by room; ``will_change`` is called with a room's key before its users do."""

    def __init__(self, will_change: Callable[[int], None]) -> None:
        self._will_change = will_change
        self._at: dict[int, dict[int, set[str]]] = {}  # by server and room
        self._users: dict[int, Counter[str]] = {}  # servers by user, of each room

    def users(self, room: int) -> Counter[str]:
        """Return, now and from now on, at how many servers each user is in the room with that key."""
        return self._users.setdefault(room, Counter())

    def move(self, server: int, room: int, came: Iterable[str], went: Iterable[str]) -> None:
        """At ``server`` these came into the room and those left it; it may be known already."""
        self._will_change(room)
        there = self._at.setdefault(server, {}).setdefault(room, set())
        users = self.users(room)
        for name in set(came) - there:
            users[name] += 1
        for name in there.intersection(went):
            users[name] -= 1
            if not users[name]:
                del users[name]
        there.update(came)
        there.difference_update(went)

    def put(self, server: int, present: Iterable[tuple[int, str]]) -> None:
        """These, by the rooms' keys, are at ``server``, and no others."""
        now: dict[int, set[str]] = {room: set() for room in self._at.get(server, {})}
        for room, name in present:
            now.setdefault(room, set()).add(name)
        for room, names in now.items():
            before = self._at.get(server, {}).get(room, set())
            self.move(server, room, names - before, before - names)

    def forget(self, server: int) -> None:
        """Nobody is at ``server``."""
        if server in self._at:
            self.put(server, ())
            del self._at[server]

    def forget_others(self, servers: Iterable[int]) -> None:
        """Nobody is at any server but these."""
        for server in self._at.keys() - set(servers):
            self.forget(server)
