"""Section 7 of the protocol: presence, pings, the end of a connection."""

from __future__ import annotations

import time

from tests.plain_client import Frame, PlainClient
from tests.processes import ServerProcess
from tests.system.case import ServerCase, fresh


class Presence(ServerCase):
    def until(self, watcher: PlainClient, joined: set[str], left: set[str], users: int) -> list[Frame]:
        """Read ``presence`` until these came and went and so many are there; return the frames."""
        frames: list[Frame] = []
        came: set[str] = set()
        gone: set[str] = set()
        while not (joined <= came and left <= gone and frames and frames[-1]["users"] == users):
            frame = watcher.read("presence", room=self.room, timeout=5)
            came |= set(frame.header.get("joined", ()))
            gone |= set(frame.header.get("left", ()))
            frames.append(frame)
        return frames

    def test_who_comes_and_goes_is_told(self) -> None:
        watcher, user = self.enter(), fresh("user")
        client = self.enter(user)
        self.until(watcher, {user}, set(), 2)
        client.say("leave", room=self.room)
        self.until(watcher, set(), {user}, 1)
        client.join(self.room)
        self.until(watcher, {user}, set(), 2)
        client.reset()
        self.until(watcher, set(), {user}, 1)

    def test_it_is_gathered(self) -> None:
        watcher = self.enter()
        users = {fresh("user") for _ in range(40)}
        for user in users:
            self.enter(user)
        frames = self.until(watcher, users, set(), 41)
        self.assertLess(len(frames), 30)

    def test_a_user_counts_once(self) -> None:
        watcher, user = self.enter(), fresh("user")
        first = self.enter(user, key="k", client="a")
        self.until(watcher, {user}, set(), 2)
        self.enter(user, key="k", client="b")
        first.close()
        other = fresh("user")
        self.enter(other)
        told = self.until(watcher, {other}, set(), 3)
        named = [name for frame in told for name in (*frame.header.get("joined", ()), *frame.header.get("left", ()))]
        self.assertNotIn(user, named)

    def test_only_the_room_is_told(self) -> None:
        elsewhere, watcher, user = self.login(rooms={f"{self.room}-b": 0}), self.enter(), fresh("user")
        self.enter(user)
        self.until(watcher, {user}, set(), 2)
        elsewhere.until_pong()
        self.assertEqual([frame for frame in elsewhere.inbox if frame.header.get("room") == self.room], [])

    def test_the_names_are_shown_as_in_welcome(self) -> None:
        watcher = self.enter()
        user = fresh("ｕｓｅｒ")
        shown = self.connect().login(user, rooms={self.room: None})["user"]
        self.until(watcher, {shown}, set(), 2)


class Pings(ServerCase):
    def test_a_ping_is_answered_with_its_ref(self) -> None:
        client = self.login()
        client.say("ping", ref=0)
        self.assertEqual(client.read("pong").header, {"type": "pong", "ref": 0})
        client.say("ping")
        self.assertEqual(client.read("pong").header, {"type": "pong"})

    def test_an_unasked_pong_is_fine(self) -> None:
        client = self.login()
        client.say("pong", ref=5)
        client.say("pong")
        self.assert_lives(client)


class PingsOfTheServer(ServerCase):
    def setUp(self) -> None:
        super().setUp()
        self.server = ServerProcess("--ping", "0.2")
        self.addCleanup(self.server.close)
        self.server.start()

    def test_a_client_from_which_nothing_came_is_pinged(self) -> None:
        client = self.connect()
        self.assertEqual(client.login(fresh("user"))["ping_every"], 1)
        for _ in range(3):
            ping = client.read("ping", timeout=3)
            client.say("pong", **({"ref": ping["ref"]} if "ref" in ping else {}))
        self.assert_alive(client)

    def test_a_client_that_does_not_answer_but_whose_machine_does_is_not_closed(self) -> None:
        silent, clock = self.login(), self.login()
        for _ in range(8):  # at 0.2 s each, well beyond three times that
            clock.read("ping", timeout=3)
            clock.say("pong")
        self.assert_alive(silent)

    def test_a_client_that_reads_nothing_is_not_closed(self) -> None:
        stuck = self.server.connect(receive_buffer=8_192)
        self.addCleanup(stuck.close)
        stuck.login(fresh("user"), rooms={self.room: 0})
        clock = self.enter()
        for _ in range(100):
            clock.send("x" * 20_000, self.room)
        for _ in range(8):
            clock.read("ping", timeout=3)
            clock.say("pong")
        stuck.read_messages(self.room, 100)
        self.assert_alive(stuck)

    def assert_alive(self, client: PlainClient) -> None:
        client.say("who", ref=1, room="nowhere")
        self.assertEqual(client.read("error", ref=1)["code"], "unknown_room")


class Quit(ServerCase):
    def test_what_came_before_is_acknowledged(self) -> None:
        client = self.enter()
        for _ in range(500):
            client.send("x", self.room)
        client.say("quit")
        frames = client.frames()
        self.assertEqual([frame["seq"] for frame in frames if frame.type == "ack"], list(range(1, 501)))
        self.assertEqual(frames[-1].header, {"type": "bye", "reason": "quit"})

    def test_a_half_close_is_the_same(self) -> None:
        client = self.enter()
        for _ in range(500):
            client.send("x", self.room)
        client.half_close()
        frames = client.frames()
        self.assertEqual([frame["seq"] for frame in frames if frame.type == "ack"], list(range(1, 501)))
        self.assertEqual(frames[-1].header, {"type": "bye", "reason": "quit"})

    def test_a_half_close_right_behind_the_login(self) -> None:
        client = self.connect()
        client.ask_login(fresh("user"), rooms={self.room: 0})
        client.send("x", self.room)
        client.half_close()
        frames = client.frames()
        self.assertEqual(frames[0].type, "welcome")
        self.assertIn("ack", [frame.type for frame in frames])
        self.assertEqual(frames[-1]["reason"], "quit")

    def test_with_a_refused_send_last(self) -> None:
        client = self.enter()
        client.send("x", self.room)
        client.send(b"\xff", self.room)
        client.say("quit")
        frames = [frame for frame in client.frames() if frame.type in ("ack", "error", "bye")]
        self.assertEqual([frame.type for frame in frames], ["ack", "error", "bye"])

    def test_nothing_is_answered_behind_it(self) -> None:
        client = self.enter()
        client.say("quit")
        client.say("ping", ref=1)
        client.send("x", self.room)
        self.assertEqual([frame.type for frame in client.frames() if frame.type != "presence"], ["bye"])
        reader = self.enter()
        self.assertEqual(reader.last[self.room], 0)

    def test_the_server_does_not_wait_for_long_for_the_client_to_close(self) -> None:
        client = self.login()
        client.say("quit")
        self.assertEqual(client.frames()[-1]["reason"], "quit")
        began = time.monotonic()
        while time.monotonic() < began + 5:  # it reads and discards, and then it does not
            try:
                client.socket.send(b"x" * 1_000)
            except BlockingIOError:
                client.socket.setblocking(True)
            except ConnectionError:
                break
        self.assertLess(time.monotonic() - began, 3)

    def test_who_is_gone_is_no_trouble(self) -> None:
        for _ in range(20):
            client = self.enter()
            for _ in range(20):
                client.send("x", self.room)
            client.reset()
        reader = self.enter()
        mark = reader.store("still here", self.room)
        self.assertEqual(reader.read_messages(self.room, mark)[-1].text, "still here")
