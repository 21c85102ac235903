"""Keys: what they are called, and what they do."""

from __future__ import annotations

from unittest import TestCase

from cli.screen.keynames import BadKey, read, same, shown
from cli.screen.keys import Action, Keys


class Names(TestCase):
    def test_what_people_write(self) -> None:
        for texts, keys, name in (
            ("ctrl-n|C-n|^N|ctrl+n|Ctrl n|CTRL-N|control-n", "ctrl n", "ctrl-n"),
            ("alt-l|M-l|meta l|Alt+l|a-l", "meta l", "alt-l"),
            ("alt-L|shift-alt-l", "meta L", "alt-L"),
            ("alt-enter|meta return|M-Enter", "meta enter", "alt-enter"),
            ("page up|PgUp|pageup|page-up", "page up", "page-up"),
            ("ctrl-pgdn|ctrl page down", "ctrl page down", "ctrl-page-down"),
            ("shift-tab|S-Tab", "shift tab", "shift-tab"),
            ("ctrl-x ctrl-e|ctrl x ctrl e|C-x C-e|^X ^E", "ctrl x ctrl e", "ctrl-x ctrl-e"),
            ("C-x k|ctrl x k", "ctrl x k", "ctrl-x k"),
            ("ctrl-_|ctrl-/|^_", "ctrl _", "ctrl-_"),
            ("alt--|M--|meta -", "meta -", "alt--"),
            ("ctrl-i|tab", "tab", "tab"),
            ("ctrl-space", "<0>", "ctrl-space"),
            ("C-M-x|alt-ctrl-x", "meta ctrl x", "alt-ctrl-x"),
            ("f1|F1", "f1", "f1"),
        ):
            for text in texts.split("|"):
                self.assertEqual(read(text), keys, text)
                self.assertTrue(same(text, keys))
            self.assertEqual((shown(keys), read(name)), (name, keys))

    def test_wrong(self) -> None:
        for text, why in (
            ("", "say which key: ctrl-n, alt-enter"),
            ("n", "n is for typing; bind a key like alt-n"),
            ("space", "space is for typing; bind a key like alt-n"),
            ("pageupp", "there is no key pageupp; do you mean pageup?"),
            ("ctrl-foo-bar", "there is no key foo-bar; write ctrl-n or alt-enter"),
            ("ctrl", "ctrl goes on: ctrl-n"),
        ):
            with self.assertRaises(BadKey) as caught:
                read(text)
            self.assertEqual(str(caught.exception), why)
            self.assertFalse(same(text, "ctrl n"))


class Doing(TestCase):
    def setUp(self) -> None:
        self.done: list[str] = []
        self.keys = Keys()
        self.add("next", "ctrl n", "f2")
        self.add("edit", "ctrl x ctrl e")
        self.add("idle")

    def add(self, name: str, *keys: str) -> None:
        self.keys.add(name, lambda: self.done.append(name), f"do {name}", *keys)

    def press(self, *keys: str) -> list[bool]:
        return [self.keys.press(key) for key in keys]

    def test_keys_do_what_they_are_bound_to(self) -> None:
        self.assertEqual(self.press("ctrl n", "f3", "f2"), [True, False, True])
        self.keys.bind("f3", self.keys.get("idle"))
        self.keys.bind("f2", None)
        self.assertEqual(self.press("f3", "f2"), [True, False])
        self.assertEqual(self.done, ["next", "next", "idle"])
        self.assertEqual(self.keys.of(self.keys.get("next")), ["ctrl n"])
        self.assertEqual(self.keys.own("f2"), self.keys.get("next"))

    def test_several_after_each_other(self) -> None:
        self.assertEqual(self.press("ctrl x", "ctrl e"), [True, True])
        self.assertEqual(self.done, ["edit"])
        self.assertEqual(self.press("ctrl x", "f3", "ctrl e"), [True, True, False], "f3 belongs to what was begun")
        self.press("ctrl x")
        self.keys.forget()
        self.assertEqual(self.press("ctrl e", "ctrl n"), [False, True])
        self.assertEqual(self.done, ["edit", "next"])

    def test_none_may_begin_another(self) -> None:
        for keys in ("ctrl x", "ctrl n ctrl x"):
            with self.assertRaises(BadKey):
                self.keys.bind(keys, self.keys.get("next"))
        with self.assertRaises(BadKey) as caught:
            self.keys.bind("ctrl x", self.keys.get("next"))
        self.assertEqual(
            str(caught.exception), "ctrl-x ctrl-e is bound too, and one begins the other; /unbind ctrl-x ctrl-e first"
        )
        self.keys.bind("ctrl x ctrl e", None)
        self.keys.bind("ctrl x", self.keys.get("next"))
        self.press("ctrl x")
        self.assertEqual(self.done, ["next"])

    def test_what_is_no_action_of_its_own(self) -> None:
        self.keys.bind("f4", Action("/quit", lambda: None, "end"))
        self.assertEqual([(keys, action.name) for keys, action in self.keys.others()], [("f4", "/quit")])

    def test_there_is_no_such_action(self) -> None:
        for name, why in (("nexd", "there is no nexd; do you mean next?"), ("zz", "there is no zz; /keys lists")):
            with self.assertRaises(BadKey) as caught:
                self.keys.get(name)
            self.assertTrue(str(caught.exception).startswith(why))
