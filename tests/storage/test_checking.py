"""Each thing that can be off is found, and told in a line; a database that is right has no fault."""

from __future__ import annotations

from storage.checking import CHECKS
from tests.mysql import MySQL
from tests.storage.databases import OnMariaDB, OnSQLite
from tests.storage.operating import Operated


class Checked(Operated):
    def test_nothing_is_off(self) -> None:
        self.open()
        self.assertEqual(self.faults(), [])
        self.everything()
        self.assertEqual(self.faults(), [])

    def test_what_is_off(self) -> None:
        lobby = "(SELECT id FROM rooms WHERE name = 'lobby')"
        file = f"(SELECT upload_id FROM messages WHERE id = 5 AND room_id = {lobby})"
        for wrong, *told in (
            (f"DELETE FROM messages WHERE id = 1 AND room_id = {lobby}", "lobby: messages 1 to 1 are missing"),
            (f"DELETE FROM messages WHERE id IN (3, 4) AND room_id = {lobby}", "lobby: messages 3 to 4 are missing"),
            (f"DELETE FROM messages WHERE id = 8 AND room_id = {lobby}", "lobby: messages 8 to 8 are missing"),
            (f"DELETE FROM messages WHERE id IN (1, 2, 4) AND room_id = {lobby}",
             "lobby: messages 1 to 2 are missing", "lobby: messages 4 to 4 are missing"),
            ("DELETE FROM messages WHERE sent_at > 0 AND upload_id IS NULL AND size IS NULL",
             "Ärger: messages 6 to 10 are missing", "lobby: messages 1 to 4 are missing",
             "@*: messages 1 to 1 are missing"),
            ("UPDATE rooms SET last_id = 7 WHERE name = 'lobby'",
             "lobby: its last message is said to be 7, but there is 8"),
            ("UPDATE rooms SET first_id = 3, last_id = 2 WHERE name = 'lobby'",
             "lobby: its last message is said to be 2, but there is 8",
             "lobby: 2 messages are left from before its first one, 3; the next prune removes them"),
            ("UPDATE rooms SET last_id = 9 WHERE name = 'Empty'", "Empty: messages 1 to 9 are missing"),
            ("UPDATE rooms SET last_id = 9 WHERE name = 'lobby'", "lobby: messages 9 to 9 are missing"),
            ("DELETE FROM rooms WHERE name = 'Ärger'", "5 messages belong to a room that is not there, number "),
            (f"UPDATE uploads SET size = size + 1 WHERE id = {file}",
             "lobby: message 5 has no content of its 786432 bytes",
             "upload * has a part that ends at byte 786432, and goes on, or should end, at byte 786433"),
            (f"UPDATE uploads SET state = 2 WHERE id = {file}", "lobby: message 5 has no content of its 786432 bytes"),
            (f"DELETE FROM uploads WHERE id = {file}",
             "lobby: message 5 has no content of its 786432 bytes",
             "3 parts belong to an upload that is not there, "),
            (f"UPDATE messages SET size = NULL, upload_id = NULL WHERE id = 5 AND room_id = {lobby}",
             "a content of 786432 bytes belongs to no message, upload "),
            (f"DELETE FROM parts WHERE upload_id = {file} AND offset = 0", "upload * of 786432 bytes has no beginning"),
            (f"DELETE FROM parts WHERE upload_id = {file} AND offset = 262144",
             "upload * has a part that ends at byte 262144, and goes on, or should end, at byte 524288"),
            (f"DELETE FROM parts WHERE upload_id = {file} AND offset = 524288",
             "upload * has a part that ends at byte 524288, and goes on, or should end, at byte 786432"),
            ("DELETE FROM rooms WHERE name = 'den'", "2 people are invited into a room that is not there, number "),
            ("INSERT INTO invited SELECT id, 'eve' FROM rooms WHERE SUBSTR(name, 1, 1) = '@'",
             "@*: 3 people are in this talk of two"),
            (f"UPDATE messages SET text = 'x' WHERE deleted AND id = 3 AND room_id = {lobby}",
             "lobby: message 3 is deleted and has a content all the same"),
            ("UPDATE accounts SET password = 'secret' WHERE name = 'Žoë'", "the account of Žoë has no password, or no"),
            ("UPDATE accounts SET role = 'king'", "the account of Ann has no pass", "the account of Žoë has no pass"),
        ):  # fmt: skip
            with self.subTest(wrong):
                self.setUp()
                self.everything()
                self.change(self.quoted(wrong))
                found = self.faults()
                self.assertEqual(len(found), len(told), found)
                for line, pattern in zip(sorted(found), sorted(told), strict=True):
                    before, _, after = pattern.partition("*")
                    self.assertTrue(line.startswith(before), line)
                    self.assertTrue(line.endswith(after), line)

    def quoted(self, statement: str) -> str:
        """MySQL has it that a word like ``offset`` is one of its own."""
        return statement.replace("offset", '"offset"' if self.url.get_backend_name() == "sqlite" else "`offset`")

    def test_each_check_has_a_promise_of_its_own(self) -> None:
        self.assertEqual(len({check.promise for check in CHECKS}), len(CHECKS))


class CheckedSQLite(Checked, OnSQLite):
    pass


class CheckedMariaDB(Checked, OnMariaDB):
    pass


class CheckedMySQL(CheckedMariaDB):
    kind = MySQL
