"""What the tests start processes with."""

from __future__ import annotations

from contextlib import closing
from socket import create_connection, create_server, socket
from unittest import TestCase

from tests.processes import reserved


class Reserved(TestCase):
    def test_nobody_gets_the_port_but_who_listens_there(self) -> None:
        with closing(reserved()) as holder:
            where = holder.getsockname()
            for _ in range(2):
                with socket() as other, self.assertRaises(OSError):
                    other.bind(where)
                with self.assertRaises(ConnectionRefusedError):
                    create_connection(where)
                with create_server(where), create_connection(where):
                    pass
