"""What there is, told to a person: commands, keys and settings, as lists and as the text of a new file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from textwrap import fill

from cli.screen.commands import Command, Commands
from cli.screen.keynames import shown
from cli.screen.keys import Action, Keys
from cli.settings import SETTINGS, Setting, Settings, as_toml, by_group

WIDTH = 78  # columns of the file's comments
SUBJECT, USAGE = 8, 17  # columns of the overview
SERVER = "server"  # the subject of what the server has; that may be a lot
ROOMY = 58  # columns in which its lines have room

_CLAUSE = re.compile("[,:;(]")  # ends what is said first


def overview(commands: Commands, width: int) -> str:
    """Return what commands there are and how to learn more, for a text of ``width`` columns.

    Each has a line that tells what it does, by subject, where there is so much room; of those of the server, of which
    there may be many, the names have to do.
    """
    told = [command for command in commands if command.name not in ("help", "keys")]  # of them the last line tells
    lines = list(_by_subject(told)) if width >= ROOMY else [_names(told)]
    return "\n".join([*lines, "more: /help COMMAND, /help settings, /keys"])


def _by_subject(commands: list[Command]) -> Iterator[str]:
    subjects: dict[str, list[Command]] = {}
    for command in commands:
        subjects.setdefault(command.subject, []).append(command)
    of_server = subjects.pop(SERVER, [])
    for subject, members in subjects.items():
        yield from _with_briefs(subject, members)
    if of_server:
        yield f"{SERVER}: {_names(of_server)}"


def _with_briefs(subject: str, commands: list[Command]) -> Iterator[str]:
    names = {command.name for command in commands}
    for command in commands:
        if command.name.removeprefix("un") in names - {command.name}:  # it stands beside what it takes back
            continue
        usage = f"/{command.name} /un{command.name}" if f"un{command.name}" in names else command.usage
        brief = _CLAUSE.split(command.help, maxsplit=1)[0]
        yield f"{subject:{SUBJECT}} {usage:{USAGE}} {brief}"
        subject = ""


def _names(commands: list[Command]) -> str:
    return " ".join(f"/{command.name}" for command in commands)


def key_list(keys: Keys) -> str:
    """Return a line for each action and each command that has a key."""
    lines = [f"{_those(keys.of(action)):20} {action.help} ({action.name})" for action in keys]
    lines += [f"{shown(each):20} {action.name}" for each, action in keys.others()]
    return "\n".join([*lines, "/bind KEY ACTION has a key do something else."])


def setting_list(settings: Settings) -> str:
    """Return a line for each setting with what it is, marked where that is not the default."""
    lines = []
    for setting in SETTINGS.values():
        value = settings.value(setting.name)
        lines.append(f"{' ' if value == setting.default else '*'} {setting.name} = {as_toml(value)}")
    return "\n".join([*lines, "* is not the default. /set NAME tells more, /set NAME VALUE changes it."])


def setting_help() -> str:
    """Return a line for each setting with what it is for."""
    lines = [f"{setting.name}: {setting.about}" for setting in SETTINGS.values()]
    return "\n".join([*lines, "/set NAME VALUE changes one; each is also a flag: chat --help."])


def setting_words(setting: Setting, settings: Settings) -> str:
    """Return what ``setting`` is, and what it is for."""
    value = settings.value(setting.name)
    default = "the default" if value == setting.default else f"the default is {as_toml(setting.default)}"
    return f"{setting.name} = {as_toml(value)} ({default})\n{setting.about}"


def binding(keys: str, action: Action | None) -> str:
    """Return what ``keys`` do."""
    if action is None:
        return f"{shown(keys)} does nothing"
    return f"{shown(keys)} = {action.name}: {action.help}"


def template(keys: Keys) -> str:
    """Return a configuration file in which nothing is chosen and all is explained."""
    parts = [
        _comment(
            "What you choose for Console Chat's terminal client. What is commented out is the default: take the # away "
            "to change it. While it runs, /set and /bind change this file too, and leave your comments alone. "
            "Each setting is also a flag (chat --help), and a flag wins."
        )
    ]
    for group, members in by_group(SETTINGS.values()):
        parts.append(f"## {group}")
        parts += [f"{_comment(each.about)}\n# {each.name} = {as_toml(each.default)}" for each in members]
    parts.append(
        "[keys]\n"
        + _comment(
            'What keys do: an action, a command as "/join lobby", or "" for nothing. /keys lists the actions. Keys are '
            "written as ctrl-n, alt-enter, page-up, f1; two that are pressed one after the other as ctrl-x ctrl-e."
        )
    )
    parts.append("\n".join(line for action in keys for line in _key_lines(action)))
    return "\n\n".join(parts) + "\n"


def _key_lines(action: Action) -> Iterator[str]:
    for keys in action.keys:
        line = f"# {as_toml(shown(keys))} = {as_toml(action.name)}"
        yield f"{line:42} # {action.help}"


def _those(keys: list[str]) -> str:
    return ", ".join(map(shown, keys)) or "(no key)"


def _comment(text: str) -> str:
    return fill(text, WIDTH, initial_indent="# ", subsequent_indent="# ")
