"""What the tests against a real server have in common."""

from __future__ import annotations

import atexit
import itertools
from functools import cache
from typing import Any
from unittest import TestCase

from tests.plain_client import Frame, PlainClient
from tests.processes import ServerProcess, counted_environment

_numbers = itertools.count(1)


def fresh(kind: str) -> str:
    """Return a name that no other test has used."""
    return f"{kind}{next(_numbers)}"


@cache
def shared_server() -> ServerProcess:
    """Return the one server, with the default flags, that the tests of this process share."""
    server = ServerProcess(variables=counted_environment())
    atexit.register(server.close)
    server.start()
    return server


class ServerCase(TestCase):
    """Tests of what the shared server says. Each has a room to itself, joined by those who :meth:`enter`."""

    def setUp(self) -> None:
        self.server = shared_server()
        self.room = fresh("room")
        self._log_began = len(self.server.log)

    def tearDown(self) -> None:
        log = "\n".join(self.server.log[self._log_began :])
        self.assertNotIn("Traceback", log)
        self.assertIsNone(self.server.status, log)

    def connect(self) -> PlainClient:
        client = self.server.connect()
        self.addCleanup(client.close)
        return client

    def login(self, user: str | None = None, **fields: Any) -> PlainClient:
        """Log somebody in, in no room unless ``rooms`` says so."""
        client = self.connect()
        client.login(user or fresh("user"), **{"rooms": {}, **fields})
        return client

    def enter(self, user: str | None = None, **fields: Any) -> PlainClient:
        """Log somebody in who is in the test's own room from its beginning."""
        return self.login(user, rooms={self.room: 0}, **fields)

    def fill(self, count: int, room: str | None = None) -> list[str]:
        """Store messages in the test's own room (or another) and return them."""
        room = room or self.room
        texts = [f"message {number}" for number in range(1, count + 1)]
        writer = self.login(rooms={room: 0})
        for text in texts:
            writer.send(text, room)
        writer.read("ack", seq=count)
        writer.close()
        return texts

    def refused_login(self, user: Any = "nobody", **fields: Any) -> Frame:
        """Return the ``error`` that a login gets, having seen that it ends the connection without a ``bye``."""
        client = self.connect()
        client.say("login", user=user, **fields)
        return self.assert_refused(client)

    def assert_refused(self, client: PlainClient) -> Frame:
        """See that one fatal ``error`` is the last that a client who is not logged in gets; return it."""
        frames = [frame for frame in client.frames() if frame.type != "pong"]
        self.assertEqual([frame.type for frame in frames], ["error"], frames)
        self.assertIs(frames[0]["fatal"], True)
        return frames[0]

    def assert_fatal(self, client: PlainClient, code: str | None = None) -> Frame:
        """See that a client gets a fatal ``error``, ``bye`` ``protocol`` and the end; return the error."""
        frames = client.frames()
        self.assertEqual([frame.type for frame in frames[-2:]], ["error", "bye"], frames)
        error, bye = frames[-2:]
        self.assertIs(error["fatal"], True)
        self.assertEqual(bye["reason"], "protocol")
        if code is not None:
            self.assertEqual(error["code"], code)
        return error

    def assert_error(self, error: Frame, code: str, **fields: Any) -> None:
        """See that an ``error`` is not fatal and repeats exactly these of ``seq``, ``ref``, ``room``, ``upload``.

        A room that is no name need not be repeated: it is not valid.
        """
        self.assertEqual(error["code"], code, error)
        self.assertTrue(error["text"], error)
        self.assertFalse(error.header.get("fatal", False), error)
        repeated = {field: error[field] for field in ("seq", "ref", "room", "upload") if field in error}
        if code == "bad_name" and "room" not in error:
            fields.pop("room", None)
        self.assertEqual(repeated, fields, error)

    def assert_lives(self, client: PlainClient) -> None:
        """See that the connection goes on, with nothing said that was not read."""
        self.assertEqual(client.until_pong(), [])
