"""The service: it opens the storage, listens, runs the server and takes it down again."""

from __future__ import annotations

import gc
import os
import signal
import time
from functools import partial
from pathlib import Path
from typing import Any, Final

from twisted.application.service import MultiService, Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import quoteStringArgument
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IProtocolFactory, IStreamServerEndpoint
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure

from server import systemd
from server.accounts import AT_ONCE
from server.limits import Allowed
from server.listening import Door, Wrap, endpoint
from server.options import Options
from server.people import People
from server.server import Server
from server.sockets import raise_file_limit
from server.threads import PatientThreads, RestingThreads, StorageThreads
from storage.interface import StorageDown, StorageUnusable
from storage.sql import Storage

READERS: Final = 2  # threads that read: one contents, one is free; each has a heap of its own, which grows
SPARE_FILES: Final = 64  # files that the server needs besides its clients' sockets
YOUNG: Final = 20_000  # objects between two looks for garbage; what thousands of messages on their way are made of
TELL_EVERY: Final = 3.0  # seconds between lines while the database is waited for


class Listener(Service):
    """One port: open from before privileges are given up to the end of the service."""

    def __init__(self, endpoint: IStreamServerEndpoint, door: Door, said: str, told: str) -> None:
        self._endpoint = endpoint
        self._door = door
        self.said = said  # by the operator, what the endpoint is
        self.told = told  # to the operator, once it listens {where}
        self._port: Any = None

    def privilegedStartService(self) -> None:
        """Listen; raises CannotListenError, OSError or OverflowError."""
        failures: list[Failure] = []
        self._endpoint.listen(self._door).addCallbacks(partial(setattr, self, "_port"), failures.append)
        if failures:
            failures[0].raiseException()
        self._door.stands_at(self._port)

    def stopService(self) -> Deferred[None]:
        """Let nobody in any more."""
        super().stopService()  # type: ignore[no-untyped-call]
        return maybeDeferred(self._port.stopListening)

    @property
    def where(self) -> str:
        """The address as people write it: ``127.0.0.1:7777``, ``[::1]:7777`` or a UNIX socket's path."""
        address = self._port.getHost()
        if not hasattr(address, "port"):
            return os.fsdecode(address.name)
        return f"[{address.host}]:{address.port}" if ":" in address.host else f"{address.host}:{address.port}"


class ChatService(MultiService):
    """The chat: starts with its storage ready and its ports open, or not at all.

    What cannot work as it is configured raises SystemExit with a line that says what to do, before the reactor runs.
    """

    _log = Logger()

    def __init__(self, options: Options, reactor: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._options = options
        self._reactor = reactor
        reactor.seconds = time.monotonic  # Twisted's own is the wall clock: a step back would stop every timer
        people = People(reactor)
        self._writer = StorageThreads(1, 1, "writer")
        self._readers = RestingThreads(READERS, "reader", people)
        self._searcher = PatientThreads(0, 1, "searcher")
        self._hashers = PatientThreads(0, AT_ONCE, "hasher")
        self._storage = _usable(lambda: Storage(options["db"]))
        self.server = Server(
            self._storage,
            partial(deferToThreadPool, reactor, self._writer),
            partial(deferToThreadPool, reactor, self._readers),
            reactor,
            history=options["history"],
            max_clients=options["max-clients"],
            grace=options["grace"],
            ping=options["ping"],
            auth=options["auth"],
            people=people,
            in_searcher=partial(deferToThreadPool, reactor, self._searcher),
            in_hasher=partial(deferToThreadPool, reactor, self._hashers),
            allowed=Allowed(*(options[field.replace("_", "-")] for field in Allowed._fields)),
        )
        self._wraps = self._certified()
        if options["metrics-port"] is not None:
            interface = quoteStringArgument(options["metrics-interface"])
            said = f"tcp:{options['metrics-port']}:interface={interface}"
            self._listen(said, self._status(), "metrics on http://{where}/metrics")
        for said in options["listen"]:
            secured = said.startswith("tls:")
            self._listen(said, self.server, "listening on {where} with TLS" if secured else "listening on {where}")

    def _status(self) -> IProtocolFactory:
        """Measure the server from now on, and return who tells how it stands."""
        from server import http, metrics  # who does not measure is spared the megabytes of Twisted's web

        read = partial(deferToThreadPool, self._reactor, self._readers, self._storage.get_last_msg_id)
        return http.Status(metrics.of(self.server), read, self._reactor)

    def _certified(self) -> dict[str, Wrap]:
        """Load the certificate, where there is one, and return what may be said before an endpoint."""
        if self._options["tls-cert"] is None:
            return {}
        from server import tls  # who does without is spared the megabytes of OpenSSL

        try:
            certificate = tls.Certificate(Path(self._options["tls-cert"]), Path(self._options["tls-key"]))
        except tls.BadCertificate as wrong:
            raise SystemExit(f"chat-server: --tls-cert: {wrong}") from None
        return {"tls": partial(certificate.secure, clock=self._reactor)}

    def _listen(self, said: str, factory: IProtocolFactory, told: str) -> None:
        try:
            door = Door(factory, self._reactor, self.server.turn_of_who_is_in)
            listener = Listener(endpoint(self._reactor, said, self._wraps), door, said, told)
        except LookupError:
            raise SystemExit(f"chat-server: --listen {said}: systemd has handed over no such socket") from None
        except OSError as wrong:
            raise SystemExit(f"chat-server: --listen {said}: {wrong.filename}: {wrong.strerror}") from None
        except Exception as wrong:  # the parts of Twisted that read it have errors of their own
            raise SystemExit(f"chat-server: --listen {said}: {wrong}; e.g. tcp:7777:interface=127.0.0.1") from None
        self.addService(listener)  # type: ignore[no-untyped-call]

    def privilegedStartService(self) -> None:
        """Make sure that everything is there, then listen."""
        files = raise_file_limit()
        if self._options["max-clients"] > files - SPARE_FILES:
            raise SystemExit(
                f"chat-server: --max-clients {self._options['max-clients']} needs more open files than the {files}"
                f" allowed; raise the hard limit (ulimit -Hn) or say at most {files - SPARE_FILES}"
            )
        self._prepare()
        for listener in self:
            try:
                listener.privilegedStartService()
            except CannotListenError as busy:
                where = busy.port if busy.interface in ("", None) else f"{busy.interface}:{busy.port}"
                why = getattr(busy.socketError, "strerror", None) or busy.socketError
                raise SystemExit(
                    f"chat-server: cannot listen on {where}: {why};"
                    " is another server running? --port N takes another port, --metrics-port N one for the metrics"
                ) from None
            except (OSError, OverflowError) as wrong:
                why = getattr(wrong, "strerror", None) or wrong
                raise SystemExit(f"chat-server: --listen {listener.said}: {why}") from None

    def _prepare(self) -> None:
        """Open the database; one that does not answer yet is waited for. No reactor runs yet, so this may block."""
        give_up_at = time.monotonic() + self._options["db-wait"]
        tell_at = 0.0
        before = signal.signal(signal.SIGTERM, _leave)
        _usable(self._storage.serve)
        while True:
            try:
                for weakness in _usable(self._storage.prepare):
                    self._log.warn("{weakness}", weakness=weakness)
                break
            except StorageDown as away:
                now = time.monotonic()
                if now >= give_up_at:
                    raise SystemExit(
                        f"chat-server: the database does not answer: {away}; --db-wait waits longer"
                    ) from None
                if now >= tell_at:
                    self._log.info("waiting for the database: {why}", why=str(away))
                    tell_at = now + TELL_EVERY
                time.sleep(min(0.5, max(0.0, give_up_at - now)))
        signal.signal(signal.SIGTERM, before)

    def startService(self) -> None:
        """Serve."""
        self._writer.start()
        self._readers.start()
        self._searcher.start()
        self._hashers.start()
        self.server.start()
        super().startService()  # type: ignore[no-untyped-call]
        self._reactor.callWhenRunning(self._running)

    def _running(self) -> None:
        collect_seldom()
        for number in (
            signal.SIGTERM,
            signal.SIGINT,
        ):  # Twisted's own would end twistd by the signal, not with status 0
            signal.signal(number, lambda *_: self._reactor.callFromThread(self._stop_reactor))
        for listener in self:
            self._log.info(listener.told, where=listener.where)
        systemd.ready(self._reactor)

    def _stop_reactor(self) -> None:
        if self._reactor.running and not self._stopping:
            self._stopping = True
            self._reactor.stop()

    _stopping = False

    def stopService(self) -> Deferred[None]:
        """Let nobody in, tell every client, and give back the storage."""
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        systemd.notify("STOPPING=1")
        await super().stopService()  # type: ignore[no-untyped-call]
        if await self.server.stop():
            self._writer.stop()
            self._readers.stop()
            self._searcher.stop()
            self._hashers.stop()
            self._storage.close()
        else:
            self._log.warn("the database did not answer in time; what it had not stored was not acknowledged")


def collect_seldom() -> None:
    """Spare Python's collector what it looks through in vain: what is loaded, and messages, which are in no cycle."""
    gc.freeze()
    gc.set_threshold(YOUNG)


def _usable(function: Any) -> Any:
    try:
        return function()
    except StorageUnusable as reason:
        raise SystemExit(f"chat-server: {reason}") from None


def _leave(*_: object) -> None:
    raise SystemExit(0)


def makeService(options: Options) -> ChatService:
    """Return the service that ``twistd chat`` runs."""
    from twisted.internet import reactor

    return ChatService(options, reactor)
