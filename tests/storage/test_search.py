from __future__ import annotations

from unicodedata import normalize
from unittest.mock import patch

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from storage import Content, Piece, Room, Send, SendContent, UploadKey
from storage.schema import messages, rooms
from storage.sql import _FOUND, _HITS, _SOME
from tests.mysql import MySQL
from tests.storage.databases import Cases, Journal, OnMariaDB, OnSQLite, send
from wire.frames import MAX_BODY
from wire.names import fold

EVERYTHING = 2**53 - 1
TEXTS = (
    "Grüße aus der STRAẞE",
    "strasse",
    "İstanbul",
    "ΟΔΥΣΣΕΥΣ",
    "Привет, МИР",
    "你好，世界",
    "مرحبا بالعالم",
    "👩‍👩‍👧‍👦 says ❤️",
    normalize("NFD", "Café Ångström"),
    "ＦＵＬＬ ｗｉｄｔｈ",
    "100 % of file_name\\path",
    'it\'s "quoted" `so`; -- :name ?',
    "a\0b\x1b[31m",
    "ﷺ",
    "",
)
# Each query, and which of the texts it finds.
FOUND = {
    "GRÜSSE": [0],
    "grüẞe": [0],
    "Straße": [0, 1],
    "i̇STANBUL": [2],
    "οδυσσευς": [3],
    "σ": [3],
    "мир ПРИВЕТ": [4],
    "世界": [5],
    "世 你": [5],
    "بالعالم": [6],
    "👧": [7],
    "❤️": [7],
    "CAFÉ": [8],
    normalize("NFD", "café"): [8],
    "ångström": [8],
    "full WIDTH": [9],
    "ｆｕｌｌ": [9],
    "%": [10],
    "_": [10],
    "\\": [10],
    "e_n": [10],
    "%f": [],
    "'": [11],
    '"q': [11],
    "--": [11],
    ":name ?": [11],
    "\0B": [12],
    "\x1b[31": [12],
    "صلى": [13],
    "cafe": [],
    "aus strasse": [0],
    "aus\u3000strasse\u00a0grüsse": [0],
    "aus café": [],
}


class Searching(Cases):
    def setUp(self) -> None:
        super().setUp()
        self.journal = Journal(self.open())
        self.storage = self.journal.storage
        self.room = self.journal.open()

    def say(self, *texts: str) -> None:
        self.journal.commit(*(send(self.room, text) for text in texts))

    def found(
        self, query: str, room: Room | None = None, *, first: int = 1, last: int = EVERYTHING, limit: int = 500
    ) -> list[int]:
        return self.storage.search((room or self.room).key, fold(query).split(), first, last, limit)

    def test_any_script_and_nothing_in_a_word_means_anything_else(self) -> None:
        self.say(*TEXTS)
        for query, hits in FOUND.items():
            with self.subTest(query):
                self.assertEqual(self.found(query), [number + 1 for number in reversed(hits)])

    def test_as_a_plain_comparison_says(self) -> None:
        letters = "aAbßẞİıσςΣéÉ\u0301 ﬁｆ%_\\'\"\0你👧\u200d\u3000¨"
        text = st.text(st.sampled_from(letters) | st.characters(exclude_categories=["Cs"]), max_size=8)

        @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(st.lists(text, max_size=12), st.lists(text, min_size=1, max_size=4))
        def check(texts: list[str], queries: list[str]) -> None:
            self.room = self.journal.open(f"room{next(numbers)}")
            self.say(*texts)
            for query in (*queries, *(text[1:4] for text in texts)):
                words = fold(query).split()
                expected = [id for id, text in enumerate(texts, 1) if all(word in fold(text) for word in words)]
                self.assertEqual(self.found(query), expected[::-1], query)

        numbers = iter(range(10**6))
        check()

    def test_the_newest_of_some(self) -> None:
        self.say(*("x" if number % 3 else "y" for number in range(1, 31)))
        self.assertEqual(self.found("y"), list(range(30, 0, -3)))
        self.assertEqual(self.found("y", limit=3), [30, 27, 24])
        self.assertEqual(self.found("y", first=6, last=12), [12, 9, 6])
        self.assertEqual(self.found("y", first=7, last=11, limit=1), [9])
        self.assertEqual(self.found("y", first=31), [])

    def test_of_this_room_only(self) -> None:
        other = self.journal.open("other")
        self.journal.commit(send(other, "word"), send(self.room, "x"), send(other, "word"))
        self.assertEqual(self.found("word"), [])
        self.assertEqual(self.found("word", other), [2, 1])
        self.assertEqual(self.storage.some(self.room.key, [1, 2]), self.storage.page(self.room.key, 1, 2))

    def test_the_largest_messages_to_their_ends(self) -> None:
        self.say("x" * (MAX_BODY - 3) + "End", "\ufdfa" * (MAX_BODY // 3 - 1) + "End")
        self.assertEqual(self.found("end"), [2, 1])

    def test_what_was_folded_before(self) -> None:
        long = Send(None, 0, self.room.key, "ann", 1, ["Gru\u00df"], folded="gruss, as we were told")
        same = Send(None, 0, self.room.key, "ann", 1, ["\u4e2d\u6587"], folded="\u4e2d\u6587")
        self.journal.commit(long, same)
        self.assertEqual(self.found("GRUSS told"), [1])
        self.assertEqual(self.found("\u6587"), [2])
        with self.storage._reader.connect() as connection:
            kept = connection.execute(select(messages.c.folded).order_by(messages.c.id)).scalars().all()
        self.assertEqual(kept, ["gruss, as we were told", None])

    def test_five_hundred_words(self) -> None:
        letters = [chr(0x4E00 + number) for number in range(500)]
        self.say("".join(letters), "".join(letters[1:]))
        self.assertEqual(self.found(" ".join(letters)), [1])

    def test_what_is_asked_of_the_database_is_compiled_once_for_about_as_many_words(self) -> None:
        self.say("".join(map(str, range(300))))
        self.found(" ".join(map(str, range(140))))
        with patch.object(_FOUND, "_compile", side_effect=AssertionError):
            for count in (129, 200, 256):
                self.assertEqual(self.found(" ".join(map(str, range(count)))), [1])

    def test_a_file_by_its_name_and_a_long_text_by_what_is_shown_of_it(self) -> None:
        ann = self.journal.known_sender()
        contents = ((b"inside", "Grüße.TXT"), (b"Shown " + b"x" * 70_000 + b" hidden", None))
        for number, (data, name) in enumerate(contents, 1):
            upload = UploadKey("ann", b"a" * 32, number)
            content = Content(upload, len(data), name)
            self.journal.commit(Piece(ann, upload, 0, data), SendContent(ann, number, self.room.key, "ann", 1, content))
        self.assertEqual(
            [self.found(query) for query in ("GRÜSSE txt", "shown", "inside", "hidden")], [[1], [2], [], []]
        )
        named, long = self.storage.some(self.room.key, [2, 1])
        self.assertEqual((named.name, long.size), ("Grüße.TXT", 70_013))

    def test_what_is_deleted_or_pruned_is_not_found(self) -> None:
        self.say(*("word" for _ in range(5)))
        with self.storage._writer.begin() as connection:
            connection.execute(update(messages).where(messages.c.id == 4).values(deleted=True))
            connection.execute(update(rooms).values(first_id=3))
        self.assertEqual(self.found("word"), [5, 3])
        self.assertEqual([message.id for message in self.storage.some(self.room.key, [1, 3, 4, 5])], [3, 5])


class SearchingSQLite(Searching, OnSQLite):
    def test_no_more_of_a_room_is_read_than_is_asked_for(self) -> None:
        values = {"room": 1, "first": 1, "last": 2, "limit": 3, "ids": [1, 2]}
        with self.storage._reader.connect() as connection:
            for statement, bounds in ((_HITS, "(room_id=? AND id>? AND id<?)"), (_SOME, "(room_id=? AND id=?)")):
                told = str(statement.params(values).compile(connection, compile_kwargs={"render_postcompile": True}))
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {told}", (None,) * told.count("?")).all()
                self.assertIn(bounds, str(plan))


class SearchingMariaDB(Searching, OnMariaDB):
    pass


class SearchingMySQL(SearchingMariaDB):
    kind = MySQL
