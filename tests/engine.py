"""The containers of docker-compose.yml, by a real engine, under a name and on ports of their own."""

from __future__ import annotations

import ctypes
import json
import os
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.plain_client import PlainClient
from tests.processes import ROOT
from tests.programs import leave_out, program, unless_left_out

# An engine may publish its ports in another network namespace: its path, as in /run/netns/NAME.
NAMESPACE = os.environ.get("ENGINE_NETNS")
_CLONE_NEWNET = 0x40000000
_PATIENCE = 600  # seconds: an image is built
_START = 180  # seconds until a server serves


def docker(*arguments: str, timeout: float = _PATIENCE, **variables: str) -> str:
    """Run docker and return what it prints; raises AssertionError with what it says where it fails."""
    ended = subprocess.run(
        [program("docker", "docker.io"), *arguments],
        cwd=ROOT,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert ended.returncode == 0, f"docker {' '.join(arguments)}:\n{ended.stdout}\n{ended.stderr}"
    return ended.stdout


def need_engine() -> None:
    """Leave the test out where no engine answers, or it has no compose."""
    unless_left_out("containers")
    try:
        docker("version", timeout=30)
        docker("compose", "version", timeout=30)
    except (AssertionError, subprocess.TimeoutExpired) as wrong:
        leave_out(f"no container engine with compose answers: {wrong}")


def outside(*command: str) -> tuple[str, ...]:
    """Return the command that runs ``command`` on the machine on which the engine publishes its ports."""
    return (program("nsenter", "util-linux"), f"--net={NAMESPACE}", *command) if NAMESPACE else command


@contextmanager
def _among_published_ports() -> Iterator[None]:
    """Open sockets, in this thread, where the engine publishes its ports."""
    if NAMESPACE is None:
        yield
        return
    with Path("/proc/thread-self/ns/net").open() as ours, Path(NAMESPACE).open() as theirs:
        _enter(theirs.fileno())
        try:
            yield
        finally:
            _enter(ours.fileno())


def _enter(namespace: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def until_it_works(*arguments: str) -> str:
    """Run docker again and again until that succeeds; raises what was wrong last."""
    give_up_at = time.monotonic() + _START
    while True:
        try:
            return docker(*arguments)
        except AssertionError:
            if time.monotonic() > give_up_at:
                raise


class Composed:
    """The services of docker-compose.yml, those of ``profiles`` among them."""

    def __init__(self, *profiles: str) -> None:
        self._project = f"chat-test-{secrets.token_hex(4)}"
        self._profiles = ",".join(profiles)

    def compose(self, *arguments: str) -> str:
        """Run ``docker compose`` for these containers and return what it prints."""
        return docker(
            "compose",
            f"--project-name={self._project}",
            *arguments,
            COMPOSE_PROFILES=self._profiles,
            CHAT_PORT="0",
            CHAT_PORT_2="0",
        )

    def up(self, *services: str) -> None:
        """Build and start the services and return when they serve."""
        self.compose("up", "--build", "--detach", *services)
        for service in services or ("server", "server-2"):
            self._wait_for(service)

    def _wait_for(self, service: str) -> None:
        until = time.monotonic() + _START
        while not self._is_well(service):
            assert time.monotonic() < until, self.compose("logs")

    def _is_well(self, service: str) -> bool:
        try:
            self.compose("exec", "-T", service, "chat-server", "health")
        except AssertionError:
            return False
        return True

    def down(self) -> None:
        """Remove the containers and their volumes."""
        self.compose("down", "--volumes", "--timeout=10")

    def address(self, service: str = "server") -> tuple[str, int]:
        """Return where a server is reached from outside; a restart changes it."""
        _, _, port = self.compose("port", service, "7777").strip().rpartition(":")
        return "127.0.0.1", int(port)

    def connect(self, service: str = "server") -> PlainClient:
        """Connect to a server from outside."""
        address = self.address(service)
        with _among_published_ports():
            return PlainClient.connect(address)

    def inspect(self, service: str) -> dict[str, Any]:
        """Return what the engine knows of a service's container."""
        [container] = json.loads(docker("inspect", self.compose("ps", "--all", "--quiet", service).strip()))
        assert isinstance(container, dict)
        return container
