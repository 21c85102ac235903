"""Three MariaDB nodes that are one Galera cluster, all on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from sqlalchemy import URL
from sqlalchemy.exc import OperationalError

from tests.mariadb import MariaDB
from tests.processes import reserved
from tests.programs import leave_out, program

_LIBRARY = Path("/usr/lib/galera/libgalera_smm.so")
# Seconds are short, so that a test need not wait for them.
_PROVIDER = {
    "evs.keepalive_period": "PT0.3S",
    "evs.suspect_timeout": "PT1.5S",
    "evs.inactive_timeout": "PT3S",
    "evs.inactive_check_period": "PT0.3S",
    "evs.install_timeout": "PT3S",
    "gcache.size": "64M",
    "gcache.recover": "yes",
    "pc.recovery": "yes",
}


class Node(MariaDB):
    """One of them; it joins those that run, and ``first`` begins the cluster."""

    def __init__(self, ports: Sequence[int], all_ports: Sequence[int]) -> None:
        self._group, self._incremental, self._transfer = ports
        self._all = all_ports
        self.first = False
        super().__init__()

    def begin(self) -> None:
        """Leave it to the cluster when it starts."""

    def flags(self) -> list[str]:
        provider = _PROVIDER | {
            "gmcast.listen_addr": f"tcp://127.0.0.1:{self._group}",
            "ist.recv_addr": f"127.0.0.1:{self._incremental}",
            "ist.recv_bind": f"127.0.0.1:{self._incremental}",
        }
        others = "" if self.first else ",".join(f"127.0.0.1:{port}" for port in self._all)
        return [
            "--binlog-format=ROW",
            "--innodb-autoinc-lock-mode=2",
            "--wsrep-on=ON",
            f"--wsrep-provider={_LIBRARY}",
            "--wsrep-cluster-name=chat",
            "--wsrep-node-address=127.0.0.1",
            f"--wsrep-node-incoming-address=127.0.0.1:{self.port}",
            f"--wsrep-sst-receive-address=127.0.0.1:{self._transfer}",
            "--wsrep-sst-method=rsync",
            f"--wsrep-cluster-address=gcomm://{others}",
            "--wsrep-provider-options=" + ";".join(f"{name}={value}" for name, value in provider.items()),
            *(["--wsrep-new-cluster"] if self.first else []),
        ]

    def answers(self) -> bool:
        try:
            return self.status("wsrep_ready") == "ON" and self.status("wsrep_local_state_comment") == "Synced"
        except OperationalError:
            return False

    def status(self, name: str) -> str:
        with self._root.connect() as connection:
            return str(connection.exec_driver_sql(f"SHOW STATUS LIKE '{name}'").one()[1])

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Have nothing written here for a while, not even what the others have committed."""
        with self._root.connect() as connection:
            connection.exec_driver_sql("FLUSH TABLES WITH READ LOCK")
            try:
                yield
            finally:
                connection.exec_driver_sql("UNLOCK TABLES")

    def cut_off(self, yes: bool) -> None:
        """Have it neither hear nor be heard by the others, or do so again; whether it does is to be seen from it."""
        with suppress(OperationalError):  # a ROLLBACK behind it is refused already
            self.run(f"SET GLOBAL wsrep_provider_options = 'gmcast.isolate={int(yes)}'")


class Galera:
    """``with Galera() as nodes: ...``; databases are made with :meth:`Node.create` of any of them.

    Raises SkipTest where Galera is not installed, but AssertionError where the environment has ``CI`` set.
    """

    def __init__(self) -> None:
        for name in ("rsync", "lsof"):
            program(name, name)
        if not _LIBRARY.exists():
            leave_out("Galera is not installed: apt-get install --no-install-recommends galera-4")
        self._stack = ExitStack()
        held = [self._stack.enter_context(reserved()) for _ in range(9)]  # also while a node is down
        ports = [holder.getsockname()[1] for holder in held]
        self.nodes = [Node(ports[at : at + 3], ports[::3]) for at in (0, 3, 6)]
        for node in self.nodes:
            self._stack.callback(node.stop)

    def __enter__(self) -> list[Node]:
        first, *others = self.nodes
        first.first = True
        first.start()
        first.first = False
        first.run(f"CREATE USER {first.user}@'%' IDENTIFIED BY '{first.password}'")
        first.run(f"GRANT ALL ON `chat%`.* TO {first.user}@'%'")
        for node in others:
            node.start()
        return self.nodes

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def settled(url: URL) -> URL:
    """Return ``url`` so that what is read there is all that any node has committed."""
    return url.update_query_dict({"init_command": "SET SESSION wsrep_sync_wait = 1"})
