"""What comes from the server, brought into the conversation."""

from __future__ import annotations

from time import time
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall

from cli.refusals import ClientClosed
from cli.screen.modes import LEAVES, Hold, moved
from cli.screen.room import Room, Unsent
from cli.status import Listener, State, Status

if TYPE_CHECKING:
    from cli.screen.talk import Talk

TICK: Final = 1.0  # seconds between two drawings while a time on the screen counts down


def _is_on(status: Status) -> bool:
    return status.state in (State.LIVE, State.BEHIND)


class Online(Listener):
    """Listens to the client of ``talk``, and reads its messages."""

    def __init__(self, talk: Talk, clock: Any) -> None:
        self.unsent = 0  # messages, as the client told last before it ended
        self._talk = talk
        self._conversation = talk.conversation
        self._clock = clock
        self._left: list[tuple[Room, Unsent]] = []  # by an earlier run, and sent by this one
        self._told: set[str] = set()  # why we cannot get in, since we were last
        self._asked = False  # for a password
        self._checked: Hold | None = None  # while the server looks at one
        self._ticking: IDelayedCall | None = None

    async def read(self) -> None:
        """Connect, and take all messages as they come; raises :class:`LoginRefused`."""
        talk = self._talk
        try:
            await talk.client.start()
            talk.places.count()
            talk.orders.learn()
            while True:
                message = await talk.client.read_msg()
                self._conversation.add(message)
                talk.alerts.heard(message)
                talk.changed()
        except ClientClosed as why:
            if str(why):
                talk.say(f"the connection is closed: {why}. /quit ends the program")

    def stop(self) -> None:
        """Count no seconds any more."""
        if self._ticking is not None:
            self._ticking.cancel()
            self._ticking = None

    # What the client tells.

    def status_changed(self, status: Status) -> None:
        """Show it, and let the seconds to the next attempt count down."""
        before = self._conversation.status
        is_back = self._conversation.met and before is not None and before.state is State.LOST and _is_on(status)
        self._conversation.tell(status)
        if status.state is not State.CLOSED:
            self.unsent = status.unsent
        if status.state not in (State.CONNECTING, State.LOST):
            self._go_on()
            self._told.clear()
        if status.state is State.LOST and (status.refused or not (self._conversation.met or self._conversation.asking)):
            self._tell_once(status.reason)
        if before is None or status.state is not before.state:
            self._talk.pages.fetch()  # at once, not only when the next drawing shows what is missing
        if is_back:
            self._talk.places.count()
        if not status.unsent:
            self._forget_left()
        if self._ticking is None:
            self._tick()
        self._talk.changed()

    def password(self, why: str) -> Deferred[str | None]:
        """Ask for it, and take no other text before it was looked at: that may be meant to be one."""
        self._go_on()
        if not self._conversation.met:
            self._talk.writing.take_back()
        self._told.add(why)  # by the question
        why, self._asked = "not this one" if self._asked else why, True
        self._conversation.asking = True
        return self._talk.account.ask(f"{why}: password of {self._conversation.user}").addCallback(self._wait)

    def _wait(self, password: str | None) -> str | None:
        self._conversation.asking = False
        if password is not None:
            self._checked = Hold("the server looks at it; Esc ends the program", LEAVES, self._talk.quit)
            self._talk.writing.let(self._checked, everywhere=True)
        return password

    def _go_on(self) -> None:
        if self._checked is not None:
            self._talk.writing.drop(self._checked)
            self._checked = None

    def presence(self, room: str, joined: list[str], left: list[str], users: int) -> None:
        """Show who comes and goes, and how many are there."""
        self._conversation.come_and_go(room, joined, left, users)
        self._talk.changed()

    def notice(self, code: str, text: str) -> None:
        """Show it among what was said, or, of what lasts, beside it."""
        if code in ("storage_down", "storage_up"):
            self._conversation.trouble = (text or "the server cannot store anything") if code == "storage_down" else ""
            self._talk.changed()
        else:
            self._talk.say(text or code)

    def room_opened(self, room: str, first_id: int, last_id: int) -> None:
        """Have it, written as the server writes it; where we did not ask for it nobody tells who else is there."""
        unasked = self._conversation.find(room) is None
        self._conversation.opened(room, first_id, last_id)
        if unasked:
            self._talk.places.count()
        self._talk.changed()

    def room_left(self, room: str) -> None:
        """Have it no more, and say so."""
        if place := self._conversation.find(room):
            before = self._conversation.current
            self._conversation.close(place)
            self._talk.say(f"you are in {room} no more")
            if self._conversation.current is not before:  # what is being typed was for those there
                self._talk.writing.let(moved(f"you are in {room} no more", self._conversation.current.name))

    def deleted(self, room: str, id: int, by: str) -> None:  # noqa: ARG002
        """Show nothing of it but that it was there."""
        self._conversation.delete(room, id)
        self._talk.changed()

    def resent(self, room: str, what: str) -> None:
        """Show it as not sent yet."""
        place = self._conversation.room(room)
        self._left.append((place, place.type(what, time(), self._conversation.user)))
        self._talk.changed()

    def _tell_once(self, reason: str) -> None:
        """Say why we cannot get in where all of it has room: the line that tells how it stands is cut off."""
        if reason and reason not in self._told:
            self._told.add(reason)
            server = self._conversation.server
            self._talk.say(f"{server}: {reason}" if server else reason)

    def _forget_left(self) -> None:
        for room, unsent in self._left:
            room.forget(unsent)
        self._left.clear()

    def _tick(self) -> None:
        status = self._conversation.status
        counts = status is not None and status.retry_at is not None
        self._ticking = self._clock.callLater(TICK, self._tick) if counts else None
        self._talk.changed()
