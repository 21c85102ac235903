"""Going from room to room: the commands and the keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from cli.refusals import UNANSWERED, AskRefused, ClientClosed, why
from cli.screen.columns import aligned, in_columns
from cli.screen.completion import last_word
from cli.screen.modes import moved
from cli.screen.people import People
from cli.screen.room import Room
from cli.words import counted
from wire.frames import MAX_ROOMS, RoomInfo
from wire.names import TALK, BadName, fold, room_name

if TYPE_CHECKING:
    from cli.screen.talk import Talk

T = TypeVar("T")

NUMBERED: Final = 10  # rooms that have a key of their own
TOLD: Final = 500  # names or rooms that one answer shows


class Places:
    """Joins and leaves rooms for ``talk``, and tells what there is in them."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._conversation = talk.conversation
        self._listed: list[str] | None = None  # the rooms that there were when the server was asked last
        talk.commands.add(
            "join",
            self._join,
            "go to a room, which is made where there is none; of accounts @NAME is a talk of two",
            "ROOM",
            last_word(self._known, "#"),
            subject="rooms",
        )
        talk.commands.add(
            "msg",
            self._message,
            "say something to somebody alone, in the talk of two with them",
            "NAME [TEXT]",
            subject="rooms",
        )
        talk.commands.add(
            "leave",
            self._leave,
            "leave this room, or another one",
            "[ROOM]",
            last_word(self._own, "#"),
            subject="rooms",
        )
        talk.commands.add("who", self._who, "who is in this room", subject="rooms")
        talk.commands.add("rooms", self._list, "which rooms there are", subject="rooms")
        self._add_keys()

    def _add_keys(self) -> None:
        add, conversation = self._talk.keys.add, self._conversation
        add("next-room", lambda: conversation.turn(1), "go to the next room", "ctrl n")
        add("previous-room", lambda: conversation.turn(-1), "go to the room before", "ctrl p")
        add(
            "next-unread", conversation.next_unread, "go where something is unread, mentions first; then back", "meta a"
        )
        for number in range(1, NUMBERED + 1):
            go = partial(conversation.select, number)
            add(f"room-{number}", go, f"go to room {number}", f"meta {number % NUMBERED}")

    def rejoin(self, room: Room) -> None:
        """Be in ``room`` again, where one was before."""
        self._ask_to_join(room, None)

    def count(self) -> None:
        """Ask how many are in the rooms where nobody came or went: that one is there too is not told then.

        Who talks to one alone is seen too, also where that was while one was away.
        """
        self._watch(self._talk.client.list_rooms(), self._counted, lambda _: None)

    def _counted(self, rooms: dict[str, RoomInfo]) -> None:
        for room in self._conversation.rooms:
            if room.users is None and room.name in rooms:
                room.users = rooms[room.name].users
        for name in islice(self._missed(rooms), MAX_ROOMS):  # more no server that is honest has for one
            room = self._conversation.room(name)
            room.read_id = room.read_id or 0
            self.rejoin(room)

    def _missed(self, rooms: dict[str, RoomInfo]) -> Iterator[str]:
        """Yield the talks of two that one is not in, in which something was said that one has not seen."""
        for name, info in rooms.items():
            known = max(info.first_id - 1, self._conversation.left.get(fold(name), 0))
            if name.startswith(TALK) and self._conversation.find(name) is None and info.last_id > known:
                yield name

    def _join(self, argument: str) -> None:
        try:
            name = room_name(argument.strip().removeprefix("#"))
        except BadName as wrong:
            self._talk.say(f"{argument.strip() or 'that'} is no room: {wrong}: /join ROOM")
            return
        self._go_to(name)

    def _message(self, argument: str) -> None:
        name, _, text = argument.strip().partition(" ")
        try:
            name = room_name(TALK + name.removeprefix(TALK))
        except BadName as wrong:
            self._talk.say(f"{name or 'that'} is nobody's name: {wrong}: /msg NAME TEXT")
            return
        self._go_to(name)
        if text.strip():
            self._talk.writing.say_in(self._conversation.current, text)

    def _go_to(self, name: str) -> None:
        before = self._conversation.current
        room = self._conversation.room(name)
        self._conversation.show(room)  # at once: what is typed next is for it
        self._ask_to_join(room, before)

    def _ask_to_join(self, room: Room, before: Room | None) -> None:
        def refused(failure: Failure) -> None:
            if isinstance(failure.value, ClientClosed):
                return
            here = room is self._conversation.current
            half_written = here and self._talk.writing.half_written
            if before is not None and here:
                self._conversation.show(before)
            self._conversation.close(room)
            if half_written and room is not self._conversation.current:
                self._talk.writing.let(moved(f"not in {room.name}", self._conversation.current.name))
            self._talk.say(f"not in {room.name}: {why(failure.value)}")

        self._watch(self._talk.client.join(room.name, history=0), lambda _: None, refused)

    def _leave(self, argument: str) -> None:
        name = argument.strip().removeprefix("#")
        room = self._conversation.find(name) if name else self._conversation.current
        if room is None:
            self._talk.say(f"you are not in {name}")
        elif len(self._conversation.rooms) == 1:
            self._talk.say(f"{room.name} is the only room that you are in: /join another one first, or /quit")
        else:
            self._ask_to_leave(room)

    def _ask_to_leave(self, room: Room) -> None:
        def refused(failure: Failure) -> None:
            if isinstance(failure.value, AskRefused) and failure.value.code == "not_in_room":
                self._conversation.close(room)
            else:
                self._talk.say(f"still in {room.name}: {why(failure.value)}")

        self._watch(self._talk.client.leave(room.name), lambda _: self._conversation.close(room), refused)

    def _who(self, _: str) -> None:
        room = self._conversation.current

        def tell(names: list[str]) -> None:
            shown = in_columns(sorted(names, key=fold)[:TOLD], self._talk.text_width)
            more = [f"and {len(names) - TOLD} more"] if len(names) > TOLD else []
            self._talk.say("\n".join([f"{len(names)} in {room.name}", *shown, *more]))

        self._ask(self._talk.client.who(room.name), tell)

    def _list(self, _: str) -> None:
        def tell(rooms: dict[str, RoomInfo]) -> None:
            self._listed = sorted(rooms)
            busiest = sorted(rooms.items(), key=lambda room: (-room[1].users, fold(room[0])))
            table = [
                (self._mark(name), name, f"{info.users} there", counted(info.last_id + 1 - info.first_id, "message"))
                for name, info in busiest[:TOLD]
            ]
            more = [f"and {len(rooms) - TOLD} more"] if len(rooms) > TOLD else []
            self._talk.say("\n".join([f"{counted(len(rooms), 'room')}, * where you are", *aligned(table), *more]))

        self._ask(self._talk.client.list_rooms(), tell)

    def _own(self) -> list[str]:
        return [room.name for room in self._conversation.rooms]

    def _known(self) -> list[str]:
        """Return the rooms that one might join; the server is asked the first time, and the next time knows them."""
        if self._listed is None:
            self._listed = []
            self._watch(self._talk.client.list_rooms(), self._learn, lambda _: self._learn(None))
        people = [TALK + name for name in People(self._talk).of(self._conversation.current)]
        return list(dict.fromkeys([*self._own(), *(self._listed or []), *people]))

    def _learn(self, rooms: Iterable[str] | None) -> None:
        self._listed = None if rooms is None else sorted(rooms)

    def _mark(self, name: str) -> str:
        return " " if self._conversation.find(name) is None else "*"

    def _ask(self, answer: Deferred[T], tell: Callable[[T], None]) -> None:
        """``tell`` the answer once it is there; where there is none say why."""
        self._conversation.current.follow()  # the answer wants to be seen
        self._watch(answer, tell, lambda failure: self._talk.say(why(failure.value)))

    def _watch(self, done: Deferred[T], tell: Callable[[T], None], refused: Callable[[Failure], None]) -> None:
        def after(failure: Failure) -> None:
            failure.trap(*UNANSWERED)
            refused(failure)

        done.addCallbacks(tell, after).addErrback(self._talk.failed).addCallback(lambda _: self._talk.changed())
