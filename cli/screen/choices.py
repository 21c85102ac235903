"""What a person chooses while the program runs: it counts at once, and is kept in the configuration file."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cli.config import BadConfig, Config
from cli.screen.completion import behind_first, last_word
from cli.screen.keynames import BadKey, read, same, shown
from cli.screen.keys import Action
from cli.screen.told import binding, key_list, setting_list, setting_words, template
from cli.settings import SETTINGS, BadSetting, Setting, Value, as_toml, named

if TYPE_CHECKING:
    from cli.screen.talk import Talk

DEFAULT: Final = "--default"  # in place of a value or an action
SUBJECT: Final = "program"  # under which /help tells of them


class Choices:
    """``/set`` and ``/bind`` for ``talk``, whose keys do from the start what ``config`` says, where there is one.

    Made when all actions and commands are there. Raises :class:`BadConfig` where a key is bound to none of them.
    """

    def __init__(self, talk: Talk, config: Config | None) -> None:
        self._talk = talk
        self._settings = talk.settings
        self._keys = talk.keys
        self._config = config
        add = talk.commands.add
        actions = behind_first(last_word(lambda: (action.name for action in self._keys)))
        choose = "choose something, or see what is chosen"
        add("set", self._set, choose, "[NAME [VALUE]]", _settings_like, subject=SUBJECT)
        add("bind", self._bind, "have a key do something else", "KEY [ACTION]", actions, subject=SUBJECT)
        add("unbind", self._unbind, "have a key do nothing", "KEY", subject=SUBJECT)
        add("keys", lambda _: talk.say(key_list(self._keys)), "what the keys do", subject=SUBJECT)
        if config is not None:
            self._begin(config)

    def _begin(self, config: Config) -> None:
        bindings = config.bindings()
        for key, what in sorted(bindings.items(), key=lambda each: each[1] != ""):  # one may stand in another's way
            try:
                self._keys.bind(read(key), self._action(what))
            except BadKey as why:
                raise config.wrong_key(key, str(why)) from None
        try:
            if not config.exists and config.begin(template(self._keys)):
                self._talk.say(f"{_short(config.path)} tells all that you can choose, and /help the rest")
        except OSError as why:
            self._talk.say(f"what you choose cannot be kept in {_short(config.path)}: {why.strerror or why}")

    # Settings.

    def _set(self, argument: str) -> None:
        name, _, text = argument.strip().partition(" ")
        try:
            if not name:
                self._talk.say(setting_list(self._settings))
            elif not text.strip():
                self._talk.say(setting_words(named(name), self._settings))
            else:
                setting = named(name)
                self._choose(setting, setting.default if text.strip() == DEFAULT else setting.read(text))
        except BadSetting as wrong:
            self._talk.say(str(wrong))

    def _choose(self, setting: Setting, value: Value) -> None:
        self._settings.change(setting.name, value)
        later = " from the next start on" if setting.later else ""
        self._talk.say(f"{setting.name} = {as_toml(value)}{later}")
        self._keep(lambda config: config.keep(setting.name, value))

    # Keys.

    def _bind(self, argument: str) -> None:
        try:
            keys, what = self._parts(argument)
            if what is None:
                self._talk.say(binding(keys, self._keys.bound(keys)))
            else:
                self._put(keys, self._keys.own(keys) if what == DEFAULT else self._action(what))
        except BadKey as wrong:
            self._talk.say(str(wrong))

    def _unbind(self, argument: str) -> None:
        try:
            self._put(read(argument), None)
        except BadKey as wrong:
            self._talk.say(str(wrong))

    def _parts(self, argument: str) -> tuple[str, str | None]:
        """Return the keys and what they are to do, None where nothing is said of that."""
        keys, slash, command = argument.partition(" /")
        if slash:
            return read(keys), f"/{command}"
        *words, last = argument.split() or [""]
        if words and (last in (DEFAULT, '""') or self._keys.has(last)):
            return read(" ".join(words)), last.strip('"')
        try:
            return read(argument), None
        except BadKey:
            if not words:
                raise
        return read(" ".join(words)), last

    def _action(self, what: str) -> Action | None:
        """Return what ``what`` calls: an action, a command with what follows it, or nothing; raises BadKey."""
        if not what.startswith("/"):
            return self._keys.get(what) if what else None
        name, _, rest = what[1:].partition(" ")
        command = self._talk.commands.get(name)
        if command is None:
            raise BadKey(f"there is no /{name}; /help tells which commands there are")
        return Action(what, partial(command.run, rest), command.help)

    def _put(self, keys: str, action: Action | None) -> None:
        self._keys.bind(keys, action)
        self._talk.say(binding(keys, action))
        own = action is self._keys.own(keys)
        what = None if own else action.name if action else ""
        self._keep(lambda config: config.bind(shown(keys), what, partial(same, keys=keys)))

    def _keep(self, change: Callable[[Config], None]) -> None:
        if self._config is None:
            return
        try:
            change(self._config)
        except OSError as why:
            self._talk.say(f"this is not kept in {_short(self._config.path)}: {why.strerror or why}")
        except BadConfig as wrong:
            self._talk.say(f"this is not kept: {wrong}")


def _settings_like(argument: str) -> list[str]:
    """Return what the argument of ``/set``, not finished, could become: a name, and behind it what that may be."""
    name, space, text = argument.partition(" ")
    if not space:
        return [f"{each} " for each in SETTINGS if each.startswith(name.replace("_", "-"))]
    setting = SETTINGS.get(name.replace("_", "-"))
    if setting is None:
        return []
    values = ("true", "false") if isinstance(setting.default, bool) else setting.choices
    return [f"{name} {value}" for value in (*values, DEFAULT) if value.startswith(text)]


def _short(path: Path) -> str:
    """Return ``path`` as people write it: with ``~``."""
    try:
        return f"~/{path.relative_to(Path.home())}"
    except (ValueError, RuntimeError):
        return str(path)
