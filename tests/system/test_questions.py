"""Section 6 of the protocol: questions, joining and leaving."""

from __future__ import annotations

from collections import Counter

from tests.plain_client import MAX_NUMBER, encode, fold
from tests.system.case import ServerCase, fresh


class History(ServerCase):
    def ids(self, room: str | None = None, **fields: int) -> list[int]:
        """Ask somebody in the room and return the ids of the answer, having seen that it is one."""
        client = self.login(rooms={room or self.room: None}, history=0)
        client.say("history", ref=9, room=room or self.room, **fields)
        *messages, end = client.answer(9)
        self.assertEqual(end.header, {"type": "done", "ref": 9})
        for message in messages:
            self.assertEqual(message.type, "message")
            self.assertEqual(message["room"], room or self.room)
            self.assertEqual(message.text, f"message {message['id']}")
        return [message["id"] for message in messages]

    def test_the_newest_ones(self) -> None:
        self.fill(20)
        self.assertEqual(self.ids(limit=5), [16, 17, 18, 19, 20])
        self.assertEqual(self.ids(limit=20), list(range(1, 21)))

    def test_those_below_an_id(self) -> None:
        self.fill(20)
        self.assertEqual(self.ids(limit=3, before=10), [7, 8, 9])
        self.assertEqual(self.ids(limit=3, before=21), [18, 19, 20])

    def test_fewer_where_there_are_no_older_ones(self) -> None:
        self.fill(20)
        self.assertEqual(self.ids(limit=100), list(range(1, 21)))
        self.assertEqual(self.ids(limit=10, before=4), [1, 2, 3])

    def test_none(self) -> None:
        self.assertEqual(self.ids(limit=10), [])
        self.fill(20)
        self.assertEqual(self.ids(limit=0), [])
        self.assertEqual(self.ids(limit=10, before=1), [])
        self.assertEqual(self.ids(limit=10, before=0), [])

    def test_below_an_id_that_is_not_there_yet(self) -> None:
        self.fill(20)
        self.assertEqual(self.ids(limit=2, before=MAX_NUMBER), [19, 20])

    def test_over_500_counts_as_500(self) -> None:
        self.fill(510)
        self.assertEqual(self.ids(limit=501), list(range(11, 511)))
        self.assertEqual(self.ids(limit=MAX_NUMBER, before=506), list(range(6, 506)))

    def test_all_of_a_long_room_page_by_page(self) -> None:
        self.fill(1_100)
        seen: list[int] = []
        while page := self.ids(limit=150, before=seen[0] if seen else MAX_NUMBER):
            seen = page + seen
        self.assertEqual(seen, list(range(1, 1_101)))

    def test_the_live_stream_goes_on_beside_it(self) -> None:
        self.fill(300)
        client, writer = self.enter(), self.enter()
        for number in range(20):
            client.say("history", ref=number, room=self.room, limit=300)
            writer.send("live", self.room)
            self.assertEqual(client.answer(number)[-1].type, "done")
        client.read_messages(self.room, 320)

    def test_the_fields_are_those_of_the_message(self) -> None:
        client = self.enter()
        client.store("x", self.room)
        live = client.read("message")
        client.say("history", ref=1, room=self.room, limit=1)
        self.assertEqual(client.answer(1)[0].header, {**live.header, "ref": 1})

    def test_the_lobby_where_no_room_is_named(self) -> None:
        client = self.login(rooms={"lobby": None}, history=0)
        client.store("x")
        client.say("history", ref=1, limit=1)
        self.assertEqual(client.answer(1)[0]["room"], "lobby")


class Who(ServerCase):
    def users(self, room: str) -> list[str]:
        """Return who is in the room, the one who asks aside."""
        asker = fresh("asker")
        client = self.login(asker, rooms={room: None})
        client.say("who", ref=1, room=room)
        *frames, end = client.answer(1)
        self.assertEqual(end.header, {"type": "done", "ref": 1})
        users = [user for frame in frames for user in frame["users"]]
        self.assertEqual(users.count(asker), 1)
        self.assertEqual(users, sorted(users, key=fold))
        return [user for user in users if user != asker]

    def test_it_is_sorted_by_the_folded_name(self) -> None:
        tag = fresh("t")
        names = [f"{name}{tag}" for name in ("bob", "Ann", "_x", "9", "Ärger", "zoe", "Ωmega", "ann2", "Zo")]
        for name in names:
            self.enter(name)
        users = self.users(self.room)
        self.assertEqual(users, sorted(names, key=fold))

    def test_a_user_is_named_once(self) -> None:
        user = fresh("user")
        for client in "abc":
            self.enter(user, key="k", client=client)
        self.assertEqual(self.users(self.room).count(user), 1)

    def test_who_left_is_not_named(self) -> None:
        stays = fresh("user")
        self.enter(stays)
        left, quit = self.enter(), self.enter()
        left.say("leave", room=self.room)
        left.read("left")
        quit.say("quit")
        quit.frames()
        self.assertEqual(self.users(self.room), [stays])

    def test_many_names_fill_several_frames_without_a_double(self) -> None:
        room, users = fresh("room"), [fresh("𐐨" * 26) for _ in range(700)]  # 4 bytes each, and 12 in JSON at worst
        for user in users:
            self.login(user, rooms={room: None})
        self.assertEqual(self.users(room), sorted(users, key=fold))


class Rooms(ServerCase):
    def test_each_room_with_its_span_and_users(self) -> None:
        user = fresh("user")
        self.fill(3)
        self.enter(user, key="k", client="a")
        self.enter(user, key="k", client="b")
        asker = self.enter()
        empty = fresh("room")
        self.login(rooms={empty: None}).close()
        asker.join(empty)
        asker.say("rooms", ref=1)
        *frames, end = asker.answer(1)
        self.assertEqual(end.header, {"type": "done", "ref": 1})
        rooms = {name: room for frame in frames for name, room in frame["rooms"].items()}
        self.assertEqual(len(rooms), sum(len(frame["rooms"]) for frame in frames))
        self.assertEqual({**rooms[self.room], "users": 2}, {"first_id": 1, "last_id": 3, "users": 2})
        self.assertIn(rooms[self.room]["users"], (2, 3))  # whoever filled it may just be leaving
        self.assertEqual((rooms[empty]["first_id"], rooms[empty]["last_id"]), (1, 0))

    def test_a_room_that_is_empty_is_listed(self) -> None:
        client = self.enter()
        client.store("x", self.room)
        client.say("leave", room=self.room)
        client.read("left")
        client.say("rooms", ref=1)
        rooms = {name: room for frame in client.answer(1)[:-1] for name, room in frame["rooms"].items()}
        self.assertEqual(rooms[self.room], {"first_id": 1, "last_id": 1, "users": 0})

    def test_many_rooms_fill_several_frames(self) -> None:
        rooms = [fresh("𐐨" * 26) for _ in range(600)]
        for start in range(0, len(rooms), 100):
            self.login(rooms=dict.fromkeys(rooms[start : start + 100], 0))
        client = self.login()
        client.say("rooms", ref=1)
        frames = client.answer(1)
        listed = [name for frame in frames[:-1] for name in frame["rooms"]]
        self.assertEqual(len(listed), len(set(listed)))
        self.assertLessEqual(set(rooms), set(listed))


class Membership(ServerCase):
    """What needs the room joined says whether there is none or one is not in it."""

    def test_a_room_one_is_not_in_and_one_that_is_not_there(self) -> None:
        client, none = self.login(), fresh("room")
        self.enter().store("x", self.room)
        for room, code in ((self.room, "not_in_room"), (none, "unknown_room")):
            for type, fields in (("history", {"limit": 1, "ref": 1}), ("who", {"ref": 1}), ("leave", {})):
                with self.subTest(type, code=code):
                    client.say(type, room=room, **fields)
                    repeated = {"room": room, **({"ref": 1} if "ref" in fields else {})}
                    self.assert_error(client.read("error"), code, **repeated)
        self.assert_lives(client)

    def test_a_room_that_is_no_name(self) -> None:
        client = self.login()
        for type, fields in (("history", {"limit": 1, "ref": 1}), ("who", {"ref": 1}), ("leave", {}), ("join", {})):
            with self.subTest(type):
                client.say(type, room="no room", **fields)
                code = client.read("error")["code"]
                self.assertIn(code, ("bad_name",) if type == "join" else ("bad_name", "unknown_room"))
        self.assert_lives(client)


class Refs(ServerCase):
    def test_many_questions_at_once(self) -> None:
        self.fill_large()
        client = self.enter()
        client.read_messages(self.room, 300)
        client.write(b"".join(encode("history", room=self.room, limit=300, ref=ref) for ref in range(1, 41)))
        messages, ends = Counter[int](), dict[int, str]()
        while len(ends) < 40:
            frame = client.read()
            if frame.type == "message":
                self.assertNotIn(frame["ref"], ends)
                messages[frame["ref"]] += 1
            elif frame.type != "presence":
                self.assertNotIn(frame["ref"], ends)
                ends[frame["ref"]] = "done" if frame.type == "done" else frame["code"]
        self.assertEqual([ends[ref] for ref in range(1, 17)], ["done"] * 16)
        for ref, end in ends.items():
            self.assertIn((end, messages[ref]), (("done", 300), ("too_many", 0)))
        self.assert_lives(client)

    def test_a_ref_that_is_in_use(self) -> None:
        self.fill_large()
        client = self.enter()
        client.read_messages(self.room, 300)
        client.write(encode("history", room=self.room, limit=300, ref=1) * 2)
        ends: list[str] = []
        messages = 0
        while len(ends) < 2:
            frame = client.read(None, ref=1)
            if frame.type == "message":
                messages += 1
            else:
                ends.append("done" if frame.type == "done" else frame["code"])
        self.assertIn((sorted(ends), messages), ((["bad_frame", "done"], 300), (["done", "done"], 600)))
        self.assert_lives(client)

    def test_a_ref_may_be_used_again_after_its_end(self) -> None:
        client = self.enter()
        for _ in range(50):
            client.say("who", room=self.room, ref=1)
            self.assertEqual(client.answer(1)[-1].type, "done")

    def test_a_cancelled_question_ends_with_one_done(self) -> None:
        self.fill_large()
        client = self.enter()
        client.read_messages(self.room, 300)
        for ref in range(1, 11):
            client.write(encode("history", room=self.room, limit=300, ref=ref) + encode("cancel", ref=ref))
        for ref in range(1, 11):
            self.assertEqual(client.answer(ref)[-1].type, "done")
        self.assert_lives(client)

    def test_nothing_follows_a_cancelled_question(self) -> None:
        self.fill_large()
        client = self.enter()
        client.read_messages(self.room, 300)
        client.say("history", room=self.room, limit=300, ref=1)
        client.read("message", ref=1)
        client.say("cancel", ref=1)
        self.assertEqual(client.answer(1)[-1].type, "done")
        self.assert_lives(client)

    def test_to_cancel_what_is_not_asked_is_ignored(self) -> None:
        client = self.login()
        client.say("cancel", ref=1)
        client.say("cancel", ref=MAX_NUMBER)
        self.assert_lives(client)

    def fill_large(self) -> None:
        """Store 300 messages of 3 kB: more than a socket takes at once."""
        writer = self.enter()
        for _ in range(300):
            writer.send("x" * 3_000, self.room)
        writer.read("ack", seq=300)
        writer.close()


class Join(ServerCase):
    def test_joined_then_its_messages(self) -> None:
        texts = self.fill(5)
        client = self.login()
        joined = client.join(self.room, after=0)
        self.assertEqual(joined.header, {"type": "joined", "room": self.room, "first_id": 1, "last_id": 5})
        self.assertEqual([message.text for message in client.read_messages(self.room, 5)], texts)

    def test_after_and_history_are_as_in_login(self) -> None:
        self.fill(120)
        for after, fields, first in (
            (110, {}, 111),
            (None, {}, 21),
            (None, {"history": 7}, 114),
            (500, {"history": 2}, 119),
        ):
            with self.subTest(after=after, **fields):
                client = self.login()
                client.join(self.room, after, **fields)
                self.assertEqual([m["id"] for m in client.read_messages(self.room, 120)], list(range(first, 121)))

    def test_over_500_counts_as_500(self) -> None:
        self.fill(510)
        client = self.login()
        client.join(self.room, history=600)
        self.assertEqual(client.read_messages(self.room, 510)[0]["id"], 11)

    def test_a_room_exists_once_someone_joined_it(self) -> None:
        client, other = self.login(), self.login()
        other.say("leave", room=self.room)
        self.assertEqual(other.read("error")["code"], "unknown_room")
        self.assertEqual(
            client.join(self.room).header, {"type": "joined", "room": self.room, "first_id": 1, "last_id": 0}
        )
        other.say("leave", room=self.room)
        self.assertEqual(other.read("error")["code"], "not_in_room")

    def test_the_lobby_where_no_room_is_named(self) -> None:
        self.assertEqual(self.login().join(history=0)["room"], "lobby")

    def test_in_a_room_one_is_in_the_stream_goes_on(self) -> None:
        self.fill(10)
        client = self.enter()
        client.read_messages(self.room, 10)
        self.assertEqual(client.join(self.room, after=0)["last_id"], 10)
        client.join(self.room.upper(), after=3)
        self.assertEqual(client.store("x", self.room), 11)
        self.assertEqual([message["id"] for message in client.read_messages(self.room, 11)], [11])
        self.assert_lives(client)

    def test_a_hundred_rooms_and_no_more(self) -> None:
        client = self.login(rooms={f"{self.room}-{number}": None for number in range(60)})
        for number in range(60, 100):
            client.join(f"{self.room}-{number}")
        client.say("join", room=self.room)
        self.assert_error(client.read("error"), "too_many", room=self.room)
        client.join(f"{self.room}-5")
        client.say("leave", room=f"{self.room}-7")
        client.read("left")
        client.join(self.room)

    def test_many_joins_at_once_do_not_pass_the_bound(self) -> None:
        client = self.login()
        for number in range(150):
            client.ask_join(f"{self.room}-{number}")
        answers = [client.read_any("joined", "error") for _ in range(150)]
        self.assertEqual(sum(answer.type == "joined" for answer in answers), 100)
        self.assertEqual({answer["code"] for answer in answers if answer.type == "error"}, {"too_many"})


class Leave(ServerCase):
    def test_nothing_of_the_room_comes_after_left(self) -> None:
        client, writer = self.enter(), self.enter()
        client.say("leave", room=self.room)
        self.assertEqual(client.read("left").header, {"type": "left", "room": self.room})
        writer.store("x", self.room)
        self.assert_lives(client)

    def test_the_lobby_where_no_room_is_named(self) -> None:
        client = self.login(rooms={"lobby": None}, history=0)
        client.say("leave")
        self.assertEqual(client.read("left")["room"], "lobby")

    def test_a_send_behind_it_is_refused(self) -> None:
        client = self.enter()
        client.send("1", self.room)
        client.say("leave", room=self.room)
        client.send("2", self.room)
        self.assertEqual(client.read("ack")["seq"], 1)
        self.assert_error(client.read("error"), "not_in_room", seq=2, room=self.room)

    def test_who_comes_back_is_given_what_came_meanwhile(self) -> None:
        client, writer = self.enter(), self.enter()
        writer.store("1", self.room)
        client.read("message")
        client.say("leave", room=self.room)
        client.read("left")
        writer.store("2", self.room)
        client.join(self.room, after=1)
        self.assertEqual(client.read("message").text, "2")

    def test_leaving_and_coming_back_many_times_under_load(self) -> None:
        client, writer = self.enter(), self.enter()
        for _ in range(100):
            for _ in range(5):
                writer.send("x", self.room)
            client.say("leave", room=self.room)
            client.read("left")
            client.join(self.room, after=client.last[self.room])
        messages = client.read_messages(self.room, 500)
        self.assertEqual([message["id"] for message in messages], list(range(1, 501)))
