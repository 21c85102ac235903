"""Uploads in the database: how they grow, what becomes of them, and what is left of them."""

from __future__ import annotations

from unittest.mock import patch

from storage import (
    Content,
    Drop,
    Login,
    Message,
    Outcome,
    Piece,
    Refusal,
    SendContent,
    Sender,
    UnknownMessage,
    UploadKey,
    posting,
)
from storage.uploads import Upload
from tests.mysql import MySQL
from tests.storage.databases import ANN, Cases, DatabaseCase, Journal, OnMariaDB, OnNewMariaDB, OnSQLite

HOUR = 3_600_000  # milliseconds
MUCH = bytes(range(256)) * 1024  # a row as the server stores it


class Growing(DatabaseCase):
    """How an upload's row follows its pieces, without a database."""

    def grown(self, *pieces: bytes) -> Upload:
        upload = Upload.begin(UploadKey("ann", b"c", 1))
        for piece in pieces:
            upload.append(piece)
        return upload

    def test_text_is_known_wherever_it_is_cut(self) -> None:
        text = "aé€😀".encode()
        for first in range(len(text) + 1):
            for second in range(first, len(text) + 1):
                upload = self.grown(text[:first], text[first:second], text[second:])
                self.assertTrue(upload.is_text)
        for end in (2, 4, 5, 7, 8, 9):
            self.assertFalse(self.grown(text[:1], text[1:end]).is_text, text[:end])

    def test_what_is_no_text_stays_none(self) -> None:
        for wrong in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80"):
            for cut in range(len(wrong)):
                self.assertFalse(self.grown(wrong[:cut], wrong[cut:], b"text").is_text, wrong)

    def test_the_beginning_has_whole_characters(self) -> None:
        for filler in range(4):
            text = "x" * filler + "😀" * 2000
            upload = self.grown(*(text.encode()[at : at + 1000] for at in range(0, len(text.encode()), 1000)))
            self.assertTrue(text.startswith(upload.beginning))
            self.assertGreater(len(upload.beginning.encode()), 4096 - 4)
            self.assertLessEqual(len(upload.beginning.encode()), 4096)


class Uploading(Cases):
    def setUp(self) -> None:
        super().setUp()
        self.storage = self.open()
        self.journal = Journal(self.storage)
        self.room = self.journal.open()
        self.ann = self.journal.known_sender()
        self.key = UploadKey("ann", self.ann.client, 1)
        self.seq = 0

    def append(self, *pieces: bytes, sender: Sender | None = None) -> list[Outcome]:
        offset = self.storage.upload_size(self.key)
        entries = []
        for piece in pieces:
            entries.append(Piece(sender or self.ann, self.key, offset, piece))
            offset += len(piece)
        return self.journal.commit(*entries)

    def content(self, size: int, name: str | None = None) -> SendContent:
        self.seq += 1
        return SendContent(self.ann, self.seq, self.room.key, "ann", 1, Content(self.key, size, name))

    def sent(self, size: int, name: str | None = None) -> Message:
        [message] = self.journal.commit(self.content(size, name))
        assert isinstance(message, Message), message
        return message

    def read(self, id: int, offset: int = 0) -> bytes:
        data = b""
        while piece := self.storage.content(self.room.key, id, offset + len(data)):
            data += piece
        return data

    def left(self, forgotten: int = 0) -> tuple[int, int, int]:
        """Clean up; return how many steps that took, and the numbers of rows that are left."""
        steps = 0
        while self.storage.clean(forgotten):
            steps += 1
        with self.storage._reader.connect() as connection:
            counts = [
                int(connection.exec_driver_sql(f"SELECT COUNT(*) FROM {table}").scalar_one())
                for table in ("uploads", "parts")
            ]
        return steps, counts[0], counts[1]


class Storing(Uploading):
    def test_the_unfinished_ones_of_a_client_are_counted(self) -> None:
        user, client, number = self.key.user, self.key.client, self.key.number
        self.assertEqual(self.storage.open_uploads(user, client), 0)
        self.append(b"abc")
        self.journal.commit(Piece(self.ann, UploadKey(user, client, number + 1), 0, b"x"))
        self.assertEqual(self.storage.open_uploads(user, client), 2)
        self.assertEqual(self.storage.open_uploads("bob", client), 0)
        self.sent(3, "f")
        self.assertEqual(self.storage.open_uploads(user, client), 1)

    def test_pieces_follow_each_other_or_are_left_out(self) -> None:
        self.assertEqual(self.append(b"abc", b"def"), [True, True])
        wrong = [Piece(self.ann, self.key, offset, b"x") for offset in (0, 5, 7, 2**53)]
        self.assertEqual(self.journal.commit(*wrong), [False] * 4)
        self.assertEqual(self.storage.upload_size(self.key), 6)
        self.assertEqual(self.read(self.sent(6, "f").id), b"abcdef")

    def test_a_file_of_many_parts(self) -> None:
        for _ in range(3):
            self.append(MUCH, MUCH[:1000])
        data = (MUCH + MUCH[:1000]) * 3
        message = self.sent(len(data), "f.bin")
        self.assertEqual((message.text, message.size, message.name), ("", len(data), "f.bin"))
        self.assertEqual(self.storage.get("lobby", message.id), message)
        far = (len(data) - 1, len(data), len(data) + 1, 2**32, 2**32 + 4, 2**53 - 1)
        for offset in (0, 1, len(MUCH), len(MUCH) + 999, *far):
            self.assertEqual(self.read(message.id, offset), data[offset:], offset)

    def test_far_behind_the_end_of_a_short_one_there_is_nothing(self) -> None:
        self.append(b"0123456789")
        id = self.sent(10, "f").id
        for offset in (10, 2**31, 2**32 - 1, 2**32, 2**32 + 4, 2**53 - 1):
            self.assertEqual(self.storage.content(self.room.key, id, offset), b"", offset)

    def test_pieces_and_their_send_in_one_batch(self) -> None:
        pieces = [Piece(self.ann, self.key, at * len(MUCH), MUCH) for at in range(2)]
        outcomes = self.journal.commit(*pieces, self.content(2 * len(MUCH), "f"), Piece(self.ann, self.key, 0, b"new"))
        self.assertEqual([outcome is True for outcome in outcomes], [True, True, False, True])
        self.assertEqual(self.read(1), MUCH * 2)
        self.assertEqual(self.read(self.sent(3, "g").id), b"new")

    def test_a_large_text_has_its_beginning_a_short_one_is_whole(self) -> None:
        self.append(("é" * 3000).encode())
        large = self.sent(6000)
        self.assertEqual((large.text, large.size, large.name), ("é" * 2048, 6000, None))
        self.assertEqual(self.read(large.id).decode(), "é" * 3000)
        self.append(b"short")
        short = self.sent(5)
        self.assertEqual((short.text, short.size), ("short", None))
        self.assertEqual(self.read(short.id), b"short")
        self.assertEqual(self.left(), (2, 1, 1))

    def test_what_does_not_fit_is_refused_and_counts(self) -> None:
        self.append(b"ab\xe2\x82")  # the last character is not finished
        for size, name, code in ((3, "f", "unknown_upload"), (5, "f", "unknown_upload"), (4, None, "bad_text")):
            [refusal] = self.journal.commit(self.content(size, name))
            assert isinstance(refusal, Refusal)
            self.assertEqual(refusal.code, code)
        self.assertEqual(self.journal.log_in(ANN).received, 3)
        self.assertEqual(self.storage.get_last_msg_id("lobby"), 0)
        self.assertEqual(self.storage.upload_size(self.key), 4)

    def test_an_older_login_appends_and_drops_nothing(self) -> None:
        self.append(b"abc")
        newer = self.journal.known_sender()
        self.assertEqual(self.append(b"x"), [False])
        self.journal.commit(Drop(self.ann, self.key))
        self.assertEqual(self.append(b"def", sender=newer), [True])
        self.assertEqual(self.storage.upload_size(self.key), 6)

    def test_uploads_of_others_are_others(self) -> None:
        self.append(b"abc")
        bob = self.journal.known_sender(Login("bob", self.ann.client))
        for sender, key in ((bob, UploadKey("bob", bob.client, 1)), (self.ann, UploadKey("ann", self.ann.client, 2))):
            self.assertEqual(self.storage.upload_size(key), 0)
            self.assertEqual(self.journal.commit(Piece(sender, key, 0, b"x")), [True])
        self.assertEqual(self.storage.upload_size(self.key), 3)

    def test_a_dropped_one_leaves_no_rows(self) -> None:
        self.append(*[MUCH[:10]] * 40)
        self.journal.commit(Drop(self.ann, self.key), Drop(self.ann, UploadKey("ann", b"x" * 32, 9)))
        self.assertEqual(self.storage.upload_size(self.key), 0)
        self.append(b"anew")
        self.assertEqual(self.left(), (4, 1, 1))
        self.assertEqual(self.storage.upload_size(self.key), 4)

    def test_one_that_was_left_alone_is_forgotten(self) -> None:
        self.append(b"sent")
        message = self.sent(4, "f")
        self.append(b"open")
        self.assertEqual(self.left(), (0, 2, 2))
        self.assertEqual(self.left(forgotten=2**53), (2, 1, 1))
        self.assertEqual(self.storage.upload_size(self.key), 0)
        self.assertEqual(self.append(b"anew"), [True])
        self.assertEqual(self.read(message.id), b"sent")

    def test_nothing_at_its_end_touches_it(self) -> None:
        with patch.object(posting, "time", return_value=1):
            self.append(b"open")
        with patch.object(posting, "time", return_value=3):
            self.assertEqual(self.append(b""), [True])
        self.assertEqual(self.left(forgotten=2_000), (0, 1, 1))
        self.append(b"", b"ed")
        self.assertEqual(self.read(self.sent(6, "f").id), b"opened")

    def test_a_pruned_message_has_no_content(self) -> None:
        self.append(MUCH)
        id = self.sent(len(MUCH), "f").id
        with self.storage._writer.begin() as connection:
            connection.exec_driver_sql("UPDATE rooms SET first_id = 2")
        with self.assertRaises(UnknownMessage):
            self.storage.content(self.room.key, id, 0)

    def test_unknown_messages(self) -> None:
        for id in (0, 1, 2**53):
            with self.assertRaises(UnknownMessage):
                self.storage.content(self.room.key, id, 0)


class Measured(Uploading):
    """In a database of its own: what was removed for others is still part of the size."""

    def test_the_size_tells_what_was_uploaded(self) -> None:
        before = self.storage.size()
        for _ in range(8):
            self.append(MUCH)
        self.assertGreater(self.storage.size(), before + 8 * len(MUCH) // 2)
        self.assertLess(self.storage.size(), before + 8 * len(MUCH) * 2)


class StoringSQLite(Storing, OnSQLite):
    pass


class StoringMariaDB(Storing, OnMariaDB):
    pass


class StoringMySQL(StoringMariaDB):
    kind = MySQL


class MeasuredSQLite(Measured, OnSQLite):
    pass


class MeasuredMariaDB(Measured, OnNewMariaDB):
    pass


class MeasuredMySQL(MeasuredMariaDB):
    kind = MySQL
