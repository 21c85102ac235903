"""``chat send``, ``chat tail`` and ``chat save``: the programs against a real server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import Any

from tests.cli.programs import CHAT, SOON, ProgramCase, peak_memory
from tests.plain_client import Frame
from tests.processes import ServerProcess
from tests.system.case import fresh
from tests.terminal import Terminal
from wire.frames import MAX_BODY

MB = 1_000_000
BIG = 64 * MB


class CommandCase(ProgramCase):
    def chat(self, command: str, *arguments: str, **options: Any) -> tuple[int, bytes, str]:
        return self.run_chat(command, self.ann, "--room", self.room, *arguments, **options)

    def messages(self) -> list[Frame]:
        """Return what there is in the room, as a client sees it that is not ours."""
        client = self.server.connect()
        self.addCleanup(client.close)
        welcome = client.login(fresh("reader"), rooms={self.room: 0})
        last_id = welcome["rooms"][self.room]["last_id"]
        return client.read_messages(self.room, last_id) if last_id else []

    def send(self, *arguments: str, said: bytes = b"") -> None:
        self.assertEqual(self.chat("send", *arguments, said=said), (0, b"", ""))

    def put(self, content: bytes, **fields: str) -> None:
        """Store a file or a text in the room, without a program of ours."""
        client = self.server.connect()
        self.addCleanup(client.close)
        client.login(fresh("writer"), rooms={self.room: None})
        for offset in range(0, len(content), MAX_BODY):
            client.say("part", content[offset : offset + MAX_BODY], upload=1, offset=offset)
        client.say("send", seq=1, room=self.room, upload=1, size=len(content), **fields)
        client.read("ack", seq=1)

    def assert_fails(self, what: str, command: str, *arguments: str, **options: Any) -> None:
        status, out, complaints = self.chat(command, *arguments, **options)
        self.assertEqual((status, out), (1, b""), complaints)
        self.assert_one_line(complaints)
        self.assertIn(what, complaints)


class Send(CommandCase):
    def test_standard_input_is_one_text(self) -> None:
        text = "two\nlines ä\n" * 20_000
        self.send(said=b"short\n")
        self.send("-", said=text.encode())
        short, long = self.messages()
        self.assertEqual((short.text, "size" in short, "name" in short), ("short\n", False, False))
        self.assertEqual((long["size"], "name" in long), (len(text.encode()), False))
        self.assertTrue(text.startswith(long.text))
        self.assertEqual(self.chat("save", str(long["id"]), "-o", "-"), (0, text.encode(), ""))

    def test_files_and_standard_input_under_names(self) -> None:
        content = os.urandom(3 * MB)
        (self.folder / "a b.bin").write_bytes(content)
        (self.folder / "empty").touch()
        self.send("a b.bin", "empty")
        self.send("--name", "x.sql", "-", said=content)
        self.send("--name", "y", "a b.bin")
        self.assertEqual(
            [(m["name"], m["size"]) for m in self.messages()],
            [("a b.bin", 3 * MB), ("empty", 0), ("x.sql", 3 * MB), ("y", 3 * MB)],
        )
        for id in (1, 3):
            self.assertEqual(self.chat("save", str(id), "-o", "-")[1], content)

    def test_memory_is_flat(self) -> None:
        peaks = []
        for size in (0, BIG):
            program = self.start("send", self.ann, "--room", self.room, "--name", "x.sql", "-")
            assert program.stdin is not None
            for _ in range(0, size, MB):
                program.stdin.write(b"x" * MB)
            program.stdin.close()
            peaks.append(peak_memory(program))
            self.assertEqual(program.returncode, 0)
        self.assertLess(peaks[1] - peaks[0], 32 * 2**20)
        self.assertEqual([m["size"] for m in self.messages()], [0, BIG])

    def test_what_cannot_be_sent_does_not_hold_up_the_rest(self) -> None:
        (self.folder / "good").write_text("good")
        (self.folder / "bad\nname").write_text("bad")
        status, _, complaints = self.chat("send", "none", "a.b:1", str(self.folder), "bad\nname", "good")
        self.assertEqual(status, 1)
        none, address, folder, name = complaints.splitlines()
        self.assertEqual(none, "chat: none was not sent: No such file or directory")
        self.assertEqual(address, f"chat: a.b:1 was not sent: {os.strerror(2)}; --host and --port say which server")
        self.assertEqual(folder, f"chat: {self.folder} was not sent: it is no regular file")
        self.assertRegex(name, "was not sent: .*; --name gives it another one")
        self.assertEqual([m["name"] for m in self.messages()], ["good"])

    def test_no_text(self) -> None:
        self.assert_fails("; --name NAME sends it as a file", "send", said=b"\xff" * 100)
        self.assert_fails("; --name NAME sends it as a file", "send", said=b"\xff" * 100_000)
        self.assertEqual(self.messages(), [])

    def test_refused_by_the_server(self) -> None:
        self.server = ServerProcess("--max-message", "1MB")
        self.enterContext(self.server)
        (self.folder / "x").write_bytes(b"x" * 3 * MB)
        self.assert_fails("x was not sent: ", "send", "x")
        self.assertEqual(self.messages(), [])

    def test_name_taken(self) -> None:
        holder = self.server.connect()
        self.addCleanup(holder.close)
        holder.login(self.ann)
        self.assert_fails("", "send", said=b"x")

    def test_killed_and_run_again(self) -> None:
        content = os.urandom(BIG)
        (self.folder / "x").write_bytes(content)
        for number in (signal.SIGKILL, signal.SIGINT):
            before = len(self.messages())
            program = self.start("send", self.ann, "--room", self.room, "x")
            self.wait_until_begun(program)
            program.send_signal(number)
            self.assertEqual(program.wait(SOON), 130 if number == signal.SIGINT else -9)
            self.assertEqual(len(self.messages()), before)  # or it was too late to be a test
            status, _, complaints = self.chat("send", "x")
            self.assertEqual(status, 0, complaints)
            self.assertEqual(len(self.messages()), before + 1)
        self.assertEqual(self.chat("save", "2", "-o", "-")[1], content)

    def wait_until_begun(self, program: subprocess.Popen[bytes]) -> None:
        """Return when the outbox has something."""
        while not any(box.stat().st_size for box in self.folder.rglob("outbox")):
            self.assertIsNone(program.poll())

    def test_interrupted_while_it_waits_for_input(self) -> None:
        program = self.start("send", self.ann, "--room", self.room, "--name", "x", "-")
        assert program.stdin is not None
        program.stdin.write(b"x" * 3 * MB)  # more than a pipe holds: it reads
        program.stdin.flush()
        program.send_signal(signal.SIGINT)
        self.assertEqual(program.wait(SOON), 130)
        assert program.stderr is not None
        self.assertEqual(program.stderr.read(), b"")
        self.assertEqual(self.messages(), [])

    def test_in_a_terminal(self) -> None:
        (self.folder / "x.bin").write_bytes(b"x" * BIG)
        command = [*CHAT, "send", self.ann, "--room", self.room, "--port", str(self.server.port)]
        with Terminal([*command, str(self.folder / "x.bin")], env=self.environment()) as terminal:
            terminal.wait_for(f"sent x.bin, 64 MB, as message 1 in {self.room}")
            self.assertEqual(terminal.wait_exit(), 0)
            self.assertIn(b"x.bin:", terminal.output)
            self.assertRegex(terminal.output, rb"[1-9][0-9]?%\|")
            self.assertEqual(terminal.lines[1:], [""] * 23)
            self.assertTrue(terminal.lines[0].startswith("sent"))

    def test_people_who_are_called_like_a_command(self) -> None:
        self.assertEqual(self.run_chat("--user", "send", "--room", self.room, said=b"hi\n")[::2], (0, ""))
        self.assertEqual(self.messages()[0]["from"], "send")

    def test_wrong_flags(self) -> None:
        for arguments in (("send",), ("save", self.ann, "x"), ("tail", self.ann, "-n", "x")):
            status, _, complaints = self.run_chat(*arguments)
            self.assertEqual(status, 1)
            self.assert_one_line(complaints)
            self.assertIn(f"; see chat {arguments[0]} --help", complaints)


class Tail(CommandCase):
    def fill(self, count: int) -> None:
        lines = "".join(f"line {number}\n" for number in range(1, count + 1))
        self.assertEqual(self.run_chat(self.ann, "--room", self.room, said=lines.encode())[0], 0)

    def test_the_last_ones(self) -> None:
        self.fill(300)
        for count in (0, 250, 500):
            lines = [f"{self.ann}: line {n}" for n in range(max(1, 301 - count), 301)]
            status, out, complaints = self.chat("tail", "-n", str(count))
            self.assertEqual((status, out.decode().splitlines(), complaints), (0, lines, ""))
        found = self.chat("tail", "--json")[1].splitlines()
        self.assertEqual([json.loads(line)["id"] for line in found], list(range(201, 301)))

    def test_a_room_that_one_is_not_let_into(self) -> None:
        for arguments in ([], ["--follow"]):
            status, out, complaints = self.run_chat("tail", self.ann, "--room", "@nobody", *arguments)
            self.assertEqual((status, out), (1, b""))
            self.assert_one_line(complaints)
            self.assertIn("chat: not in @nobody: ", complaints)

    def test_follows_though_the_server_goes(self) -> None:
        self.server = ServerProcess()  # not the one that other tests talk to
        self.enterContext(self.server)
        self.fill(3)
        program = self.start("tail", self.bob, "--room", self.room, "-f", "-n", "2", config="b")
        assert program.stdout is not None
        self.assertEqual(
            [program.stdout.readline() for _ in range(2)], [f"{self.ann}: line {n}\n".encode() for n in (2, 3)]
        )
        self.server.kill()
        self.server.start()
        self.fill(1)
        self.assertEqual(program.stdout.readline(), f"{self.ann}: line 1\n".encode())
        program.send_signal(signal.SIGINT)
        self.assertEqual(program.wait(SOON), 130)
        assert program.stderr is not None
        self.assertIn(b"trying again", program.stderr.read())

    def test_reader_that_goes(self) -> None:
        self.fill(300)
        for arguments in (["-n", "300"], ["-n", "1", "--follow"]):
            program = self.start("tail", self.ann, "--room", self.room, *arguments)
            assert program.stdout is not None
            program.stdout.readline()
            program.stdout.close()  # without another message
            self.assertEqual(program.wait(SOON), 0)
            assert program.stderr is not None
            self.assertEqual(program.stderr.read(), b"")


class Save(CommandCase):
    def setUp(self) -> None:
        super().setUp()
        self.content = os.urandom(2 * MB)
        self.put(self.content, name="x.bin")

    def save(self, *arguments: str) -> None:
        self.assertEqual(self.chat("save", *arguments), (0, b"", ""))

    def test_to_its_own_name_and_others(self) -> None:
        self.put(b"a text")
        self.put(b"a trap", name=".bashrc")
        (self.folder / "sub").mkdir()
        self.save("1")
        self.save("2")
        self.save("3")
        self.save("1", "-o", "sub")
        for name in ("x.bin", "sub/x.bin"):
            self.assertEqual((self.folder / name).read_bytes(), self.content)
        self.assertEqual((self.folder / "message-2.txt").read_text(), "a text")
        self.assertEqual((self.folder / "_.bashrc").read_text(), "a trap")
        left = {path.name for path in self.folder.iterdir()} - {"a"}
        self.assertEqual(left, {"x.bin", "sub", "message-2.txt", "_.bashrc"})

    def test_overwrites_only_by_force(self) -> None:
        (self.folder / "x.bin").write_text("mine")
        self.assert_fails("x.bin is there already; --force overwrites it", "save", "1")
        self.assertEqual((self.folder / "x.bin").read_text(), "mine")
        self.save("1", "--force")
        self.assertEqual((self.folder / "x.bin").read_bytes(), self.content)
        (self.folder / "link").symlink_to("nowhere")
        self.assert_fails("link is there already", "save", "1", "-o", "link")

    def test_what_cannot_be_saved(self) -> None:
        self.assert_fails("message 9 was not saved: there is no message 9 in ", "save", "9")
        self.assert_fails("message 9 was not saved: there is no message 9 in ", "save", "9", "-o", "x")
        self.assert_fails("to none/x: No such file or directory", "save", "1", "-o", "none/x")

    def test_reader_that_goes(self) -> None:
        program = self.start("save", self.ann, "1", "--room", self.room, "-o", "-")
        assert program.stdout is not None
        program.stdout.read(10)
        program.stdout.close()
        self.assertEqual(program.wait(SOON), 1)
        assert program.stderr is not None
        self.assertEqual(program.stderr.read(), b"")

    def test_reader_that_stands_still(self) -> None:
        program = self.start("save", self.ann, "1", "--room", self.room, "-o", "-")
        assert program.stdout is not None
        program.stdout.read(10)  # then the pipe is full
        program.send_signal(signal.SIGINT)
        self.assertEqual(program.wait(SOON), 130)
