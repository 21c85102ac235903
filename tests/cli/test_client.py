"""The client on a network that the test breaks, at a clock that the test turns."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.trial.unittest import SynchronousTestCase

from cli import AskRefused, ClientClosed, Listener, LoginRefused, SendRefused, State, Status
from tests.cli.ends import End, Network
from wire import frames
from wire.frames import Ack, Bye, Done, Error, Joined, Login, Message, Notice, Ping, Pong, Quit, Send, Users, encode


def message(id: int, text: str = "hello", room: str = "lobby", **fields: Any) -> tuple[Message, bytes]:
    return Message(room=room, id=id, sender="bob", at=1_764_000_000_000, **fields), text.encode()


class ClientCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.network = Network()
        self.clock = self.network.clock

    def live(self, **options: Any) -> End:
        """Log a client in, as self.client, and return the server's end."""
        self.client, self.started = self.network.client(**options)
        end = self.network.accept()
        end.welcome()
        self.assertIs(self.successResultOf(self.started), self.client)
        end.heard()
        return end

    def again(self) -> End:
        """Wait until the client tries again, and return the server's end."""
        for _ in range(200):
            if self.network.trying:
                return self.network.accept()
            self.clock.advance(0.5)
        raise AssertionError("it does not try again")

    def state(self) -> State:
        return self.client.check_status().state


class LoggingIn(ClientCase):
    def test_first_frame(self) -> None:
        self.network.client(key="k", rooms={"lobby": None, "dev": 7}, history=3)
        ((login, _),) = self.network.accept().heard()
        self.assertEqual(login, Login(user="ann", key="k", client="c", rooms={"lobby": None, "dev": 7}, history=3))

    def test_refused(self) -> None:
        client, started = self.network.client()
        end = self.network.accept()
        end.say(Error(code="name_taken", text="taken", fatal=True))
        self.clock.advance(0)
        refused = self.failureResultOf(started, LoginRefused).value
        self.assertEqual((refused.code, refused.text), ("name_taken", "taken"))
        self.assertEqual((client.check_status().state, client.check_status().reason), (State.CLOSED, "taken"))
        self.clock.advance(1000)
        self.assertFalse(self.network.trying)

    def test_keeps_trying_with_growing_pauses(self) -> None:
        client, started = self.network.client()
        self.assertIs(client.check_status().state, State.CONNECTING)
        pauses = []
        for _ in range(30):
            self.network.refuse()
            status = client.check_status()
            self.assertIs(status.state, State.LOST)
            self.assertIn("refused", status.reason)
            assert status.retry_at is not None
            pauses.append(status.retry_at - self.clock.seconds())
            self.clock.advance(pauses[-1])
        self.assertLess(pauses[0], 1.5)
        self.assertGreater(pauses[-1], 59)
        self.assertLess(max(pauses), 62)
        self.network.accept().welcome()
        self.successResultOf(started)
        self.assertIs(client.check_status().state, State.LIVE)

    def test_cancel(self) -> None:
        client, started = self.network.client()
        self.network.refuse()
        started.cancel()
        self.failureResultOf(started, CancelledError)
        self.assertIs(client.check_status().state, State.CLOSED)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_silent_before_the_welcome(self) -> None:
        client, _ = self.network.client()
        end = self.network.accept()
        self.clock.pump([30] * 4)
        self.assertTrue(end.lost)
        self.assertIn("does not answer", client.check_status().reason)


class Sending(ClientCase):
    def test_numbers_acks_and_refusals(self) -> None:
        end = self.live()
        first, second = self.client.send_msg("one"), self.client.send_msg("two", "dev")
        self.assertEqual(end.heard(), [(Send(seq=1, room="lobby"), b"one"), (Send(seq=2, room="dev"), b"two")])
        self.assertEqual(self.client.check_status().unsent, 2)
        end.say(Ack(seq=1, room="lobby", id=9), Error(code="not_in_room", text="not there", seq=2, room="dev"))
        self.assertEqual(self.successResultOf(first), 9)
        self.assertEqual(self.failureResultOf(second, SendRefused).value.code, "not_in_room")
        self.assertEqual(self.client.check_status().unsent, 0)

    def test_somebody_speaks_to_one_alone(self) -> None:
        end = self.live()
        end.say(Joined("@bob", 1, 4), message(5, "are you there?", "@bob"))
        heard = self.successResultOf(self.client.read_msg())
        self.assertEqual((heard.room, heard.id, heard.text), ("@bob", 5, "are you there?"))
        self.client.send_msg("yes", heard.room)
        self.assertEqual(end.heard(), [(Send(seq=1, room="@bob"), b"yes")])
        end.cut()
        login = self.again().welcome()
        self.assertEqual(login.rooms, {"lobby": 0, "@bob": 5})

    def test_resends_what_was_not_received(self) -> None:
        end = self.live()
        sent = [self.client.send_msg(text) for text in ("one", "two", "three")]
        end.say(Ack(seq=1, room="lobby", id=1))
        end.cut()
        late = self.client.send_msg("four")
        end = self.again()
        end.welcome(received=2)
        self.assertEqual(self.successResultOf(sent[0]), 1)
        self.assertIsNone(self.successResultOf(sent[1]))  # stored, but its answer was lost
        self.assertEqual(end.heard(), [(Send(seq=3, room="lobby"), b"three"), (Send(seq=4, room="lobby"), b"four")])
        self.assertNoResult(late)

    def test_numbers_begin_behind_what_an_earlier_run_sent(self) -> None:
        self.client, _ = self.network.client()
        self.client.send_msg("x")
        end = self.network.accept()
        end.welcome(received=41)
        self.assertEqual(end.heard(), [(Send(seq=42, room="lobby"), b"x")])

    def test_server_restored_from_a_copy(self) -> None:
        end = self.live()
        sent = [self.client.send_msg(text) for text in "abc"]
        end.say(*(Ack(seq=seq, room="lobby", id=seq) for seq in (1, 2)))
        end.cut()
        end = self.again()
        end.welcome(received=0)
        self.assertEqual(end.heard(), [(Send(seq=1, room="lobby"), b"c")])
        end.say(Ack(seq=1, room="lobby", id=1))
        self.assertEqual(self.successResultOf(sent[2]), 1)

    def test_stops_when_the_transport_is_full(self) -> None:
        end = self.live()
        assert end.producer is not None
        self.assertTrue(end.streaming)
        end.producer.pauseProducing()
        self.client.send_msg("one")
        self.client.send_msg("two")
        self.assertEqual(end.heard(), [])
        end.producer.resumeProducing()
        self.assertEqual([body for _, body in end.heard()], [b"one", b"two"])

    def test_no_text(self) -> None:
        self.live()
        self.assertEqual(self.failureResultOf(self.client.send_msg("\ud800"), SendRefused).value.code, "bad_text")

    def test_never_reading_sender(self) -> None:
        """A program that reads nothing is acknowledged all the same, and holds no more than the inbox."""
        end = self.live()
        id = 0
        for seq in range(1, 500):
            sent = self.client.send_msg(f"n{seq}")
            for _ in range(10):
                id += 1
                end.say(message(id, "x" * 1000))
            end.say(Ack(seq=seq, room="lobby", id=id))
            self.successResultOf(sent)
            end.heard()
        status = self.client.check_status()
        self.assertEqual((status.state, status.behind), (State.BEHIND, id))
        self.assertLessEqual(len(self.client._session.inbox), 1000)

    def test_read_false_drops(self) -> None:
        end = self.live(read=False)
        end.say(*(message(id) for id in range(1, 50)))
        self.assertEqual(self.client.check_status().behind, 0)
        self.assertEqual(end.heard(), [])
        end.cut()
        login = self.again().welcome(lobby=(1, 90))
        self.assertEqual((login.rooms, login.history), ({"lobby": None}, 0))
        self.assertIs(self.state(), State.LIVE)

    def test_wrong_answers_end_the_connection_only(self) -> None:
        for wrong in (Ack(seq=7, room="lobby", id=1), Error(code="bad_seq", text="skipped", seq=1)):
            end = self.live()
            sent = self.client.send_msg("x")
            end.say(wrong)
            self.clock.advance(0)
            self.assertTrue(end.lost)
            end = self.again()
            end.welcome()
            self.assertEqual(end.heard(), [(Send(seq=1, room="lobby"), b"x")])
            self.assertNoResult(sent)
            self.client.close()
            end.say(Bye(reason="quit"))
            self.clock.advance(0)
            self.failureResultOf(sent, ClientClosed)


class Reading(ClientCase):
    def read(self, count: int) -> list[int]:
        return [self.successResultOf(self.client.read_msg()).id for _ in range(count)]

    def test_so_little_is_read_at_once_that_keys_have_their_turn(self) -> None:
        self.assertLessEqual(getattr(self.live(), "bufferSize", 2**16), 2**14)

    def test_who_reads_what_was_there_is_no_longer_behind(self) -> None:
        told: list[Status] = []
        listener = Listener()
        listener.status_changed = lambda status: told.append(status)  # type: ignore[method-assign]
        end = self.live(listener=listener, rooms={"lobby": 0})
        end.say(message(1), message(2))
        self.assertEqual(told[-1].behind, 2)
        for left in (1, 0):
            self.successResultOf(self.client.read_msg())
            self.assertEqual(told[-1].behind, left)

    def test_in_order_and_waiting(self) -> None:
        end = self.live()
        waiting = self.client.read_msg()
        self.assertNoResult(waiting)
        end.say(message(1, "one"), message(2, "\u00e4", size=9, name="f"), message(3, "", deleted=True))
        self.assertEqual(self.successResultOf(waiting).text, "one")
        second, third = (self.successResultOf(self.client.read_msg()) for _ in range(2))
        self.assertEqual((second.text, second.size, second.name, second.deleted), ("\u00e4", 9, "f", False))
        self.assertTrue(third.deleted)

    def test_cancelled_reader_takes_nothing(self) -> None:
        end = self.live()
        gone, waiting = self.client.read_msg(), self.client.read_msg()
        gone.cancel()
        self.failureResultOf(gone, CancelledError)
        end.say(message(1))
        self.assertEqual(self.successResultOf(waiting).id, 1)

    def test_goes_on_where_it_was(self) -> None:
        end = self.live()
        end.say(message(1), message(2))
        end.cut()
        end = self.again()
        login = end.welcome(lobby=(1, 3))
        self.assertEqual(login.rooms, {"lobby": 2})
        end.say(message(2), message(3), message(3), message(4))  # doubles are nothing
        self.assertEqual(self.read(4), [1, 2, 3, 4])
        self.assertNoResult(self.client.read_msg())

    def test_nothing_missed_where_the_server_gives_no_history(self) -> None:
        self.client, _ = self.network.client()
        end = self.network.accept()
        end.welcome(lobby=(1, 500))
        end.cut()
        self.assertEqual(self.again().welcome(lobby=(1, 505)).rooms, {"lobby": 400})

    def test_pruned(self) -> None:
        end = self.live()
        end.say(message(1))
        end.say(Joined(room="lobby", first_id=50, last_id=60), message(50))
        self.assertEqual(self.read(2), [1, 50])

    def test_restored_from_a_copy(self) -> None:
        end = self.live(history=2)
        end.say(*(message(id) for id in range(1, 10)))
        self.read(9)
        end.cut()
        end = self.again()
        self.assertEqual(end.welcome(lobby=(1, 4)).rooms, {"lobby": 9})
        end.say(message(3), message(4), message(5))
        self.assertEqual(self.read(3), [3, 4, 5])

    def test_invalid_utf8_is_replaced(self) -> None:
        end = self.live()
        end.say((message(1)[0], b"a\xffb"))
        self.assertEqual(self.successResultOf(self.client.read_msg()).text, "a\ufffdb")

    def test_other_spellings_of_a_room(self) -> None:
        self.client, _ = self.network.client(rooms={"Lobby": None})
        end = self.network.accept()
        end.welcome(lobby=(1, 0))
        end.say(message(1, room="lobby"))
        self.assertEqual(self.successResultOf(self.client.read_msg()).room, "lobby")


class Connection(ClientCase):
    def test_byes(self) -> None:
        for reason, comes_back in (("shutdown", True), ("idle", True), ("replaced", False), ("kicked", False)):
            end = self.live()
            reader = self.client.read_msg()
            sent = self.client.send_msg("x")
            end.say(Bye(reason=reason))
            self.clock.advance(0)
            self.clock.advance(2)
            self.assertEqual(self.network.trying, comes_back, reason)
            self.assertTrue(self.client.check_status().reason)
            if comes_back:
                self.assertNoResult(reader)
                self.assertNoResult(sent)
                self.client.close()
            self.failureResultOf(reader, ClientClosed)
            self.failureResultOf(sent, ClientClosed)
            self.assertIs(self.state(), State.CLOSED)

    def test_answers_pings_and_knows_the_lag(self) -> None:
        end = self.live()
        end.say(Ping(ref=5), Ping())
        self.assertEqual([frame for frame, _ in end.heard()], [Pong(ref=5), Pong()])
        self.assertIsNone(self.client.check_status().lag)
        self.clock.advance(30)
        ((ping, _),) = end.heard()
        assert isinstance(ping, Ping)
        self.clock.advance(0.7)
        self.assertAlmostEqual(self.client.check_status().lag or 0, 0.7)  # it is being waited for
        end.say(Pong(ref=ping.ref))
        self.clock.advance(3)
        self.assertAlmostEqual(self.client.check_status().lag or 0, 0.7)

    def test_tells_of_the_lag_while_it_grows(self) -> None:
        told: list[float | None] = []
        listener = Listener()
        listener.status_changed = lambda status: told.append(status.lag)  # type: ignore[method-assign]
        end = self.live(listener=listener)
        self.clock.advance(30)
        ((ping, _),) = end.heard()
        assert isinstance(ping, Ping)
        told.clear()
        self.clock.pump([1] * 5)
        self.assertEqual(told, [1, 2, 3, 4, 5])
        end.say(Pong(ref=ping.ref))
        self.clock.pump([1] * 5)
        self.assertEqual(told, [1, 2, 3, 4, 5])

    def test_tells_how_a_connection_ended(self) -> None:
        for why, told in (
            (ConnectionDone(), "the server hung up"),
            (ConnectionLost(), "broken off on the way"),
            (OSError("no route"), "no route"),
        ):
            end = self.live()
            end.cut(why)
            self.assertEqual(self.client.check_status().reason, told)

    def test_silent_server_is_lost(self) -> None:
        end = self.live()
        self.clock.pump([30] * 2)
        self.assertIs(self.state(), State.LIVE)
        self.clock.pump([30, 0])
        self.assertTrue(end.lost)
        self.assertEqual(self.state(), State.LOST)
        self.assertIn("does not answer", self.client.check_status().reason)

    def test_server_that_waits_for_its_database_is_not(self) -> None:
        end = self.live()
        end.say(Notice(code="storage_down", text="wait"))
        self.clock.pump([30] * 20)
        self.assertIs(self.state(), State.LIVE)
        end.say(Notice(code="storage_up", text="go on"))
        self.clock.pump([30] * 4)
        self.assertTrue(end.lost)

    def test_name_still_held_by_the_lost_connection(self) -> None:
        end = self.live()
        end.cut()
        end = self.again()
        end.heard()
        end.say(Error(code="name_taken", text="taken", fatal=True))
        self.clock.advance(0)
        self.assertIs(self.state(), State.LOST)
        self.clock.advance(200)
        end = self.again()
        end.say(Error(code="name_taken", text="taken", fatal=True))
        self.clock.advance(0)
        self.assertIs(self.state(), State.CLOSED)
        self.assertEqual(self.failureResultOf(self.client.read_msg(), ClientClosed).value.args, ("taken",))

    def test_tells_who_refuses_from_who_is_only_gone(self) -> None:
        end = self.live()
        end.say(Error(code="too_many", text="too much at once", fatal=True))
        end.cut()
        for reason, refused in (("too much at once", True), ("too many logins", True), ("cut", False)):
            status = self.client.check_status()
            self.assertEqual((status.reason, status.refused), (reason, refused))
            end = self.again()
            if reason == "too much at once":
                end.say(Error(code="too_many", text="too many logins", fatal=True))
                self.clock.advance(0)
            else:
                end.cut(OSError("cut"))
        end = self.again()
        end.say(Error(code="too_many", text="too many logins", fatal=True))
        self.clock.advance(0)
        self.again().welcome()
        self.assertFalse(self.client.check_status().refused)

    def test_pauses_grow_though_it_is_let_in_each_time(self) -> None:
        end = self.live()
        pauses = []
        for _ in range(12):
            end.cut()
            pauses.append((self.client.check_status().retry_at or 0) - self.clock.seconds())
            end = self.again()
            end.welcome()
        self.assertGreater(pauses[-1], 20)
        self.clock.pump([1] * 29)  # not yet pinged
        self.clock.advance(2)
        end.cut()
        self.assertLess((self.client.check_status().retry_at or 0) - self.clock.seconds(), 2)

    def test_hostile_server(self) -> None:
        wrong: list[bytes] = [
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            b"99999999:",
            b"2:{},",
            b'16:{"type":"message"},',
            encode(frames.Welcome(user="x", server="", ping_every=1, received=0, rooms={})),
            b"".join(encode(Joined(room=f"r{n}", first_id=1, last_id=0)) for n in range(1100)),
        ]
        for data in wrong:
            end = self.live()
            end.protocol.dataReceived(data)
            self.clock.advance(0)
            self.assertTrue(end.lost, data[:30])
            self.assertIs(self.state(), State.LOST)
            self.assertTrue(self.client.check_status().reason)
            self.client.close()
            self.assertIs(self.state(), State.CLOSED)

    def test_nothing_after_a_wrong_frame_is_taken(self) -> None:
        end = self.live()
        end.protocol.dataReceived(b"2:{}," + encode(*message(1)))
        self.clock.advance(0)
        self.assertNoResult(self.client.read_msg())

    def test_unknown_frames_are_nothing(self) -> None:
        end = self.live()
        end.protocol.dataReceived(b'20:{"type":"confetti!"},' + encode(*message(1)))
        self.assertEqual(self.successResultOf(self.client.read_msg()).id, 1)

    def test_pings_of_one_who_does_not_listen(self) -> None:
        end = self.live()
        assert end.producer is not None
        end.producer.pauseProducing()
        end.say(*(Ping(ref=n) for n in range(200)))
        self.clock.advance(0)
        self.assertTrue(end.lost)
        self.assertLess(len(end.heard()), 110)


class Closing(ClientCase):
    def test_quit_after_all_is_said(self) -> None:
        end = self.live()
        assert end.producer is not None
        end.producer.pauseProducing()
        sent = self.client.send_msg("x")
        closed = self.client.close()
        self.assertEqual(end.heard(), [])
        end.producer.resumeProducing()
        self.assertEqual(end.heard(), [(Send(seq=1, room="lobby"), b"x"), (Quit(), b"")])
        end.say(Ack(seq=1, room="lobby", id=1), message(1), Bye(reason="quit"))
        self.assertNoResult(closed)
        self.clock.advance(0)
        self.successResultOf(closed)
        self.assertEqual(self.successResultOf(sent), 1)
        self.assertEqual(self.successResultOf(self.client.read_msg()).id, 1)  # what came can still be read
        self.failureResultOf(self.client.read_msg(), ClientClosed)
        self.failureResultOf(self.client.send_msg("y"), ClientClosed)
        self.successResultOf(self.client.close())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_server_that_does_not_let_go(self) -> None:
        self.live()
        sent, closed = self.client.send_msg("x"), self.client.close()
        self.clock.advance(4.9)
        self.assertNoResult(closed)
        self.clock.pump([0.2, 0])
        self.successResultOf(closed)
        self.failureResultOf(sent, ClientClosed)

    def test_connection_lost_while_leaving(self) -> None:
        end = self.live()
        closed = self.client.close()
        end.cut()
        self.successResultOf(closed)
        self.clock.advance(100)
        self.assertFalse(self.network.trying)

    def test_without_a_connection(self) -> None:
        self.live().cut()
        self.successResultOf(self.client.close())
        self.assertEqual(self.clock.getDelayedCalls(), [])


class Asking(ClientCase):
    def test_no_more_at_once_than_every_server_takes(self) -> None:
        end = self.live()
        asked = [self.client.who("lobby") for _ in range(20)]
        heard = [frame for frame, _ in end.heard()]
        self.assertEqual(len(heard), 16)
        asked[19].cancel()
        self.failureResultOf(asked[19], CancelledError)
        for ref in range(1, 20):
            end.say(Users(ref=ref, users=["ann"]), Done(ref=ref))
            self.assertEqual(self.successResultOf(asked[ref - 1]), ["ann"])
        self.assertEqual(len(end.heard()), 3)

    def test_history(self) -> None:
        end = self.live()
        answer = self.client.history("lobby", 2, before=9)
        ((question, _),) = end.heard()
        assert isinstance(question, frames.History)
        self.assertEqual((question.limit, question.before), (2, 9))
        end.say(message(7, ref=question.ref), message(1), message(8, ref=question.ref), Done(ref=question.ref))
        self.assertEqual([found.id for found in self.successResultOf(answer)], [7, 8])
        self.assertEqual(self.successResultOf(self.client.read_msg()).id, 1)

    def test_search(self) -> None:
        end = self.live()
        first, rest = self.client.search("Dev", "two words", 900), self.client.search("Dev", "two words", 2, before=7)
        asked = [frame for frame, _ in end.heard() if isinstance(frame, frames.Search)]
        self.assertEqual(asked[0], frames.Search(query="two words", limit=500, ref=1, room="Dev"))
        self.assertEqual((asked[1].limit, asked[1].before), (2, 7))
        end.say(message(7, ref=1), message(9, ref=1), Done(ref=1, before=7), message(3, ref=2), Done(ref=2))
        found, last = self.successResultOf(first), self.successResultOf(rest)
        self.assertEqual(([hit.id for hit in found.hits], found.before), ([7, 9], 7))
        self.assertEqual(([hit.id for hit in last.hits], last.before), ([3], None))

    def test_a_search_for_what_is_no_text(self) -> None:
        end = self.live()
        self.assertEqual(
            self.failureResultOf(self.client.search("lobby", "\ud800", 1), AskRefused).value.code, "bad_frame"
        )
        self.assertEqual(end.heard(), [])

    def test_who_and_rooms(self) -> None:
        end = self.live()
        who, rooms = self.client.who("lobby"), self.client.list_rooms()
        a, b = (frame.ref for frame, _ in end.heard() if isinstance(frame, frames.Who | frames.Rooms))
        info = frames.RoomInfo(1, 2, 3)
        end.say(Users(ref=a, users=["ann"]), frames.RoomList(ref=b, rooms={"lobby": info}), Users(ref=a, users=["bob"]))
        end.say(Done(ref=b), Done(ref=a))
        self.assertEqual(self.successResultOf(who), ["ann", "bob"])
        self.assertEqual(self.successResultOf(rooms), {"lobby": info})

    def test_refused_and_lost(self) -> None:
        end = self.live()
        refused, lost = self.client.who("nowhere"), self.client.who("lobby")
        (first, _), _ = end.heard()
        assert isinstance(first, frames.Who)
        end.say(Error(code="unknown_room", text="there is none", ref=first.ref))
        self.assertEqual(self.failureResultOf(refused, AskRefused).value.code, "unknown_room")
        end.cut()
        self.failureResultOf(lost, ConnectionLost)
        self.failureResultOf(self.client.who("lobby"), ConnectionLost)

    def test_answer_without_an_end(self) -> None:
        end = self.live()
        answer = self.client.who("lobby")
        end.say(*(Users(ref=1, users=["x"]) for _ in range(1001)))
        self.clock.advance(0)
        self.failureResultOf(answer, ConnectionLost)

    def test_answers_that_nobody_asked_for(self) -> None:
        end = self.live()
        end.say(message(5, ref=77), Users(ref=78, users=["x"]), Done(ref=77), Error(code="failed", text="", ref=3))
        self.assertIs(self.state(), State.LIVE)

    def test_answer_of_another_kind(self) -> None:
        end = self.live()
        answer = self.client.history("lobby", 5)
        end.say(Users(ref=1, users=["x"]), Done(ref=1))
        self.assertEqual(self.successResultOf(answer), [])


class Rooms(ClientCase):
    def test_join_and_leave(self) -> None:
        end = self.live()
        joined = self.client.join("Dev", history=5)
        self.assertEqual(end.heard(), [(frames.Join(room="Dev", history=5), b"")])
        end.say(Joined(room="dev", first_id=1, last_id=9), message(5, room="dev"))
        self.successResultOf(joined)
        self.assertEqual(self.successResultOf(self.client.read_msg()).id, 5)
        end.cut()
        end = self.again()
        self.assertEqual(end.welcome(lobby=(1, 0), dev=(1, 9)).rooms, {"lobby": 0, "dev": 5})
        left = self.client.leave("dev")
        self.assertNoResult(left)
        end.say(frames.Left(room="dev"))
        self.successResultOf(left)
        end.cut()
        self.assertEqual(self.again().welcome().rooms, {"lobby": 0})

    def test_refused(self) -> None:
        end = self.live()
        joined, left = self.client.join("secret"), self.client.leave("nowhere")
        end.say(Error(code="forbidden", text="private", room="secret"))
        self.assertEqual(self.failureResultOf(joined, AskRefused).value.code, "forbidden")
        self.assertEqual(self.failureResultOf(left, AskRefused).value.code, "not_in_room")
        self.assertEqual(self.failureResultOf(self.client.join("a b"), AskRefused).value.code, "bad_name")
        end.cut()
        self.assertEqual(self.again().welcome().rooms, {"lobby": 0})

    def test_join_without_a_connection(self) -> None:
        self.live().cut()
        joined, refused = self.client.join("dev", after=3), self.client.join("secret")
        sent = self.client.send_msg("hello", "dev")
        end = self.again()
        self.assertEqual(end.welcome(lobby=(1, 0)).rooms, {"lobby": 0})  # a room closed to us would keep us out of all
        said = [frames.Join(room="dev", after=3), frames.Join(room="secret"), Send(seq=1, room="dev")]
        self.assertEqual([frame for frame, _ in end.heard()], said)
        end.say(Joined(room="dev", first_id=1, last_id=9), Error(code="forbidden", text="private", room="secret"))
        self.successResultOf(joined)
        self.failureResultOf(refused, AskRefused)
        self.assertNoResult(sent)
        end.cut()
        self.assertEqual(self.again().welcome().rooms, {"lobby": 0, "dev": 3})

    def test_connection_lost_while_leaving_and_joining(self) -> None:
        end = self.live(rooms={"lobby": 0, "dev": 0})
        left, joined = self.client.leave("dev"), self.client.join("ops")
        end.cut()
        self.successResultOf(left)
        end = self.again()
        self.assertEqual(end.welcome().rooms, {"lobby": 0})
        self.assertEqual([frame for frame, _ in end.heard()], [frames.Join(room="ops")])
        self.assertNoResult(joined)

    def test_a_talk_that_another_begins(self) -> None:
        end = self.live()
        end.say(Joined(room="@bob", first_id=1, last_id=4), message(4, room="@bob"))
        self.assertEqual(self.successResultOf(self.client.read_msg()).room, "@bob")


class Told(Listener):
    def __init__(self) -> None:
        self.states: list[State] = []
        self.said: list[Any] = []

    def status_changed(self, status: Status) -> None:
        if self.states[-1:] != [status.state]:
            self.states.append(status.state)

    def presence(self, room: str, joined: list[str], left: list[str], users: int) -> None:
        self.said.append((room, joined, left, users))

    def notice(self, code: str, text: str) -> None:
        self.said.append((code, text))

    def room_opened(self, room: str, first_id: int, last_id: int) -> None:
        self.said.append((room, first_id, last_id))


class Listening(ClientCase):
    def test_states(self) -> None:
        told = Told()
        end = self.live(listener=told)
        end.say(message(1))
        self.client.read_msg()
        end.cut()
        self.again().welcome(lobby=(1, 1))
        self.client.close()
        self.clock.pump([6, 0])
        live = State.LIVE
        expected = [State.CONNECTING, live, State.BEHIND, live, State.LOST, live, State.CLOSED]
        self.assertEqual(told.states, expected)

    def test_the_rest(self) -> None:
        told = Told()
        end = self.live(listener=told)
        end.say(frames.Presence(room="lobby", users=3, joined=["bob"]), Notice(code="motd", text="hi"))
        end.say(Error(code="too_many", text="slow down"))
        self.assertEqual(
            told.said, [("lobby", 1, 0), ("lobby", ["bob"], [], 3), ("motd", "hi"), ("too_many", "slow down")]
        )
