"""The outbox on disk: what an earlier run left, wherever that was ended."""

from __future__ import annotations

import errno
import os
import random
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest import TestCase
from unittest.mock import patch

from msgspec import UNSET
from twisted.internet.defer import CancelledError, Deferred

from cli import Client, ClientClosed, kept
from cli.kept import Kept, Text
from cli.sources import CHUNK
from cli.status import Listener
from tests.cli.ends import End
from tests.cli.store import Store
from tests.cli.test_client import ClientCase
from wire import frames
from wire.frames import MAX_BODY, Drop, Part, Resume, RoomSpan, Send, Welcome


class TheFile(TestCase):
    def setUp(self) -> None:
        self.path = Path(self.enterContext(tempfile.TemporaryDirectory())) / "outbox"
        self.complaints: list[str] = []

    def open(self) -> Kept:
        return Kept(self.path, self.complaints.append)

    def keep(self, kept: Kept, *texts: str) -> list[int]:
        return [kept.keep(lambda entry, text=text: Text(entry, "lobby", text)) for text in texts]  # type: ignore[misc]

    def left(self) -> list[tuple[str, int | None]]:
        """What the next run finds."""
        again = self.open()
        again.close()
        return [(entry.text, number) for entry, number in again.left if isinstance(entry, Text)]

    def test_what_was_said_and_what_waits(self) -> None:
        file = self.open()
        a, b, _ = self.keep(file, "a", "b\n\U0001f600", "c")
        file.place(a, 7)
        file.place(b, 8)
        file.place(a, None)
        self.assertEqual(self.left(), [("a", None), ("b\n\U0001f600", 8), ("c", None)])
        file.done(a)
        self.assertEqual(self.left(), [("b\n\U0001f600", 8), ("c", None)])
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)

    def test_emptied_when_nothing_is_outstanding(self) -> None:
        file = self.open()
        for entry in self.keep(file, "a", "b"):
            file.done(entry)
        self.assertEqual(self.path.stat().st_size, 0)
        self.keep(file, "c")
        self.assertEqual(self.left(), [("c", None)])

    def test_torn_anywhere(self) -> None:
        file = self.open()
        a, _ = self.keep(file, "a", "b")
        file.place(a, 1)
        whole = self.path.read_bytes()
        file.done(a)
        file.close()
        found = []
        for size in range(len(whole) + 1):
            self.path.write_bytes(whole[:size])
            found.append(self.left())
            more = self.open()
            self.keep(more, "later")  # what is added does not hang on to the torn line
            more.close()
            self.assertEqual(self.left(), [*found[-1], ("later", None)])
        self.assertEqual(
            [found[0], *(now for before, now in pairwise(found) if now != before)],
            [[], [("a", None)], [("a", None), ("b", None)], [("a", 1), ("b", None)]],
        )
        self.assertEqual(self.complaints, [])

    def test_compacted(self) -> None:
        with patch.object(kept, "COMPACT", 10_000):
            file = self.open()
            first, second = self.keep(file, "first", "second")
            file.place(second, 4)
            chance = random.Random(1)
            open_ = []
            for n in range(3000):
                open_ += self.keep(file, f"{n}" * chance.randrange(20))
                if len(open_) > 5:
                    file.done(open_.pop(chance.randrange(len(open_))))
                self.assertEqual(file._live, sum(length for _, length in file._lines.values()))
                if n % 700 == 0:
                    file.close()
                    file = self.open()
            file.place(first, 9)
            self.assertLess(self.path.stat().st_size, 15_000)
            self.assertEqual(self.left()[:2], [("first", 9), ("second", 4)])
            self.assertEqual(len(self.left()), 2 + len(open_))
            self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)
            self.assertEqual([path.name for path in self.path.parent.iterdir()], ["outbox"])

    def test_writing_does_not_look_at_all_that_is_open(self) -> None:
        class Watched(dict[int, tuple[int, int]]):
            walks = 0

            def _walk(self) -> None:
                self.walks += 1

            def __iter__(self) -> Any:
                self._walk()
                return super().__iter__()

            def values(self) -> Any:
                self._walk()
                return super().values()

            def items(self) -> Any:
                self._walk()
                return super().items()

        file = self.open()
        watched = file._lines = Watched()
        with patch.object(kept, "COMPACT", 0):
            entries = self.keep(file, *"abcdef")
            for entry in entries:
                file.place(entry, entry)
            file.done(entries[0])
        self.assertIs(file._lines, watched)
        self.assertEqual(watched.walks, 0)

    def test_unusable(self) -> None:
        self.path.mkdir()
        file = self.open()
        for entry in self.keep(file, "a", "b"):
            file.place(entry, entry)
            file.done(entry)
        ((complaint),) = self.complaints
        self.assertIn("outbox", complaint)

    def test_disk_full_in_the_middle(self) -> None:
        file = self.open()
        self.keep(file, "a")
        write = os.write

        def full(descriptor: int, data: Any) -> int:
            if len(data) > 10:
                return write(descriptor, data[:10])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with patch.object(os, "write", full):
            self.keep(file, "b", "c")
        self.assertEqual(len(self.complaints), 1)
        self.assertIn("No space left", self.complaints[0])
        self.assertEqual(self.left(), [])

    def test_disk_full_before_it_is_said(self) -> None:
        file = self.open()
        (a,) = self.keep(file, "a")
        with patch.object(os, "write", side_effect=OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))):
            file.place(a, 1)
        file.done(a)  # it is said and stored all the same
        self.assertEqual(len(self.complaints), 1)
        self.assertEqual(self.left(), [])


class Told(Listener):
    def __init__(self) -> None:
        self.resends: list[tuple[str, str]] = []
        self.notices: list[tuple[str, str]] = []
        self.rooms: list[str] = []

    def resent(self, room: str, what: str) -> None:
        self.resends.append((room, what))

    def notice(self, code: str, text: str) -> None:
        self.notices.append((code, text))

    def room_opened(self, room: str, first_id: int, last_id: int) -> None:
        self.rooms.append(room)


class Restarted(ClientCase):
    def setUp(self) -> None:
        super().setUp()
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.path = self.folder / "outbox"
        self.store = Store()
        self.told = Told()
        self.runs: list[Client] = []
        self.addCleanup(self.end_all)

    def end_all(self) -> None:
        for client in self.runs:
            client._session.lost()
            client._session.close(ClientClosed("killed"))

    def leave(self, sent: Deferred[int | None]) -> None:
        """Nobody of that run is there any more who waits for it."""
        sent.addErrback(lambda failure: failure.trap(ClientClosed))

    def begin(self, **options: Any) -> End:
        """Start the program: whatever ran before is gone without a word."""
        self.told = Told()
        self.client, _ = self.network.client(outbox=self.path, listener=self.told, **options)
        self.runs.append(self.client)
        return self.network.accept()

    def run_on(self, **options: Any) -> End:
        end = self.begin(**options)
        self.store.welcome(end)
        return end

    def bodies(self) -> list[bytes]:
        return [body for _, body in self.store.messages]

    def test_sent_but_not_received(self) -> None:
        self.run_on()
        self.leave(self.client.send_msg("one"))
        self.leave(self.client.send_msg("two"))
        end = self.begin()
        self.assertEqual(self.client.check_status().unsent, 2)
        self.leave(self.client.send_msg("three"))
        self.store.welcome(end)
        self.assertEqual(self.told.resends, [("lobby", "one"), ("lobby", "two")])
        self.store.serve(end)
        self.assertEqual(self.bodies(), [b"one", b"two", b"three"])
        self.assertEqual(self.client.check_status().unsent, 0)
        self.assertEqual(self.path.stat().st_size, 0)

    def test_what_is_taken_back_before_it_is_said(self) -> None:
        end = self.begin()
        kept, taken_back = self.client.send_msg("one"), self.client.send_msg("two")
        self.leave(kept)
        taken_back.cancel()
        self.failureResultOf(taken_back, CancelledError)
        self.assertEqual(self.client.check_status().unsent, 1)
        end = self.begin()  # a run later it is no more either
        self.assertEqual(self.client.check_status().unsent, 1)
        self.store.welcome(end)
        self.store.serve(end)
        self.assertEqual(self.bodies(), [b"one"])

    def test_what_is_said_cannot_be_taken_back(self) -> None:
        end = self.run_on()
        said = self.client.send_msg("one")
        said.cancel()
        self.failureResultOf(said, CancelledError)
        self.store.serve(end)
        self.assertEqual((self.bodies(), self.client.check_status().unsent), ([b"one"], 0))

    def test_received_but_not_acknowledged(self) -> None:
        end = self.run_on()
        for text in "abc":
            self.leave(self.client.send_msg(text))
        end.say = lambda *_: None  # type: ignore[method-assign]
        self.store.serve(end, limit=2)
        end = self.run_on()
        self.assertEqual(self.told.resends, [("lobby", "c")])
        self.store.serve(end)
        self.assertEqual(self.bodies(), [b"a", b"b", b"c"])

    def test_killed_while_numbers_are_taken_back(self) -> None:
        self.run_on()
        for text in "abc":
            self.leave(self.client.send_msg(text))
        before = self.path.stat().st_size
        self.run_on()
        lines = self.path.read_bytes()[before:].splitlines(keepends=True)
        self.path.write_bytes(self.path.read_bytes()[: before + len(lines[0])])
        self.store.serve(self.run_on())
        self.assertEqual(self.bodies(), [b"a", b"b", b"c"])

    def test_typed_without_a_connection(self) -> None:
        self.store.received = 41
        self.begin()
        self.leave(self.client.send_msg("typed"))
        end = self.begin()
        self.leave(self.client.send_msg("typed later"))
        self.store.welcome(end)
        self.store.serve(end)
        self.assertEqual(self.bodies(), [b"typed", b"typed later"])

    def test_killed_at_every_moment(self) -> None:
        """Many runs, each ended after some frames, whose answers came or did not: each text once, in order."""
        for seed in range(60):
            with self.subTest(seed=seed):
                chance = random.Random(seed)
                self.store = Store()
                self.path.unlink(missing_ok=True)
                texts: list[str] = []
                file = self.folder / "file"
                file.write_bytes(b"f" * MAX_BODY * 3)
                for _ in range(chance.randrange(2, 8)):
                    end = self.begin()
                    if chance.random() < 0.8:
                        self.store.welcome(end)
                    for _ in range(chance.randrange(4)):
                        texts.append(f"{len(texts)} " + "long" * chance.choice((0, 0, MAX_BODY)))
                        self.leave(self.client.send_msg(texts[-1]))
                    if chance.random() < 0.3:
                        self.leave(self.client.send_file(file, name=f"{len(texts)}"))
                        texts.append(file.read_text())
                    if chance.random() < 0.3:
                        end.say = lambda *_: None  # type: ignore[method-assign]
                    if self.client.check_status().state.value == "live":
                        self.store.serve(end, limit=chance.randrange(12))
                        if chance.random() < 0.3:
                            end.cut()
                            end = self.again()
                            self.store.welcome(end)
                            self.store.serve(end, limit=chance.randrange(12))
                end = self.run_on()
                self.store.serve(end)
                found = [body.decode() for body in self.bodies()]
                self.assertEqual(sorted(found), sorted(texts))
                short = [text for text in texts if len(text) < MAX_BODY]
                self.assertEqual([text for text in found if len(text) < MAX_BODY], short)
                self.assertEqual(self.path.stat().st_size, 0)

    def test_file_goes_on(self) -> None:
        data = random.Random(0).randbytes(3 * CHUNK)
        file = self.folder / "f\udc80"
        file.write_bytes(data)
        end = self.run_on()
        self.leave(self.client.send_file(file, name="f"))
        self.store.serve(end, limit=20)
        (before,) = self.store.uploads.values()
        self.assertGreater(len(before), CHUNK)
        self.store.parts = 0
        end = self.run_on()
        self.assertEqual(self.told.resends, [("lobby", "f")])
        self.store.serve(end)
        self.assertEqual([(frame.name, body) for frame, body in self.store.messages], [("f", data)])
        self.assertLess(self.store.parts, 3 * CHUNK // MAX_BODY)

    def test_numbers_that_others_have_now(self) -> None:
        """Files were said with numbers, which texts bear on the next connection; then it dies again."""
        for n in range(6):
            (self.folder / f"{n}").write_bytes(b"x" * n)
        end = self.run_on()
        for n in range(6):
            self.leave(self.client.send_file(self.folder / f"{n}"))
        self.assertEqual(self.client.check_status().unsent, 6)
        while frames_heard := [frame for frame, _ in end.heard()]:
            for frame in frames_heard:
                if isinstance(frame, Resume):
                    end.say(frames.Resumed(ref=frame.ref, upload=frame.upload, size=0))
        end = self.run_on()
        for n in range(6):
            self.leave(self.client.send_msg(f"text {n}"))
        for frame, body in end.heard():
            if isinstance(frame, Send) and frame.upload is UNSET:
                self.store.take(end, frame, body)
        self.assertEqual(self.store.received, 6)
        self.store.serve(self.run_on())
        self.assertEqual(sorted(self.bodies())[-5:], [b"x" * n for n in range(1, 6)])

    def test_killed_behind_a_refusal_that_was_not_the_end(self) -> None:
        (self.folder / "f").write_bytes(b"abc")
        end = self.run_on()
        self.leave(self.client.send_file(self.folder / "f"))
        self.store.refuse = lambda frame: "unknown_upload" if isinstance(frame, Send) else None
        self.store.serve(end, limit=2)
        self.store.refuse = lambda _: None
        self.assertEqual(self.store.received, 1)
        self.store.serve(self.run_on())
        self.assertEqual(self.bodies(), [b"abc"])

    def test_file_was_changed(self) -> None:
        file = self.folder / "f"
        file.write_bytes(b"x" * 3 * CHUNK)
        end = self.run_on()
        self.leave(self.client.send_file(file))
        self.store.serve(end, limit=20)
        file.write_bytes(b"y")
        self.store.serve(self.run_on())
        self.assertEqual(self.store.uploads, {})
        ((code, text),) = self.told.notices
        self.assertEqual(code, "unreadable")
        self.assertIn("changed", text)
        self.assertEqual(self.path.stat().st_size, 0)

    def test_sent_file_that_is_gone_is_not_missed(self) -> None:
        file = self.folder / "f"
        file.write_bytes(b"x")
        end = self.run_on()
        self.leave(self.client.send_file(file))
        end.say = lambda *_: None  # type: ignore[method-assign]
        self.store.serve(end)
        file.unlink()
        end = self.run_on()
        self.store.serve(end)
        self.assertEqual(self.told.resends, [])
        self.assertEqual([type(frame) for frame in self.store.asked], [Send, Resume])
        self.assertEqual(self.path.stat().st_size, 0)

    def test_killed_again_before_a_lost_refusal_is_known(self) -> None:
        (self.folder / "f").write_bytes(b"x")
        end = self.run_on()
        self.leave(self.client.send_file(self.folder / "f"))
        end.say = lambda *_: None  # type: ignore[method-assign]
        self.store.refuse = lambda frame: "failed" if isinstance(frame, Send) else None
        self.store.serve(end)
        self.run_on()
        self.assertEqual(self.client.check_status().unsent, 1)
        self.store.serve(self.run_on())
        ((code, _),) = self.told.notices
        self.assertEqual(code, "failed")
        self.assertEqual(self.path.stat().st_size, 0)

    def test_stream_is_dropped(self) -> None:
        end = self.run_on()
        self.leave(self.client.send_stream(lambda size: b"x" * size))
        self.store.serve(end, limit=10)
        self.assertEqual(len(self.store.uploads), 1)
        end = self.run_on()
        self.store.serve(end)
        self.assertEqual([type(frame) for frame in self.store.asked][-1], Drop)
        self.assertEqual(self.store.uploads, {})
        self.assertEqual(self.path.stat().st_size, 0)

    def test_cancelled_is_not_taken_up(self) -> None:
        file = self.folder / "f"
        file.write_bytes(b"x" * 3 * CHUNK)
        end = self.run_on()
        sent = self.client.send_file(file)
        self.store.serve(end, limit=5)
        sent.cancel()
        self.failureResultOf(sent, CancelledError)
        self.assertEqual(self.path.stat().st_size, 0)

    def test_refused_after_the_restart(self) -> None:
        self.run_on()
        self.leave(self.client.send_msg("mine"))
        self.store.refuse = lambda frame: "forbidden" if isinstance(frame, Send) else None
        self.store.serve(self.run_on())
        self.assertEqual(self.told.notices, [("forbidden", "not sent: mine: no")])
        self.assertEqual(self.path.stat().st_size, 0)

    def test_for_a_room_that_this_run_is_not_in(self) -> None:
        end = self.begin(rooms={"dev": None})
        end.welcome(dev=(1, 0))
        self.leave(self.client.send_msg("to dev", "dev"))
        end = self.begin()
        ((login, _),) = end.heard()
        self.assertEqual(login.rooms, {"lobby": None, "dev": None})  # type: ignore[union-attr]
        spans = {"lobby": RoomSpan(1, 0), "dev": RoomSpan(1, 5)}
        end.say(Welcome(user="ann", server="", ping_every=30, received=0, rooms=spans))
        end.say((frames.Message(room="dev", id=5, sender="bob", at=0), b"not for us"))
        self.assertEqual(end.heard(), [(Send(seq=1, room="dev"), b"to dev")])
        self.assertEqual(self.told.rooms, ["lobby"])
        self.assertEqual(self.client.check_status().behind, 0)
        self.assertEqual(len(self.client._session.inbox), 0)

    def test_joining_a_room_for_which_something_was_left(self) -> None:
        self.begin(rooms={"dev": None}).welcome(dev=(1, 0))
        self.leave(self.client.send_msg("to dev", "dev"))
        joined = frames.Joined(room="dev", first_id=1, last_id=6)
        for moment in ("before the login", "after it"):
            with self.subTest(moment):
                self.told = Told()
                self.client, _ = self.network.client(outbox=self.path, listener=self.told, rooms={})
                self.runs.append(self.client)
                if moment == "before the login":
                    joining = self.client.join("dev", history=2)
                    end = self.network.accept()
                    self.assertEqual(end.welcome(tea=(1, 0)).rooms, {})
                else:
                    end = self.network.accept()
                    self.assertEqual(end.welcome(dev=(1, 5)).rooms, {"dev": None})
                    end.say((frames.Message(room="dev", id=6, sender="bob", at=0), b"nobody is there yet"))
                    joining = self.client.join("dev", history=2)
                self.assertEqual({type(frame) for frame, _ in end.heard()}, {frames.Join, Send})
                end.say(joined)
                self.successResultOf(joining)
                self.assertEqual(self.told.rooms[-1], "dev")
                end.say((frames.Message(room="dev", id=7, sender="bob", at=0), b"now we are"))
                if moment == "after it":  # what was before does not come by itself, as we were there all the time
                    ((ask, _),) = end.heard()
                    self.assertEqual((ask.before, ask.limit), (7, 2))  # type: ignore[union-attr]

    def test_closing_leaves_it_for_the_next_run(self) -> None:
        self.run_on()
        sent = self.client.send_msg("x")
        self.client._stop("")
        self.clock.advance(0)
        self.failureResultOf(sent)
        self.store.serve(self.run_on())
        self.assertEqual(self.bodies(), [b"x"])

    def test_number_is_on_disk_before_it_is_on_the_wire(self) -> None:
        end = self.run_on()
        write, seen = end.write, []

        def look(data: bytes) -> None:
            seen.append(self.path.read_bytes())
            write(data)

        end.write = look  # type: ignore[method-assign]
        self.leave(self.client.send_msg("x"))
        self.assertIn(b'"number":1}', seen[0])

    def test_parts_before_the_first_welcome(self) -> None:
        """Nothing is uploaded before we are logged in."""
        (self.folder / "f").write_bytes(b"x")
        end = self.begin()
        self.leave(self.client.send_file(self.folder / "f"))
        end.heard()
        self.assertFalse([frame for frame, _ in end.heard() if isinstance(frame, Part)])
        self.store.welcome(self.begin())
