"""Put what there is into docs/client.md: the tables of commands, keys and settings between its marks."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import cast

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from twisted.internet.task import Clock  # noqa: E402

from cli.client import Client  # noqa: E402
from cli.screen.commands import Commands  # noqa: E402
from cli.screen.keynames import shown  # noqa: E402
from cli.screen.keys import Keys  # noqa: E402
from cli.screen.remembered import Remembered  # noqa: E402
from cli.screen.talk import Talk  # noqa: E402
from cli.settings import SETTINGS, Settings, as_toml, by_group  # noqa: E402

GUIDE = ROOT / "docs" / "client.md"


def talk() -> Talk:
    """Return the terminal interface with all its commands and keys, not started."""
    clock = Clock()
    client = cast(Client, None)  # nobody asks it for anything
    return Talk(clock, lambda _: client, ["lobby"], "ann", Settings(), Remembered(None, clock))


def with_tables(text: str, talk: Talk) -> str:
    """Return the guide with what stands between ``<!-- keys -->`` and ``<!-- end -->`` made anew, and so on."""
    tables = {"commands": _commands(talk.commands), "keys": _keys(talk.keys), "settings": _settings()}
    for name, table in tables.items():
        begin, end = f"<!-- {name} -->\n", "<!-- end -->"
        text = re.sub(f"(?s){begin}.*?{end}", lambda _: f"{begin}{table}{end}", text)  # noqa: B023
    return text


def _commands(commands: Commands) -> str:
    return _table("command", ((f"`{command.usage}`", command.help) for command in commands))


def _keys(keys: Keys) -> str:
    return _table(
        "key | action",
        ((f"{', '.join(f'`{shown(each)}`' for each in each.keys)} | {each.name}", each.help) for each in keys),
    )


def _settings() -> str:
    told = [each for _, members in by_group(SETTINGS.values()) for each in members]
    return _table("setting | default", ((f"{each.name} | `{as_toml(each.default)}`", each.about) for each in told))


def _table(head: str, rows: Iterable[tuple[str, str]]) -> str:
    columns = head.count("|") + 2
    return f"| {head} | |\n|{' --- |' * columns}\n" + "".join(f"| {row} | {text} |\n" for row, text in rows)


if __name__ == "__main__":
    GUIDE.write_text(with_tables(GUIDE.read_text(), talk()))
