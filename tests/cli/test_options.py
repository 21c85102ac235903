"""What people may write behind ``chat``."""

from __future__ import annotations

from typing import Any
from unittest import TestCase
from unittest.mock import patch

from twisted.python.usage import UsageError

from cli import options
from cli.options import Options


def parsed(line: str) -> Any:
    found = Options()
    found.parseOptions(line.split())
    return found


class Arguments(TestCase):
    def test_name_and_address(self) -> None:
        for line, user, host, port in (
            ("ann", "ann", "127.0.0.1", 7777),
            ("ann example.org", "ann", "example.org", 7777),
            ("ann example.org:1234", "ann", "example.org", 1234),
            ("example.org:1234 ann", "ann", "example.org", 1234),
            ("ann [::1]:1234", "ann", "::1", 1234),
            ("ann [::1]", "ann", "::1", 7777),
            ("ann --port 1234", "ann", "127.0.0.1", 1234),
            ("--port 1234 ann --host example.org", "ann", "example.org", 1234),
            ("ann example.org -p1234", "ann", "example.org", 1234),
            ("--user send", "send", "127.0.0.1", 7777),
            ("--user send example.org", "send", "example.org", 7777),
        ):
            found = parsed(line)
            self.assertEqual((found["user"], found["host"], found["port"]), (user, host, port), line)

    def test_name_left_out(self) -> None:
        with patch.object(options, "getuser", return_value="joe"):
            self.assertEqual(parsed("")["user"], "joe")
            self.assertEqual(parsed("example.org:1")["user"], "joe")
        with patch.object(options, "getuser", return_value="DOMAIN\\joe"), self.assertRaises(UsageError):
            parsed("")

    def test_the_rest(self) -> None:
        found = parsed("ann --room a -r b --history 5 --json")
        self.assertEqual((found["rooms"], found["history"], found["json"]), (["a", "b"], 5, 1))
        found = parsed("ann")
        self.assertEqual((found["rooms"], found["history"], found["json"]), (["lobby"], None, 0))

    def test_wrong(self) -> None:
        for line in (
            "a/b", "ann --port 0", "ann --port 65536", "ann --port x", "ann --history 501", "ann --history -1",
            "ann host:", "ann host:99999", "ann host:1 more:2", "ann host:1 --port 2", "ann h1 --host h2",
            "ann --room /", "ann --nonsense", "ann --port", "ann [::1", "a b c",
        ):  # fmt: skip
            with self.assertRaises(UsageError, msg=line):
                parsed(line)
