"""Downloads of a client on a network that the test breaks, from servers that lie."""

from __future__ import annotations

import errno
import os
import random
import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import Mock, patch

from msgspec import UNSET
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionLost

from cli import AskRefused, ClientClosed
from cli.downloads import UNWRITTEN
from tests.cli.ends import End
from tests.cli.store import PIECE, Store
from tests.cli.test_client import ClientCase
from tests.cli.test_uploads import Threads
from wire import frames
from wire.frames import Cancel, Fetch, History

DATA = random.Random(0).randbytes(7 * PIECE + 11)


class DownloadCase(ClientCase):
    def setUp(self) -> None:
        super().setUp()
        self.store = Store()
        self.store.messages = [
            (frames.Send(seq=1, upload=1, name="f.bin"), DATA),
            (frames.Send(seq=2), "short ä".encode()),
            (frames.Send(seq=3, upload=2), b"long" * 20_000),
        ]
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.target = self.folder / "f.bin"
        self.got = bytearray()

    def again(self) -> End:
        end = super().again()
        self.store.welcome(end)
        return end

    def fetch(self, id: int = 1, **how: Any) -> Deferred[int]:
        return self.client.fetch(id, write=self.got.extend, **how)

    def listing(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    def begun(self, size: int, end: End, answer: bool = True) -> Fetch:
        """Look message 1 up as one of so many bytes, and return the question for its content."""
        (ask,) = [frame for frame, _ in end.heard() if isinstance(frame, History)]
        end.say(
            frames.Message(room="lobby", id=1, sender="ann", at=0, size=size, ref=ask.ref), frames.Done(ref=ask.ref)
        )
        (fetch,) = [frame for frame, _ in end.heard() if isinstance(frame, Fetch)]
        return fetch


class Fetching(DownloadCase):
    def test_every_kind_of_message(self) -> None:
        end = self.live()
        for id, content in ((1, DATA), (2, "short ä".encode()), (3, b"long" * 20_000)):
            self.got.clear()
            seen: list[tuple[int, int | None]] = []
            fetched = self.fetch(id, progress=lambda *done, seen=seen: seen.append(done))
            self.store.serve(end)
            self.assertEqual(self.successResultOf(fetched), len(content))
            self.assertEqual(self.got, content)
            self.assertEqual((seen[0], seen[-1]), ((0, len(content)), (len(content), len(content))))

    def test_from_an_offset(self) -> None:
        end = self.live()
        fetched = [self.fetch(offset=5), self.fetch(offset=len(DATA)), self.fetch(offset=2**40)]
        self.store.serve(end)
        self.assertEqual([self.successResultOf(each) for each in fetched], [len(DATA)] * 3)
        self.assertEqual(self.got, DATA[5:])

    def test_goes_on_after_every_piece(self) -> None:
        for pieces in range(9):
            self.got.clear()
            end = self.live()
            fetched = self.fetch()
            fetch = self.begun(len(DATA), end)
            for n in range(pieces):
                end.say((frames.Piece(ref=fetch.ref, offset=n * PIECE), DATA[n * PIECE : (n + 1) * PIECE]))
            end.cut()
            self.store.asked.clear()
            self.store.serve(self.again())
            self.assertEqual(self.successResultOf(fetched), len(DATA))
            self.assertEqual(self.got, DATA)
            offsets = [frame.offset for frame in self.store.asked if isinstance(frame, Fetch)]
            self.assertEqual(offsets, [min(pieces * PIECE, len(DATA))])
            self.client._stop("")

    def test_database_away(self) -> None:
        end = self.live()
        fetched = self.fetch()
        ref = self.begun(len(DATA), end).ref
        end.say(frames.Error(code="storage_down", text="", ref=ref))
        self.assertEqual(end.heard(), [])
        end.say(frames.Notice(code="storage_down", text=""), frames.Notice(code="storage_up", text=""))
        self.store.serve(end)
        self.successResultOf(fetched)
        self.assertEqual(self.got, DATA)

    def test_database_was_away_without_a_word(self) -> None:
        end = self.live()
        fetched = self.fetch()
        end.say(frames.Error(code="storage_down", text="", ref=self.begun(len(DATA), end).ref))
        self.assertNoResult(fetched)
        self.clock.advance(30)
        self.store.serve(end)
        self.successResultOf(fetched)

    def test_nothing_there(self) -> None:
        end = self.live()
        fetched = self.fetch(9)
        self.store.serve(end)
        self.assertEqual(self.failureResultOf(fetched, AskRefused).value.code, "unknown_message")

    def test_deleted(self) -> None:
        end = self.live()
        fetched = self.fetch()
        ((ask, _),) = end.heard()
        told = frames.Message(room="lobby", id=1, sender="x", at=0, deleted=True, ref=ask.ref)  # type: ignore[union-attr]
        end.say(told, frames.Done(ref=told.ref))  # type: ignore[arg-type]
        self.assertEqual(self.failureResultOf(fetched, AskRefused).value.code, "unknown_message")

    def test_deleted_meanwhile(self) -> None:
        end = self.live()
        fetched = self.fetch()
        end.say(frames.Error(code="unknown_message", text="gone", ref=self.begun(100, end).ref))
        self.assertEqual(self.failureResultOf(fetched, AskRefused).value.code, "unknown_message")

    def test_cancelled(self) -> None:
        end = self.live()
        fetched = self.fetch()
        fetch = self.begun(100, end)
        fetched.cancel()
        self.failureResultOf(fetched, CancelledError)
        self.assertEqual(end.heard(), [(Cancel(ref=fetch.ref), b"")])
        end.say((frames.Piece(ref=fetch.ref, offset=0), b"late"), frames.Done(ref=fetch.ref))
        self.assertEqual(self.got, b"")

    def test_closed(self) -> None:
        self.live()
        fetched = [self.fetch() for _ in range(6)]
        self.client._stop("")
        self.clock.advance(0)
        for each in [*fetched, self.fetch()]:
            self.failureResultOf(each, ClientClosed)

    def test_writer_that_fails(self) -> None:
        end = self.live()

        def write(data: bytes) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        fetched = self.client.fetch(1, write=write)
        self.store.serve(end)
        self.assertEqual(self.failureResultOf(fetched, OSError).value.errno, errno.ENOSPC)
        self.assertIsInstance(self.store.asked[-1], Cancel)

    def test_few_at_once(self) -> None:
        end = self.live()
        fetched = [self.fetch() for _ in range(40)]
        self.assertEqual(len(end.heard()), 4)
        asked = self.client.who("lobby")
        ((who, _),) = end.heard()
        self.assertIsInstance(who, frames.Who)
        end.cut()
        self.failureResultOf(asked, ConnectionLost)
        self.store.serve(self.again())
        for each in fetched:
            self.successResultOf(each)


class Lying(DownloadCase):
    def test_pieces_that_cannot_be(self) -> None:
        for offset, body in ((1, b"x"), (0, b""), (0, b"x" * 101), (2**50, b"x")):
            end = self.live()
            fetched = self.fetch()
            fetch = self.begun(100, end)
            end.say((frames.Piece(ref=fetch.ref, offset=offset), body))
            self.assertEqual(self.failureResultOf(fetched, AskRefused).value.code, "failed")
            self.assertEqual(end.heard(), [(Cancel(ref=fetch.ref), b"")])
            for n in range(10_000):
                end.say((frames.Piece(ref=fetch.ref, offset=n), b"x"))
            self.assertFalse(end.lost)

    def test_less_than_it_said(self) -> None:
        end = self.live()
        fetched = self.fetch()
        fetch = self.begun(100, end)
        end.say((frames.Piece(ref=fetch.ref, offset=0), b"x"), frames.Done(ref=fetch.ref))
        self.assertIn("1 of 100", self.failureResultOf(fetched, AskRefused).value.text)

    def test_other_frames_for_an_answer(self) -> None:
        end = self.live()
        fetched = self.fetch()
        ref = self.begun(100, end).ref
        end.say(frames.Users(ref=ref, users=["x"]), frames.Message(room="lobby", id=1, sender="", at=0, ref=ref))
        self.assertNoResult(fetched)


class Held(DownloadCase):
    """A disk that is slower than the network."""

    def test_nothing_more_is_read(self) -> None:
        threads = Threads()
        end = self.live(in_thread=threads)
        size = 3 * UNWRITTEN
        fetched = self.client.fetch(1, write=self.got.extend)
        ref = self.begun(size, end).ref
        for offset in range(0, size, PIECE):
            end.say((frames.Piece(ref=ref, offset=offset), b"x" * min(PIECE, size - offset)))
            if end.producerState == "paused":
                break
        self.assertTrue(UNWRITTEN - PIECE <= offset < UNWRITTEN)
        held = [
            (frames.Piece(ref=ref, offset=o), b"x" * min(PIECE, size - o)) for o in range(offset + PIECE, size, PIECE)
        ]
        end.say(frames.Ping(ref=4), *held, frames.Done(ref=ref))  # was on its way
        self.assertEqual(end.heard(), [])
        self.clock.pump([30] * 10)  # the silence is our own
        self.assertFalse(end.lost)
        while not self.successful(fetched):
            threads.run()
        self.assertEqual(len(self.got), size)
        self.assertEqual(end.producerState, "producing")
        self.assertEqual(end.heard()[0], (frames.Pong(ref=4), b""))

    def successful(self, fetched: Deferred[int]) -> bool:
        return bool(fetched.called)

    def test_let_go_on_when_it_fails(self) -> None:
        threads = Threads()
        end = self.live(in_thread=threads)
        fetched = self.client.fetch(1, write=self.got.extend)
        ref = self.begun(3 * UNWRITTEN, end).ref
        for offset in range(0, UNWRITTEN + PIECE, PIECE):
            end.say((frames.Piece(ref=ref, offset=offset), b"x" * PIECE))
        self.assertEqual(end.producerState, "paused")
        fetched.cancel()
        self.failureResultOf(fetched, CancelledError)
        self.assertEqual(end.producerState, "producing")

    def test_reason_of_the_end_is_seen_though_held(self) -> None:
        threads = Threads()
        end = self.live(in_thread=threads)
        fetched = self.client.fetch(1, write=self.got.extend)
        ref = self.begun(3 * UNWRITTEN, end).ref
        for offset in range(0, UNWRITTEN + PIECE, PIECE):
            end.say((frames.Piece(ref=ref, offset=offset), b"x" * PIECE))
        end.say(frames.Bye(reason="replaced"))
        end.cut()
        self.clock.advance(5)
        self.assertFalse(self.network.trying)
        self.failureResultOf(fetched, ClientClosed)
        self.assertIn("elsewhere", self.client.check_status().reason)


class Saving(DownloadCase):
    def save(self, end: End, **how: Any) -> Deferred[int]:
        saved = self.client.save(1, self.target, **how)
        self.store.serve(end)
        return saved

    def test_saved(self) -> None:
        self.assertEqual(self.successResultOf(self.save(self.live())), len(DATA))
        self.assertEqual(self.target.read_bytes(), DATA)
        self.assertEqual(self.listing(), ["f.bin"])
        self.assertEqual(self.target.stat().st_mode & 0o7111, 0)

    def test_never_over_another_file(self) -> None:
        end = self.live()
        for make in (lambda: self.target.write_text("mine"), lambda: self.target.symlink_to("nowhere")):
            make()
            self.store.asked.clear()
            self.failureResultOf(self.save(end), FileExistsError)
            self.assertFalse([frame for frame in self.store.asked if isinstance(frame, Fetch)])
            self.target.unlink()
        saved = self.client.save(1, self.target)
        self.begun(len(DATA), end)
        self.target.write_text("mine")  # meanwhile
        end.cut()
        self.store.serve(self.again())
        self.failureResultOf(saved, FileExistsError)
        self.assertEqual(self.target.read_text(), "mine")
        self.target.unlink()
        self.store.asked.clear()
        self.successResultOf(self.save(self.again() if end.lost and self.network.trying else self.end()))
        self.assertFalse([frame for frame in self.store.asked if isinstance(frame, Fetch)])  # it was all there
        self.assertEqual(self.target.read_bytes(), DATA)

    def end(self) -> End:
        connection = self.client._connection
        assert connection is not None
        assert isinstance(connection.transport, End)
        return connection.transport

    def test_goes_on_where_an_earlier_try_ended(self) -> None:
        end = self.live()
        saved = self.client.save(1, self.target)
        fetch = self.begun(len(DATA), end)
        end.say((frames.Piece(ref=fetch.ref, offset=0), DATA[:PIECE]))
        saved.cancel()
        self.failureResultOf(saved, CancelledError)
        (partial,) = self.listing()
        self.assertRegex(partial, r"^\.f\.bin\.1-[0-9a-f]{8}\.part$")
        end = self.live()
        saved = self.client.save(1, self.target)
        fetch = self.begun(len(DATA), end)
        self.assertEqual(fetch.offset, PIECE)
        for offset in range(PIECE, len(DATA), PIECE):
            end.say((frames.Piece(ref=fetch.ref, offset=offset), DATA[offset : offset + PIECE]))
        end.say(frames.Done(ref=fetch.ref))
        self.successResultOf(saved)
        self.assertEqual(self.target.read_bytes(), DATA)
        self.assertEqual(self.listing(), ["f.bin"])

    def test_longer_than_it_can_be(self) -> None:
        end = self.live()
        saved = self.client.save(1, self.target)
        fetch = self.begun(len(DATA), end)
        saved.cancel()
        self.failureResultOf(saved, CancelledError)
        (partial,) = self.listing()
        (self.folder / partial).write_bytes(DATA + b"more")
        saved = self.client.save(1, self.target)
        fetch = self.begun(len(DATA), end)
        self.assertEqual(fetch.offset, 0)
        saved.cancel()
        self.failureResultOf(saved, CancelledError)

    def test_two_at_once(self) -> None:
        """Each writes all of it into the one hidden file; the second finds its place taken."""
        end = self.live()
        saved = [self.client.save(1, self.target) for _ in range(2)]
        asks = [frame for frame, _ in end.heard()]
        for ask in asks:
            assert isinstance(ask, History)
            self.store.take(end, ask, b"")
        fetches = [frame for frame, _ in end.heard()]
        for offset in range(0, len(DATA), PIECE):
            for fetch in fetches:
                assert isinstance(fetch, Fetch)
                end.say((frames.Piece(ref=fetch.ref, offset=offset), DATA[offset : offset + PIECE]))
        for fetch in fetches:
            assert isinstance(fetch, Fetch)
            end.say(frames.Done(ref=fetch.ref))
        self.successResultOf(saved[0])
        self.failureResultOf(saved[1], OSError)
        self.assertEqual(self.target.read_bytes(), DATA)

    def test_another_message_of_that_number(self) -> None:
        end = self.live()
        saved = self.client.save(1, self.target)
        self.begun(len(DATA), end)
        saved.cancel()
        self.failureResultOf(saved, CancelledError)
        (partial,) = self.listing()
        (self.folder / partial).write_bytes(b"x" * 9)
        saved = self.client.save(1, self.target)
        self.assertEqual(self.begun(len(DATA) + 1, end).offset, 0)
        saved.cancel()
        self.failureResultOf(saved, CancelledError)

    def test_long_names(self) -> None:
        self.target = self.folder / ("ä" * 127)
        self.successResultOf(self.save(self.live()))
        self.assertEqual(self.target.read_bytes(), DATA)

    def test_file_system_without_links(self) -> None:
        with patch.object(os, "link", side_effect=PermissionError(errno.EPERM, "no links")):
            self.successResultOf(self.save(self.live()))
            self.assertEqual(self.listing(), ["f.bin"])
            with patch.object(os.path, "lexists", return_value=False):  # somebody makes it at the last moment
                self.failureResultOf(self.save(self.live()), FileExistsError)

    def test_synced_before_it_has_its_name(self) -> None:
        calls = Mock()
        with patch.object(os, "fsync", calls.fsync), patch.object(os, "link", calls.link), patch.object(Path, "unlink"):
            self.successResultOf(self.save(self.live()))
        self.assertEqual([name for name, _, _ in calls.method_calls], ["fsync", "link", "fsync"])

    def test_no_such_folder(self) -> None:
        self.target = self.folder / "none" / "f"
        self.failureResultOf(self.save(self.live()), FileNotFoundError)

    def test_empty(self) -> None:
        self.store.messages[0] = (frames.Send(seq=1, upload=1, name="f"), b"")
        self.assertEqual(self.successResultOf(self.save(self.live())), 0)
        self.assertEqual(self.target.read_bytes(), b"")
        self.assertIs(self.store.messages[1][0].name, UNSET)
