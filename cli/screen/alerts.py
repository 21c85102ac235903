"""What makes a terminal ring."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from cli.inbox import Message
from cli.screen.conversation import Conversation
from cli.settings import Settings
from wire.names import TALK

QUIET: Final = 5.0  # seconds after a ring without another one
SHOWN: Final = 100  # characters of a text that a notification has


class Bell(Protocol):
    """A terminal that can ring."""

    def ring(self) -> None:
        """Ring."""

    def notify(self, title: str, text: str, osc: int = 9) -> None:
        """Have the desktop show ``text``, whatever is in it: by OSC 9, or by OSC 777, which shows a ``title`` too."""


class Alerts:
    """Rings the ``bell`` where somebody mentions one, seldom enough, and never for what one missed."""

    def __init__(
        self, conversation: Conversation, settings: Settings, bell: Bell, seconds: Callable[[], float]
    ) -> None:
        self._conversation = conversation
        self._settings = settings
        self._bell = bell
        self._seconds = seconds
        self._last: float | None = None

    def heard(self, message: Message) -> None:
        """A message came."""
        if not self._is_live(message) or not self._matters(message):
            return
        now = self._seconds()
        if self._last is not None and now - self._last < QUIET:
            return
        self._last = now
        if self._settings.bell:
            self._bell.ring()
        if self._settings.notify != "off":
            osc = int(self._settings.notify.removeprefix("osc"))
            self._bell.notify(f"{message.sender} in {message.room}", message.text[:SHOWN], osc)

    def _is_live(self, message: Message) -> bool:
        room = self._conversation.find(message.room)
        return room is not None and message.id > room.live_after

    def _matters(self, message: Message) -> bool:
        """Whether it concerns one, or came where one does not look and one wants to know of that."""
        conversation = self._conversation
        if conversation.is_mention(message) or (message.room.startswith(TALK) and conversation.is_news(message)):
            return True
        return (
            self._settings.alert == "all"
            and conversation.find(message.room) is not conversation.current
            and conversation.is_news(message)
        )
