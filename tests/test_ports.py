"""Ports on which something is started later."""

from __future__ import annotations

from contextlib import ExitStack
from socket import create_connection, create_server
from unittest import TestCase

from tests.ports import free_ports


class Ports(TestCase):
    def test_they_are_different_and_free(self) -> None:
        ports = free_ports(9)
        self.assertEqual(len(set(ports)), 9)
        with ExitStack() as stack:
            for port in ports:
                stack.enter_context(create_server(("127.0.0.1", port)))

    def test_no_connection_is_given_one(self) -> None:
        """Who was given it would hold it while what belongs there is down."""
        highest = max(free_ports(9))
        with ExitStack() as stack:
            listening = stack.enter_context(create_server(("127.0.0.1", 0), backlog=99))
            for _ in range(99):
                connection = stack.enter_context(create_connection(listening.getsockname()))
                self.assertGreater(connection.getsockname()[1], highest)
