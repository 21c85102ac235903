"""A private MySQL, the genuine one: as :mod:`tests.mariadb` is for MariaDB."""

from __future__ import annotations

import os
import shlex
import subprocess

from tests.mariadb import MariaDB
from tests.programs import leave_out, program, unless_left_out


class MySQL(MariaDB):
    """One ``mysqld``: the one of the PATH, or the command in $MYSQLD.

    Raises SkipTest where there is none, but AssertionError where the environment has ``CI`` set.
    """

    def flags(self) -> list[str]:
        """Return what it is started with besides: without that it would listen on all addresses."""
        return ["--mysqlx=OFF"]

    def _find(self) -> list[str]:
        unless_left_out("mysql")
        if "MYSQLD" in os.environ:
            return shlex.split(os.environ["MYSQLD"])
        path = program("mysqld", "mysql-server")
        says = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
        if "MariaDB" in says:  # its packages have that name too
            leave_out("there is no genuine MySQL here; $MYSQLD names the command that runs one")
        return [path, "--no-defaults"]

    def _install(self) -> None:
        self._set_up(*self._command, "--initialize-insecure")
