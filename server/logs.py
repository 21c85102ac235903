"""The log: one line an event, as text or as JSON; control characters are shown, never written."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import IO, Any

import msgspec
from twisted.logger import FileLogObserver, ILogObserver, LogEvent, formatEvent

_SHOWN = {c: repr(chr(c))[1:-1] for c in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)}


def text_to_stdout() -> ILogObserver:
    """Return an observer that writes lines for people."""
    return FileLogObserver(_stdout(), text_line)


def json_to_stdout() -> ILogObserver:
    """Return an observer that writes a JSON object a line: time, level, source, text and the event's own fields."""
    return FileLogObserver(_stdout(), json_line)


def text_line(event: LogEvent) -> str:
    """Return ``event`` as a line: when, how grave, what. A fault of the program brings its traceback, indented."""
    line = f"{_time(event)} {_level(event)} {formatEvent(event).translate(_SHOWN)}\n"
    failure = event.get("log_failure")
    if failure is not None:
        line += "".join(f"    {part.translate(_SHOWN)}\n" for part in failure.getTraceback().splitlines())
    return line


def json_line(event: LogEvent) -> str:
    """Return ``event`` as a JSON object and a newline."""
    own = {name: value for name, value in event.items() if isinstance(value, str | int | float) and _is_own(name)}
    line: dict[str, Any] = {"time": _time(event), "level": _level(event), "source": event.get("log_namespace", "")}
    line |= {"text": formatEvent(event)} | own
    failure = event.get("log_failure")
    if failure is not None:
        line["traceback"] = failure.getTraceback()
    return msgspec.json.encode(line, enc_hook=str).decode() + "\n"


def _is_own(name: str) -> bool:
    return not name.startswith("log_") and name not in (
        "time",
        "level",
        "source",
        "text",
        "format",
        "message",
        "isError",
    )


def _time(event: LogEvent) -> str:
    return datetime.fromtimestamp(event["log_time"], UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _level(event: LogEvent) -> str:
    level = event.get("log_level")
    return level.name if level is not None else "info"


def _stdout() -> IO[str]:
    return sys.stdout
