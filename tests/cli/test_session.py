"""A session against a plain model of a server: whatever happens, each message once and in order, both ways."""

from __future__ import annotations

from collections import deque
from typing import Any
from unittest import TestCase
from unittest.mock import patch

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec import UnsetType
from twisted.python.failure import Failure

from cli import inbox, session
from cli.inbox import Inbox, Message
from cli.session import Session
from cli.status import Listener
from wire import frames
from wire.frames import BadFrame, Frame, RoomSpan


class ModelServer:
    """A room as a list of texts; what it says waits in ``out``, what it has not looked at yet in ``to_do``."""

    def __init__(self) -> None:
        self.texts: list[bytes] = []
        self.first_id = 1
        self.received = 0
        self.out: deque[tuple[Any, bytes]] = deque()
        self.to_do: deque[tuple[Frame, bytes]] = deque()
        self.cursor: int | None = None

    def say(self, frame: Frame, body: bytes = b"") -> None:
        self.out.append((frame, body))

    def message(self, id: int, **fields: Any) -> None:
        body = self.texts[id - 1]
        self.say(frames.Message(room="lobby", id=id, sender="bob", at=0, **fields), body)

    def connect(self, login: frames.Login) -> None:
        assert isinstance(login.rooms, dict)
        last = len(self.texts)
        after = login.rooms["lobby"]
        history = 100 if isinstance(login.history, UnsetType) else login.history
        self.out.clear()
        self.to_do.clear()
        self.cursor = max(self.first_id, last + 1 - history if after is None else after + 1)
        span = RoomSpan(self.first_id, last)
        self.say(frames.Welcome(user="ann", server="", ping_every=9, received=self.received, rooms={"lobby": span}))

    def stream(self) -> None:
        if self.cursor is None:
            return
        if self.cursor < self.first_id:
            self.cursor = self.first_id
            self.say(frames.Joined(room="lobby", first_id=self.first_id, last_id=len(self.texts)))
        while self.cursor <= len(self.texts):
            self.message(self.cursor)
            self.cursor += 1

    def work(self) -> None:
        frame, body = self.to_do.popleft()
        if isinstance(frame, frames.Send):
            assert frame.seq == self.received + 1, "a number was skipped or used twice"
            self.received += 1
            self.texts.append(body)
            self.say(frames.Ack(seq=frame.seq, room="lobby", id=len(self.texts)))
        elif isinstance(frame, frames.History):
            assert isinstance(frame.before, int)
            last = min(frame.before - 1, len(self.texts))
            for id in range(max(self.first_id, frame.before - frame.limit), last + 1):
                self.message(id, ref=frame.ref)
            self.say(frames.Done(ref=frame.ref))
        else:
            raise AssertionError(frame)


class Machine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.patches = [
            patch.object(inbox, "MESSAGES", 5), patch.object(inbox, "BYTES", 40), patch.object(session, "PAGE", 3),
        ]  # fmt: skip
        for each in self.patches:
            each.start()
        self.session = Session("ann", Inbox(), rooms={"lobby": 0})
        self.server = ModelServer()
        self.connected = False
        self.read: list[Message] = []
        self.sent: list[bytes] = []
        self.acknowledged: list[bytes] = []

    @rule()
    def connect(self) -> None:
        if self.connected:
            self.session.lost()
        self.connected = True
        self.server.connect(self.session.login())

    @precondition(lambda self: self.connected)
    @rule()
    def cut(self) -> None:
        self.connected = False
        self.session.lost()
        self.server.cursor = None
        self.server.out.clear()
        self.server.to_do.clear()

    @rule(sizes=st.lists(st.integers(0, 30), max_size=12))
    def others_talk(self, sizes: list[int]) -> None:
        self.server.texts += [b"x" * size for size in sizes]

    @rule(count=st.integers(1, 3))
    def send(self, count: int) -> None:
        for _ in range(count):
            body = b"mine %d" % len(self.sent)
            self.sent.append(body)
            self.session.send(body.decode(), "lobby").addCallback(self.ack, body)

    def ack(self, _: int | None, body: bytes) -> None:
        self.acknowledged.append(body)

    @rule(count=st.integers(1, 8))
    def prune(self, count: int) -> None:
        self.server.first_id = min(self.server.first_id + count, len(self.server.texts) + 1)

    @precondition(lambda self: self.connected)
    @rule(count=st.integers(1, 20))
    def deliver(self, count: int) -> None:
        self.server.stream()
        for _ in range(min(count, len(self.server.out))):
            frame, body = self.server.out.popleft()
            self.session.received(frame, body, lambda frame, body: self.server.to_do.append((frame, body)))

    @rule(count=st.integers(1, 4))
    def work(self, count: int) -> None:
        for _ in range(min(count, len(self.server.to_do))):
            self.server.work()

    @rule(count=st.integers(1, 6))
    def take(self, count: int) -> None:
        for _ in range(min(count, len(self.session.inbox))):
            self.session.get().addCallback(self.read.append)

    @rule(full=st.booleans())
    def transport(self, full: bool) -> None:
        if full and self.connected:
            self.session.outlet.pauseProducing()
        else:
            self.session.outlet.resumeProducing()

    @invariant()
    def in_order(self) -> None:
        ids = [message.id for message in self.read]
        assert ids == sorted(set(ids))
        assert set(ids) >= set(range(self.server.first_id, max(ids, default=0) + 1)), "one that is kept was passed over"
        assert [message.text.encode() for message in self.read] == [self.server.texts[id - 1] for id in ids]
        assert len(self.session.inbox) <= 5
        assert self.acknowledged == self.sent[: len(self.acknowledged)]
        mine = [text for text in self.server.texts if text.startswith(b"mine")]
        assert mine == self.sent[: len(mine)]
        assert len(self.acknowledged) <= len(mine)

    def teardown(self) -> None:
        try:
            if not self.connected:
                self.connect()
            self.session.outlet.resumeProducing()
            for _ in range(500):
                self.deliver(100)
                self.work(100)
                self.take(100)
                self.in_order()
                if not (self.server.out or self.server.to_do or self.session.behind or self.session.unsent):
                    break
            kept = set(range(self.server.first_id, len(self.server.texts) + 1))
            assert kept <= {message.id for message in self.read}
            assert self.acknowledged == self.sent
            assert self.session.behind == self.session.unsent == 0
        finally:
            for each in self.patches:
                each.stop()


Once = Machine.TestCase
Once.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


class Gaps(TestCase):
    """What happens to a gap that cannot be filled as it was."""

    def setUp(self) -> None:
        self.said: list[Frame] = []
        self.session = Session("ann", Inbox())
        self.session.login()
        span = {"lobby": RoomSpan(1, 0)}
        self.take(frames.Welcome(user="ann", server="", ping_every=9, received=0, rooms=span))

    def take(self, *received: Any) -> None:
        for frame in received:
            self.session.received(frame, b"", lambda frame, _: self.said.append(frame))

    def message(self, id: int, **fields: Any) -> frames.Message:
        return frames.Message(room="lobby", id=id, sender="bob", at=0, **fields)

    def question(self) -> frames.History:
        frame = self.said.pop()
        assert isinstance(frame, frames.History), frame
        return frame

    def read(self) -> list[int]:
        found: list[int] = []
        while len(self.session.inbox):
            self.session.get().addCallback(lambda message: found.append(message.id))
        return found

    def test_a_hole_in_the_stream_is_asked_for(self) -> None:
        self.take(self.message(1), self.message(4))
        question = self.question()
        self.assertEqual((question.before, question.limit), (5, 3))
        self.take(*(self.message(id, ref=question.ref) for id in (2, 3, 4)), frames.Done(ref=question.ref))
        self.take(self.message(5), self.message(6))
        self.assertEqual(self.read(), [1, 2, 3, 4, 5, 6])
        self.assertEqual(self.said, [])

    def test_part_of_it_was_pruned(self) -> None:
        self.take(self.message(1), self.message(9))
        ref = self.question().ref
        self.take(self.message(7, ref=ref), self.message(8, ref=ref), self.message(9, ref=ref), frames.Done(ref=ref))
        self.assertEqual(self.read(), [1, 7, 8, 9])

    def test_all_of_it_was_pruned(self) -> None:
        self.take(self.message(1), self.message(150))
        self.take(frames.Done(ref=self.question().ref))
        question = self.question()
        self.assertEqual((question.before, question.limit), (151, 49))
        self.take(frames.Done(ref=question.ref), self.message(151))
        self.assertEqual(self.read(), [1, 151])

    def test_server_restored_from_a_copy_meanwhile(self) -> None:
        self.take(self.message(1), self.message(150))
        self.session.lost()
        self.session.login()
        span = {"lobby": RoomSpan(1, 1)}
        self.take(frames.Welcome(user="ann", server="", ping_every=9, received=0, rooms=span))
        self.said.clear()
        self.take(self.message(2), self.message(4))
        self.assertEqual(self.question().before, 5)

    def test_the_database_is_away(self) -> None:
        self.take(self.message(1), self.message(3))
        ref = self.question().ref
        self.take(frames.Notice(code="storage_down", text=""))
        self.take(frames.Error(code="storage_down", text="", ref=ref), self.message(4))
        self.assertEqual(self.said, [])
        self.take(frames.Notice(code="storage_up", text=""))
        self.assertEqual(self.question().before, 5)

    def test_it_is_refused(self) -> None:
        self.take(self.message(1), self.message(3))
        self.take(frames.Error(code="forbidden", text="", ref=self.question().ref), self.message(1))
        self.assertEqual(self.said, [])  # not asked again and again

    def test_room_left_meanwhile(self) -> None:
        self.take(self.message(1), self.message(3))
        ref = self.question().ref
        self.session.leave("lobby")
        self.take(frames.Left(room="lobby"), self.message(2, ref=ref), frames.Done(ref=ref), self.message(4))
        self.assertEqual(self.said.pop(), frames.Leave(room="lobby"))
        self.assertEqual(self.said, [])

    def test_what_has_no_place_before_the_welcome(self) -> None:
        self.session.lost()
        for frame in (self.message(1), frames.Ack(seq=1, room="lobby", id=1), frames.Done(ref=1)):
            with self.assertRaises(BadFrame):
                self.take(frame)


class Orders(TestCase):
    """What the server tells unasked, and what it is told to do."""

    def setUp(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        listener = Listener()
        for name in ("room_left", "deleted", "room_opened"):
            setattr(listener, name, lambda *about, name=name: self.told.append((name, *about)))
        self.inbox = Inbox()
        self.session = Session("ann", self.inbox, rooms={"lobby": 0, "den": 0}, listener=listener)
        self.session.login()
        rooms = {"lobby": RoomSpan(1, 0), "den": RoomSpan(1, 0)}
        self.said: list[Frame] = []
        self.receive(frames.Welcome(user="ann", server="", ping_every=9, received=0, rooms=rooms))
        self.told.clear()

    def receive(self, frame: Any, body: bytes = b"") -> None:
        self.session.received(frame, body, lambda frame, _: self.said.append(frame))

    def test_what_is_deleted_before_it_was_read(self) -> None:
        for id in (1, 2):
            self.receive(frames.Message("lobby", id, "bob", 0, size=9), b"SECRET")
        self.receive(frames.Deleted("lobby", 2, "root"))
        self.assertEqual(self.told, [("deleted", "lobby", 2, "root")])
        read: list[Message] = []
        for _ in range(2):
            self.session.get().addCallback(read.append)
        first, second = read
        self.assertEqual((first.text, first.deleted), ("SECRET", False))
        self.assertEqual((second.text, second.deleted, second.size), ("", True, None))

    def test_put_out_of_a_room(self) -> None:
        self.receive(frames.Left("den"))
        self.assertEqual(self.told, [("room_left", "den")])
        self.assertEqual([*self.session.login().rooms], ["lobby"])  # type: ignore[misc]

    def test_a_talk_of_two_begins_unasked(self) -> None:
        self.receive(frames.Joined("@bob", 1, 2))
        self.receive(frames.Message("@bob", 3, "bob", 0), b"hi")
        self.assertEqual(self.told, [("room_opened", "@bob", 1, 2)])
        read: list[Message] = []
        self.session.get().addCallback(read.append)
        self.assertEqual([(it.room, it.id, it.text) for it in read], [("@bob", 3, "hi")])
        self.session.lost()
        self.assertEqual(self.session.login().rooms, {"lobby": 0, "den": 0, "@bob": 3})

    def test_who_wants_none_of_it(self) -> None:
        self.session = Session("ann", self.inbox, rooms={"lobby": 0}, listener=self.session.listener, unasked=False)
        self.session.login()
        self.receive(frames.Welcome("ann", "", 9, 0, {"lobby": RoomSpan(1, 0)}))
        self.told.clear()
        self.receive(frames.Joined("@bob", 1, 2))
        self.receive(frames.Message("@bob", 3, "bob", 0), b"hi")
        self.assertEqual((self.told, len(self.inbox)), ([], 0))

    def test_who_leaves_is_not_told(self) -> None:
        self.session.leave("den")
        self.receive(frames.Left("den"))
        self.assertEqual(self.told, [])

    def test_an_order_is_answered_by_texts(self) -> None:
        answer = self.session.run("help", "lobby")
        [asked] = self.said
        assert isinstance(asked, frames.Run)
        self.assertEqual((asked.line, asked.room), ("help", "lobby"))
        for text in ("one", "zw\xf6"):
            self.receive(frames.Text(asked.ref), text.encode())
        self.receive(frames.Done(asked.ref))
        self.assertEqual(answer.result, ["one", "zw\xf6"])

    def test_deleting(self) -> None:
        answer = self.session.delete("den", 5)
        [asked] = self.said
        assert isinstance(asked, frames.Delete)
        self.assertEqual((asked.id, asked.room), (5, "den"))
        self.receive(frames.Error("forbidden", "not yours", ref=asked.ref))
        assert isinstance(answer.result, Failure)
        self.assertEqual(answer.result.getErrorMessage(), "not yours")
        answer.addErrback(lambda _: None)
