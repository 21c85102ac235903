"""What strangers do wrong, in the log: a line for each, but no more than anybody would read."""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

AT_ONCE: Final = 100  # lines in a minute


class Complaints:
    """Counts what is too much to be told, and tells the number each minute."""

    _log = Logger()

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._began = 0.0
        self._told = 0

    def tell(self, log: Logger, text: str, **fields: Any) -> None:
        """Have ``text`` in the log, if there is room for it."""
        now = self._clock.seconds()
        if now - self._began >= 60:
            self._sum_up()
            self._began = now
        self._told += 1
        if self._told <= AT_ONCE:
            log.info(text, **fields)

    def _sum_up(self) -> None:
        if self._told > AT_ONCE:
            self._log.info("{count} more like that were not told", count=self._told - AT_ONCE)
        self._told = 0
