"""Room, journal and cursors against plain lists, however sends, reads, faults and lost connections fall.

Each two of the people have a talk besides. And whatever else is said by clients that lie: nobody else notices, they
hear nothing that is not for them, and nothing of them is left behind.
"""

from __future__ import annotations

from itertools import combinations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from twisted.logger import LogEvent, globalLogPublisher

from server import room as room_module
from storage.interface import Account, Register
from storage.talks import Party, Talk
from tests.server.fakes import Members, Peer
from tests.server.liars import LIES, PASSWORD, Liars
from wire import frames
from wire.names import fold

PEOPLE = ("ann", "bob", "cy")
LOBBY = "lobby"


class Town(Members):
    """A server where who shows the :data:`PASSWORD` has the account, and nobody else."""

    async def _admit(self, who: object, name: str, password: str | None, network: str | None) -> Account | None:
        return self.storage.account(fold(name)) if password == PASSWORD else None

    def log(self, *parties: str) -> list[tuple[int, bytes]]:
        """Return what was said in the talk of two, or in the lobby."""
        name = Talk.of(*(Party(party, 0) for party in parties)).name if parties else LOBBY
        messages = self.storage.messages.get(self.storage.keys.get(name, 0), ())
        return [(message.id, message.text.encode()) for message in messages]


class Person:
    """A client that keeps to the protocol: it resends what `received` does not cover, and resumes where it was."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.peer: Peer | None = None
        self.seq = 0
        self.unacknowledged: dict[int, tuple[str, bytes]] = {}
        self.uploaded: set[int] = set()  # which of them go as an upload
        self.said: list[tuple[str, bytes]] = []
        self.others = [other for other in PEOPLE if other != name]
        # By room; what came into a talk while it was just being left is None.
        self.shown: dict[str, list[tuple[int, bytes | None]]] = {
            room: [] for room in (LOBBY, *(f"@{other}" for other in self.others))
        }
        # Talks, on this connection, each with the last id that may have been missed by that; None: not yet told so.
        self.left: dict[str, int | None] = {}
        self._taken = 0
        self._sent = 0  # the highest seq on this connection
        self.welcomed = False

    def connect(self, house: Town, room: int) -> None:
        self.house = house
        self.peer = Peer(house.server, room)
        self._taken, self.welcomed = 0, False
        self.left.clear()
        rooms: dict[str, int | None] = {name: len(shown) for name, shown in self.shown.items()}
        self.peer.says(frames.Login(self.name, client=f"client of {self.name}", password=PASSWORD, rooms=rooms))

    def say(self, room: str, text: bytes, uploaded: bool = False) -> None:
        self.seq += 1
        if uploaded:
            self.uploaded.add(self.seq)
        self.said.append((room, text))
        self.unacknowledged[self.seq] = room, text
        self._send()

    def _send(self) -> None:
        if self.peer is None or not self.welcomed or None in self.left.values():
            return
        for seq, (room, text) in list(self.unacknowledged.items()):
            if seq > self._sent:
                self._sent = seq
                self.come_back(room)
                if seq in self.uploaded:
                    upload(self.peer, room, seq, text)
                else:
                    self.peer.says(frames.Send(seq, room), text)

    def leave(self, room: str) -> None:
        if self.peer is not None and self.welcomed and room not in self.left:
            self.left[room] = None
            self.peer.says(frames.Leave(room))

    def come_back(self, room: str) -> None:
        """Be in a talk that was left; somebody may have called into it."""
        if self.peer is not None and self.left.get(room) is not None:
            self.peer.says(frames.Join(room, after=len(self.shown[room])))

    def read(self) -> None:
        if self.peer is None:
            return
        arrived, peer = self.peer.frames, self.peer
        while self._taken < len(arrived) and self.peer is peer:
            frame, body = arrived[self._taken]
            self._taken += 1
            if isinstance(frame, frames.Welcome):
                self.unacknowledged = {seq: it for seq, it in self.unacknowledged.items() if seq > frame.received}
                self.welcomed, self._sent = True, frame.received
                self._send()
            elif isinstance(frame, frames.Ack):
                del self.unacknowledged[frame.seq]
            elif isinstance(frame, frames.Left):  # from now on all are called in
                self.left[frame.room] = len(self.log(frame.room))
                self._send()
            elif isinstance(frame, frames.Message) and frame.room in self.shown:  # else a liar's
                self._show(frame.room, frame.id, body)
            assert not isinstance(frame, frames.Error), frame

    def _show(self, room: str, id: int, body: bytes) -> None:
        shown = self.shown[room]
        shown += [(missed, None) for missed in range(len(shown) + 1, min(id, (self.left.get(room) or 0) + 1))]
        assert id == len(shown) + 1
        shown.append((id, body))

    def log(self, room: str) -> list[tuple[int, bytes]]:
        """Return what was said there."""
        return self.house.log() if room == LOBBY else self.house.log(self.name, room.removeprefix("@"))

    def lose(self) -> None:
        if self.peer is not None:
            self.peer.ends()
            self.peer = None


def upload(peer: Peer, room: str, seq: int, text: bytes) -> None:
    """Send ``text`` as an upload, in pieces; an earlier try may have left some."""
    middle = len(text) // 2
    peer.says(frames.Drop(seq))
    peer.says(frames.Part(seq, 0), text[:middle])
    peer.says(frames.Part(seq, middle), text[middle:])
    peer.says(frames.Send(seq, room, upload=seq, size=len(text)))


class ChatMachine(RuleBasedStateMachine):
    """Three people, one room and their talks, a storage that fails, sockets that take a few bytes at a time."""

    @initialize(tail=st.sampled_from([0, 300, 1 << 22]))
    def begin(self, tail: int) -> None:
        room_module.TAIL = tail  # type: ignore[misc]  # so that readers fall out of memory
        self.house = Town()
        for name in PEOPLE:
            self.house.storage.accounts.register(Register(name, "hash", None, 0))
        self.people = [Person(name) for name in PEOPLE]
        self.count = 0
        self.guests: list[tuple[Peer, list[bytes]]] = []  # who came once, with what they said
        self.liars = Liars(self.house)
        self.faults: list[LogEvent] = []  # that the log tells of
        globalLogPublisher.addObserver(self._logged)  # type: ignore[arg-type]
        for person in self.people:
            person.connect(self.house, 1 << 30)
        self.house.settle()
        for person in self.people:
            person.read()
            person.peer.transport.room = 0  # type: ignore[union-attr]

    who = st.integers(0, len(PEOPLE) - 1)
    where = st.integers(0, len(PEOPLE) - 1)  # the lobby, or one of the others

    def room(self, who: int, where: int) -> str:
        return list(self.people[who].shown)[where]

    @rule(who=who, room=st.sampled_from([0, 40, 1000]))
    def connect(self, who: int, room: int) -> None:
        if self.people[who].peer is None:
            self.people[who].connect(self.house, room)

    @rule(who=who, room=st.sampled_from([0, 1000]))
    def connect_anew_while_connected(self, who: int, room: int) -> None:
        self.people[who].connect(self.house, room)

    @rule(who=who, where=where, times=st.integers(1, 5), size=st.sampled_from([0, 100, 5000]))
    def say(self, who: int, where: int, times: int, size: int) -> None:
        for _ in range(times):
            self.count += 1
            self.people[who].say(self.room(who, where), b"%d %b" % (self.count, b"x" * size))

    @rule(who=who, where=where)
    def upload(self, who: int, where: int) -> None:
        self.count += 1
        self.people[who].say(self.room(who, where), b"%d uploaded" % self.count, uploaded=True)

    @rule(who=who, where=st.integers(1, len(PEOPLE) - 1), count=st.sampled_from([0, 250, 1 << 20]))
    def leave_talk(self, who: int, where: int, count: int) -> None:
        """Somebody leaves a talk, and the other one says something there."""
        person = self.people[who]
        room = self.room(who, where)
        person.leave(room)
        self.take(who, count)
        self.count += 1
        other = self.people[PEOPLE.index(room.removeprefix("@"))]
        other.say(f"@{person.name}", b"%d to one who has left" % self.count)

    @rule(how=st.lists(st.booleans(), min_size=1, max_size=4), steps=st.integers(0, 4))
    def visit(self, how: list[bool], steps: int) -> None:
        """Somebody without a secret comes, speaks and is gone: all of it was read, so all of it is to be stored."""
        guest = Peer(self.house.server, 1000)
        said = []
        guest.says(frames.Login(f"guest{self.count}"))
        for seq, uploaded in enumerate(how, 1):
            self.count += 1
            said.append(b"%d by a guest" % self.count)
            if uploaded:
                upload(guest, LOBBY, seq, said[-1])
            else:
                guest.says(frames.Send(seq), said[-1])
        for _ in range(steps):
            self.house.steps.step()
            self.house.clock.advance(0)
        guest.ends()
        self.guests.append((guest, said))

    @rule(room=st.sampled_from([0, 1000, 1 << 30]), logged_in=st.booleans(), member=st.booleans())
    def liar_comes(self, room: int, logged_in: bool, member: bool) -> None:
        self.liars.come(room, logged_in=logged_in, member=member)

    @rule(lie=st.sampled_from(sorted(LIES)), cut=st.none() | st.integers(0, 2_000))
    def lie(self, lie: str, cut: int | None) -> None:
        self.liars.lie(lie, cut)

    def _logged(self, event: LogEvent) -> None:
        if "log_failure" in event:
            self.faults.append(event)

    @rule(who=who)
    def lose(self, who: int) -> None:
        self.people[who].lose()

    @rule(who=who, count=st.sampled_from([1, 50, 250, 700, 6000]))
    def take(self, who: int, count: int) -> None:
        person = self.people[who]
        if person.peer is not None:
            person.peer.transport.take(count)
            person.read()

    @rule(seconds=st.sampled_from([0.0, 0.1, 1.0]))
    def pass_time(self, seconds: float) -> None:
        self.house.clock.advance(seconds)

    @rule()
    def storage_works(self) -> None:
        self.house.clock.advance(0)
        self.house.steps.step()

    @rule(fault=st.sampled_from(["before", "lost"]))
    def storage_fails(self, fault: str) -> None:
        self.house.storage.faults.append(fault)

    @rule()
    def settle(self) -> None:
        """Everybody comes back and reads all; then all have seen one log, and each wrote it in its own order.

        Of those who lied nothing is there, nor did they hear what was not for them.
        """
        self.liars.go()
        self._settle_down()
        for person in self.people:  # who left a talk has all the same been given what was said after that
            for room in list(person.left):
                person.come_back(room)
            person.left.clear()
        self._settle_down()
        self._check_logs()
        for person in self.people:
            person.peer.transport.room = 0  # type: ignore[union-attr]
        assert self.liars.are_gone
        assert not self.liars.overheard
        assert not self.faults, self.faults

    def _settle_down(self) -> None:
        for _ in range(2000):
            self.house.clock.advance(1)
            busy = self.house.steps.step()
            for person in self.people:
                if person.peer is None:
                    person.connect(self.house, 1 << 30)
                person.peer.transport.take(1 << 30)  # type: ignore[union-attr]
                person.read()
            if not busy and self._all_is_said() and self._all_level() and self.liars.are_gone:
                return
        raise AssertionError("somebody waits for ever")

    def _check_logs(self) -> None:
        lobby = self.house.log()
        pairs = list(combinations(PEOPLE, 2))
        texts = [text for log in (lobby, *(self.house.log(*pair) for pair in pairs)) for _, text in log]
        assert len(set(texts)) == len(texts) == self.count
        for person in self.people:
            for room, shown in person.shown.items():
                log = person.log(room)
                assert len(shown) == len(log)
                assert all(it in (known, (known[0], None)) for it, known in zip(shown, log, strict=True))
                said = [text for where, text in person.said if where == room]
                own = set(said)
                assert [text for _, text in log if text in own] == said
            assert all(it[1] is not None for it in person.shown[LOBBY])
        for _, said in self.guests:
            assert [text for _, text in lobby if text in said] == said

    def _all_is_said(self) -> bool:
        here = self.house.server.get_all()
        return not any(person.unacknowledged for person in self.people) and not any(
            guest.connection in here for guest, _ in self.guests
        )

    def _all_level(self) -> bool:
        return all(
            person.welcomed and (len(shown) == len(log := person.log(room)) or len(log) == person.left.get(room))
            for person in self.people
            for room, shown in person.shown.items()
        )

    def teardown(self) -> None:
        try:
            self.settle()
        finally:
            globalLogPublisher.removeObserver(self._logged)  # type: ignore[arg-type]
        room_module.TAIL = 4 * 1024 * 1024  # type: ignore[misc]


class ChatTests(ChatMachine.TestCase):  # type: ignore[misc, valid-type]
    settings = settings(
        max_examples=150, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck)
    )

    def test_chat(self) -> None:
        self.runTest()
