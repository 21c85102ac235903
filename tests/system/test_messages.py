"""Sections 3 and 4 of the protocol: messages and sending."""

from __future__ import annotations

import time

from tests.plain_client import MAX_BODY, PlainClient, encode
from tests.system.case import ServerCase, fresh


class Messages(ServerCase):
    def test_the_fields_of_a_message(self) -> None:
        user = fresh("user")
        writer, reader = self.enter(user), self.enter()
        before = time.time()
        writer.send("hello", self.room)
        for client in (writer, reader):
            message = client.read("message")
            self.assertEqual((message["room"], message["id"], message["from"]), (self.room, 1, user))
            self.assertEqual(message.body, b"hello")
            self.assertAlmostEqual(message["at"] / 1000, before, delta=5)
            self.assertEqual(set(message.header), {"type", "room", "id", "from", "at"})

    def test_all_clients_see_one_order(self) -> None:
        clients = [self.enter() for _ in range(6)]
        for number in range(30):
            for client in clients:
                client.send(f"{number}", self.room)
        seen = [[(m["from"], m.text) for m in client.read_messages(self.room, 180)] for client in clients]
        for other in seen[1:]:
            self.assertEqual(other, seen[0])

    def test_each_room_counts_for_itself(self) -> None:
        rooms = [f"{self.room}-{number}" for number in range(3)]
        client = self.login(rooms=dict.fromkeys(rooms, 0))
        for number in range(1, 11):
            for room in rooms:
                self.assertEqual(client.store("x", room), number)
        for room in rooms:
            self.assertEqual([message["id"] for message in client.read_messages(room, 10)], list(range(1, 11)))

    def test_a_message_goes_to_its_room_only(self) -> None:
        other = self.login(rooms={f"{self.room}-other": 0})
        self.enter().store("x", self.room)
        self.assert_lives(other)

    def test_lobby_where_no_room_is_named(self) -> None:
        client = self.login(rooms={"lobby": None}, history=0)
        seq = client.send("x")
        ack = client.read("ack", seq=seq)
        self.assertEqual(ack["room"], "lobby")
        self.assertEqual(client.read("message", id=ack["id"])["room"], "lobby")

    def test_a_room_is_written_as_it_was_first_written(self) -> None:
        name = fresh("Straße")
        first = self.login(rooms={name: 0})
        client = self.connect()
        welcome = client.login(fresh("user"), rooms={name.upper(): 0})
        self.assertEqual(list(welcome["rooms"]), [name])
        client.send("x", name.lower())
        self.assertEqual(client.read("ack")["room"], name)
        self.assertEqual(client.read("message")["room"], name)
        self.assertEqual(first.read("message")["room"], name)
        client.say("history", room="ＳＴＲＡＳＳＥ" + name[6:], limit=1, ref=1)
        self.assertEqual(client.answer(1)[0]["room"], name)
        client.say("rooms", ref=2)
        self.assertIn(name, [room for frame in client.answer(2)[:-1] for room in frame["rooms"]])
        client.say("leave", room=name.upper())
        self.assertEqual(client.read("left")["room"], name)
        self.assertEqual(client.join(name.upper())["room"], name)

    def test_the_text_goes_through_unchanged(self) -> None:
        client = self.enter()
        texts = [
            "\x00",
            "\x1b[2J\x9b31m\x07\r\n",
            "\u202egnp.exe",
            "e\u0301\u212b",
            "👩‍👩‍👧‍👦",
            "\ufeff ",
            "%s%n'\";--",
            " ",
            "",
        ]
        for text in texts:
            client.send(text, self.room)
        self.assertEqual([message.text for message in client.read_messages(self.room, len(texts))], texts)

    def test_the_text_is_kept_unchanged(self) -> None:
        texts = ["\x00", "\x1b[2J", "e\u0301\u212b", "👩‍👩‍👧‍👦", " a ", "", "ß" * (MAX_BODY // 2)]
        writer = self.enter()
        for text in texts:
            writer.store(text, self.room)
        reader = self.enter()
        self.assertEqual([message.text for message in reader.read_messages(self.room, len(texts))], texts)
        reader.say("history", room=self.room, limit=100, ref=1)
        self.assertEqual([frame.text for frame in reader.answer(1)[:-1]], texts)


class Acks(ServerCase):
    def test_an_ack_tells_the_id(self) -> None:
        client = self.enter()
        client.send("x", self.room)
        ack = client.read("ack")
        self.assertEqual(ack.header, {"type": "ack", "seq": 1, "room": self.room, "id": 1})

    def test_only_the_sender_gets_it(self) -> None:
        reader = self.enter()
        self.enter().store("x", self.room)
        reader.read("message")
        self.assert_lives(reader)

    def test_many_at_once_are_all_acknowledged(self) -> None:
        client = self.enter()
        client.write(b"".join(encode("send", b"x", seq=seq, room=self.room) for seq in range(1, 3_001)))
        for seq in range(1, 3_001):
            self.assertEqual(client.read("ack")["seq"], seq)
        client.read_messages(self.room, 3_000)

    def test_what_is_acknowledged_is_seen_by_a_question(self) -> None:
        client = self.enter()
        for number in range(1, 21):
            self.assertEqual(client.store("x", self.room), number)
            client.say("history", room=self.room, limit=1, ref=number)
            self.assertEqual(client.answer(number)[0]["id"], number)

    def test_acks_and_errors_come_in_the_order_of_seq(self) -> None:
        client = self.enter()
        wanted = []
        for round in range(20):
            for kind, body, room in (
                ("ack", b"x", self.room),
                ("bad_text", b"\xff", self.room),
                ("unknown_room", b"x", f"{self.room}-none"),
                ("ack", b"y", self.room),
                ("bad_name", b"x", "no room"),
                ("too_large", b"x" * (MAX_BODY + 1), self.room),
            ):
                client.send(body, room)
                wanted.append((client.seq, kind))
            if round % 5 == 0:
                self.enter().store("others talk too", self.room)
        answers = [client.read_any("ack", "error") for _ in wanted]
        self.assertEqual([(a["seq"], "ack" if a.type == "ack" else a["code"]) for a in answers], wanted)


class Numbers(ServerCase):
    """``seq``: the next one counts, an older one is ignored, one that skips is refused."""

    def texts(self, client: PlainClient) -> list[str]:
        last_id = self.enter().store("end", self.room)
        return [message.text for message in client.read_messages(self.room, last_id)][:-1]

    def test_one_that_skips(self) -> None:
        client = self.enter()
        client.send("skips", self.room, seq=2)
        self.assert_error(client.read("error"), "bad_seq", seq=2, room=self.room)
        client.send("1", self.room, seq=1)
        client.send("skips", self.room, seq=2**53 - 1)
        client.send("2", self.room, seq=2)
        answers = [client.read_any("ack", "error") for _ in range(3)]
        self.assertEqual([answer["seq"] for answer in answers if answer.type == "ack"], [1, 2])
        self.assertEqual(self.texts(client), ["1", "2"])

    def test_one_that_skips_does_not_count_after_a_reconnect_either(self) -> None:
        user = fresh("user")
        client = self.enter(user, client="one")
        client.send("x", self.room, seq=3)
        client.read("error", code="bad_seq")
        self.assertEqual(self.connect().login(user, client="one", rooms={})["received"], 0)

    def test_one_that_the_server_has_is_ignored(self) -> None:
        client = self.enter()
        client.send("1", self.room, seq=1)
        client.send("again", self.room, seq=1)
        client.send(b"\xff", self.room, seq=2)
        client.send("again", self.room, seq=2)
        client.send("zero", self.room, seq=0)
        client.send("3", self.room, seq=3)
        client.send("again", self.room, seq=1)
        client.send("4", self.room, seq=4)
        answers = [client.read_any("ack", "error") for _ in range(4)]
        self.assertEqual([(a.type, a["seq"]) for a in answers], [("ack", 1), ("error", 2), ("ack", 3), ("ack", 4)])
        self.assertEqual(self.texts(client), ["1", "3", "4"])
        self.assert_lives(client)

    def test_it_goes_over_all_rooms(self) -> None:
        client = self.login(rooms={self.room: 0, f"{self.room}-b": 0})
        client.send("x", self.room, seq=1)
        client.send("x", f"{self.room}-b", seq=2)
        client.send("x", f"{self.room}-b", seq=1)
        client.send("x", self.room, seq=3)
        self.assertEqual([client.read("ack")["seq"] for _ in range(3)], [1, 2, 3])

    def test_one_with_a_wrong_field_counts(self) -> None:
        wrong: list[tuple[dict[str, object], bytes]] = [
            ({"room": 5}, b"x"),
            ({"room": None}, b"x"),
            ({"name": "a.txt"}, b"x"),
            ({"upload": -1, "size": 1}, b""),
            ({"upload": 1, "size": "1"}, b""),
            ({"upload": 1, "size": 1}, b"a body"),
        ]
        client = self.enter()
        for seq, (fields, body) in enumerate(wrong, 1):
            with self.subTest(**fields):
                client.say("send", body, seq=seq, **fields)
                self.assertIn(client.read("error", seq=seq)["code"], ("bad_frame", "forbidden"))
        client.send("counted", self.room, seq=len(wrong) + 1)
        client.read("ack", seq=len(wrong) + 1)
        self.assertEqual(self.texts(client), ["counted"])

    def test_one_with_a_wrong_field_that_skips_does_not_count(self) -> None:
        client = self.enter()
        client.say("send", b"x", seq=2, room=5)
        client.read("error", seq=2)
        client.send("1", self.room, seq=1)
        client.read("ack", seq=1)

    def test_one_without_a_number(self) -> None:
        client = self.enter()
        client.say("send", b"x", room=self.room)
        self.assert_error(client.read("error"), "bad_frame", room=self.room)
        self.assertEqual(client.store("1", self.room), 1)


class Refusals(ServerCase):
    def refusal(self, body: bytes, room: str, **fields: object) -> str:
        """Return the code that such a send gets, having seen that it counts and that nothing was stored."""
        client = self.enter()
        client.say("send", body, seq=1, room=room, **fields)
        error = client.read("error")
        self.assert_error(error, error["code"], seq=1, room=room, **{k: v for k, v in fields.items() if k == "upload"})
        client.send("next", self.room, seq=2)
        self.assertEqual(client.read("ack").header, {"type": "ack", "seq": 2, "room": self.room, "id": 1})
        self.assertEqual(client.read("message").text, "next")
        self.assert_lives(client)
        return str(error["code"])

    def test_not_utf_8(self) -> None:
        for number, body in enumerate((b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"half \xe2\x82", b"\xf4\x90\x80\x80")):
            self.room = f"{self.room}-{number}"
            self.assertEqual(self.refusal(body, self.room), "bad_text")

    def test_a_body_over_max_body(self) -> None:
        self.assertEqual(self.refusal(b"x" * (MAX_BODY + 1), self.room), "too_large")

    def test_a_room_that_is_no_name(self) -> None:
        self.assertEqual(self.refusal(b"x", "no room"), "bad_name")

    def test_a_room_one_is_not_in(self) -> None:
        other = fresh("room")
        self.login(rooms={other: 0})
        self.assertEqual(self.refusal(b"x", other), "not_in_room")

    def test_a_room_that_is_not_there(self) -> None:
        self.assertEqual(self.refusal(b"x", fresh("room")), "unknown_room")

    def test_a_name_without_an_upload(self) -> None:
        self.assertEqual(self.refusal(b"x", self.room, name="a.txt"), "bad_frame")

    def test_an_upload(self) -> None:
        self.assertIn(self.refusal(b"", self.room, upload=3, size=5), ("forbidden", "unknown_upload"))
