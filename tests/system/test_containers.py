"""The image and docker-compose.yml, with a real engine: built, started, talked to from outside, restarted, removed."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest import TestCase

from tests.engine import Composed, docker, need_engine, outside, until_it_works
from tests.plain_client import PlainClient
from tests.processes import ROOT, environment
from tests.tls import Authority

BASE = "python:3.12-slim-bookworm"
ADDED = 80_000_000  # bytes that the image may add to its base


def size(image: str) -> int:
    return int(docker("image", "inspect", "--format={{.Size}}", image))


class Containers(TestCase):
    composed: Composed

    @classmethod
    def setUpClass(cls) -> None:
        need_engine()
        cls.composed = Composed("cluster")
        cls.addClassCleanup(cls.composed.down)
        cls.composed.up()

    def enter(self, user: str, service: str = "server", **fields: Any) -> PlainClient:
        client = self.composed.connect(service)
        self.addCleanup(client.close)
        client.login(user, **{"client": user, "rooms": {"lobby": 0}, **fields})
        return client

    def test_a_client_of_the_host_talks_to_them(self) -> None:
        host, port = self.composed.address()
        bob = self.enter("bob")
        ended = subprocess.run(
            outside(sys.executable, str(ROOT / "cmd" / "cli"), f"--port={port}", "ann", host),
            input="hello from outside\n",
            env=environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.assertEqual(ended.returncode, 0, ended)
        self.assertEqual(bob.read("message", id=1).text, "hello from outside")

    def test_the_database_is_restarted_under_them(self) -> None:
        ann = self.enter("cara")
        self.composed.compose("kill", "mysql")
        try:
            seq = ann.send("said while the database is away")
            self.assertEqual(ann.read("notice", timeout=60)["code"], "storage_down")
        finally:
            self.composed.compose("start", "mysql")
        self.assertEqual(ann.read("notice", timeout=90)["code"], "storage_up")
        ann.read("ack", seq=seq)

    def test_the_server_is_restarted_under_its_clients(self) -> None:
        texts = [f"message {number}" for number in range(300)]
        room: dict[str, Any] = {"rooms": {"restart": 0}}
        dan, eve = self.enter("dan", **room), self.enter("eve", **room)
        for text in texts:
            dan.send(text, "restart")
        dan.read("ack", seq=100)
        self.composed.compose("stop", "server")
        for client in (dan, eve):
            self.assertEqual(client.frames()[-1].header, {"type": "bye", "reason": "shutdown"})
        self.assertEqual(self.composed.inspect("server")["State"]["ExitCode"], 0)
        self.assertNotIn("Traceback", self.composed.compose("logs", "server"))

        self.composed.up("server")
        dan = self.composed.connect()
        self.addCleanup(dan.close)
        received = dan.login("dan", client="dan", **room)["received"]
        for text in texts[received:]:
            dan.store(text, "restart")
        self.assertEqual([message.text for message in dan.read_messages("restart", 300)], texts)

    def test_the_engine_sees_that_they_are_well(self) -> None:
        self.composed.compose("up", "--detach", "--wait", "--wait-timeout=300")

    def test_two_servers_are_one_chat(self) -> None:
        ann, bob = self.enter("fay", rooms={"both": 0}), self.enter("gil", "server-2", rooms={"both": 0})
        ann.store("from one", "both")
        self.assertEqual(bob.read("message").text, "from one")
        bob.store("from the other", "both")
        self.assertEqual(ann.read("message", id=2).text, "from the other")

    def test_a_server_may_do_nothing_but_serve(self) -> None:
        container = self.composed.inspect("server")
        self.assertEqual(container["Config"]["User"], "chat")
        self.assertTrue(container["HostConfig"]["ReadonlyRootfs"])
        status = self.composed.compose("exec", "server", "cat", "/proc/1/status")
        self.assertIn("CapBnd:\t0000000000000000", status)
        self.assertIn("NoNewPrivs:\t1", status)
        self.assertNotIn("\nUid:\t0", status)
        password = self.composed.compose("exec", "server", "cat", "/run/secrets/db-password").strip()
        self.assertGreater(len(password), 30)
        self.assertNotIn(password, json.dumps(container))

    def test_what_the_image_adds_to_its_base(self) -> None:
        self.assertLess(size("console-chat") - size(BASE), ADDED)

    def alone(self) -> str:
        """Return a name for a container outside the composed ones, which goes with the test."""
        name = f"chat-test-{secrets.token_hex(4)}"
        self.addCleanup(docker, "rm", "--force", "--volumes", name)
        return name

    def test_over_tls_it_is_well_too(self) -> None:
        name = self.alone()
        docker("create", f"--name={name}", "--health-interval=1s", "console-chat", "--tls-cert=/etc/chat.pem")
        with tempfile.TemporaryDirectory() as folder:
            cert, key = Authority(Path(folder)).issue("localhost")
            both = Path(folder, "chat.pem")
            both.write_bytes(cert.read_bytes() + key.read_bytes())
            docker("cp", str(both), f"{name}:/etc/chat.pem")
        docker("start", name)
        health, until = "starting", time.monotonic() + 60
        while health == "starting" and time.monotonic() < until:
            health = docker("inspect", "--format={{.State.Health.Status}}", name).strip()
        self.assertEqual(health, "healthy", docker("inspect", "--format={{json .State.Health}}", name))

    def test_alone_it_keeps_messages_in_its_volume(self) -> None:
        name = self.alone()
        docker("run", "--detach", "--read-only", f"--name={name}", "console-chat")
        until_it_works("exec", name, "chat-server", "health")
        docker("exec", name, "sh", "-c", "echo hello | chat ann")
        docker("stop", name)
        self.assertEqual(docker("inspect", "--format={{.State.ExitCode}}", name).strip(), "0")
        docker("start", name)
        until_it_works("exec", name, "chat-server", "health")
        self.assertEqual(docker("exec", name, "chat", "tail", "bob"), "ann: hello\n")
