"""Content without a limit, over the wire: uploads, what becomes of them, and how it is fetched."""

from __future__ import annotations

import random
from contextlib import closing
from hashlib import sha256
from sqlite3 import connect
from time import monotonic
from typing import Any

from tests.plain_client import MAX_BODY, Frame, PlainClient
from tests.processes import ServerProcess
from tests.system.case import ServerCase

SIZE = 700_000  # bytes: some rows of the database, many frames


def content(size: int = SIZE, seed: int = 1) -> bytes:
    """Return bytes that are no text."""
    return b"\xff" + random.Random(seed).randbytes(size - 1)


def say_parts(client: PlainClient, upload: int, data: bytes, offset: int = 0, piece: int = MAX_BODY) -> None:
    """Say all that ``data`` has from ``offset`` on."""
    for start in range(offset, len(data), piece):
        client.say("part", data[start : start + piece], upload=upload, offset=start)


def send_upload(client: PlainClient, upload: int, size: int, **fields: Any) -> int:
    """Say ``send`` for an upload and return its seq."""
    client.seq += 1
    client.say("send", seq=client.seq, upload=upload, size=size, **fields)
    return client.seq


def resume(client: PlainClient, upload: int, ref: int = 77) -> int:
    """Return how many bytes of an upload are stored."""
    client.say("resume", upload=upload, ref=ref)
    resumed = client.read("resumed", ref=ref)
    assert resumed["upload"] == upload, resumed
    return int(resumed["size"])


def fetch(client: PlainClient, room: str, id: int, offset: int = 0, ref: int = 88) -> bytes:
    """Return the content of a message from ``offset`` on; raises AssertionError for an ``error``."""
    client.say("fetch", room=room, id=id, ref=ref, offset=offset)
    data = b""
    for frame in client.answer(ref):
        assert frame.type in ("part", "done"), frame
        if frame.type == "part":
            assert frame["offset"] == offset + len(data), frame
            assert frame.body, frame
            data += frame.body
    return data


class UploadCase(ServerCase):
    def uploaded(self, client: PlainClient, data: bytes, upload: int = 1, **fields: Any) -> int:
        """Send ``data`` as an upload and return the message's id."""
        say_parts(client, upload, data)
        seq = send_upload(client, upload, len(data), room=self.room, **fields)
        return int(client.read("ack", seq=seq)["id"])

    def refused(self, client: PlainClient, seq: int) -> Frame:
        return client.read("error", seq=seq)


class Uploading(UploadCase):
    def test_a_file(self) -> None:
        ann, bob = self.enter(), self.enter()
        data = content()
        id = self.uploaded(ann, data, name="x.bin")
        for client in (ann, bob, self.enter()):
            message = client.read("message", id=id)
            self.assertEqual((message["size"], message["name"], message.body), (SIZE, "x.bin", b""))
            self.assertEqual(sha256(fetch(client, self.room, id)).digest(), sha256(data).digest())

    def test_a_large_text_is_shown_by_its_beginning(self) -> None:
        ann = self.enter()
        text = "aé€😀" * 30_000
        id = self.uploaded(ann, text.encode())
        message = ann.read("message", id=id)
        self.assertNotIn("name", message)
        self.assertEqual(message["size"], len(text.encode()))
        self.assertTrue(4092 < len(message.body) <= 4096)
        self.assertTrue(text.startswith(message.text))
        self.assertEqual(fetch(ann, self.room, id).decode(), text)

    def test_a_short_text_is_a_message_like_others(self) -> None:
        ann = self.enter()
        for text in ("short", ""):
            message_id = self.uploaded(ann, text.encode())
            message = ann.read("message", id=message_id)
            self.assertEqual(message.text, text)
            self.assertNotIn("size", message)
            self.assertEqual(fetch(ann, self.room, message_id), text.encode())

    def test_what_was_read_before_the_connection_was_lost(self) -> None:
        ann, bob = self.enter(), self.enter()
        for upload in (1, 2):
            ann.say("part", f"text {upload}".encode(), upload=upload, offset=0)
            send_upload(ann, upload, 6, room=self.room)
        ann.send("the last", self.room)
        ann.say("ping", ref=1)
        ann.read("pong", ref=1)  # waits for nothing, but all before it was read
        ann.reset()
        self.assertEqual([m.text for m in bob.read_messages(self.room, 3)], ["text 1", "text 2", "the last"])

    def test_an_empty_file_needs_no_part(self) -> None:
        ann = self.enter()
        id = self.uploaded(ann, b"", name="empty")
        message = ann.read("message", id=id)
        self.assertEqual((message["size"], message["name"], message.body), (0, "empty", b""))
        self.assertEqual(fetch(ann, self.room, id), b"")

    def test_text_must_be_utf_8_as_a_whole(self) -> None:
        ann = self.enter()
        for number, wrong in enumerate(
            (b"x" * SIZE + b"\xe2\x82", b"\xff" + b"x" * SIZE, b"x" * SIZE + b"\xed\xa0\x80"), 1
        ):
            say_parts(ann, number, wrong)
            error = self.refused(ann, seq := send_upload(ann, number, len(wrong), room=self.room))
            self.assert_error(error, "bad_text", seq=seq, upload=number, room=self.room)
            self.assertEqual(resume(ann, number), len(wrong))  # a refused one leaves it
            ann.read("ack", seq=send_upload(ann, number, len(wrong), room=self.room, name="wrong"))

    def test_characters_cut_between_pieces_are_text(self) -> None:
        ann = self.enter()
        data = "€".encode() * 5000
        say_parts(ann, 1, data, piece=1000)
        ann.read("ack", seq=send_upload(ann, 1, len(data), room=self.room))

    def test_other_frames_go_between_the_pieces_and_keep_their_order(self) -> None:
        ann = self.enter()
        data = content()
        for start in range(0, SIZE, MAX_BODY):
            ann.say("part", data[start : start + MAX_BODY], upload=1, offset=start)
            ann.say("part", data[start : start + MAX_BODY], upload=2, offset=start)
            ann.send(f"at {start}", self.room)
        send_upload(ann, 1, SIZE, room=self.room, name="one")
        ann.send("between", self.room)
        last = send_upload(ann, 2, SIZE, room=self.room, name="two")
        id = ann.read("ack", seq=last)["id"]
        messages = ann.read_messages(self.room, id)
        self.assertEqual([m.header.get("name", m.text) for m in messages[-3:]], ["one", "between", "two"])
        self.assertEqual(fetch(ann, self.room, id), data)

    def test_the_number_is_free_when_the_upload_is_used_up(self) -> None:
        ann = self.enter()
        first, second = content(seed=1), content(seed=2)
        say_parts(ann, 1, first)
        send_upload(ann, 1, SIZE, room=self.room, name="first")
        say_parts(ann, 1, second)  # not waiting for the ack
        id = ann.read("ack", seq=send_upload(ann, 1, SIZE, room=self.room, name="second"))["id"]
        self.assertEqual(fetch(ann, self.room, id - 1), first)
        self.assertEqual(fetch(ann, self.room, id), second)

    def test_a_send_that_does_not_match_is_refused_and_leaves_the_upload(self) -> None:
        ann = self.enter()
        say_parts(ann, 1, content())
        for upload, size in ((1, SIZE - 1), (1, SIZE + 1), (1, 0), (2, 5)):
            seq = send_upload(ann, upload, size, room=self.room, name="x")
            self.assert_error(self.refused(ann, seq), "unknown_upload", seq=seq, upload=upload, room=self.room)
        ann.read("ack", seq=send_upload(ann, 1, SIZE, room=self.room, name="x"))

    def test_a_part_that_does_not_follow_is_not_stored(self) -> None:
        ann = self.enter()
        for offset in (5, MAX_BODY, 2**53 - 1):
            ann.say("part", b"x", upload=1, offset=offset)
            self.assert_error(ann.read("error"), "unknown_upload", upload=1)
        ann.say("part", b"hello", upload=1, offset=0)
        ann.say("part", b"hello", upload=1, offset=0)
        self.assert_error(ann.read("error"), "unknown_upload", upload=1)
        ann.say("part", b"x" * (MAX_BODY + 1), upload=1, offset=5)
        self.assert_error(ann.read("error"), "too_large", upload=1)
        ann.say("part", upload=1, offset=5)
        self.assertEqual(resume(ann, 1), 5)
        self.assert_lives(ann)

    def test_drop_forgets(self) -> None:
        ann = self.enter()
        say_parts(ann, 1, content())
        ann.say("drop", upload=1)
        ann.say("drop", upload=2)
        self.assertEqual(resume(ann, 1), 0)
        id = self.uploaded(ann, content(seed=3), name="anew")
        self.assertEqual(fetch(ann, self.room, id), content(seed=3))

    def test_uploads_belong_to_user_and_client(self) -> None:
        ann = self.enter("ann-u", client="c1", key="k")
        say_parts(ann, 1, content())
        self.assertEqual(resume(ann, 1), SIZE)
        for other in (self.enter("ann-u", client="c2", key="k"), self.enter("bob-u", client="c1"), self.enter()):
            self.assertEqual(resume(other, 1), 0)
        ann.close()
        again = self.enter("ann-u", client="c1", key="k")
        self.assertEqual(resume(again, 1), SIZE)
        again.read("ack", seq=send_upload(again, 1, SIZE, room=self.room, name="x"))
        self.assertEqual(resume(again, 1), 0)

    def test_what_an_older_connection_sends_is_not_taken(self) -> None:
        old = self.enter("twin", client="c")
        say_parts(old, 1, content())
        self.assertEqual(resume(old, 1), SIZE)
        new = self.enter("twin", client="c")
        self.assertEqual(old.read("bye")["reason"], "replaced")
        new.say("part", b"more", upload=1, offset=SIZE)
        self.assertEqual(resume(new, 1), SIZE + 4)

    def test_resume_while_pieces_are_under_way_tells_all_of_them(self) -> None:
        ann = self.enter()
        data = content()
        say_parts(ann, 1, data[:300_000])
        self.assertEqual(resume(ann, 1), 300_000)
        say_parts(ann, 1, data, offset=300_000)
        ann.read("ack", seq=send_upload(ann, 1, SIZE, room=self.room, name="x"))

    def test_quit_behind_an_upload_waits_for_it(self) -> None:
        ann = self.enter("leaver", client="c")
        data = content()
        say_parts(ann, 1, data)
        send_upload(ann, 1, SIZE, room=self.room, name="x")
        say_parts(ann, 2, data)
        ann.half_close()
        kinds = [frame.type for frame in ann.frames()]
        self.assertEqual((kinds[-1], kinds.count("ack")), ("bye", 1))
        self.assertEqual(resume(self.enter("leaver", client="c"), 2), SIZE)


class Fetching(UploadCase):
    def test_every_message_can_be_fetched_from_anywhere(self) -> None:
        ann = self.enter()
        data = content()
        id = self.uploaded(ann, data, name="x")
        for offset in (0, 1, 256 * 1024 - 1, 256 * 1024, SIZE - 1, SIZE, SIZE + 5, 2**53 - 1):
            self.assertEqual(fetch(ann, self.room, id, offset), data[offset:], offset)
        id = ann.store("héllo", self.room)
        self.assertEqual(fetch(ann, self.room, id, 2), "héllo".encode()[2:])

    def test_there_is_no_such_message(self) -> None:
        ann = self.enter()
        for id in (0, 1, 2**53 - 1):
            ann.say("fetch", room=self.room, id=id, ref=1)
            self.assert_error(ann.read("error"), "unknown_message", ref=1, room=self.room)

    def test_only_in_a_room_that_was_joined(self) -> None:
        ann = self.enter()
        id = self.uploaded(ann, content(), name="x")
        bob = self.login()
        bob.say("fetch", room=self.room, id=id, ref=1)
        self.assert_error(bob.read("error"), "not_in_room", ref=1, room=self.room)
        bob.say("fetch", room=self.room + "-none", id=id, ref=1)
        self.assert_error(bob.read("error"), "unknown_room", ref=1, room=self.room + "-none")

    def test_cancel_ends_it_with_one_done(self) -> None:
        ann = self.enter()
        id = self.uploaded(ann, content(), name="x")
        ann.say("fetch", room=self.room, id=id, ref=1)
        ann.say("cancel", ref=1)
        ann.say("cancel", ref=1)
        ann.until_pong()
        ann.say("fetch", room=self.room, id=id, ref=1, offset=SIZE)
        self.assertEqual([frame.type for frame in ann.answer(1)], ["done"])

    def test_live_messages_go_on_between_the_pieces(self) -> None:
        ann, bob = self.enter(), self.enter()
        data = content(8_000_000)
        id = self.uploaded(ann, data, name="x")
        bob.read("message", id=id)
        bob.say("fetch", room=self.room, id=id, ref=1)
        bob.read("part", offset=0)
        live = ann.store("live", self.room)
        bob.read("message", id=live)
        self.assertLess(bob.bytes_read, 8_000_000)
        self.assertEqual([frame.type for frame in bob.answer(1)][-1], "done")


class AfterARestart(ServerCase):
    """A server that was killed goes on with what it had stored, and forgets what nobody wants."""

    def test_what_was_dropped_or_left_alone_is_removed(self) -> None:
        with ServerProcess() as server, closing(connect(server.folder / "chat.db", isolation_level=None)) as database:
            ann = server.connect()
            ann.login("ann", client="c")
            for upload in (1, 2, 3):
                say_parts(ann, upload, content())
                resume(ann, upload)
            ann.say("drop", upload=1)
            self.assertEqual(resume(ann, 1), 0)
            server.kill()
            database.execute("UPDATE uploads SET touched_at = touched_at - 3600000 WHERE number = 2")
            server.start()
            until = monotonic() + 20
            while database.execute("SELECT COUNT(*) FROM uploads").fetchone() != (1,):
                self.assertLess(monotonic(), until)
            self.assertEqual(database.execute("SELECT SUM(LENGTH(data)) FROM parts").fetchone(), (SIZE,))
            ann = server.connect()
            ann.login("ann", client="c")
            self.assertEqual([resume(ann, upload) for upload in (1, 2, 3)], [0, 0, SIZE])

    def test_an_upload_goes_on(self) -> None:
        data = content(3_000_000)
        with ServerProcess() as server:
            ann = server.connect()
            ann.login("ann", client="c")
            say_parts(ann, 1, data[:2_000_000])
            self.assertEqual(resume(ann, 1), 2_000_000)
            say_parts(ann, 1, data, offset=2_000_000)
            server.kill()
            server.start()
            ann = server.connect()
            ann.login("ann", client="c")
            stored = resume(ann, 1)
            self.assertGreaterEqual(stored, 2_000_000)
            say_parts(ann, 1, data, offset=stored)
            id = ann.read("ack", seq=send_upload(ann, 1, len(data), name="x"))["id"]
            self.assertEqual(fetch(ann, "lobby", id), data)


class Limits(ServerCase):
    def test_the_largest_message(self) -> None:
        with ServerProcess("--max-message", "100kB") as server:
            ann = server.connect()
            ann.login("ann")
            say_parts(ann, 1, content(120_000))
            self.assert_error(ann.read("error"), "too_large", upload=1)
            self.assertEqual(resume(ann, 1), 0)
            say_parts(ann, 2, content(100_000))
            ann.read("ack", seq=send_upload(ann, 2, 100_000, name="x"))
            seq = send_upload(ann, 3, 100_001, name="x")
            self.assert_error(ann.read("error"), "too_large", seq=seq, upload=3)

    def test_what_follows_one_that_is_forgotten_begins_anew(self) -> None:
        with ServerProcess("--max-message", "100kB") as server:
            ann = server.connect()
            ann.login("ann", client="c")
            say_parts(ann, 1, content(90_000))
            self.assertEqual(resume(ann, 1), 90_000)
            ann.close()
            ann = server.connect()
            ann.login("ann", client="c")
            ann.say("part", b"x" * 20_000, upload=1, offset=90_000)
            ann.say("part", b"hello", upload=1, offset=0)
            self.assertEqual(resume(ann, 1), 5)
            self.assertEqual([frame["code"] for frame in ann.until_pong()], ["too_large"])

    def test_a_full_storage_refuses_what_is_new_and_is_read(self) -> None:
        with ServerProcess("--max-storage", "1MB") as server:
            ann = server.connect()
            ann.login("ann")
            ann.store("before")
            data = content(600_000)
            say_parts(ann, 1, data)
            id = ann.read("ack", seq=send_upload(ann, 1, len(data), name="x"))["id"]
            say_parts(ann, 2, content(500_000))
            self.assert_error(ann.read("error"), "too_large", upload=2)
            big = "x" * 60_000
            while (seq := ann.send(big)) and (answer := ann.read(None, seq=seq)).type == "ack":
                pass
            self.assert_error(answer, "too_large", seq=seq)
            self.assertEqual(fetch(ann, "lobby", id), data)
