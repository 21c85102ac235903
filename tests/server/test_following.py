"""What other processes on the database do, as it reaches those who are connected here."""

from __future__ import annotations

from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import TestCase

from server import catching_up, following
from storage.changes import Change, Deleted, Here, Kicked, Replaced
from storage.changes import Presence as Moved
from storage.interface import Message, StorageDown
from tests.server.fakes import House, ListedNeighbours, Peer
from wire import frames

OTHER = 7  # a server


class FollowingCase(TestCase):
    def setUp(self) -> None:
        self.house = House(shared=True)
        self.house.server.start()
        self.house.settle()
        self.ann = self.house.peer("ann")
        self.neighbours: ListedNeighbours = self.house.storage.neighbours
        self.neighbours.told[OTHER] = []
        self.batch = 0

    def store(self, *texts: str) -> None:
        """Have the other server store messages."""
        log = self.house.storage.messages[1]
        for text in texts:
            log.append(Message("lobby", len(log) + 1, "zoe", 0, text))
        self.batch += 1
        self.neighbours.put(OTHER, self.batch)

    def tell(self, *changes: Change) -> None:
        self.neighbours.told[OTHER] += changes
        self.neighbours.put(OTHER, self.batch)

    def look(self, seconds: float = following.ALONE) -> None:
        self.house.clock.advance(seconds)
        self.house.settle()

    def texts(self, peer: Peer) -> list[str]:
        known = -1
        while known != (known := len(peer.frames)):  # what was written made room for more
            self.house.settle()
        return [body.decode() for frame, body in peer.frames if isinstance(frame, frames.Message)]


class MessageTests(FollowingCase):
    def test_what_others_stored_is_shown(self) -> None:
        self.store("one", "two")
        self.look()
        self.store("three")
        self.look(following.TOGETHER)
        self.assertEqual(self.texts(self.ann), ["one", "two", "three"])

    def test_more_than_is_read_at_once(self) -> None:
        self.store(*map(str, range(3 * catching_up.STEP)))
        self.look()
        self.assertEqual(self.texts(self.ann), [*map(str, range(3 * catching_up.STEP))])

    def test_more_than_is_worth_reading_for_all(self) -> None:
        """Who is behind reads it from the pages."""
        count = catching_up.FAR + 500
        self.store(*map(str, range(count)))
        self.look()
        self.assertEqual(self.texts(self.ann), [*map(str, range(count))])

    def test_ours_is_shown_behind_what_was_stored_before_it(self) -> None:
        self.store("theirs")
        self.ann.says(frames.Send(1), b"ours")
        self.house.clock.advance(0)
        self.assertTrue(self.house.steps.step())  # it is committed, and theirs has yet to be read
        self.assertEqual([(ack.seq, ack.id) for ack in self.ann.heard(frames.Ack)], [(1, 2)])
        self.assertEqual(self.ann.heard(frames.Message), [])
        self.house.settle()
        self.assertEqual(self.texts(self.ann), ["theirs", "ours"])

    def test_who_asks_meanwhile_is_told_of_ours(self) -> None:
        self.store("theirs")
        self.ann.says(frames.Send(1), b"ours")
        self.house.clock.advance(0)
        self.house.steps.step()
        self.ann.says(frames.History(10, 5))
        self.house.settle()
        self.assertEqual([frame.id for frame in self.ann.heard(frames.Message) if frame.ref == 5], [1, 2])

    def test_what_is_not_there_yet_is_looked_for_again(self) -> None:
        """The database may know of a message, and where it is read not have it yet."""
        page, self.house.storage.page = self.house.storage.page, lambda *_: []  # type: ignore[method-assign]
        self.store("theirs")
        self.look()
        self.assertEqual(self.texts(self.ann), [])
        self.house.storage.page = page  # type: ignore[method-assign]
        self.look(catching_up.LAGGING)
        self.assertEqual(self.texts(self.ann), ["theirs"])

    def test_a_room_that_was_opened_during_a_look(self) -> None:
        """That the others had moved was seen before it was, and they do not move again."""
        self.store("one")
        self.look()
        bob = Peer(self.house.server)
        bob.says(frames.Login("bob", rooms={"tea": 0}))
        self.house.settle()
        self.house.storage.messages[2].append(Message("tea", 1, "zoe", 0, "early"))
        self.look()
        self.assertEqual(self.texts(bob), ["early"])

    def test_who_comes_from_another_server_has_seen_more_than_we_have(self) -> None:
        self.store("one", "two", "three")
        bob = self.house.peer("bob", rooms={"lobby": 2})
        [welcome] = bob.heard(frames.Welcome)
        self.assertGreaterEqual(welcome.rooms["lobby"].last_id, 2)
        self.look()
        self.assertEqual(self.texts(bob), ["three"])
        self.assertEqual(self.texts(self.ann), ["one", "two", "three"])

    def test_so_may_who_joins(self) -> None:
        bob = self.house.peer("bob", rooms={})
        self.store("one", "two")
        bob.says(frames.Join("lobby", 1))
        self.house.settle()
        self.assertEqual(self.texts(bob), ["two"])

    def test_who_has_seen_what_there_is_not_forgets_it(self) -> None:
        self.store("one")
        bob = self.house.peer("bob", rooms={"lobby": 9})
        self.assertEqual(bob.heard(frames.Welcome)[0].rooms["lobby"].last_id, 1)
        self.assertEqual(self.texts(bob), ["one"])

    def test_who_reads_from_the_database_may_be_ahead_of_us(self) -> None:
        self.store("one")
        self.look()
        self.house.server.rooms._by_place["lobby"].reread()
        self.store("two")
        bob = self.house.peer("bob", rooms={"lobby": 0})
        self.assertEqual(self.texts(bob), ["one", "two"])
        self.look()
        self.store("three")
        self.look()
        self.assertEqual(self.texts(bob), ["one", "two", "three"])

    def test_the_database_away_for_a_while(self) -> None:
        everything = self.neighbours.all

        def away() -> list[object]:
            raise StorageDown("away")

        self.neighbours.all = away  # type: ignore[assignment, method-assign]
        self.store("one")
        self.look()
        self.neighbours.all = everything  # type: ignore[method-assign]
        self.look(following.AWAY)
        self.assertEqual(self.texts(self.ann), ["one"])

    def test_the_database_goes_before_they_are_read(self) -> None:
        page = self.house.storage.page

        def away(*_: int) -> list[Message]:
            raise StorageDown("away")

        self.house.storage.page = away  # type: ignore[assignment, method-assign]
        self.store("one")
        self.look()
        self.house.storage.page = page  # type: ignore[method-assign]
        self.look(catching_up.LAGGING)
        self.assertEqual(self.texts(self.ann), ["one"])


class PruneTests(FollowingCase):
    def prune(self, first_id: int) -> None:
        self.neighbours.first_ids[1] = first_id
        self.batch += 1
        self.neighbours.put(OTHER, self.batch)

    def test_who_misses_what_is_pruned_is_told_where_it_goes_on(self) -> None:
        self.ann.transport.room = 0
        self.ann.says(frames.Ping(1))  # its answer waits
        self.store(*map(str, range(10)))
        self.look()
        self.prune(8)
        self.look()
        self.ann.transport.take(1 << 20)
        self.house.settle()
        self.assertEqual([(it.first_id, it.last_id) for it in self.ann.heard(frames.Joined)], [(8, 10)])
        self.assertEqual(self.texts(self.ann), ["7", "8", "9"])

    def test_a_page_that_is_gone_before_we_heard_of_it(self) -> None:
        self.store(*map(str, range(200)))
        self.look()
        self.neighbours.first_ids[1] = 190
        self.house.server.rooms._by_place["lobby"].reread()
        bob = Peer(self.house.server)
        bob.says(frames.Login("bob", rooms={"lobby": 0}))
        self.house.settle()
        self.assertEqual(self.texts(bob), [*map(str, range(189, 200))])
        self.assertEqual([it.first_id for it in bob.heard(frames.Joined)], [190])

    def test_what_was_pruned_before_it_was_read(self) -> None:
        self.store(*map(str, range(20)))
        self.neighbours.first_ids[1] = 15
        self.neighbours.spans = lambda rooms: [(1, 1, 20)]  # type: ignore[method-assign]  # a moment ago
        self.look()
        self.assertEqual(self.texts(self.ann), [*map(str, range(14, 20))])

    def test_all_was_pruned_before_it_was_read(self) -> None:
        self.store(*map(str, range(20)))
        self.prune(21)
        self.look()
        self.assertEqual(self.texts(self.ann), [])
        self.assertEqual([(it.first_id, it.last_id) for it in self.ann.heard(frames.Joined)], [(21, 20)])


class ChangeTests(FollowingCase):
    def setUp(self) -> None:
        super().setUp()
        self.look(1)

    def who(self) -> set[str]:
        self.look()
        return set(self.house.server.rooms._by_place["lobby"].users)

    def test_who_comes_and_goes_elsewhere(self) -> None:
        self.tell(Moved(1, "lobby", ["bob", "cy"], []))
        self.assertEqual(self.who(), {"ann", "bob", "cy"})
        self.look(1)
        self.tell(Moved(1, "lobby", [], ["bob"]), Moved(5, "tea", ["dan"], []))
        self.assertEqual(self.who(), {"ann", "cy"})
        self.look(1)
        told = [(frame.joined, frame.left, frame.users) for frame in self.ann.heard(frames.Presence)]
        self.assertEqual(told[-2:], [(["bob", "cy"], [], 3), ([], ["bob"], 2)])
        self.assertTrue(self.house.server.rooms.is_known("TEA"))

    def test_who_was_there_before_us(self) -> None:
        house = House(shared=True)
        house.storage.neighbours.at[OTHER] = [(1, "bob")]
        house.storage.neighbours.told[OTHER] = [Moved(1, "lobby", ["bob"], [])] * 3
        house.storage.neighbours.put(OTHER, 5)
        house.server.start()
        house.settle()
        house.peer("ann")
        self.assertEqual(set(house.server.rooms._by_place["lobby"].users), {"ann", "bob"})

    def test_one_that_is_gone(self) -> None:
        self.tell(Moved(1, "lobby", ["bob"], []))
        self.assertEqual(self.who(), {"ann", "bob"})
        self.neighbours.put(OTHER, 1, here=False)
        self.assertEqual(self.who(), {"ann"})

    def test_one_that_returns(self) -> None:
        self.tell(Moved(1, "lobby", ["bob", "cy"], []))
        self.who()
        self.neighbours.at[OTHER] = [(1, "cy")]
        self.tell(Here())
        self.assertEqual(self.who(), {"ann", "cy"})

    def test_what_was_told_too_long_ago(self) -> None:
        self.tell(Moved(1, "lobby", ["bob"], []))
        self.who()
        self.neighbours.at[OTHER] = [(1, "cy")]
        self.tell(Moved(1, "lobby", ["dan"], ["bob"]), Moved(1, "lobby", ["cy"], ["dan"]))
        for removed in (2, 3):
            self.neighbours.removed[OTHER] = removed
            self.assertEqual(self.who(), {"ann", "cy"})

    def test_the_same_client_elsewhere(self) -> None:
        bob = self.house.peer("bob", client="one")
        login = bob.connection.login
        assert login is not None
        assert login.client is not None
        self.tell(Replaced("bob", login.client, bob.connection.sending.epoch))
        self.look()
        self.assertEqual(bob.heard(frames.Bye), [])  # that is itself
        self.tell(Replaced("bob", login.client, bob.connection.sending.epoch + 1))
        self.look()
        self.assertEqual([bye.reason for bye in bob.heard(frames.Bye)], ["replaced"])

    def test_the_same_client_elsewhere_while_its_login_here_is_being_answered(self) -> None:
        bob = Peer(self.house.server)
        bob.says(frames.Login("bob", client="one"))
        login = bob.connection.login
        assert login is not None
        assert login.client is not None
        self.house.server.hear(OTHER, Replaced("bob", login.client, 2))
        self.house.settle()
        self.assertEqual([bye.reason for bye in bob.heard(frames.Bye)], ["replaced"])

    def test_a_login_of_a_lost_connection_is_marked(self) -> None:
        """The same client may have come to another server meanwhile."""
        bob = Peer(self.house.server)
        bob.says(frames.Login("bob", client="one"))
        login = bob.connection.login
        assert login is not None
        bob.ends()
        self.assertTrue(login.gone)

    def test_kicked(self) -> None:
        self.tell(Kicked("ann"))
        self.look()
        self.assertEqual([bye.reason for bye in self.ann.heard(frames.Bye)], ["kicked"])

    def test_deleted(self) -> None:
        self.store("secret")
        self.look()
        self.house.storage.messages[1][0] = Message("lobby", 1, "zoe", 0, "", deleted=True)
        self.tell(Deleted(1, 1, "root"))
        self.look()
        self.assertEqual([(it.room, it.id, it.by) for it in self.ann.heard(frames.Deleted)], [("lobby", 1, "root")])
        bob = self.house.peer("bob", rooms={"lobby": 0})
        self.assertEqual([it.deleted for it in bob.heard(frames.Message)], [True])

    def test_the_dead_are_forgotten(self) -> None:
        self.neighbours.put(OTHER, 1, silent_for=6)
        self.look(1)
        self.neighbours.put(8, 1, here=False, silent_for=30)
        self.neighbours.put(9, 1, here=False, silent_for=61)
        self.neighbours.put(10, 1, silent_for=4)
        self.neighbours.others.pop(OTHER)
        self.look(1)
        self.assertEqual(self.neighbours.forgotten, [OTHER, 9])

    def test_servers_that_let_in_others_are_told_of_once_each(self) -> None:
        self.neighbours.put(OTHER, 1, auth="open")
        self.neighbours.put(8, 1, here=False, auth="closed")  # a command, or one that has yet to begin
        self.neighbours.put(9, 1, auth=None)  # an older program
        self.neighbours.put(10, 1, silent_for=4, auth="closed")  # it may be dead
        with capturedLogs() as log:
            self.look(1)
            self.assertEqual(log, [])
            for server in (OTHER, 11):
                self.neighbours.put(server, 2, auth="accounts")
                self.look(1)
                self.look(1)
        told = ["another server of this chat has --auth accounts, this one open"] * 2
        self.assertEqual([formatEvent(event) for event in log], told)

    def test_taken_for_dead_ourselves(self) -> None:
        bob = self.house.peer("bob")
        [first] = self.house.storage.returned
        self.assertEqual((list(first.logins), list(first.present), first.auth), ([], [], "open"))
        self.neighbours.ours = type(self.neighbours.ours)(1, 0, 0, False, 0)
        self.look(1)
        returned = self.house.storage.returned[1]
        self.assertEqual([login.name for login, _ in returned.logins], ["ann", "bob"])
        self.assertEqual(returned.present, [(1, "ann"), (1, "bob")])
        self.assertEqual(bob.heard(frames.Bye), [])
