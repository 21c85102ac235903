"""What tests of the model are made of."""

from __future__ import annotations

from cli.inbox import Message
from cli.screen.commands import Commands
from cli.screen.lines import Kind, Line
from cli.screen.room import Room
from cli.screen.rows import UNSENT, Position
from cli.status import State, Status

NOON = 1_764_000_000.0

# The colours of the dark theme on a terminal with 256 colours, as pyte names them.
DIM = "9e9e9e"
RED = "ff5f5f"


def message(id: int, text: str = "hi", sender: str = "bob", room: str = "lobby", **more: object) -> Message:
    return Message(room, id, sender, int(NOON * 1000), text, **more)  # type: ignore[arg-type]


def status(state: State, **more: object) -> Status:
    known = {"behind": 0, "unsent": 0, "since": NOON, "retry_at": None, "reason": "", "lag": None}
    return Status(state, **{**known, **more})  # type: ignore[arg-type]


def offered(commands: Commands, line: str) -> list[str]:
    """Return what Tab offers behind a command, for what is typed of ``line`` without its slash."""
    name, _, rest = line.partition(" ")
    command = commands.get(name)
    assert command is not None
    assert command.completes is not None
    return list(command.completes(rest))


def texts(room: Room) -> list[str]:
    return [line.text for _, line in downward(room)]


def downward(room: Room) -> list[tuple[Position, Line]]:
    """Return all rows, but those that stand above messages: days and the bar."""
    return [(at, line) for at, line in room.rows.newer((-1, -UNSENT)) if at[1] >= 0]


def shown(text: str) -> Line:
    return Line(Kind.NOTICE, text, NOON, "-")
