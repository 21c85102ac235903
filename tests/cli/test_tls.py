"""``chat`` over TLS: it talks with a server that shows who it is, and with no other, and says why."""

from __future__ import annotations

import socket
import ssl
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

from cli.options import Options
from tests.cli.programs import CHAT, ProgramCase
from tests.processes import ServerProcess
from tests.system.case import fresh
from tests.terminal import Terminal
from tests.tls import Authority


class TlsServer(ServerProcess):
    """A server with a certificate for ``localhost``, and the authority that signed it."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder)
        cert, key = self.authority.issue("localhost")
        super().__init__("--tls-cert", str(cert), "--tls-key", str(key), listen="tls:tcp:0:interface=127.0.0.1")


class TlsCase(ProgramCase):
    secured: ClassVar[TlsServer]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        folder = tempfile.TemporaryDirectory(prefix="chat-tls-")
        cls.addClassCleanup(folder.cleanup)
        cls.secured = TlsServer(Path(folder.name))
        cls.addClassCleanup(cls.secured.close)
        cls.secured.start()

    def setUp(self) -> None:
        super().setUp()
        self.plain, self.server = self.server, self.secured
        self.root = f"--tls-ca={self.secured.authority.root}"

    def say(self, *flags: str, host: str = "localhost") -> tuple[int, bytes, str]:
        return self.run_chat("send", "--host", host, *flags, fresh("ann"), said=b"hello")


class Trusted(TlsCase):
    def test_one_talks(self) -> None:
        self.assertEqual(self.say("--tls", self.root), (0, b"", ""))
        status, out, _ = self.run_chat("tail", "-n", "1", self.root, fresh("bob"), "tls://localhost")
        self.assertEqual((status, out.split()[-1]), (0, b"hello"))

    def test_by_an_address_that_the_certificate_is_for(self) -> None:
        self.secured.authority.issue("localhost", "127.0.0.1")
        self.addCleanup(self.secured.authority.issue, "localhost")
        self.assertEqual(self.say("--tls", self.root, host="127.0.0.1")[0], 0)

    def test_the_next_of_several_servers_is_verified_too(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            hosts = f"tls://localhost:{taken.getsockname()[1]},localhost:{self.secured.port}"
            self.assertEqual(self.say(self.root, host=hosts)[0], 0)
            hosts = hosts.replace(",localhost", ",127.0.0.1")
            self.assertIn("is for another name", self.say(self.root, host=hosts)[2])


class Refused(TlsCase):
    def assert_refused(self, why: str, *flags: str, host: str = "localhost") -> None:
        status, _, complaints = self.say(*flags, host=host)
        self.assertEqual(status, 1)
        self.assert_one_line(complaints)
        self.assertIn(why, complaints)

    def serve(self, *names: str, until: datetime | None = None) -> None:
        """Have another certificate from now on; the one of before is back at the end."""
        self.secured.authority.issue(*names, until=until)
        self.addCleanup(self.secured.authority.issue, "localhost")

    def test_another_name(self) -> None:
        self.assert_refused("is for another name; is the address right?", "--tls", self.root, host="127.0.0.1")

    def test_a_certificate_that_has_expired(self) -> None:
        self.serve("localhost", until=datetime.now(UTC) - timedelta(days=1))
        self.assert_refused("has expired", "--tls", self.root)

    def test_one_that_nobody_signed_whom_the_machine_trusts(self) -> None:
        self.assert_refused("--tls-ca FILE names theirs", "--tls")

    def test_somebody_between_with_a_certificate_of_their_own(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            other = Authority(Path(folder))
            shown = other.issue("localhost")
            why = f"nobody in {self.secured.authority.root} has signed its certificate; "
            with between(*shown) as (port, heard):
                where = f"localhost:{port}"
                self.assert_refused(f"{why}where that is the right file, somebody", "--tls", self.root, host=where)
                self.assertEqual(heard, [b""])
            with between(*shown) as (port, heard):
                where = f"localhost:{port}"
                with Terminal([*CHAT, "ann", where, "--tls", self.root], 200) as terminal:
                    terminal.wait_for(f"{where} is not to be trusted: {why}")
                    self.assertEqual(terminal.wait_exit(), 1)
                self.assertEqual(heard, [b""])

    def test_a_server_without_it(self) -> None:
        self.assert_refused(
            "it does not speak TLS; is the port right?", "--tls", self.root, host=f"localhost:{self.plain.port}"
        )

    def test_a_version_of_old(self) -> None:
        cert, key = self.secured.authority.issue("localhost", into="old")
        with between(cert, key, old=True) as (port, heard):
            self.assert_refused("it must be 1.2 or newer", "--tls", self.root, host=f"localhost:{port}")
            self.assertEqual(heard, [b""])

    def test_who_did_not_ask_for_it_is_told_of_it(self) -> None:
        self.assert_refused("if it speaks TLS, say --tls")
        with Terminal([*CHAT, "ann", f"localhost:{self.secured.port}"]) as terminal:
            terminal.wait_for("say --tls, or tls://")  # on a small screen too

    def test_a_file_of_authorities_that_is_none(self) -> None:
        self.assert_refused("/nowhere: No such file", "--tls", "--tls-ca=/nowhere")
        self.assert_refused("there is no certificate in it", "--tls", f"--tls-ca={__file__}")


class Chosen(ProgramCase):
    def options(self, *words: str) -> Options:
        options = Options()
        options.parseOptions(list(words))
        return options

    def test_by_a_flag_or_by_the_address(self) -> None:
        for words in (["ann", "tls://h:7"], ["--tls", "ann", "h:7"], ["--host", "tls://h", "-p", "7", "ann"]):
            found = self.options(*words)
            self.assertEqual((found["host"], found["port"], found["tls"]), ("h", 7, True), words)
            self.assertEqual(found.server, "h:7")
        self.assertEqual(self.options("ann", "a,tls://b:1")["host"], "a,b:1")
        self.assertTrue(self.options("ann", "a,tls://b:1")["tls"])
        self.assertFalse(self.options("ann", "h:7")["tls"])


@contextmanager
def between(cert: Path, key: Path, old: bool = False) -> Iterator[tuple[int, list[bytes]]]:
    """Listen with a certificate; yield the port, and what was heard over TLS, ``b""`` for who went without a word."""
    heard: list[bytes] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    if old:
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = ssl.TLSVersion(0x0302)  # 1.1

    def meet() -> None:
        for _ in range(1):
            plain, _address = listening.accept()
            with plain:
                plain.settimeout(10)
                try:
                    with context.wrap_socket(plain, server_side=True) as secured:
                        heard.append(secured.recv(1000))
                except (ssl.SSLError, ConnectionError):
                    heard.append(b"")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=meet, daemon=True)
        thread.start()
        yield listening.getsockname()[1], heard
        thread.join(10)
