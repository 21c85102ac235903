"""``/help``: enough to learn all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.screen.completion import last_word
from cli.screen.keynames import BadKey, read
from cli.screen.told import binding, key_list, overview, setting_help, setting_words
from cli.settings import SETTINGS
from cli.words import meant

if TYPE_CHECKING:
    from cli.screen.talk import Talk


class Help:
    """Tells of the commands, keys and settings of ``talk``."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        talk.commands.add("help", self._help, "what there is", "[NAME]", last_word(self._names), subject="program")

    def _names(self) -> list[str]:
        return [*(command.name for command in self._talk.commands), "keys", "settings", *SETTINGS]

    def _help(self, argument: str) -> None:
        name = argument.strip().removeprefix("/")
        if text := self.on(name):
            self._talk.say(text)
        else:
            self._talk.orders.tell_of(name, self._unknown(name))

    def on(self, name: str) -> str:
        """Return what there is to say of a command, a setting, an action, a key, or of all of them; maybe nothing."""
        talk = self._talk
        match name:
            case "":
                return overview(talk.commands, talk.text_width)
            case "keys":
                return key_list(talk.keys)
            case "settings":
                return setting_help()
        if command := talk.commands.get(name):
            return f"{command.usage}: {command.help}"
        if (setting := SETTINGS.get(name.replace("_", "-"))) is not None:
            return setting_words(setting, talk.settings)
        try:
            keys = read(name)
        except BadKey:
            return ""
        return binding(keys, talk.keys.bound(keys))

    def _unknown(self, name: str) -> str:
        there_are = [*(command.name for command in self._talk.commands), *SETTINGS]
        return f"there is no help for {name}; {meant(name, there_are, '/help alone tells what there is')}"
