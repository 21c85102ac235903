"""How it stands, in one line: what matters most comes first, because a narrow screen cuts the rest."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from math import ceil
from time import time
from typing import NamedTuple

from cli.screen.conversation import Conversation, Transfer
from cli.screen.room import Room
from cli.status import State, Status
from cli.words import amount, clock, day

NAME = 24  # columns for a file's name
BAR = 10  # columns of a progress bar
SLOW = 0.5  # seconds; a server that answers sooner is not worth a word
LONG = 10.0  # seconds, which are not told in milliseconds any more
ACTIVE = 6  # rooms with something unread that are named


class Part(NamedTuple):
    """Some words of the line, the name of their style, and the number of the room that they stand for, if any."""

    text: str
    style: str = "status"
    room: int = 0


def standing(conversation: Conversation, now: float, *, rooms: bool = True) -> list[Part]:
    """Return the status line at ``now`` (by the reactor's clock), with the other ``rooms`` or without."""
    here = conversation.current
    groups = [
        _below(here),
        _connection(conversation, now),
        [Part(conversation.trouble, "alarm")] if conversation.trouble else [],
        list(_rooms(conversation, rooms)),
        _people(conversation),
        [Part(conversation.user)],
    ]
    line: list[Part] = []
    for group in filter(None, groups):
        line += [Part(" · "), *group] if line else group
    return line


def unread(room: Room) -> Iterator[Part]:
    """Yield how many mentions and how many messages wait in ``room``: ``2! 17``."""
    if room.mentions:
        yield Part(f"{room.mentions}!", "mention")
        if room.unread > room.mentions:
            yield Part(" ")
    if room.unread > room.mentions:
        yield Part(str(room.unread), "unread")


def _below(room: Room) -> list[Part]:
    """Return how much is below what one looks at, and of which day that is, unless it is today's."""
    if room.follows:
        return []
    below = Part(f"↓ {room.unread} new", "unread") if room.unread else Part("↓ more")
    on, today = room.looked_at_day, day(time())
    if on is None or today is None or on == today:
        return [below]
    return [below, Part(f" · {on:%a} {on.day} {on:%b}" if on.year == today.year else f" · {on.day} {on:%b %Y}")]


def _connection(conversation: Conversation, now: float) -> list[Part]:
    status = conversation.status
    if status is None:
        return [Part("connecting")]
    if conversation.asking:
        return [Part("not in without a password", "alarm")]
    words = ", ".join(_words(status, conversation.met, now))
    well = status.state in (State.CONNECTING, State.LIVE, State.BEHIND) and not _slow(status)
    return [Part(words, "status" if well else "alarm")]


def _words(status: Status, met: bool, now: float) -> Iterator[str]:
    match status.state:
        case State.LOST:
            yield f"offline since {clock(status.since)}" if met else "connecting"
            yield "trying again" if status.retry_at is None else f"next try in {max(0, ceil(status.retry_at - now))} s"
        case State.BEHIND:
            yield f"behind by {status.behind}"
        case State.CLOSED:
            yield f"closed since {clock(status.since)}"
        case _:
            yield status.state.value
    if _slow(status):
        yield _lag(status.lag or 0)
    if status.unsent:
        yield f"unsent {status.unsent}"


def _lag(seconds: float) -> str:
    return f"lag {seconds * 1000:.0f} ms" if seconds < LONG else f"lag {seconds:.0f} s"


def _slow(status: Status) -> bool:
    return status.lag is not None and status.lag > SLOW


def _rooms(conversation: Conversation, others: bool) -> Iterator[Part]:
    """Yield the room that is shown, what goes on, and then the others, which may push nothing off a narrow screen."""
    going = list(_goings_on(conversation))
    yield from _here(conversation, others)
    for part in going:
        yield from (Part(" · "), part)
    if others and len(conversation.rooms) > 1:
        yield from [Part(" ·")] if going else []
        yield from _others(conversation)


def _here(conversation: Conversation, others: bool) -> Iterator[Part]:
    """Yield the room that is shown, with its number where there are others to go to."""
    here, rooms = conversation.current, conversation.rooms
    number = f"{rooms.index(here) + 1}:" if others and len(rooms) > 1 else ""
    yield Part(f"[{number}{here.name}]")


def _others(conversation: Conversation) -> Iterator[Part]:
    """Yield the other rooms, those with something unread first."""
    others = [(number, room) for number, room in enumerate(conversation.rooms, 1) if room is not conversation.current]
    busy = sorted((each for each in others if each[1].unread), key=lambda each: not each[1].mentions)
    for number, room in islice(busy, ACTIVE):
        yield Part(" ")
        for part in (Part(f"{number}:{room.name}("), *unread(room), Part(")")):
            yield part._replace(room=number)
    if len(busy) > ACTIVE:
        yield Part(f" +{len(busy) - ACTIVE}")
    for number, room in others:
        if not room.unread:
            yield from (Part(" "), Part(f"{number}:{room.name}", room=number))


def _goings_on(conversation: Conversation) -> Iterator[Part]:
    """Yield why there is no connection, and how far each transfer is."""
    status = conversation.status
    if status is not None and status.reason and not conversation.asking:
        where = f"{conversation.server}: " if conversation.server and status.state is State.LOST else ""
        yield Part(f"{where}{status.reason}", "alarm")
    for transfer in conversation.transfers:
        yield Part(_progress(transfer))


def _people(conversation: Conversation) -> list[Part]:
    users, status = conversation.current.users, conversation.status
    known = users is not None and status is not None and status.state in (State.LIVE, State.BEHIND)
    return [Part(f"{users} here")] if known else []


def _progress(transfer: Transfer) -> str:
    """How far it is: ``sending 63 % of song.ogg ━━━━━━────``; on a narrow screen the name is what may be cut off."""
    name = transfer.name if len(transfer.name) <= NAME else f"{transfer.name[: NAME - 1]}…"
    if transfer.size is None:
        return f"{transfer.doing} {amount(transfer.done)} of {name}"
    percent = 100 * transfer.done // max(transfer.size, 1)
    full = BAR * min(percent, 100) // 100
    return f"{transfer.doing} {percent} % of {name} {'━' * full}{'─' * (BAR - full)}"
