"""Section 2 of the protocol: login."""

from __future__ import annotations

import time
from typing import Any

from tests.plain_client import MAX_BODY, MAX_FRAME, Frame, PlainClient
from tests.processes import ServerProcess
from tests.system.case import ServerCase, fresh


class Welcome(ServerCase):
    def test_its_fields(self) -> None:
        user = fresh("user")
        welcome = self.connect().login(user)
        self.assertEqual(welcome["user"], user)
        self.assertEqual(welcome["protocol"], 1)
        self.assertEqual(welcome["max_frame"], MAX_FRAME)
        self.assertEqual(welcome["max_body"], MAX_BODY)
        self.assertEqual(welcome["ping_every"], 30)
        self.assertEqual(welcome["received"], 0)
        self.assertEqual(list(welcome["rooms"]), ["lobby"])

    def test_it_comes_before_anything_but_a_pong(self) -> None:
        self.fill(3)
        client = self.connect()
        client.say("ping", ref=1)
        client.ask_login(fresh("user"), rooms={self.room: 0})
        client.say("who", ref=2, room=self.room)
        client.send("x", self.room)
        self.assertEqual([client.read().type for _ in range(2)], ["pong", "welcome"])
        client.answer(2)
        client.read("ack", seq=1)

    def test_the_rooms_a_client_is_in_are_the_ones_it_named(self) -> None:
        client = self.login(rooms={})
        client.say("send", b"x", seq=1)
        self.assert_error(client.read("error"), "not_in_room", seq=1)

    def test_the_span_of_a_new_room(self) -> None:
        welcome = self.connect().login(fresh("user"), rooms={self.room: None})
        self.assertEqual(welcome["rooms"], {self.room: {"first_id": 1, "last_id": 0}})

    def test_the_span_of_a_room_with_messages(self) -> None:
        self.fill(3)
        welcome = self.connect().login(fresh("user"), rooms={self.room: None})
        self.assertEqual(welcome["rooms"], {self.room: {"first_id": 1, "last_id": 3}})

    def test_two_spellings_of_one_room_are_one_and_the_last_counts(self) -> None:
        texts = self.fill(5)
        client = self.connect()
        welcome = client.login(fresh("user"), rooms={self.room.upper(): 0, self.room: 5, self.room.title(): 3})
        self.assertEqual(list(welcome["rooms"]), [self.room])
        self.assertEqual([message.text for message in client.read_messages(self.room, 5)], texts[3:])

    def test_a_hundred_rooms_and_no_more(self) -> None:
        rooms = {f"{self.room}-{number}": None for number in range(100)}
        client = self.connect()
        self.assertEqual(set(client.login(fresh("user"), rooms=rooms)["rooms"]), set(rooms))
        error = self.refused_login(fresh("user"), rooms={**rooms, self.room: None})
        self.assertEqual(error["code"], "too_many")


class History(ServerCase):
    def after_login(self, after: int | None, last_id: int, **fields: Any) -> list[int]:
        """Return the ids that such a login is given, up to one that is stored after it."""
        client = self.login(rooms={self.room: after}, **fields)
        new = client.store("live", self.room)
        self.assertEqual(new, last_id + 1)
        return [message["id"] for message in client.read_messages(self.room, new)][:-1]

    def test_everything_behind_the_last_id(self) -> None:
        self.fill(20)
        self.assertEqual(self.after_login(0, 20), list(range(1, 21)))
        self.assertEqual(self.after_login(15, 21), list(range(16, 22)))
        self.assertEqual(self.after_login(22, 22), [])

    def test_everything_is_more_than_a_page(self) -> None:
        self.fill(1_500)
        self.assertEqual(self.after_login(0, 1_500), list(range(1, 1_501)))

    def test_null_asks_for_the_last_ones(self) -> None:
        self.fill(120)
        self.assertEqual(self.after_login(None, 120), list(range(21, 121)))
        self.assertEqual(self.after_login(None, 121, history=10), list(range(112, 122)))
        self.assertEqual(self.after_login(None, 122, history=0), [])
        self.assertEqual(self.after_login(None, 123, history=1_000), list(range(1, 124)))

    def test_over_500_counts_as_500(self) -> None:
        self.fill(510)
        self.assertEqual(self.after_login(None, 510, history=501), list(range(11, 511)))

    def test_who_is_ahead_is_given_it_as_for_null(self) -> None:
        self.fill(10)
        self.assertEqual(self.after_login(11, 10, history=3), [8, 9, 10])
        self.assertEqual(self.after_login(2**53 - 1, 11, history=3), [9, 10, 11])

    def test_the_content_is_what_was_sent(self) -> None:
        texts = self.fill(5)
        client = self.enter()
        self.assertEqual([message.text for message in client.read_messages(self.room, 5)], texts)

    def test_nothing_is_missed_while_others_write(self) -> None:
        writer, readers = self.enter(), []
        for number in range(300):
            writer.send(f"{number}", self.room)
            if number % 30 == 0:
                readers.append(self.enter())
        for reader in readers:
            reader.read_messages(self.room, 300)


class RoomsThatEmpty(ServerCase):
    """Who comes just when a room is forgotten because everybody had left gets its messages like anyone."""

    def setUp(self) -> None:
        super().setUp()
        self.server = ServerProcess("--ping", "0.05")  # it looks after its rooms at least as often
        self.addCleanup(self.server.close)
        self.server.start()

    def test_by_login(self) -> None:
        for number in range(1, 150):
            client = self.enter()
            self.assertEqual(client.store("x", self.room), number)
            client.read("message", id=number, timeout=3)
            client.close()

    def test_by_join(self) -> None:
        client = self.login()
        for number in range(1, 150):
            client.join(self.room, after=number - 1)
            self.assertEqual(client.store("x", self.room), number)
            client.read("message", id=number, timeout=3)
            client.say("leave", room=self.room)
            client.read("left")


class Refused(ServerCase):
    def test_a_field_that_is_wrong(self) -> None:
        wrong: list[dict[str, Any]] = [
            {"user": 5},
            {"user": None},
            {"user": ["ann"]},
            {"key": "x" * 65},
            {"key": 5},
            {"client": "x" * 65},
            {"client": None},
            {"password": "x" * 1_025},
            {"password": "é" * 513},
            {"password": 5},
            {"rooms": ["lobby"]},
            {"rooms": None},
            {"rooms": {"lobby": -1}},
            {"rooms": {"lobby": "1"}},
            {"rooms": {"lobby": 1.5}},
            {"history": -1},
            {"history": "all"},
            {"history": None},
        ]
        for fields in wrong:
            with self.subTest(**fields):
                self.assertEqual(self.refused_login(**{"user": fresh("user"), **fields})["code"], "bad_frame")

    def test_no_user(self) -> None:
        client = self.connect()
        client.say("login")
        self.assertEqual(self.assert_refused(client)["code"], "bad_frame")

    def test_a_name_that_is_none(self) -> None:
        self.assertEqual(self.refused_login("no name")["code"], "bad_name")
        self.assertEqual(self.refused_login(fresh("user"), rooms={"no room": None})["code"], "bad_name")

    def test_secrets_of_64_characters_are_taken(self) -> None:
        self.login(key="k" * 64, client="é" * 64)
        self.login(key="", client="")

    def test_who_was_refused_is_not_in(self) -> None:
        user = fresh("user")
        self.refused_login(user, rooms={self.room: None, "no room": None})
        reader = self.enter()
        reader.say("who", ref=1, room=self.room)
        self.assertNotIn(user, reader.answer(1)[0]["users"])
        self.login(user)


class Names(ServerCase):
    """Who may have a name that is in use."""

    def test_nobody_without_a_secret(self) -> None:
        user = fresh("user")
        self.login(user)
        self.assertEqual(self.refused_login(user)["code"], "name_taken")
        self.assertEqual(self.refused_login(user, key="mine")["code"], "name_taken")
        self.assertEqual(self.refused_login(user, client="mine")["code"], "name_taken")

    def test_nobody_with_another_secret(self) -> None:
        user = fresh("user")
        self.login(user, key="one", client="two")
        self.assertEqual(self.refused_login(user)["code"], "name_taken")
        self.assertEqual(self.refused_login(user, key="two", client="one")["code"], "name_taken")

    def test_not_under_another_spelling(self) -> None:
        user = fresh("User")
        self.login(user)
        for spelling in (user.lower(), user.upper(), "Ｕ" + user[1:]):
            self.assertEqual(self.refused_login(spelling)["code"], "name_taken")

    def test_who_shows_the_same_key(self) -> None:
        user = fresh("user")
        clients = [self.login(user, key="one", client=client, rooms={self.room: 0}) for client in "abc"]
        self.assertEqual([client.store("x", self.room) for client in clients], [1, 2, 3])

    def test_the_first_one_with_a_key_decides(self) -> None:
        user = fresh("user")
        first, second = self.login(user, key="one"), self.login(user, key="one")
        first.say("quit")
        first.frames()
        self.assertEqual(self.refused_login(user, key="two")["code"], "name_taken")
        self.assert_lives(second)

    def test_anybody_when_it_is_free_again(self) -> None:
        user = fresh("user")
        client = self.login(user, key="one")
        client.say("quit")
        client.frames()
        client.close()
        self.assertEqual(self.login_soon(user, key="two")["user"], user)

    def test_anybody_when_its_connection_was_reset(self) -> None:
        user = fresh("user")
        self.login(user).reset()
        self.assertEqual(self.login_soon(user)["user"], user)

    def login_soon(self, user: str, **fields: Any) -> Frame:
        """Log in as soon as the server has noticed that the name is free."""
        until = time.monotonic() + 5
        while True:
            client = self.connect()
            client.ask_login(user, rooms={}, **fields)
            answer = client.read()
            if answer.type == "welcome" or time.monotonic() > until:
                return answer
            self.assertEqual(answer["code"], "name_taken")


class SameClient(ServerCase):
    def test_it_replaces_the_old_connection(self) -> None:
        user = fresh("user")
        old = self.enter(user, client="one")
        old.store("a", self.room)
        new = self.enter(user, client="one")
        self.assertEqual([frame["reason"] for frame in old.frames() if frame.type == "bye"], ["replaced"])
        self.assertEqual(new.store("b", self.room), 2)

    def test_it_needs_no_key(self) -> None:
        user = fresh("user")
        old = self.login(user, key="one", client="two")
        self.login(user, key="other", client="two")
        self.assertEqual(old.frames()[-1]["reason"], "replaced")

    def test_other_clients_of_the_user_stay(self) -> None:
        user = fresh("user")
        other, old = self.login(user, key="k", client="one"), self.login(user, key="k", client="two")
        self.login(user, key="k", client="two")
        self.assertEqual(old.frames()[-1]["reason"], "replaced")
        self.assert_lives(other)

    def test_an_old_one_that_does_not_read_is_not_waited_for(self) -> None:
        user = fresh("user")
        old = self.server.connect(receive_buffer=8_192)
        self.addCleanup(old.close)
        old.login(user, client="one", rooms={self.room: 0})
        writer = self.enter()
        for _ in range(100):
            writer.send("x" * 20_000, self.room)
        writer.read("ack", seq=100)
        began = time.monotonic()
        self.enter(user, client="one")
        self.assertLess(time.monotonic() - began, 1)
        self.assertEqual(old.frames()[-1]["reason"], "replaced")

    def test_nothing_that_the_old_one_sent_is_stored_after_the_welcome(self) -> None:
        for _ in range(10):
            user = fresh("user")
            old = self.enter(user, client="one")
            for number in range(200):
                old.send(f"old {number + 1}", self.room)
            new = self.enter(user, client="one")
            received = new.seq
            mark = new.store("new", self.room)
            mine = [m.text for m in new.read_messages(self.room, mark) if m["from"] == user]
            self.assertEqual(mine, [*(f"old {number + 1}" for number in range(received)), "new"])
            self.assertEqual(old.frames()[-1]["reason"], "replaced")
            new.store("later", self.room)
            self.assertEqual(new.read("message", id=mark + 1).text, "later")


class Received(ServerCase):
    def again(self, user: str, client: str | None) -> int:
        connection = self.connect()
        fields = {} if client is None else {"client": client}
        received = int(connection.login(user, key="k", rooms={}, **fields)["received"])
        connection.close()
        return received

    def three_sent(self, user: str, client: str | None) -> PlainClient:
        fields = {} if client is None else {"client": client}
        connection = self.enter(user, key="k", **fields)
        connection.send("1", self.room)
        connection.send(b"\xff", self.room)  # refused, which counts as well
        connection.send("3", self.room)
        connection.read("ack", seq=3)
        return connection

    def test_it_is_what_was_stored_or_refused(self) -> None:
        user = fresh("user")
        self.three_sent(user, "one")
        self.assertEqual(self.again(user, "one"), 3)

    def test_a_refused_one_that_came_last_counts(self) -> None:
        user = fresh("user")
        client = self.enter(user, key="k", client="one")
        client.send(b"\xff", self.room)
        client.read("error", seq=1)
        self.assertEqual(self.again(user, "one"), 1)

    def test_it_is_kept_when_the_user_is_gone(self) -> None:
        user = fresh("user")
        client = self.three_sent(user, "one")
        client.say("quit")
        client.frames()
        client.close()
        self.assertEqual(self.again(user, "one"), 3)

    def test_it_is_of_that_user_under_any_spelling(self) -> None:
        user = fresh("user")
        self.three_sent(user, "one")
        self.assertEqual(self.again(user.upper(), "one"), 3)

    def test_another_client_and_another_user_are_new(self) -> None:
        user = fresh("user")
        self.three_sent(user, "one")
        self.assertEqual(self.again(user, "two"), 0)
        self.assertEqual(self.again(fresh("user"), "one"), 0)

    def test_without_a_client_every_connection_is_new(self) -> None:
        user = fresh("user")
        self.three_sent(user, None)
        self.assertEqual(self.again(user, None), 0)

    def test_what_was_not_received_is_sent_again_and_is_there_once(self) -> None:
        user, texts = fresh("user"), [f"{number}" for number in range(1, 41)]
        while (client := self.enter(user, client="one")).seq < len(texts):
            settled = client.seq
            for text in texts[settled:]:
                client.send(text, self.room)
            client.read("ack", seq=min(settled + 7, len(texts)))
            client.reset()
        reader = self.enter()
        self.assertEqual([message.text for message in reader.read_messages(self.room, len(texts))], texts)
        self.assertEqual(reader.last[self.room], len(texts))
