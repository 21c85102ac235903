"""What ``chat --help`` tells beside the synopsis, made of the flags that there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import fill, indent, wrap
from typing import Final

from cli.settings import SETTINGS, Setting, by_group

COLUMN: Final = 25  # where the help of a flag begins


def usage(
    about: str,
    settings: dict[str, str],
    others: Sequence[tuple[str, str]],
    commands: Iterable[tuple[str, str]],
    width: int,
) -> str:
    """Return the help for a terminal of ``width`` columns.

    ``settings`` are those that have flags, how the flag is written by their names; ``others`` and ``commands`` are
    what is written, and what it does.
    """
    parts = [fill(about, width)]
    for group, members in by_group(SETTINGS.values()):
        flags = [(settings[setting.name], flag_help(setting)) for setting in members if setting.name in settings]
        parts.append(f"{group}:\n{_table(flags, width)}")
    parts.append(f"And besides:\n{_table(others, width)}")
    told = "\n".join(f"  {synopsis}\n{indent(fill(brief, width - 6), ' ' * 6)}" for synopsis, brief in commands)
    parts.append(f"Commands, each with a --help of its own:\n{told}")
    return "\n\n".join(parts) + "\n"


def flag_help(setting: Setting) -> str:
    """Return what a flag does, what it may be, and what it is if nobody says anything."""
    match setting.default:
        case bool():
            default = "yes" if setting.default else "no"
        case list():
            default = " ".join(setting.default)
        case _:
            default = str(setting.default)
    again = "; may be repeated" if isinstance(setting.default, list) else ""
    return f"{setting.about}{again}" + (f" [default: {default}]" if default else "")


def _table(rows: Iterable[tuple[str, str]], width: int) -> str:
    lines: list[str] = []
    for flag, text in rows:
        first, *more = wrap(text, max(20, width - COLUMN))
        if len(flag) < COLUMN - 1:
            lines.append(f"{flag:{COLUMN}}{first}")
        else:
            lines += [flag, f"{'':{COLUMN}}{first}"]
        lines += [f"{'':{COLUMN}}{line}" for line in more]
    return "\n".join(lines)
