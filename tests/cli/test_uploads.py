"""Uploads of a client on a network that the test breaks, and on a real one."""

from __future__ import annotations

import os
import random
import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import Mock

from msgspec import UNSET
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred

from cli import ClientClosed, Listener, SendRefused
from cli.sources import CHUNK
from cli.uploads import TRIES, WINDOW
from tests.cli.ends import End
from tests.cli.store import Store
from tests.cli.test_client import ClientCase
from wire import frames
from wire.frames import MAX_BODY, Drop, Part, Resume, Send


def content(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


class Threads:
    """Calls that block: they wait until the test makes them."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Deferred[Any], Any, tuple[Any, ...]]] = []

    def __call__(self, call: Any, *arguments: Any) -> Deferred[Any]:
        result: Deferred[Any] = Deferred()
        self.waiting.append((result, call, arguments))
        return result

    def run(self, count: int = 1) -> None:
        for _ in range(count):
            result, call, arguments = self.waiting.pop(0)
            maybeDeferred(call, *arguments).chainDeferred(result)


class UploadCase(ClientCase):
    def setUp(self) -> None:
        super().setUp()
        self.store = Store()
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def file(self, data: bytes, name: str = "f.bin") -> Path:
        path = self.folder / name
        path.write_bytes(data)
        return path

    def again(self) -> End:
        end = super().again()
        self.store.welcome(end)
        return end

    def names_and_contents(self) -> list[tuple[Any, bytes]]:
        return [(frame.name, body) for frame, body in self.store.messages]


class Whole(UploadCase):
    def test_file(self) -> None:
        data = content(2 * WINDOW + 5)
        seen: list[tuple[int, int | None]] = []
        end = self.live()
        sent = self.client.send_file(self.file(data), progress=lambda *done: seen.append(done))
        self.assertEqual(self.client.check_status().unsent, 1)
        self.store.serve(end)
        self.assertEqual(self.successResultOf(sent), 1)
        self.assertEqual(self.names_and_contents(), [("f.bin", data)])
        self.assertEqual(self.store.uploads, {})
        self.assertEqual(self.client.check_status().unsent, 0)
        self.assertEqual(seen[-1], (len(data), len(data)))
        self.assertGreater(len(seen), 2)
        self.assertEqual(seen, sorted(seen))

    def test_long_text(self) -> None:
        text = "ä" * MAX_BODY
        end = self.live()
        sent = self.client.send_msg(text)
        self.store.serve(end)
        self.successResultOf(sent)
        self.assertEqual(self.names_and_contents(), [(UNSET, text.encode())])

    def test_text_of_one_frame_is_no_upload(self) -> None:
        end = self.live()
        self.client.send_msg("x" * MAX_BODY)
        self.assertEqual([type(frame) for frame, _ in end.heard()], [Send])

    def test_stream(self) -> None:
        pieces = [b"a" * 10, *[b"b" * CHUNK] * 10, b"c", b""]
        seen: list[tuple[int, int | None]] = []
        whole = b"".join(pieces)
        end = self.live()
        sent = self.client.send_stream(lambda size: pieces.pop(0), name="s", progress=lambda *done: seen.append(done))
        self.store.serve(end)
        self.successResultOf(sent)
        self.assertEqual(self.names_and_contents(), [("s", whole)])
        self.assertEqual(seen[-1], (len(whole), len(whole)))
        self.assertIsNone(seen[0][1])

    def test_empty(self) -> None:
        end = self.live()
        sent = [self.client.send_file(self.file(b"")), self.client.send_stream(lambda _: b"")]
        self.store.serve(end)
        self.assertEqual([self.successResultOf(each) for each in sent], [1, 2])
        self.assertEqual(self.store.parts, 0)

    def test_many_at_once(self) -> None:
        end = self.live()
        files = [content(CHUNK + number, number) for number in range(9)]
        sent = [self.client.send_file(self.file(data, f"{n}")) for n, data in enumerate(files)]
        self.assertEqual(self.client.check_status().unsent, 9)
        self.assertLessEqual(len({frame.upload for frame, _ in end.heard() if isinstance(frame, Part)}), 4)
        end.cut()
        self.store.serve(self.again())
        for each in sent:
            self.successResultOf(each)
        self.assertEqual(dict(self.names_and_contents()), {f"{n}": data for n, data in enumerate(files)})


class Beside(UploadCase):
    """An upload and the messages sent meanwhile."""

    def pause_after(self, end: End, count: int) -> None:
        """Let the transport be full behind every ``count`` writes."""
        write, written = end.write, 0

        def counted(data: bytes) -> None:
            nonlocal written
            write(data)
            written += 1
            if written % count == 0 and end.producer is not None:
                end.producer.pauseProducing()

        end.write = counted  # type: ignore[method-assign]

    def test_messages_go_first(self) -> None:
        end = self.live()
        self.pause_after(end, 1)
        self.client.send_file(self.file(content(5 * MAX_BODY)))
        self.assertEqual([type(frame) for frame, _ in end.heard()], [Part])
        self.client.send_msg("one")
        self.client.send_msg("two")
        said = []
        for _ in range(4):
            assert end.producer is not None
            end.producer.resumeProducing()
            said += [type(frame) for frame, _ in end.heard()]
        self.assertEqual(said, [Send, Send, Part, Part])

    def test_uploads_take_turns(self) -> None:
        end = self.live()
        self.pause_after(end, 1)
        for n in range(3):
            self.client.send_file(self.file(content(4 * MAX_BODY), f"{n}"))
        for _ in range(8):
            assert end.producer is not None
            end.producer.resumeProducing()
        parts = [frame.upload for frame, _ in end.heard() if isinstance(frame, Part)]
        self.assertEqual(len(set(parts[1:4])), 3)
        self.assertEqual(parts[1:4], parts[4:7])

    def test_no_more_is_said_than_may_be_unconfirmed(self) -> None:
        end = self.live()
        self.client.send_file(self.file(content(2 * WINDOW)))
        parts = sum(len(body) for _, body in end.heard())
        self.assertLessEqual(parts, WINDOW)
        self.assertGreater(parts, WINDOW // 2)
        end.heard()

    def test_stream_is_read_no_faster_than_stored(self) -> None:
        end = self.live()
        given = 0

        def read(size: int) -> bytes:
            nonlocal given
            given += size
            return b"x" * size if given < 3 * WINDOW else b""

        sent = self.client.send_stream(read, name="s")
        self.assertLessEqual(given, WINDOW)
        self.store.serve(end)
        self.successResultOf(sent)


class Broken(UploadCase):
    def test_cut_at_every_frame(self) -> None:
        """Whatever was taken when the connection went, and whether or not it was answered."""
        data = content(3 * CHUNK)
        for stream in (False, True):
            for limit in range(1, 60, 7):
                with self.subTest(limit=limit, stream=stream):
                    self.store = Store()
                    end = self.live()
                    if stream:
                        rest = bytearray(data)

                        def read(size: int, rest: bytearray = rest) -> bytes:
                            given = bytes(rest[: size // 3])
                            del rest[: size // 3]
                            return given

                        sent = self.client.send_stream(read, name="f.bin")
                    else:
                        sent = self.client.send_file(self.file(data))
                    for _ in range(100):
                        if self.store.serve(end, limit) < limit:
                            break
                        end.cut()
                        texts = self.client.send_msg("beside")
                        end = self.again()
                    self.store.serve(end)
                    self.assertIn(self.successResultOf(sent), (None, *range(1, 1000)))
                    self.successResultOf(texts)
                    self.assertEqual([c for c in self.names_and_contents() if c[0] is not UNSET], [("f.bin", data)])
                    self.assertLessEqual(self.store.parts, 3 * CHUNK // MAX_BODY * 3)
                    self.client._stop("")

    def test_stored_though_the_answer_was_lost(self) -> None:
        end = self.live()
        sent = self.client.send_file(self.file(b"x"))
        say, end.say = end.say, lambda *_: None  # type: ignore[method-assign]
        self.store.serve(end)
        end.say = say  # type: ignore[method-assign]
        end.cut()
        end = self.again()
        self.assertNoResult(sent)
        self.assertEqual(self.client.check_status().unsent, 1)
        self.store.serve(end)
        self.assertIsNone(self.successResultOf(sent))
        self.assertEqual([type(frame) for frame in self.store.asked], [Send, Resume])
        self.assertEqual(self.names_and_contents(), [("f.bin", b"x")])

    def test_refused_though_the_answer_was_lost(self) -> None:
        end = self.live()
        sent = self.client.send_file(self.file(b"x"))
        self.store.refuse = lambda frame: "failed" if isinstance(frame, Send) else None
        say, end.say = end.say, lambda *_: None  # type: ignore[method-assign]
        self.store.serve(end)
        end.say = say  # type: ignore[method-assign]
        end.cut()
        end = self.again()
        self.store.serve(end)
        self.assertEqual(self.failureResultOf(sent, SendRefused).value.code, "failed")
        self.assertEqual([type(frame) for frame in self.store.asked], [Send, Resume, Send, Drop])
        self.assertEqual(self.store.parts, 1)
        self.assertEqual(self.client.check_status().unsent, 0)

    def test_refused_once_and_the_answer_was_lost(self) -> None:
        end = self.live()
        sent = self.client.send_file(self.file(b"x"))
        self.store.refuse = lambda frame: "failed" if isinstance(frame, Send) else None
        end.say = lambda *_: None  # type: ignore[method-assign]
        self.store.serve(end)
        end.cut()
        self.store.refuse = lambda _: None
        self.store.serve(self.again())
        self.assertEqual(self.successResultOf(sent), 1)
        self.assertEqual(self.names_and_contents(), [("f.bin", b"x")])

    def test_file_begins_anew_where_the_server_forgot_it(self) -> None:
        data = content(3 * CHUNK)
        end = self.live()
        sent = self.client.send_file(self.file(data))
        self.store.serve(end, limit=20)
        self.store.uploads.clear()
        self.store.serve(end)
        end.cut()
        self.store.serve(self.again())
        self.successResultOf(sent)
        self.assertEqual(self.names_and_contents(), [("f.bin", data)])

    def test_forgotten_in_the_middle_of_a_connection(self) -> None:
        """Many parts are on their way then, none of which is taken."""
        data = content(2 * WINDOW)
        end = self.live()
        sent = self.client.send_file(self.file(data))
        forgotten: list[bool] = []

        def forget(frame: frames.Frame) -> None:
            if isinstance(frame, Part) and self.store.parts == 20 and not forgotten:
                forgotten.append(True)
                self.store.uploads.clear()

        self.store.refuse = forget
        self.store.serve(end)
        self.successResultOf(sent)
        self.assertEqual(self.names_and_contents(), [("f.bin", data)])

    def test_begun_anew_before_an_answer_that_comes_late(self) -> None:
        data = content(2 * WINDOW)
        end = self.live()
        sent = self.client.send_file(self.file(data))
        late: list[Resume] = []
        while not late:
            for frame, body in end.heard():
                if isinstance(frame, Resume):
                    late.append(frame)
                elif not late:
                    self.store.take(end, frame, body)
            assert end.producer is not None
            end.producer.resumeProducing()
        self.store.uploads.clear()
        end.say(frames.Error(code="unknown_upload", text="forgotten", upload=late[0].upload))
        self.store.serve(end)  # it is said again, as far as the window goes
        self.assertNoResult(sent)
        end.say(frames.Resumed(ref=late[0].ref, upload=late[0].upload, size=CHUNK))
        self.store.serve(end)
        self.successResultOf(sent)
        self.assertEqual(self.names_and_contents(), [("f.bin", data)])

    def test_read_on_one_connection_and_said_on_another(self) -> None:
        threads = Threads()
        end = self.live(in_thread=threads)
        self.client.send_file(self.file(content(2 * CHUNK)))
        threads.run(2)  # a look at it, and the first chunk
        end.cut()
        end = self.again()
        end.heard()
        threads.run()
        self.assertEqual([type(frame) for frame, _ in end.heard()], [Resume])

    def test_forgotten_when_it_is_sent(self) -> None:
        end = self.live()
        sent = self.client.send_file(self.file(b"abc"))
        self.store.refuse = lambda frame: self.store.uploads.clear() if isinstance(frame, Send) else None
        heard = end.heard()
        self.store.refuse(Send(seq=1))
        for frame, body in heard:
            self.store.take(end, frame, body) if not isinstance(frame, Part) else None
        self.store.refuse = lambda _: None
        self.assertNoResult(sent)
        self.store.serve(end)
        self.successResultOf(sent)
        self.assertEqual(self.names_and_contents(), [("f.bin", b"abc")])

    def test_forgotten_again_and_again(self) -> None:
        end = self.live()
        sent = self.client.send_file(self.file(b"abc"))
        self.store.refuse = lambda frame: "unknown_upload" if isinstance(frame, Part) else None
        self.store.serve(end)
        self.assertEqual(self.failureResultOf(sent, SendRefused).value.code, "unknown_upload")
        self.assertLessEqual(self.store.parts, TRIES)
        self.assertIsInstance(self.store.asked[-1], Drop)

    def test_stream_whose_beginning_is_gone(self) -> None:
        end = self.live()
        left = [b"x" * CHUNK] * 20 + [b""]
        sent = self.client.send_stream(lambda _: left.pop(0))
        self.store.serve(end, limit=100)
        end.cut()
        self.store.uploads.clear()
        self.store.serve(self.again())
        refused = self.failureResultOf(sent, SendRefused).value
        self.assertEqual(refused.code, "unreadable")
        self.assertIn("beginning", refused.text)

    def test_given_without_a_connection(self) -> None:
        self.client, _ = self.network.client()
        self.client.send_file(self.file(b"abc"))
        end = self.network.accept()
        self.store.welcome(end)
        self.assertEqual([type(frame) for frame, _ in end.heard()], [Part, Send])

    def test_database_away(self) -> None:
        end = self.live()
        end.say(frames.Notice(code="storage_down", text=""))
        sent = self.client.send_file(self.file(b"abc"))
        self.assertEqual(end.heard(), [])
        end.say(frames.Notice(code="storage_up", text=""))
        self.store.serve(end)
        self.successResultOf(sent)

    def test_lying_servers(self) -> None:
        for size, answer in ((10, 11), (2 * WINDOW, 2 * WINDOW)):
            end = self.live()
            sent = self.client.send_file(self.file(content(size)))
            if size == 10:
                end.cut()
                end = self.again()
            resume = next(frame for frame, _ in end.heard() if isinstance(frame, Resume))
            end.say(frames.Resumed(ref=resume.ref, upload=resume.upload, size=answer))
            self.assertEqual(self.failureResultOf(sent, SendRefused).value.code, "failed")


class Ended(UploadCase):
    def test_too_large(self) -> None:
        end = self.live()
        sent = self.client.send_file(self.file(content(5 * MAX_BODY)))
        self.store.refuse = lambda frame: "too_large" if isinstance(frame, Part) else None
        self.store.serve(end)
        self.assertEqual(self.failureResultOf(sent, SendRefused).value.code, "too_large")
        later = self.client.send_msg("x")
        self.store.serve(end)
        self.assertEqual(self.successResultOf(later), 1)

    def test_send_refused(self) -> None:
        end = self.live()
        sent = self.client.send_stream(lambda _: b"")
        self.store.refuse = lambda frame: "bad_text" if isinstance(frame, Send) else None
        self.store.serve(end)
        self.assertEqual(self.failureResultOf(sent, SendRefused).value.code, "bad_text")

    def test_refused_before_anything_is_uploaded(self) -> None:
        end = self.live()
        path = self.file(b"x")
        for sent, code in (
            (self.client.send_file(path, "elsewhere"), "not_in_room"),
            (self.client.send_file(path, name="a/b"), "bad_name"),
            (self.client.send_stream(lambda _: b"", name="\udc80"), "bad_name"),
            (self.client.send_file(self.folder), "unreadable"),
            (self.client.send_file(self.folder / "none"), "unreadable"),
            (self.client.send_file("a\0b"), "bad_name"),
            (self.client.send_file("a\0b", name="x"), "unreadable"),
        ):
            self.assertEqual(self.failureResultOf(sent, SendRefused).value.code, code)
        self.assertEqual(end.heard(), [])

    def test_status_is_told_though_nothing_came(self) -> None:
        told = Mock(spec=Listener)
        threads = Threads()
        self.live(in_thread=threads, listener=told)
        sent = self.client.send_file(self.folder)
        self.assertEqual(told.status_changed.call_args[0][0].unsent, 1)
        threads.run()
        self.assertEqual(told.status_changed.call_args[0][0].unsent, 0)
        self.failureResultOf(sent, SendRefused)

    def test_named_pipe(self) -> None:
        os.mkfifo(self.folder / "pipe")
        self.live()
        self.assertEqual(
            self.failureResultOf(self.client.send_file(self.folder / "pipe"), SendRefused).value.code, "unreadable"
        )

    def test_changed_meanwhile(self) -> None:
        end = self.live()
        path = self.file(content(2 * WINDOW))
        sent = self.client.send_file(path)
        with path.open("ab") as file:
            file.write(b"more")
        self.store.serve(end)
        refused = self.failureResultOf(sent, SendRefused).value
        self.assertEqual(refused.code, "unreadable")
        self.assertIn("changed", refused.text)
        self.assertEqual(self.store.uploads, {})

    def test_stream_that_cannot_be_read(self) -> None:
        def read(size: int) -> bytes:
            raise OSError(5, "Input/output error")

        self.live()
        refused = self.failureResultOf(self.client.send_stream(read), SendRefused).value
        self.assertIn("Input/output error", refused.text)

    def test_cancelled(self) -> None:
        end = self.live()
        sent = self.client.send_file(self.file(content(2 * WINDOW)))
        self.store.serve(end, limit=10)
        sent.cancel()
        self.failureResultOf(sent, CancelledError)
        self.store.serve(end)
        self.assertEqual(self.store.uploads, {})
        self.assertEqual(self.client.check_status().unsent, 0)

    def test_cancelled_before_its_send_is_said(self) -> None:
        end = self.live()
        assert end.producer is not None
        write = end.write

        def full(data: bytes) -> None:
            write(data)
            assert end.producer is not None
            end.producer.pauseProducing()

        end.write = full  # type: ignore[method-assign]
        sent = self.client.send_file(self.file(b"x"))
        self.assertEqual([type(frame) for frame, _ in end.heard()], [Part])
        sent.cancel()
        self.failureResultOf(sent, CancelledError)
        end.producer.resumeProducing()
        self.assertEqual([type(frame) for frame, _ in end.heard()], [Drop])
        self.assertEqual(self.client.check_status().unsent, 0)

    def test_cancelled_without_a_connection(self) -> None:
        end = self.live()
        sent = self.client.send_file(self.file(content(2 * WINDOW)))
        self.store.serve(end, limit=10)
        end.cut()
        sent.cancel()
        self.failureResultOf(sent, CancelledError)
        self.store.serve(self.again())
        self.assertEqual(self.store.uploads, {})

    def test_closed(self) -> None:
        end = self.live()
        running = [self.client.send_file(self.file(content(2 * WINDOW), f"{n}")) for n in range(6)]
        closed = self.client.close()
        self.store.serve(end)
        end.say(frames.Bye(reason="quit"))
        self.clock.advance(0)
        self.successResultOf(closed)
        for sent in [*running, self.client.send_file(self.file(b"x"))]:
            self.failureResultOf(sent, ClientClosed)

    def test_closing_waits_for_a_long_text(self) -> None:
        end = self.live()
        sent = self.client.send_msg("x" * 2 * WINDOW)
        self.client.close()
        self.store.serve(end)
        self.successResultOf(sent)
        self.assertEqual(self.store.asked[-1], frames.Quit())

    def test_blocked_reader_does_not_hold_up_the_end(self) -> None:
        threads = Threads()
        end = self.live(in_thread=threads)
        sent = self.client.send_stream(lambda _: b"")
        self.assertEqual(len(threads.waiting), 1)
        self.client._stop("")
        self.clock.advance(0)
        self.assertTrue(end.lost)
        self.failureResultOf(sent, ClientClosed)
        threads.run()
