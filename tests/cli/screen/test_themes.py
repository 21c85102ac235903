"""Colours that can be read."""

from __future__ import annotations

from unittest import TestCase

from urwid import AttrSpec
from urwid.display.raw import Screen
from urwid.util import LayeredAttr

from cli.screen.lines import Kind
from cli.screen.names import colour
from cli.screen.themes import COLOURS, dress, palette
from cli.settings import Settings

GROUNDS = {"dark": ["#000000", "#2c2c2c"], "light": ["#ffffff", "#eeeeee"]}  # what terminals have behind the text
READABLE = 4.5  # what WCAG 2 asks for


def light(rgb: tuple[int, ...]) -> float:
    parts = (part / 255 for part in rgb)
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    dark, bright = sorted([light(one), light(other)])
    return (bright + 0.05) / (dark + 0.05)


def rgb(text: str, colours: int) -> tuple[int, ...]:
    """Return what a terminal makes of a style's text colour: red, green and blue."""
    return tuple(map(int, AttrSpec(text, "default", colours).get_rgb_values()[:3]))  # type: ignore[arg-type]


class Contrast(TestCase):
    def test_all_of_it_can_be_read_with_256_colours_and_with_24_bits(self) -> None:
        for theme, grounds in GROUNDS.items():
            for colours in (256, 2**24):
                for style, _, _, _, text, ground in palette(theme):
                    if text.startswith(("default", "inherit")):
                        continue  # as the terminal has it
                    for behind in grounds if ground == "default" else [ground]:
                        with self.subTest(theme=theme, style=style, colours=colours, behind=behind):
                            self.assertGreaterEqual(contrast(rgb(text, colours), rgb(behind, 2**24)), READABLE)

    def test_the_same_with_256_colours_as_with_24_bits(self) -> None:
        for theme in GROUNDS:
            for style, _, _, _, text, ground in palette(theme):
                with self.subTest(theme=theme, style=style):
                    few, many = AttrSpec(text, ground, 256), AttrSpec(text, ground, 16777216)
                    self.assertEqual(few.get_rgb_values(), many.get_rgb_values())

    def test_names_differ(self) -> None:
        for theme in GROUNDS:
            names = {entry[4] for entry in palette(theme) if entry[0].startswith("name ")}
            self.assertEqual(len(names), COLOURS)


class Tables(TestCase):
    def test_each_theme_has_every_style(self) -> None:
        dark = {entry[0] for entry in palette("dark")}
        for theme in ("light", "mono"):
            self.assertEqual({entry[0] for entry in palette(theme)}, dark)
        self.assertLessEqual({kind.value for kind in Kind} | {colour("ann"), "own", "link"}, dark)

    def test_mono_has_no_colour_anywhere(self) -> None:
        for style, *looks in palette("mono"):
            with self.subTest(style):
                self.assertFalse(any(colour in part for part in looks for colour in ("#", "dark", "light", "g#")))

    def test_in_mono_what_matters_is_told_apart(self) -> None:
        mono = {entry[0]: entry[3] for entry in palette("mono")}
        for style in ("name 0", "own", "mention", "highlight", "alike", "link", "unsent", "refused", "status"):
            self.assertNotEqual(mono[style], mono["talk"], style)
        self.assertNotEqual(mono["own"], mono["name 0"])


class Dressed(TestCase):
    def dressed(self, environ: dict[str, str], **chosen: str) -> Screen:
        screen = Screen()
        screen.term = environ.get("TERM", "xterm-256color")
        screen.colors = 256
        dress(screen, Settings(**chosen), environ)  # type: ignore[arg-type]
        return screen

    def test_how_many_colours_may_be_said(self) -> None:
        for said, colours in (("auto", 256), ("none", 1), ("16", 16), ("256", 256), ("24bit", 2**24)):
            self.assertEqual(self.dressed({}, colours=said).colors, colours)

    def test_links_are_for_terminals_that_know_them(self) -> None:
        tmux = {"TERM": "screen-256color", "TMUX": "/tmp/x", "TERM_PROGRAM": "tmux"}
        for environ, known in (
            ({"TERM": "xterm-256color"}, True),
            ({"TERM": "xterm-kitty"}, True),
            ({"TERM": "foot"}, True),
            ({"TERM": "vt100"}, False),
            ({"TERM": "linux"}, False),
            ({"TERM": "dumb"}, False),
            ({"TERM": "screen"}, False),
            ({**tmux, "TERM_PROGRAM_VERSION": "3.3a"}, False),
            ({**tmux, "TERM_PROGRAM_VERSION": "3.4"}, True),
            ({**tmux, "TERM_PROGRAM_VERSION": "next-3.6"}, True),
            (tmux, False),
        ):
            with self.subTest(environ):
                self.assertIs(self.dressed(environ).hyperlinks, known)
                self.assertTrue(self.dressed(environ, links="on").hyperlinks)
                self.assertFalse(self.dressed(environ, links="off").hyperlinks)

    def test_a_link_has_the_colour_of_what_it_stands_in(self) -> None:
        screen = self.dressed({})
        self.assertEqual(
            screen.resolve_attr(LayeredAttr("link", "unsent"), 3),
            AttrSpec(screen.resolve_attr("unsent", 3).foreground + ",underline", "default"),
        )

    def test_another_theme_at_once(self) -> None:
        screen = self.dressed({}, theme="dark")
        before = screen.resolve_attr("time", 3)
        dress(screen, Settings(theme="light"), {})
        self.assertNotEqual(screen.resolve_attr("time", 3), before)
