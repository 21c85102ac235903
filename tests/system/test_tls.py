"""TLS: the same chat, behind a certificate that may be renewed at any time."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from unittest import TestCase

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from twisted.internet.testing import MemoryReactorClock

from server.options import Options
from server.service import ChatService
from tests.plain_client import encode
from tests.processes import SERVER, ServerProcess, environment
from tests.tls import Authority, TlsClient, trusting

# PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN: since Linux 6.3; before, nothing is denied.
DENY = "import ctypes, os, sys; ctypes.CDLL(None).prctl(65, 1, 0, 0, 0); os.execv(sys.argv[1], sys.argv[1:])"
SLOW = 200  # readers that do not read, in the test of what they cost


class TlsCase(TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="chat-tls-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.authority = Authority(self.folder)
        self.cert, self.key = self.authority.issue("localhost", "127.0.0.1")

    def serve(
        self, *flags: str, listen: str = "tls:tcp:0:interface=127.0.0.1", command: Sequence[str] = SERVER
    ) -> ServerProcess:
        tls = ("--tls-cert", str(self.cert), "--tls-key", str(self.key))
        server = ServerProcess(*tls, *flags, listen=listen, command=command)
        self.addCleanup(server.close)
        server.start()
        self.addCleanup(lambda: self.assertNotIn("Traceback", "\n".join(server.log)))
        return server

    def client(self, server: ServerProcess) -> TlsClient:
        client = TlsClient.over(server.address)
        self.addCleanup(client.close)
        return client


class Talking(TlsCase):
    def test_one_talks_as_without_it(self) -> None:
        server = self.serve()
        ann, bob = self.client(server), self.client(server)
        ann.login("ann")
        bob.login("bob")
        for number in range(200):
            ann.send(f"{number} " + "x" * 1_000)
        ann.read("ack", seq=200)
        texts = [message.text for message in bob.read_messages("lobby", 200)]
        self.assertEqual([text.split()[0] for text in texts], [str(number) for number in range(200)])
        ann.say("quit")
        self.assertEqual(ann.frames()[-1]["reason"], "quit")
        self.assertEqual(server.terminate(), 0)
        self.assertEqual(bob.frames()[-1]["reason"], "shutdown")

    def test_a_fatal_error_arrives(self) -> None:
        client = self.client(self.serve())
        client.write(b"x:")
        [error] = client.frames()
        self.assertIs(error["fatal"], True)

    def test_a_reader_that_stops_is_little_more_than_a_number(self) -> None:
        server = self.serve("--max-clients", "2000")
        stuck = [self.client(server) for _ in range(SLOW)]
        for number, client in enumerate(stuck):
            client.login(f"stuck{number}", history=0)
        ann = self.client(server)
        ann.login("ann")
        before = server.memory()
        for _ in range(1_000):
            ann.send("x" * 20_000)
        ann.read("ack", seq=1_000, timeout=60)  # 20 MB for each of them
        grown = (server.memory() - before - 20_000_000) / SLOW
        self.assertLess(grown, 200_000)
        stuck[0].read_messages("lobby", 1_000, timeout=30)

    def test_who_does_not_speak_it_is_told_of_in_one_line(self) -> None:
        server = self.serve()
        with socket.create_connection(("127.0.0.1", server.port)) as plain:
            plain.sendall(encode("login", user="ann"))
            plain.settimeout(5)
            while plain.recv(1_000):
                pass
        client = self.client(server)
        client.login("ann")
        lines = [line for line in server.log if "there is no TLS" in line]
        self.assertEqual(len(lines), 1, server.log)

    def test_old_versions_are_refused(self) -> None:
        server = self.serve()
        context = trusting()
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            TlsClient.over(server.address, context)

    def test_500_idle_clients_cost_no_processor_time(self) -> None:
        server = self.serve()
        for number in range(500):
            self.client(server).login(f"idle{number}", history=0)
        before, began = server.cpu(), time.monotonic()
        with self.assertRaises(TimeoutError):  # nothing comes; the time passes
            self.client(server).read("bye", timeout=3)
        self.assertLess((server.cpu() - before) / (time.monotonic() - began), 0.02)

    def test_its_health_is_asked_for(self) -> None:
        server = self.serve()
        for where in (str(server.port), f"tls:{server.port}"):
            self.assertEqual(self.ask(where), (0, ""))
        os.kill(server.pid, signal.SIGSTOP)
        try:
            status, complaint = self.ask(f"tls:{server.port}")
        finally:
            os.kill(server.pid, signal.SIGCONT)
        self.assertEqual(status, 1)
        self.assertIn(f"the server at 127.0.0.1:{server.port} does not answer", complaint)

    def ask(self, where: str) -> tuple[int, str]:
        asked = subprocess.run([*SERVER, "health", where], capture_output=True, text=True, env=environment())
        return asked.returncode, asked.stderr

    def test_without_memory_that_is_written_and_executed(self) -> None:
        """As by MemoryDenyWriteExecute of our systemd unit."""
        command = (sys.executable, "-c", DENY, *SERVER)
        self.client(self.serve(command=command)).login("ann")

    def test_on_a_unix_socket_too(self) -> None:
        path = self.folder / "chat"
        server = self.serve(listen=f"tls:unix:{path}")
        self.client(server).login("ann")


class Renewed(TlsCase):
    def serial(self, server: ServerProcess) -> bytes:
        with socket.create_connection(("127.0.0.1", server.port)) as plain, trusting().wrap_socket(plain) as secured:
            return secured.getpeercert(binary_form=True) or b""

    def test_a_renewed_certificate_counts_for_whoever_comes_next(self) -> None:
        server = self.serve()
        before = self.client(server)
        before.login("ann")
        first = self.serial(server)
        self.authority.issue("localhost")
        self.assertNotEqual(self.serial(server), first)
        before.store("still here")

    def test_one_that_cannot_be_used_leaves_the_old_one(self) -> None:
        server = self.serve()
        first = self.serial(server)
        self.cert.write_text("no certificate")
        self.assertEqual(self.serial(server), first)
        self.assertEqual(self.serial(server), first)
        self.assertEqual(len([line for line in server.log if "the old one stays" in line]), 1)
        self.cert.unlink()
        self.assertEqual(self.serial(server), first)
        self.authority.issue("localhost")
        self.assertNotEqual(self.serial(server), first)


class Starting(TlsCase):
    def assert_refused(self, *flags: str, says: str) -> None:
        options = Options()
        db = f"sqlite:///{self.folder}/chat.db"
        with self.assertRaisesRegex(SystemExit, f"^chat-server: [^\n]*{says}[^\n]*$"):
            options.parseOptions([*flags, "--db", db])
            ChatService(options, MemoryReactorClock())

    def test_the_port_is_secured_where_nothing_else_is_said(self) -> None:
        server = ServerProcess("--tls-cert", str(self.cert), "--tls-key", str(self.key), "--port", "0", listen="")
        self.addCleanup(server.close)
        server.start()
        TlsClient.over(("127.0.0.1", server.port)).close()

    def test_what_cannot_work_is_said_in_one_line(self) -> None:
        cert, key = str(self.cert), str(self.key)
        tls = ("--listen", "tls:tcp:0")
        other = str(self.authority.issue("localhost", into="other")[1])
        self.assert_refused("--listen", "tcp:0", "--tls-cert", cert, says="no --listen takes the --tls-cert")
        self.assert_refused(*tls, says="--tls-cert FILE")
        self.assert_refused(*tls, "--tls-cert", cert, "--tls-key", other, says="there is no key of")
        self.assert_refused(*tls, "--tls-cert", key, "--tls-key", key, says="no certificate in it")
        self.assert_refused(*tls, "--tls-cert", cert, says="there is no key of")
        locked = str(self.locked(Path(key)))
        self.assert_refused(*tls, "--tls-cert", cert, "--tls-key", locked, says="it has a passphrase")
        self.assert_refused(*tls, "--tls-cert", "/nowhere", "--tls-key", key, says="/nowhere: No such file")

    def locked(self, key: Path) -> Path:
        """Write ``key`` with a passphrase."""
        loaded = load_pem_private_key(key.read_bytes(), None)
        enciphered = BestAvailableEncryption(b"secret")
        locked = key.with_suffix(".locked")
        locked.write_bytes(loaded.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, enciphered))
        return locked

    def test_certificate_and_key_may_stand_in_one_file(self) -> None:
        both = self.folder / "both.pem"
        both.write_text(self.key.read_text() + self.cert.read_text())
        server = ServerProcess("--tls-cert", str(both), listen="tls:tcp:0:interface=127.0.0.1")
        self.addCleanup(server.close)
        server.start()
        self.client(server).login("ann")
