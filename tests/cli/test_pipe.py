"""``chat`` as a filter: its parts at a clock that the test turns, and the program against a real server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import redirect_stderr
from io import StringIO
from typing import Any
from unittest import TestCase

from twisted.internet.defer import Deferred
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from cli import Message
from cli.pipe import LONGEST, UNSENT, Filter, as_json, plain, run
from tests.cli.ends import End, Network
from tests.cli.programs import SOON, ProgramCase
from tests.processes import ServerProcess
from tests.system.case import fresh
from wire import frames
from wire.frames import Ack, Bye, Error, Send


def message(text: str, **fields: Any) -> Message:
    return Message(room="lobby", id=7, sender="bob", at=1_764_000_000_000, text=text, **fields)


class Lines(TestCase):
    def test_plain(self) -> None:
        for found, line in (
            (message("hello \u00e4 \U0001f469\u200d\U0001f680"), "bob: hello \u00e4 \U0001f469\u200d\U0001f680"),
            (message("a\nb\tc\r"), r"bob: a\nb\tc\r"),
            (message("\x1b]0;x\x07\x9b1m"), r"bob: \x1b]0;x\x07\x9b1m"),
            (message("\u202ehidden\u200b"), r"bob: \u202ehidden\u200b"),
            (message("begins", size=5_000_000), "bob: begins ... [5000000 bytes, id 7]"),
            (message("", size=12, name="x\x1b.txt"), r"bob: [file x\x1b.txt, 12 bytes, id 7]"),
            (message("", deleted=True), "bob: [deleted]"),
        ):
            self.assertEqual(plain(found), line)

    def test_json(self) -> None:
        line = as_json(message("a\nb \u202e \U0001f469", size=9, name="f", deleted=True))
        self.assertTrue(line.isascii() and line.isprintable())
        self.assertEqual(
            json.loads(line),
            {
                "room": "lobby", "id": 7, "from": "bob", "at": 1_764_000_000_000, "text": "a\nb \u202e \U0001f469",
                "size": 9, "name": "f", "deleted": True,
            },
        )  # fmt: skip
        self.assertEqual(set(json.loads(as_json(message("x")))), {"room", "id", "from", "at", "text"})


class Streams(StringTransport):
    """Standard input and output; ``held`` while no input is wanted."""

    held = False

    def pauseProducing(self) -> None:
        self.held = True

    def resumeProducing(self) -> None:
        self.held = False


class Flow(SynchronousTestCase):
    def setUp(self) -> None:
        self.network = Network()
        self.clock = self.network.clock
        self.said: list[str] = []
        self.streams = Streams()

    def start(self, drain: bool = False, **options: Any) -> End:
        self.pipe = Filter(self.clock, "lobby", plain, self.said.append, drain)
        client, _ = self.network.client(listener=self.pipe, **options)
        end = self.network.accept()
        end.welcome(lobby=(1, 9))
        end.heard()
        self.pipe.start(client, self.pipe_made)
        return end

    def pipe_made(self, pipe: Filter) -> None:
        pipe.makeConnection(self.streams)

    def test_lines_cut_anywhere(self) -> None:
        end = self.start()
        for data in (b"on", b"e\ntwo\n\nth", b"ree"):
            self.pipe.dataReceived(data)
        self.pipe.readConnectionLost()
        self.assertEqual([body for _, body in end.heard()], [b"one", b"two", b"", b"three"])
        self.assertNoResult(self.pipe.over)
        end.say(*(Ack(seq=seq, room="lobby", id=9 + seq) for seq in range(1, 5)))
        self.successResultOf(self.pipe.over)
        self.assertFalse(self.pipe.failed)

    def test_reads_no_faster_than_is_stored(self) -> None:
        end = self.start()
        self.pipe.dataReceived(b"x\n" * UNSENT)
        self.assertTrue(self.streams.held)
        end.say(*(Ack(seq=seq, room="lobby", id=9 + seq) for seq in range(1, UNSENT)))
        self.assertFalse(self.streams.held)

    def test_writes_no_faster_than_is_read(self) -> None:
        end = self.start()
        self.pipe.pauseProducing()
        end.say(*((frames.Message(room="lobby", id=id, sender="bob", at=0), b"x") for id in range(10, 15)))
        self.assertEqual(self.streams.value(), b"bob: x\n")
        self.pipe.resumeProducing()
        self.assertEqual(self.streams.value(), b"bob: x\n" * 5)

    def test_lines_that_cannot_be_sent(self) -> None:
        end = self.start()
        self.pipe.dataReceived(b"y" * 61_440 + b"\n" + b"y" * 50_000)
        for _ in range(LONGEST // 50_000):
            self.pipe.dataReceived(b"y" * 50_000)
        self.pipe.dataReceived(b"\n\xff\nlast\n")
        self.assertEqual([len(body) for _, body in end.heard()], [61_440, 4])
        end.say(Ack(seq=1, room="lobby", id=10), Error(code="forbidden", text="not here", seq=2))
        self.assertEqual([line.partition(" was not sent: ")[0] for line in self.said], ["line 2", "line 3", "line 4"])
        self.assertIn("chat send takes", self.said[0])
        self.pipe.readConnectionLost()
        self.successResultOf(self.pipe.over)
        self.assertTrue(self.pipe.failed)

    def test_nothing_overtakes_a_long_line(self) -> None:
        end = self.start()
        self.pipe.dataReceived(b"first\n" + b"y" * 100_000 + b"\nlast")
        self.pipe.readConnectionLost()
        self.assertTrue(self.streams.held)
        parts = [frame for frame, _ in end.heard()]
        self.assertEqual([type(frame).__name__ for frame in parts], ["Send", "Part", "Part", "Send"])
        end.say(*(Ack(seq=seq, room="lobby", id=9 + seq) for seq in (1, 2)))
        self.assertEqual([body for _, body in end.heard()], [b"last"])
        self.assertNoResult(self.pipe.over)
        end.say(Ack(seq=3, room="lobby", id=12))
        self.successResultOf(self.pipe.over)
        self.assertFalse(self.pipe.failed)

    def test_gives_up_without_a_server_once_the_input_has_ended(self) -> None:
        end = self.start()
        self.pipe.dataReceived(b"x\n")
        end.cut()
        self.clock.pump([60] * 3)
        self.assertNoResult(self.pipe.over)  # while there may be more to send, it keeps trying
        self.pipe.readConnectionLost()
        self.clock.pump([4, 4])
        self.assertNoResult(self.pipe.over)
        self.clock.pump([4])
        self.successResultOf(self.pipe.over)
        self.assertTrue(self.pipe.failed)
        self.assertIn("1 messages may not have been sent", self.said[-1])

    def test_server_that_comes_back_in_time(self) -> None:
        end = self.start()
        self.pipe.dataReceived(b"x\n")
        end.cut()
        self.pipe.readConnectionLost()
        self.clock.pump([1, 1])
        end = self.network.accept()
        end.welcome(lobby=(1, 9))
        self.assertEqual(end.heard(), [(Send(seq=1, room="lobby"), b"x")])
        self.clock.pump([20])
        self.assertNoResult(self.pipe.over)  # it waits for its database, perhaps
        end.say(Ack(seq=1, room="lobby", id=10))
        self.successResultOf(self.pipe.over)
        self.assertFalse(self.pipe.failed)

    def test_kicked_out(self) -> None:
        end = self.start()
        self.pipe.dataReceived(b"x\n")
        end.say(Bye(reason="kicked"))
        self.clock.advance(0)
        self.successResultOf(self.pipe.over)
        self.assertTrue(self.pipe.failed)
        self.assertIn("kicked", self.said[-1])

    def run_with(self, act: Callable[[], object]) -> tuple[int, str]:
        """Run the whole filter until ``act`` on the network ended it; return its status and what it said."""
        with redirect_stderr(StringIO()) as said:
            ended = Deferred.fromCoroutine(
                run(
                    self.clock,
                    lambda listener: self.network.client(listener=listener)[1],
                    "lobby",
                    server="here:1",
                    line=plain,
                    drain=False,
                )
            )
            act()
        return self.successResultOf(ended), said.getvalue()

    def test_no_server(self) -> None:
        def act() -> None:
            while self.clock.seconds() < 11:
                if self.network.trying:
                    self.network.refuse()
                self.clock.advance(0.5)

        self.assertEqual(self.run_with(act), (1, "chat: cannot reach here:1: Connection refused\n"))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_server_that_says_nothing(self) -> None:
        def act() -> None:
            self.network.accept()
            self.clock.advance(11)

        self.assertEqual(self.run_with(act), (1, "chat: cannot reach here:1: no answer\n"))

    def test_not_let_in(self) -> None:
        def act() -> None:
            self.network.accept().say(Error(code="name_taken", text="no\x1b", fatal=True))
            self.clock.advance(0)

        self.assertEqual(self.run_with(act), (1, "chat: no\u241b\n"))

    def test_history_is_written_though_the_input_ends_first(self) -> None:
        end = self.start(drain=True, history=2)
        self.pipe.readConnectionLost()
        self.assertNoResult(self.pipe.over)
        end.say(*((frames.Message(room="lobby", id=id, sender="bob", at=0), b"x") for id in (8, 9)))
        self.successResultOf(self.pipe.over)


class Program(ProgramCase):
    def said(self, count: int) -> list[str]:
        status, out, complaints = self.run_chat(fresh("reader"), "--room", self.room, "--history", str(count), "--json")
        self.assertEqual((status, complaints), (0, ""))
        return [json.loads(line)["text"] for line in out.splitlines()]

    def test_lines_in_are_stored(self) -> None:
        said = b"hi\n\n\xc3\xa4 \x1b[31m\nno newline"
        self.assertEqual(self.run_chat(self.ann, "--room", self.room, said=said)[::2], (0, ""))
        self.assertEqual(self.said(10), ["hi", "", "\u00e4 \x1b[31m", "no newline"])

    def test_a_long_line_among_others(self) -> None:
        lines = ["before", "ä" * 1_000_000, "behind"]
        self.assertEqual(self.run_chat(self.ann, "--room", self.room, said="\n".join(lines).encode())[::2], (0, ""))
        before, long, behind = self.said(10)
        self.assertEqual((before, behind), ("before", "behind"))
        self.assertEqual(long, "ä" * 2048)

    def test_many_lines(self) -> None:
        lines = [f"line {number}" for number in range(3000)]
        source, sink = self.folder / "in", self.folder / "out"
        source.write_text("\n".join(lines))
        with source.open("rb") as stdin, sink.open("wb") as stdout:
            program = self.start(self.ann, "--room", self.room, stdin=stdin, stdout=stdout)
            self.assertEqual(program.wait(SOON), 0)
        self.assertEqual(self.said(500), lines[-500:])

    def test_messages_come_out(self) -> None:
        listener = self.start(self.bob, "--room", self.room)
        self.wait_for(listener)
        self.run_chat(self.ann, "--room", self.room, said=b"one \x1b\ntwo\n", config="b")
        assert listener.stdout is not None
        self.assertEqual(
            [listener.stdout.readline() for _ in range(2)],
            [f"{self.ann}: {text}\n".encode() for text in (r"one \x1b", "two")],
        )
        listener.send_signal(signal.SIGINT)
        self.assertEqual(listener.wait(SOON), 130)
        assert listener.stderr is not None
        self.assertEqual(listener.stderr.read(), b"")

    def wait_for(self, listener: subprocess.Popen[bytes]) -> None:
        """Return when ``listener`` is in the room: it sees what it says itself."""
        assert listener.stdin is not None
        assert listener.stdout is not None
        listener.stdin.write(b"here\n")
        listener.stdin.flush()
        self.assertIn(b"here", listener.stdout.readline())

    def test_no_history_unless_asked(self) -> None:
        self.run_chat(self.ann, "--room", self.room, said=b"old\n")
        self.assertEqual(self.run_chat(self.ann, "--room", self.room), (0, b"", ""))
        self.assertEqual(
            self.run_chat(self.ann, "--room", self.room, "--history", "5"), (0, f"{self.ann}: old\n".encode(), "")
        )

    def test_server_killed_and_started_again(self) -> None:
        self.server = ServerProcess()  # not the one that other tests talk to
        self.addCleanup(self.server.close)
        self.server.start()
        talker = self.start(self.ann, "--room", self.room, "--json")
        self.wait_for(talker)
        self.server.kill()
        self.server.start()
        _, complaints = talker.communicate(b"later\n", timeout=SOON)
        self.assertEqual(talker.returncode, 0, complaints)
        self.assertIn(b"trying again", complaints)
        self.assertEqual(self.said(10), ["here", "later"])

    def test_reader_that_goes(self) -> None:
        talker = self.start(self.ann, "--room", self.room)
        self.wait_for(talker)
        assert talker.stdout is not None
        talker.stdout.close()
        assert talker.stdin is not None
        talker.stdin.write(b"to nobody\n" * 100)
        talker.stdin.close()
        self.assertEqual(talker.wait(SOON), 0)
        self.assertEqual(len(self.said(500)), 101)

    def test_two_programs_are_one_person(self) -> None:
        first = self.start(self.ann, "--room", self.room)
        self.wait_for(first)
        self.assertEqual(self.run_chat(self.ann, "--room", self.room, said=b"me too\n")[0], 0)
        status, _, complaints = self.run_chat(self.ann, "--room", self.room, config="another")
        self.assertEqual(status, 1)
        self.assert_one_line(complaints)

    def test_wrong_flags(self) -> None:
        for arguments in (("a/b",), (self.ann, "--history", "x")):
            status, _, complaints = self.run_chat(*arguments)
            self.assertEqual(status, 1)
            self.assert_one_line(complaints)

    def test_secrets_that_cannot_be_kept(self) -> None:
        kept = self.folder / "a" / "console-chat"
        kept.mkdir(parents=True)
        (kept / "secrets").write_text("a file, no folder")
        status, _, complaints = self.run_chat(self.ann)
        self.assertEqual(status, 1)
        self.assert_one_line(complaints)
        self.assertIn("set XDG_CONFIG_HOME", complaints)

    def test_streams_are_left_as_they_were(self) -> None:
        """A terminal is shared with the shell, which does not expect it to be non-blocking."""
        reader, writer = os.pipe()
        with os.fdopen(reader, "rb"), os.fdopen(writer, "wb") as stdout:
            program = self.start(self.ann, stdout=stdout)
            program.communicate(b"x\n", timeout=SOON)
            self.assertTrue(os.get_blocking(stdout.fileno()))
