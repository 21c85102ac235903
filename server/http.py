"""What an operator's tools ask over HTTP: ``/metrics``, ``/health`` and ``/ready``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as TooLate
from twisted.internet.interfaces import IReactorTime
from twisted.web.http import SERVICE_UNAVAILABLE
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from server.shelf import Shelf
from storage.interface import StorageDown
from wire.frames import LOBBY

READY_WITHIN: Final = 2.0  # seconds; who asks gives up soon after


class Status(Site):
    """The three pages. ``read(room)`` asks the database for something small."""

    noisy = False

    def __init__(self, registry: CollectorRegistry, read: Callable[[str], Deferred[int]], clock: IReactorTime) -> None:
        root = Resource()
        root.putChild(b"metrics", Measured(registry))
        root.putChild(b"health", Alive())  # type: ignore[no-untyped-call]
        root.putChild(b"ready", Ready(read, clock))
        super().__init__(root, reactor=clock)  # type: ignore[no-untyped-call]

    def log(self, request: object) -> None:
        """Log nothing: a line a scrape would bury the rest."""


class Measured(Resource):
    """``/metrics``: what ``registry`` collects, here in the reactor's thread, to which the server belongs."""

    isLeaf = True

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._registry = registry

    def render_GET(self, request: Request) -> bytes:
        """Return all metrics, in the form that the client asks for."""
        encode, kind = choose_encoder(request.getHeader("accept") or "")
        request.setHeader("content-type", kind)
        return encode(self._registry)


class Alive(Resource):
    """``/health``: whoever gets this answer knows that the reactor turns."""

    isLeaf = True

    def render_GET(self, request: Request) -> bytes:
        """Say so."""
        request.setHeader("content-type", "text/plain")
        return b"alive\n"


class Ready(Resource):
    """``/ready``: 200 where the database answers, else 503. Asked by many at once it is asked once."""

    isLeaf = True

    def __init__(self, read: Callable[[str], Deferred[int]], clock: IReactorTime) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._reading: Shelf[str, int] = Shelf(read, lambda _: 0, 0)
        self._clock = clock

    def render_GET(self, request: Request) -> int:
        """Ask the database, for a while."""
        answer = Deferred.fromCoroutine(self._answer(request))
        request.notifyFinish().addErrback(lambda _: answer.cancel())  # the client is gone
        answer.addErrback(lambda why: None if why.check(CancelledError) else request.processingFailed(why))
        return NOT_DONE_YET

    async def _answer(self, request: Request) -> None:
        request.setHeader("content-type", "text/plain")
        text = b"ready\n"
        try:
            await self._reading.load(LOBBY).addTimeout(READY_WITHIN, self._clock)
        except (StorageDown, TooLate):
            request.setResponseCode(SERVICE_UNAVAILABLE)
            text = b"the database does not answer\n"
        request.write(text)
        request.finish()
