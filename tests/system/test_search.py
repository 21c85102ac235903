"""Search, as section 6 of the protocol has it."""

from __future__ import annotations

from typing import Any

from tests.plain_client import Frame, PlainClient
from tests.system.case import ServerCase, fresh


class Search(ServerCase):
    def search(
        self, client: PlainClient, query: str, limit: int = 500, **fields: Any
    ) -> tuple[list[Frame], int | None]:
        """Ask once; return the hits, and from where to ask on."""
        client.say("search", ref=9, room=self.room, query=query, limit=limit, **fields)
        *messages, end = client.answer(9)
        self.assertEqual(end.type, "done", end)
        self.assertLessEqual(set(end.header), {"type", "ref", "before"})
        return messages, end.header.get("before")

    def found(self, client: PlainClient, query: str, limit: int = 500) -> list[int]:
        """Ask until all was looked at; return the ids of the hits, ascending."""
        found: list[int] = []
        hits, before = self.search(client, query, limit)
        while True:
            ids = [hit["id"] for hit in hits]
            self.assertEqual(ids, sorted(ids))
            self.assertLessEqual(len(ids), limit)
            found = ids + found
            if before is None:
                return found
            hits, below = self.search(client, query, limit, before=before)
            assert below is None or below < before
            before = below

    def test_every_word_in_any_script_and_case(self) -> None:
        client = self.enter()
        for text in ("Grüße aus Köln", "GRÜẞE, Ko\u0308ln", "100 % \\_", "Привет 你好", "Köln"):
            client.store(text, self.room)
        for query, ids in {
            "grüsse KÖLN": [1, 2],
            "ko\u0308ln": [1, 2, 5],
            "% \\_": [3],
            "ПРИВЕТ\u3000好": [4],
            "köln привет": [],
        }.items():
            with self.subTest(query):
                self.assertEqual(self.found(client, query), ids)

    def test_a_hit_is_the_message_as_history_gives_it(self) -> None:
        client = self.enter()
        client.store("Hello", self.room)
        client.say("part", b"content", upload=1, offset=0)
        client.say("send", seq=2, room=self.room, upload=1, size=7, name="Hello.TXT")
        client.read("ack", seq=2)
        client.say("history", ref=1, room=self.room, limit=9)
        *history, _ = client.answer(1)
        hits, before = self.search(client, "hello")
        self.assertEqual([(hit.header, hit.body) for hit in hits], [({**m.header, "ref": 9}, m.body) for m in history])
        self.assertEqual(([hit.header.get("name") for hit in hits], before), ([None, "Hello.TXT"], None))
        self.assertEqual(self.found(client, "content"), [])

    def test_the_newest_of_them_and_then_those_before(self) -> None:
        self.fill(700)
        client = self.enter()
        hits, before = self.search(client, "message 7", limit=3)
        self.assertEqual(([hit["id"] for hit in hits], before), ([687, 697, 700], 687))
        expected = [number for number in range(1, 701) if "7" in str(number)]
        self.assertEqual(self.found(client, "MESSAGE 7", limit=10), expected)
        self.assertEqual(self.found(client, "message"), list(range(1, 701)))
        self.assertLessEqual(len(self.search(client, "message", limit=501)[0]), 500)
        self.assertEqual(self.search(client, "7", before=17)[0][0]["id"], 7)

    def test_nothing(self) -> None:
        self.fill(3)
        client = self.enter()
        for query, limit in (("", 5), (" \t\u3000", 5), ("message", 0), ("other", 5)):
            self.assertEqual(self.search(client, query, limit), ([], None))
        self.assertEqual(self.search(client, "message", before=1), ([], None))

    def test_a_question_too_long_or_about_another_room(self) -> None:
        client = self.enter()
        elsewhere = fresh("room")
        self.login(rooms={elsewhere: None})
        for fields, code in (
            ({"query": "q" * 1001, "room": self.room}, "bad_frame"),
            ({"query": "q", "room": elsewhere}, "not_in_room"),
            ({"query": "q", "room": fresh("room")}, "unknown_room"),
        ):
            client.say("search", ref=9, limit=1, **fields)
            self.assert_error(client.read("error"), code, ref=9, room=fields["room"])
        self.assertEqual(self.search(client, "ﷺ" * 1000), ([], None))

    def test_the_lobby_where_no_room_is_named(self) -> None:
        client = self.login(rooms={"lobby": None}, history=0)
        word = fresh("word")
        client.store(word)
        client.say("search", ref=1, limit=1, query=word.upper())
        self.assertEqual(client.answer(1)[0].text, word)

    def test_cancelled_it_is_done_once(self) -> None:
        self.fill(300)
        client = self.enter()
        for ref in range(20):
            client.say("search", ref=ref, room=self.room, query="message", limit=500)
            client.say("cancel", ref=ref)
            self.assertEqual(client.answer(ref)[-1].header["ref"], ref)
        self.assertEqual([frame.type for frame in client.until_pong() if frame.type == "done"], [])
