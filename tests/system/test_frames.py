"""Section 1 of the protocol: frames, and what happens when something is wrong with one."""

from __future__ import annotations

import json
import socket
from typing import Any

from tests.plain_client import MAX_BODY, MAX_FRAME, MAX_NUMBER, encode, netstring
from tests.system.case import ServerCase, fresh

BROKEN = {
    "no digit": b"x",
    "a sign": b"-5:hello,",
    "a plus": b"+5:hello,",
    "a leading zero": b'020:{"type":"ping"}    ,',
    "two zeros": b"00:,",
    "no length": b":{},",
    "a space": b' 15:{"type":"ping"},',
    "another end": b'15:{"type":"ping"};',
    "one byte too many announced": b"65537:",
    "endless digits": b"1" * 8,
    "HTTP": b"GET / HTTP/1.1\r\nHost: chat\r\n\r\n",
    "TLS": bytes.fromhex("1603010200010001fc0303"),
}
NO_HEADER = {
    "nothing": b"",
    "an empty line": b"\n",
    "no JSON": b"hello",
    "an array": b'["ping"]',
    "a string": b'"ping"',
    "a number": b"1",
    "null": b"null",
    "no type": b'{"ref": 1}',
    "a type that is no string": b'{"type": 5}',
    "half an object": b'{"type": "ping"',
    "two objects": b'{"type": "ping"}{"type": "ping"}',
    "no UTF-8": b'{"type": "ping", "x": "\xff"}',
    "an overlong form": b'{"type": "ping", "x": "\xc0\xaf"}',
    "a surrogate in UTF-8": b'{"type": "ping", "x": "\xed\xa0\x80"}',
    "a single quote": b"{'type': 'ping'}",
    "NaN": b'{"type": "ping", "x": NaN}',
    "Infinity": b'{"type": "ping", "x": -Infinity}',
    "an unpaired surrogate": b'{"type": "ping", "x": "\\ud800"}',
    "surrogates the wrong way round": b'{"type": "ping", "x": "\\udc00\\ud800"}',
    "a surrogate in a key": b'{"type": "ping", "\\udfff": 1}',
    "17 levels": b'{"type": "ping", "x": ' + b"[" * 16 + b"]" * 16 + b"}",
    "17 levels of objects": b'{"type": "ping", "x": ' + b'{"x":' * 16 + b"1" + b"}" * 17,
    "30,000 levels": b'{"type": "ping", "x": ' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "an unknown type": b'{"type": "hello"}',
    "a type of another case": b'{"type": "Ping"}',
    "a type of the server's": b'{"type": "welcome"}',
    "a message": b'{"type": "message", "room": "lobby", "id": 1, "from": "ann", "at": 1}',
    "an ack": b'{"type": "ack", "seq": 1, "room": "lobby", "id": 1}',
    "a bye": b'{"type": "bye", "reason": "quit"}',
}


class Netstrings(ServerCase):
    def test_what_is_no_netstring_ends_a_connection_that_is_logged_in(self) -> None:
        for what, data in BROKEN.items():
            with self.subTest(what):
                client = self.login()
                client.write(data)
                self.assertEqual(self.assert_fatal(client)["code"], "bad_frame")

    def test_what_is_no_netstring_ends_a_connection_that_is_not(self) -> None:
        for what, data in BROKEN.items():
            with self.subTest(what):
                client = self.connect()
                client.write(data)
                self.assertEqual(self.assert_refused(client)["code"], "bad_frame")

    def test_frames_may_come_a_byte_at_a_time(self) -> None:
        client = self.connect()
        data = encode("login", user=fresh("user"), rooms={}) + encode("ping", ref=1) + encode("quit")
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for place in range(len(data)):
            client.write(data[place : place + 1])
        self.assertEqual([frame.type for frame in client.frames()], ["welcome", "pong", "bye"])

    def test_many_frames_may_come_at_once(self) -> None:
        client = self.login()
        client.write(b"".join(encode("ping", ref=number) for number in range(5_000)))
        for number in range(5_000):
            self.assertEqual(client.read("pong")["ref"], number)

    def test_a_payload_of_max_frame_is_taken(self) -> None:
        client = self.login()
        header = json.dumps({"type": "ping", "ref": 7, "x": ""}).encode()
        client.write(netstring(header[:-2] + b"x" * (MAX_FRAME - len(header)) + header[-2:]))
        client.read("pong", ref=7)
        self.assert_lives(client)

    def test_what_came_before_a_fatal_frame_is_stored(self) -> None:
        reader, client = self.enter(), self.enter()
        client.write(b"".join(encode("send", b"%d" % seq, seq=seq, room=self.room) for seq in (1, 2, 3)) + b"no frame")
        self.assert_fatal(client)
        self.assertEqual([message.text for message in reader.read_messages(self.room, 3)], ["1", "2", "3"])

    def test_what_comes_behind_a_fatal_frame_is_not_answered(self) -> None:
        client = self.login()
        client.write(b"x" + encode("ping", ref=1))
        self.assert_fatal(client)

    def test_no_other_connection_notices(self) -> None:
        other, client = self.enter(), self.enter()
        client.write(b"x")
        self.assert_fatal(client)
        self.assertEqual(other.store("still here", self.room), 1)

    def test_who_leaves_with_much_unsaid_still_gets_the_last_frame(self) -> None:
        client = self.login()
        client.write(b"x" * 1_000_000)
        self.assert_fatal(client)


class Headers(ServerCase):
    def test_what_is_no_header_ends_a_connection_that_is_logged_in(self) -> None:
        for what, payload in NO_HEADER.items():
            with self.subTest(what):
                client = self.login()
                client.write(netstring(payload))
                self.assertEqual(self.assert_fatal(client)["code"], "bad_frame")

    def test_what_is_no_header_ends_a_connection_that_is_not(self) -> None:
        for what, payload in NO_HEADER.items():
            with self.subTest(what):
                client = self.connect()
                client.write(netstring(payload))
                self.assertIn(self.assert_refused(client)["code"], ("bad_frame", "not_logged_in"))

    def test_sixteen_levels_are_a_header(self) -> None:
        client = self.login()
        client.write(netstring(b'{"type": "ping", "ref": 1, "x": ' + b"[" * 15 + b"]" * 15 + b"}"))
        client.read("pong", ref=1)

    def test_brackets_in_a_string_are_no_levels(self) -> None:
        client = self.login()
        client.say("ping", ref=1, x="[{" * 1_000 + '"\\')
        client.read("pong", ref=1)

    def test_a_pair_of_surrogates_is_a_character(self) -> None:
        client = self.login()
        client.write(netstring(b'{"type": "ping", "ref": 1, "x": "\\ud83d\\ude00"}'))
        client.read("pong", ref=1)

    def test_unknown_fields_are_ignored(self) -> None:
        client = self.login()
        client.say("ping", ref=1, x=None, y=[1.5, -1, 10**30], z={"a": {"b": True}}, body="x")
        client.read("pong", ref=1)

    def test_a_body_on_a_frame_that_has_none_is_ignored(self) -> None:
        client = self.login()
        client.say("ping", b"\xff\nbody", ref=1)
        client.read("pong", ref=1)

    def test_a_missing_body_and_an_empty_one_are_the_same(self) -> None:
        client = self.enter()
        for seq, end in ((1, b""), (2, b"\n")):
            client.write(netstring(json.dumps({"type": "send", "seq": seq, "room": self.room}).encode() + end))
        self.assertEqual([message.body for message in client.read_messages(self.room, 2)], [b"", b""])

    def test_a_body_begins_behind_the_first_newline(self) -> None:
        client = self.enter()
        client.store("\nfirst\n\nsecond\n", self.room)
        self.assertEqual(client.read("message").text, "\nfirst\n\nsecond\n")

    def test_white_space_in_a_header_is_no_matter(self) -> None:
        client = self.login()
        client.write(netstring(b' {\t"type" : "ping",\r "ref" : 1 } '))
        client.read("pong", ref=1)

    def test_a_key_that_stands_twice_kills_nobody(self) -> None:
        client = self.login()
        client.write(netstring(b'{"type": "ping", "ref": 1, "ref": 2, "type": "ping"}'))
        self.assertIn(client.read_any("pong", "error").type, ("pong", "error"))

    def test_numbers_are_whole_and_not_above_2_to_53(self) -> None:
        for number in (b"-1", b"1.5", b"1.0", b"1e2", b"9007199254740992", b"1" * 400, b"1e999", b'"1"', b"true"):
            with self.subTest(number):
                client = self.login()
                client.write(netstring(b'{"type": "ping", "ref": %s}' % number))
                self.assert_error(client.read("error"), "bad_frame")
                self.assert_lives(client)

    def test_the_highest_number_is_taken(self) -> None:
        client = self.login()
        client.say("ping", ref=MAX_NUMBER)
        client.read("pong", ref=MAX_NUMBER)


class BadFrames(ServerCase):
    """A known type with a field missing or wrong: not fatal, and nothing happens."""

    def test_each_type(self) -> None:
        wrong: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
            ("ping", {"ref": "1"}, {}),
            ("pong", {"ref": None}, {}),
            ("join", {"room": 5}, {}),
            ("join", {"room": "a", "after": "1"}, {"room": "a"}),
            ("join", {"room": "a", "history": -1}, {"room": "a"}),
            ("leave", {"room": None}, {}),
            ("history", {"limit": 10}, {}),
            ("history", {"ref": 1}, {"ref": 1}),
            ("history", {"ref": 2, "limit": 1, "before": -5, "room": "a"}, {"ref": 2, "room": "a"}),
            ("history", {"ref": "x", "limit": 1, "room": "a"}, {"room": "a"}),
            ("who", {}, {}),
            ("who", {"ref": 3, "room": []}, {"ref": 3}),
            ("rooms", {"ref": 1.5}, {}),
            ("cancel", {}, {}),
            ("send", {"room": "a"}, {"room": "a"}),
            ("send", {"seq": -1}, {}),
            ("part", {"upload": 4}, {"upload": 4}),
            ("resume", {"upload": 4, "ref": None}, {"upload": 4}),
            ("fetch", {"ref": 6}, {"ref": 6}),
        ]
        client = self.login()
        for type, fields, repeated in wrong:
            with self.subTest(type, fields=fields):
                client.say(type, **fields)
                self.assert_error(client.read("error"), "bad_frame", **repeated)
        self.assert_lives(client)

    def test_a_second_login(self) -> None:
        client = self.login()
        client.say("login", user=fresh("user"))
        self.assert_error(client.read("error"), "bad_frame")
        self.assert_lives(client)

    def test_a_bad_join_does_not_join(self) -> None:
        client = self.login()
        client.say("join", room=self.room, after=-1)
        self.assert_error(client.read("error"), "bad_frame", room=self.room)
        client.say("send", b"x", seq=1, room=self.room)
        self.assertIn(client.read("error", seq=1)["code"], ("not_in_room", "unknown_room"))

    def test_a_fatal_error_repeats_what_was_valid(self) -> None:
        client = self.login()
        client.say("hello", seq=4, ref=-1, room="lobby", upload=9)
        error = self.assert_fatal(client)
        self.assertEqual((error["seq"], error["room"], error["upload"]), (4, "lobby", 9))
        self.assertNotIn("ref", error)


class NotLoggedIn(ServerCase):
    def test_what_needs_a_login_ends_the_connection(self) -> None:
        frames: dict[str, dict[str, Any]] = {
            "send": {"seq": 1},
            "join": {},
            "leave": {},
            "history": {"limit": 1, "ref": 1},
            "search": {"query": "x", "limit": 1, "ref": 1},
            "who": {"ref": 1},
            "rooms": {"ref": 1},
            "cancel": {"ref": 1},
            "part": {"upload": 1, "offset": 0},
            "drop": {"upload": 1},
            "resume": {"upload": 1, "ref": 1},
            "fetch": {"id": 1, "ref": 1},
            "register": {"password": "x", "ref": 1},
            "delete": {"id": 1, "ref": 1},
            "run": {"line": "help", "ref": 1},
        }
        for type, fields in frames.items():
            with self.subTest(type):
                client = self.connect()
                client.say(type, **fields)
                error = self.assert_refused(client)
                self.assertEqual(error["code"], "not_logged_in")
                self.assertEqual(error.header.get("ref"), fields.get("ref"))

    def test_a_ping_is_answered(self) -> None:
        client = self.connect()
        client.say("ping", ref=3)
        client.say("pong")
        client.say("ping")
        self.assertEqual(client.read("pong")["ref"], 3)
        self.assertNotIn("ref", client.read("pong"))

    def test_quit_ends_it(self) -> None:
        client = self.connect()
        client.say("quit")
        self.assertEqual(client.frames(), [])

    def test_a_half_close_ends_it(self) -> None:
        client = self.connect()
        client.half_close()
        self.assertEqual(client.frames(), [])


class Forbidden(ServerCase):
    """What this server does not offer is answered, and the connection goes on."""

    def test_each_type(self) -> None:
        frames: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
            ("register", {"password": "x", "ref": 4}, {"ref": 4}),
            ("delete", {"id": 1, "ref": 5}, {"ref": 5}),
            ("run", {"line": "help", "ref": 6}, {"ref": 6}),
        ]
        client = self.enter()
        for type, fields, repeated in frames:
            with self.subTest(type):
                client.say(type, **fields)
                error = client.read("error")
                if "room" in error:
                    del error.header["room"]  # it may be repeated also where it was left out
                self.assert_error(error, "forbidden", **repeated)
        self.assert_lives(client)

    def test_the_room_is_repeated(self) -> None:
        client = self.enter()
        client.say("delete", id=1, ref=2, room=self.room)
        self.assert_error(client.read("error"), "forbidden", ref=2, room=self.room)


class Order(ServerCase):
    def test_frames_of_one_client_are_taken_in_their_order(self) -> None:
        client = self.login()
        rooms = [f"{self.room}-{number}" for number in range(3)]
        for room in rooms * 10:
            client.ask_join(room)
            client.send("x", room)
            client.say("leave", room=room)
        acks = [client.read("ack") for _ in range(30)]
        self.assertEqual([ack["room"] for ack in acks], rooms * 10)
        self.assertEqual([ack["id"] for ack in acks], [number // 3 + 1 for number in range(30)])

    def test_the_largest_body_fits(self) -> None:
        client = self.enter()
        client.store("x" * MAX_BODY, self.room)
        self.assertEqual(len(client.read("message").body), MAX_BODY)
