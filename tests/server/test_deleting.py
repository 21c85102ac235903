"""Who deletes what, who hears of it, and that nothing that was read before is shown after."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from twisted.trial.unittest import TestCase

from server.room import DELETIONS
from storage.changes import Deleted
from storage.interface import Message, Role
from tests.server.fakes import Members, Peer
from wire import frames


class DeletingTests(TestCase):
    def setUp(self) -> None:
        self.house = Members()
        self.ann, self.bob = self.account("ann"), self.account("bob")
        self.root = self.account("root", Role.OPERATOR)
        self.send(self.ann, "one", "two", "three")

    def account(self, name: str, role: Role = Role.USER) -> Peer:
        return self.house.member(name, role)

    def send(self, peer: Peer, *texts: str) -> None:
        for text in texts:
            peer.says(frames.Send(peer.connection.sending.received + 1), text.encode())
        self.house.settle()

    def delete(self, peer: Peer, id: int, **fields: Any) -> str:
        """Return the code of the error, or ``done``."""
        peer.says(frames.Delete(id, 9, **fields))
        self.house.settle()
        last = [frame for frame, _ in peer.frames if getattr(frame, "ref", None) == 9][-1]
        return last.code if isinstance(last, frames.Error) else "done"

    def told(self, peer: Peer) -> list[tuple[str, int, str]]:
        return [(frame.room, frame.id, frame.by) for frame in peer.heard(frames.Deleted)]

    def test_all_in_the_room_hear_of_it(self) -> None:
        self.assertEqual(self.delete(self.ann, 2), "done")
        for peer in (self.ann, self.bob, self.root):
            self.assertEqual(self.told(peer), [("lobby", 2, "ann")])

    def test_it_comes_as_deleted_from_then_on(self) -> None:
        self.delete(self.ann, 2)
        cy = self.house.peer("cy")
        shown = [
            (frame.id, frame.deleted is True, body) for frame, body in cy.frames if isinstance(frame, frames.Message)
        ]
        self.assertEqual(shown, [(1, False, b"one"), (2, True, b""), (3, False, b"three")])
        self.assertEqual(self.told(cy), [])

    def test_only_ones_own_but_for_operators(self) -> None:
        self.assertEqual(self.delete(self.bob, 1), "forbidden")
        self.assertEqual(self.delete(self.house.peer("cy"), 1), "forbidden")
        self.assertEqual(self.delete(self.root, 1), "done")
        self.assertEqual(self.told(self.ann), [("lobby", 1, "root")])

    def test_only_what_is_there(self) -> None:
        self.assertEqual(self.delete(self.ann, 4), "unknown_message")
        self.assertEqual(self.delete(self.ann, 1, room="nowhere"), "unknown_room")
        self.house.peer("cy", rooms={"tea": None})
        self.assertEqual(self.delete(self.ann, 1, room="tea"), "not_in_room")
        self.delete(self.ann, 1)
        self.assertEqual(self.delete(self.ann, 1), "unknown_message")

    def test_who_quits_has_it_done_first(self) -> None:
        self.ann.says(frames.Delete(1, 9))
        self.ann.says(frames.Quit())
        self.house.settle()
        self.assertEqual([type(frame) for frame, _ in self.ann.frames][-2:], [frames.Done, frames.Bye])

    def test_a_slow_reader_hears_of_it_when_it_reads(self) -> None:
        slow = self.account("slow")
        slow.transport.room = 0
        slow.says(frames.Ping(1))
        self.delete(self.ann, 2)
        held = slow.transport.held
        self.send(self.ann, *("x" * 100 for _ in range(500)))
        for id in range(4, 504):
            self.delete(self.ann, id)
        self.assertEqual(slow.transport.held, held)  # nothing is queued for it
        slow.transport.take(1 << 20)
        self.house.settle()
        self.assertEqual([id for _, id, _ in self.told(slow)], [2, *range(4, 504)])
        messages = [frame for frame in slow.heard(frames.Message) if frame.id > 3]
        self.assertEqual([frame.id for frame in messages], [*range(4, 504)])
        self.assertTrue(all(frame.deleted is True for frame in messages))

    def test_what_is_to_be_told_has_a_bound(self) -> None:
        slow = self.account("slow")
        slow.transport.room = 0
        slow.says(frames.Ping(1))
        self.send(self.ann, *("x" for _ in range(2000)))
        for id in range(4, 2004):
            self.delete(self.ann, id)
        [room] = self.house.server.rooms.all()
        self.assertLess(room.deletions.size, 2 * DELETIONS + 1000)
        slow.transport.take(1 << 20)
        self.house.settle()
        self.assertEqual(self.told(slow)[-1], ("lobby", 2003, "ann"))

    def test_what_all_were_told_is_let_go(self) -> None:
        for id in (1, 2, 3):
            self.delete(self.ann, id)
        [room] = self.house.server.rooms.all()
        self.assertLess(room.deletions.size, 100)

    def deleted_while_read(self, id: int) -> None:
        """Have another server delete a message just behind the next reading of some."""
        storage, page = self.house.storage, self.house.storage.page

        def read(room: int, first: int, last: int) -> list[Message]:
            found = [replace(message) for message in page(room, first, last)]
            storage.page = page  # type: ignore[method-assign]
            storage.messages[room][id - 1].text, storage.messages[room][id - 1].deleted = "", True
            self.house.server.hear(7, Deleted(room, id, "root"))
            return found

        storage.page = read  # type: ignore[method-assign]

    def test_an_answer_that_was_read_before_is_read_again(self) -> None:
        self.deleted_while_read(2)
        self.bob.says(frames.History(10, 1))
        self.house.settle()
        texts = [body for frame, body in self.bob.frames if isinstance(frame, frames.Message) and frame.ref == 1]
        self.assertEqual(texts, [b"one", b"", b"three"])

    def test_what_others_stored_is_read_again(self) -> None:
        self.house.storage.messages[1].append(Message("lobby", 4, "cy", 0, "from there"))
        self.deleted_while_read(4)
        self.house.server.rooms.found(1, 1, 4)
        self.house.settle()
        shown = [(frame.deleted, body) for frame, body in self.bob.frames if isinstance(frame, frames.Message)]
        self.assertEqual((len(shown), shown[-1]), (4, (True, b"")))

    def test_an_answer_that_waits_for_its_reader_is_read_again(self) -> None:
        bob = self.account("bob2")
        bob.says(frames.History(10, 1))
        bob.transport.room = 100  # some of the answer, and the rest of the message at which that ends
        self.house.settle()
        self.delete(self.ann, 3)
        bob.transport.take(1 << 20)
        self.house.settle()
        texts = [body for frame, body in bob.frames if isinstance(frame, frames.Message) and frame.ref == 1]
        self.assertEqual(texts, [b"one", b"two", b""])
