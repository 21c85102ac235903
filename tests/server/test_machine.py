"""Room, journal and cursors against a plain list, however sends, reads, faults and lost connections fall.

And whatever else is said by clients that lie: nobody else notices, and nothing of them is left behind.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from twisted.logger import LogEvent, globalLogPublisher

from server import room as room_module
from tests.server.fakes import House, Peer
from tests.server.liars import LIES, Liars
from wire import frames

PEOPLE = ("ann", "bob", "cy")


class Person:
    """A client that keeps to the protocol: it resends what `received` does not cover, and resumes where it was."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.peer: Peer | None = None
        self.seq = 0
        self.unacknowledged: dict[int, bytes] = {}
        self.uploaded: set[int] = set()  # which of them go as an upload
        self.said: list[bytes] = []
        self.shown: list[tuple[int, bytes]] = []
        self._taken = 0
        self.welcomed = False

    def connect(self, house: House, room: int) -> None:
        self.peer = Peer(house.server, room)
        self._taken, self.welcomed = 0, False
        last = self.shown[-1][0] if self.shown else 0
        self.peer.says(frames.Login(self.name, client=f"client of {self.name}", rooms={"lobby": last}))

    def say(self, text: bytes, uploaded: bool = False) -> None:
        self.seq += 1
        if uploaded:
            self.uploaded.add(self.seq)
        self.said.append(text)
        self.unacknowledged[self.seq] = text
        self._send(self.seq)

    def _send(self, seq: int) -> None:
        if self.peer is None or not self.welcomed:
            return
        text = self.unacknowledged[seq]
        if seq in self.uploaded:
            upload(self.peer, seq, text)
        else:
            self.peer.says(frames.Send(seq), text)

    def read(self) -> None:
        if self.peer is None:
            return
        arrived, peer = self.peer.frames, self.peer
        while self._taken < len(arrived) and self.peer is peer:
            frame, body = arrived[self._taken]
            self._taken += 1
            if isinstance(frame, frames.Welcome):
                self.unacknowledged = {seq: text for seq, text in self.unacknowledged.items() if seq > frame.received}
                self.welcomed = True
                for seq in self.unacknowledged:
                    self._send(seq)
            elif isinstance(frame, frames.Ack):
                del self.unacknowledged[frame.seq]
            elif isinstance(frame, frames.Message):
                assert frame.id == (self.shown[-1][0] if self.shown else 0) + 1
                self.shown.append((frame.id, body))
            assert not isinstance(frame, frames.Error), frame

    def lose(self) -> None:
        if self.peer is not None:
            self.peer.ends()
            self.peer = None


def upload(peer: Peer, seq: int, text: bytes) -> None:
    """Send ``text`` as an upload, in pieces; an earlier try may have left some."""
    middle = len(text) // 2
    peer.says(frames.Drop(seq))
    peer.says(frames.Part(seq, 0), text[:middle])
    peer.says(frames.Part(seq, middle), text[middle:])
    peer.says(frames.Send(seq, upload=seq, size=len(text)))


class ChatMachine(RuleBasedStateMachine):
    """Three people, one room, a storage that fails, sockets that take a few bytes at a time."""

    @initialize(tail=st.sampled_from([0, 300, 1 << 22]))
    def begin(self, tail: int) -> None:
        room_module.TAIL = tail  # type: ignore[misc]  # so that readers fall out of memory
        self.house = House()
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

    @rule(who=who, room=st.sampled_from([0, 40, 1000]))
    def connect(self, who: int, room: int) -> None:
        if self.people[who].peer is None:
            self.people[who].connect(self.house, room)

    @rule(who=who, room=st.sampled_from([0, 1000]))
    def connect_anew_while_connected(self, who: int, room: int) -> None:
        self.people[who].connect(self.house, room)

    @rule(who=who, times=st.integers(1, 5), size=st.sampled_from([0, 100, 5000]))
    def say(self, who: int, times: int, size: int) -> None:
        for _ in range(times):
            self.count += 1
            self.people[who].say(b"%d %b" % (self.count, b"x" * size))

    @rule(who=who)
    def upload(self, who: int) -> None:
        self.count += 1
        self.people[who].say(b"%d uploaded" % self.count, uploaded=True)

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
                upload(guest, seq, said[-1])
            else:
                guest.says(frames.Send(seq), said[-1])
        for _ in range(steps):
            self.house.steps.step()
            self.house.clock.advance(0)
        guest.ends()
        self.guests.append((guest, said))

    @rule(room=st.sampled_from([0, 1000, 1 << 30]), logged_in=st.booleans())
    def liar_comes(self, room: int, logged_in: bool) -> None:
        self.liars.come(room, logged_in=logged_in)

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

        Of those who lied nothing is there.
        """
        self.liars.go()
        for _ in range(2000):
            self.house.clock.advance(1)
            busy = self.house.steps.step()
            for person in self.people:
                if person.peer is None:
                    person.connect(self.house, 1 << 30)
                person.peer.transport.take(1 << 30)  # type: ignore[union-attr]
                person.read()
            if not busy and self._all_is_said() and self._all_level() and self.liars.are_gone:
                break
        log = [(message.id, message.text.encode()) for message in self.house.storage.messages[1]]
        assert len({text for _, text in log}) == len(log) == self.count
        for person in self.people:
            assert person.shown == log
            own = set(person.said)
            assert [text for _, text in log if text in own] == person.said
            person.peer.transport.room = 0  # type: ignore[union-attr]
        assert self.liars.are_gone
        assert not self.faults, self.faults
        for _, said in self.guests:
            assert [text for _, text in log if text in said] == said

    def _all_is_said(self) -> bool:
        here = self.house.server.get_all()
        return not any(person.unacknowledged for person in self.people) and not any(
            guest.connection in here for guest, _ in self.guests
        )

    def _all_level(self) -> bool:
        stored = len(self.house.storage.messages.get(1, ()))
        return all(person.welcomed and len(person.shown) == stored for person in self.people)

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
