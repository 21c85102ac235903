"""The terminal interface in a terminal."""

from __future__ import annotations

import re
import shlex
import signal
import sys
import tempfile
from pathlib import Path
from unittest import TestCase

from tests.cli.screen.made import DIM, RED
from tests.cli.screen.scripted import digest
from tests.processes import ROOT, ServerProcess
from tests.terminal import Terminal

SCRIPTED = (sys.executable, str(Path(__file__).with_name("scripted.py")))


class TwoPeople(TestCase):
    """The program itself, and a real server."""

    def test_they_see_each_other(self) -> None:
        with ServerProcess() as server, tempfile.TemporaryDirectory() as home:
            env = {"HOME": home, "XDG_CONFIG_HOME": home}

            def chat(user: str) -> list[str]:
                return [sys.executable, str(ROOT / "cmd" / "cli"), user, "--port", str(server.port)]

            with Terminal(chat("ann"), env=env) as ann, Terminal(chat("bob"), 40, 10, env=env) as bob:
                ann.wait_for("live")
                bob.wait_for("live")
                ann.type("who is there?\r")
                bob.wait_for("ann who is there?")
                bob.type("it is me, in a terminal that is small\r")
                ann.wait_for("bob it is me, in a terminal that is small")
                ann.wait_for(lambda: ann.colour("who is") == "default")

                server.kill()
                bob.wait_for("offline since")
                bob.type("are you still there?\r")
                bob.wait_for(lambda: bob.colour("are you") == DIM)
                server.start()
                ann.wait_for("bob are you still there?")
                bob.wait_for(lambda: bob.colour("are you") == "default")
                self.assertEqual(ann.text.count("who is there?"), 1)

                ann.type("/quit\r")
                self.assertEqual(ann.wait_exit(), 0)
                bob.type("\x03\x03")
                self.assertEqual(bob.wait_exit(), 0)
                self.assertTrue(ann.restored and bob.restored)


class OnePerson(TestCase):
    """A client that does as it is told."""

    def open(self, columns: int = 80, rows: int = 24) -> Terminal:
        terminal = Terminal(SCRIPTED, columns, rows)
        self.enterContext(terminal)
        terminal.wait_for("live")
        return terminal

    def test_nothing_to_scroll(self) -> None:
        terminal = self.open()
        terminal.type("one\r\x1b[5~two\r\x1b[5~three")
        terminal.wait_for("> three")
        self.assertNotIn("more", terminal.text)

    def test_scrolling(self) -> None:
        terminal = self.open()
        terminal.type("!flood 300\r")
        terminal.wait_for("!flood")
        terminal.type("\x1b[5~")
        terminal.wait_for(lambda: "line 300" not in terminal.text and "line 270" in terminal.text)
        self.assertIn("↓ more", terminal.text)
        rows = terminal.lines[:22]
        terminal.type("!say 'news'\r")  # who types goes to the end
        terminal.wait_for("bob news")
        terminal.type("\x1b[5~")
        terminal.wait_for("line 280")
        self.assertNotEqual(rows, terminal.lines[:22])
        terminal.type("\x1b[6~")
        terminal.wait_for("bob news")
        terminal.type("\x1b[5~" * 20)
        terminal.wait_for("line 1\n")
        terminal.type("\x1b[F")
        terminal.wait_for("bob news")

    def test_view_stands_still_while_others_talk(self) -> None:
        with ServerProcess() as server, tempfile.TemporaryDirectory() as home:
            bob = server.connect()
            bob.login("bob")
            command = [sys.executable, str(ROOT / "cmd" / "cli"), "ann", "--port", str(server.port)]
            with Terminal(command, 60, 12, env={"HOME": home, "XDG_CONFIG_HOME": home}) as ann:
                ann.wait_for("live")
                for number in range(40):
                    bob.send(f"line {number}")
                ann.wait_for("line 39")
                ann.type("\x1b[5~")
                ann.wait_for("line 25")
                rows = ann.lines[:10]
                for _ in range(12):
                    bob.send("more")
                ann.wait_for("↓ 12 new")
                self.assertEqual(ann.lines[:10], rows)
                ann.type("\x1b[F")
                ann.wait_for(lambda: "bob more" in ann.text and "new" not in ann.text)
            bob.close()

    def test_message_taller_than_the_screen(self) -> None:
        terminal = self.open(40, 10)
        terminal.type("!say ' '.join(f'n{n}' for n in range(700))\r")
        terminal.wait_for("ann !say")
        terminal.type("\x1b[5~")
        terminal.wait_for("n690")
        terminal.type("\x1b[5~" * 200)
        terminal.wait_for("n0 n1 n2")

    def test_refused_is_red_with_the_reason(self) -> None:
        terminal = self.open()
        terminal.type("!refuse not here\r")
        terminal.wait_for("!refuse not here (not here)")
        self.assertEqual(terminal.colour("!refuse"), RED)

    def test_what_is_typed_when_all_is_over_is_not_sent_later(self) -> None:
        terminal = self.open()
        terminal.type("!closed logged in elsewhere\r")
        terminal.wait_for("!closed logged in elsewhere (logged in elsewhere)")
        terminal.type("\x04")
        self.assertEqual(terminal.wait_exit(), 0)
        self.assertNotIn("not sent", terminal.text)

    def test_unsent_is_dim(self) -> None:
        terminal = self.open()
        terminal.type("!keep this\r")
        terminal.wait_for("ann !keep this")
        self.assertEqual(terminal.colour("!keep this"), DIM)
        terminal.type("\x04")
        self.assertEqual(terminal.wait_exit(), 1)
        self.assertTrue(
            terminal.output.endswith(b"chat: not sent: 1 message; chat sends what is left at its next start\r\n")
        )

    def test_reason_of_a_loss(self) -> None:
        terminal = self.open()
        terminal.type("!lost the server is shutting down\r")
        terminal.wait_for("trying again · [lobby] · the server is shutting down")

    def test_keys(self) -> None:
        terminal = self.open()
        terminal.type("one\r")
        terminal.wait_for("ann one")
        terminal.type("half\x1b[A")
        terminal.wait_for("> one")
        terminal.type("\x1b[B")
        terminal.wait_for("> half")
        terminal.type("\x04\x1b[H\x04")  # Ctrl-D behind the last character does nothing
        terminal.wait_for("> alf")
        terminal.type("\x1b\rsecond line\r")
        terminal.wait_for("second line")
        terminal.type("/nothing\r")
        terminal.wait_for("there is no /nothing")
        terminal.type("//slash\r")
        terminal.wait_for("ann /slash")
        terminal.type("/help\r")
        terminal.wait_for("/save ID [FILE]   save a file")
        terminal.type("/help quit\r")
        terminal.wait_for("/quit: end the program")
        terminal.type("\x04")
        self.assertEqual(terminal.wait_exit(), 0)
        self.assertTrue(terminal.restored)

    def test_paste_does_not_send(self) -> None:
        terminal = self.open()
        terminal.type("\x1b[200~one\r\ntwo\tthree\x1b]0;title\x07\rfour\r\x1b[201~")
        terminal.wait_for("four")
        self.assertIn(b"\x1b[?2004h", terminal.output)
        self.assertNotIn("ann one", terminal.text)
        terminal.type("\r")
        terminal.wait_for("ann one")

    def test_paste_of_5_mib_arrives_whole(self) -> None:
        terminal = self.open()
        line = "a line of what is pasted: ä 谢谢 👩‍🚀\tend\n"
        text = line * (5 * 2**20 // len(line.encode()))
        terminal.type("before \x1b[200~" + text.replace("\n", "\r") + "\x1b[201~")
        terminal.wait_for("paste 100824 lines, 5.24 MB?")
        terminal.type("e")
        terminal.wait_for("> before [pasted text, 5.24 MB, ")
        terminal.type(" after")
        terminal.wait_for("lines] after")
        terminal.type("\r")
        terminal.wait_for("… 5.24 MB in all: Alt-O or /open 1 reads it, /save 1")
        self.assertIn("what is pasted: ä 谢谢", terminal.text)
        terminal.type("!count\r")
        whole = f"before {text} after"
        terminal.wait_for(f"{len(whole)} characters, {digest(whole)}")

    def test_long_paste_that_is_not_sent_yet(self) -> None:
        terminal = self.open()
        terminal.type("!keep \x1b[200~" + "some words " * 10_000 + "\x1b[201~\r")
        terminal.wait_for("… 110 kB in all")
        self.assertEqual(terminal.colour("… 110 kB"), DIM)
        terminal.type("\x1b[A")
        terminal.wait_for("> [pasted text, 110 kB, 1 line]")

    def test_left_from_before(self) -> None:
        terminal = self.open()
        terminal.type("!left 'an' + ' old one'\r")
        terminal.wait_for("ann an old one")
        self.assertEqual(terminal.colour("an old one"), DIM)
        terminal.type("!lost here\r")  # tells that nothing is unsent
        terminal.wait_for(lambda: "ann an old one" not in terminal.text and "here" in terminal.text)

    def test_send_and_save(self) -> None:
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (folder / "a file.txt").write_text("x" * 300)
        terminal = self.open(100, 30)
        terminal.type(f"/send {folder}/a file.txt\r")
        terminal.wait_for("sending 50 % of a file.txt")
        self.assertEqual(terminal.colour("file a file.txt, 300 bytes"), DIM)
        terminal.type("!go\r")
        terminal.wait_for("file a file.txt, 300 bytes: /save")
        self.assertNotIn("sending", terminal.text)

        terminal.type("!say 'x' * 100_000\r")
        terminal.wait_for("… 100 kB in all: Alt-O or /open 3 reads it, /save 3")
        for place, path in ((f" {folder}", folder / "message-3.txt"), (f" '{folder}/a copy'", folder / "a copy")):
            terminal.type(f"/save 3{place}\r")
            terminal.wait_for(f"saving 50 % of {path.name}")
            terminal.type("!go\r")
            terminal.wait_for(f"message 3 is saved in {path}, 100 kB")
            self.assertEqual(path.stat().st_size, 100_000)

    def test_send_and_save_what_cannot_be(self) -> None:
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (folder / "x").write_text("old")
        terminal = self.open(100, 30)
        for typed, said in (
            ("/send", "cannot send that: say which FILE"),
            (f"/send {folder}/none", f"cannot send {folder}/none: No such file or directory"),
            (f"/send {folder}", f"cannot send {folder}: it is no regular file"),
            ("/save", "the number of a message is missing: /save ID [FILE]"),
            ("/save 99", "message 99 is not saved: there is no message 99 in lobby"),
            ("/cancel", "nothing is being sent or saved"),
        ):
            terminal.type(typed + "\r")
            terminal.wait_for(said)
        terminal.type(f"!say 'y' * 100\r/save 1 {folder}/x\r")
        terminal.wait_for("saving 50 % of x")
        terminal.type("!go\r")
        terminal.wait_for(f"{folder}/x is there already; save to another one: /save 1 FILE")
        self.assertEqual((folder / "x").read_text(), "old")

    def test_cancel(self) -> None:
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (folder / "x").write_text("z" * 300)
        terminal = self.open()
        terminal.type(f"/send {folder}/x\r")
        terminal.wait_for("sending 50 % of x")
        terminal.type("/cancel\r")
        terminal.wait_for("file x, 300 bytes (cancelled)")
        terminal.type(f"!say 'two'\r/save 1 {folder}/y\r")
        terminal.wait_for("saving 33 % of y")
        terminal.type("/cancel\r")
        terminal.wait_for("message 1 is not saved; /save 1 goes on")
        terminal.wait_for(lambda: "saving" not in terminal.lines[-2])

    def test_long_input_leaves_the_view(self) -> None:
        terminal = self.open(40, 12)
        terminal.type("one\r")
        terminal.wait_for("ann one")
        terminal.type("\x1b[200~" + "\r".join(f"row {n}" for n in range(50)) + "\x1b[201~")
        terminal.wait_for("paste 50 lines")
        terminal.type("e")
        terminal.wait_for("row 49")
        self.assertIn("ann one", terminal.text)
        self.assertNotIn("row 40", terminal.text)

    def test_resize(self) -> None:
        terminal = self.open()
        terminal.type("!say 'a long line ' * 20 + 'the end'\r")
        terminal.wait_for("the end")
        for columns, rows in [(40, 10), (300, 100), (20, 4), (5, 3), (2, 2), (1, 1), (200, 60)]:
            terminal.resize(columns, rows)
            if columns > 10:
                terminal.wait_for(lambda: terminal.lines[-1] == ">" and terminal.lines[-2])
        terminal.wait_for("the end")

    def test_nothing_that_is_sent_moves_anything(self) -> None:
        terminal = self.open(80, 50)
        for attack in [
            "\x1b]0;title\x07",
            "\x1b[2J\x1b[Hgone",
            "\x9b2J",
            "\u202eesrever",
            "\rcarl: forged",
            "\x00\x07\x08\x7f",
            "\U000e0041\u2028\ud800",
            "a\nb\tc",
        ]:
            terminal.type(f"!say {attack!a}\r")
        terminal.type("!say 'e' + '\\u0301' * 10_000\r")
        terminal.type("!from '\\x1b[31m\\x1b]0;x\\x07'\r")
        terminal.type("!say 'the last'\r")
        terminal.wait_for("bob the last")
        self.assertIn("␛]0;title␇", terminal.text)
        self.assertFalse(re.search(rb"\x1b\]|\x07|\x9b|\x1b\[31m|\x08", terminal.output.replace(b"\xe2\x90\x9b", b"")))
        for drawn in ("\u202e", "\u2028", "\U000e0041", "\u0301" * 5):
            self.assertNotIn(drawn, terminal.output.decode())
        self.assertTrue(all(row[:5].strip() in ("", "live", ">", "── Mo") or row[2] == ":" for row in terminal.lines))


class Ends(TestCase):
    """However it ends, the terminal is as before and the status tells."""

    def test_signals(self) -> None:
        for number, status in [(signal.SIGTERM, 0), (signal.SIGHUP, 1), (signal.SIGINT, 0), (signal.SIGQUIT, 1)]:
            with self.subTest(number), Terminal(SCRIPTED) as terminal:
                terminal.wait_for("live")
                terminal.process.send_signal(number)
                self.assertEqual(terminal.wait_exit(), status)
                self.assertTrue(terminal.restored)

    def test_error(self) -> None:
        for typed, error in [
            ("!break", r"TypeError: .* \(room.py:\d+\)"),  # in what a Deferred calls
            ("!raise it", r"RuntimeError: .* \(scripted.py:\d+\)"),  # in what a key does
        ]:
            with self.subTest(typed), Terminal(SCRIPTED) as terminal:
                terminal.wait_for("live")
                terminal.type(typed + "\r")
                self.assertEqual(terminal.wait_exit(), 1)
                self.assertTrue(terminal.restored)
                said = terminal.output.decode().rpartition("\x1b[?25h")[2]
                self.assertRegex(said.strip(), rf"\Achat: an error in this program: {error}\Z")

    def test_not_let_in(self) -> None:
        with Terminal([*SCRIPTED, "refuse"]) as terminal:
            self.assertEqual(terminal.wait_exit(), 1)
            self.assertTrue(terminal.restored)
            self.assertTrue(terminal.output.endswith(b"chat: ann is not let in: somebody else is ann\r\n"))

    def test_terminal_hangs_up(self) -> None:
        said = Path(self.enterContext(tempfile.TemporaryDirectory())) / "said"
        with Terminal(["sh", "-c", f"exec {shlex.join(SCRIPTED)} 2>{said}"]) as terminal:
            terminal.wait_for("live")
            terminal.hang_up()
            self.assertEqual(terminal.process.wait(10), 1)
        self.assertRegex(said.read_text(), r"\Achat: the terminal (hung up|is gone: [\w/ ]+)\n\Z")
