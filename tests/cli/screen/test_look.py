"""What a row looks like."""

from __future__ import annotations

import re
from typing import Any
from unittest import TestCase

from urwid import AttrSpec, Hyperlink
from urwid.util import LayeredAttr
from wcwidth import width

from cli.screen.conversation import Conversation
from cli.screen.highlights import Highlights
from cli.screen.lines import PART, Kind, Line
from cli.screen.look import Look
from cli.screen.names import colour
from cli.screen.row import row
from cli.screen.rows import UNSENT
from tests.cli.screen.made import NOON, message
from tests.cli.screen.test_screen import SCRIPTED
from tests.terminal import Terminal
from wire.text import safe

CHECKED = [
    "a long text that has to be wrapped beside the name and the time, more than once " * 3,
    "谢谢大家都来了" * 20,
    "\u2764\ufe0f \U0001f469\u200d\U0001f680 \U0001f1e9\U0001f1ea \U0001f44d\U0001f3fd 1\ufe0f\u20e3 " * 20,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466" * 90,
    "שלום עולם " * 20,
    "مرحبا بالعالم " * 20,
    "नमस्ते क्षि สวัสดี 한국어 " * 20,
    "e\u0301\u0302\u0303\u0304" * 200,
    "x" * 500,
    "a\tb\tc\n\n\nd " * 10,
    "http://example.org/" + "path/" * 60,
    "",
]


def look(*words: str) -> Look:
    return Look("ann", Highlights(["ann", *words]))


def said(text: str, name: str = "bob", kind: Kind = Kind.TALK, *, mention: bool = False) -> Line:
    return Line(kind, text, NOON, name, mention=mention)


def shown(line: Line, columns: int = 80, eyes: Look | None = None) -> list[str]:
    canvas = row(line, columns, eyes or look()).render((columns,))
    return [text.decode().rstrip() for text in canvas.text]


def styles(line: Line, eyes: Look | None = None, columns: int = 120) -> dict[str, Any]:
    """Return the texts of the row that have a style, each with it, the innermost one first."""
    canvas = row(line, columns, eyes or look()).render((columns,))
    return {text.decode().strip(): style for content in canvas.content() for style, _, text in content if text.strip()}


def link(address: str, *under: str) -> LayeredAttr:
    return LayeredAttr(AttrSpec(hyperlink=Hyperlink(address, id="chat")), "link", *under)


class Layout(TestCase):
    def test_text_stands_beside_time_and_name(self) -> None:
        rows = shown(said("one two three " * 10), 60)
        self.assertRegex(rows[0], r"\A\d\d:\d\d        bob one two")
        self.assertGreater(len(rows), 2)
        self.assertTrue(all(text.startswith(" " * 17) and text[17] != " " for text in rows[1:]), rows)

    def test_every_width_is_filled_and_no_more(self) -> None:
        for columns in range(1, 130):
            for line in (said("谢谢 hello", "bartholomew"), said("Monday", kind=Kind.DAY), Line(Kind.BAR, "unread")):
                canvas = row(line, columns, look()).render((columns,))
                self.assertEqual((canvas.cols(), canvas.rows()), (columns, row(line, columns, look()).rows((columns,))))

    def test_small(self) -> None:
        self.assertRegex(shown(said("hello", "bartholomew"), 40)[0], r"\A\d\d:\d\d barth… hello\Z")
        self.assertEqual(shown(said("hello"), 30), ["   bob hello"])  # no columns to spare for the time

    def test_no_row_is_wider_than_the_screen(self) -> None:
        for columns in (200, 80, 40, 30, 12):
            for text in CHECKED:
                with self.subTest(columns=columns, text=text[:9]):
                    canvas = row(said(text, "谢谢" * 16), columns, look()).render((columns,))
                    self.assertTrue(all(width(one.decode()) == columns for one in canvas.text))

    def test_nothing_of_it_is_lost(self) -> None:
        for text in CHECKED:
            with self.subTest(text=text[:9]):
                beside = "".join(one[23:] for one in shown(said(text, ""), 120))
                self.assertEqual("".join(beside.split()), "".join(safe(text).split()))


class Names(TestCase):
    def test_own_ones_and_those_of_others(self) -> None:
        self.assertEqual(styles(said("hi"))["bob"], colour("bob"))
        self.assertEqual(styles(said("hi", "carol"))["carol"], colour("carol"))
        self.assertEqual(styles(said("hi", "Ann"))["Ann"], "own")

    def test_who_does_something(self) -> None:
        seen = styles(Line(Kind.ACTION, "bob waves", NOON, "*"))
        self.assertEqual((seen["*"], seen["bob"]), ("action", LayeredAttr(colour("bob"), "action")))
        self.assertEqual(seen["waves"], "action")

    def test_who_looks_like_another(self) -> None:
        eyes = look()
        self.assertEqual(styles(said("hi", "\u0430nn"), eyes)["≈\u0430nn"], "alike")
        self.assertEqual(styles(said("ann: hi", "\u0430nn", mention=True), eyes)["≈\u0430nn"], "alike")
        did = styles(Line(Kind.ACTION, "b\u043eb waves", NOON, "*"), eyes)
        self.assertEqual(did["≈b\u043eb"], LayeredAttr("alike", "action"))
        deed = Line(Kind.ACTION, "\u0430nn waves", NOON, "*")
        self.assertEqual(
            (eyes.plain(said("hi", "\u0430nn")).name, eyes.plain(deed).text), ("≈\u0430nn", "≈\u0430nn waves")
        )

    def test_notices_are_nobodys(self) -> None:
        self.assertEqual(styles(said("no such room", "-", Kind.NOTICE))["-"], "notice")


class Mentions(TestCase):
    def styles(self, text: str, sender: str = "bob", *words: str, **more: Any) -> dict[str, Any]:
        """Return the styles of all rows of a message, as the screen has them."""
        highlights = Highlights(["ann", *words])
        conversation = Conversation("ann", ["lobby", "dev"], highlights)
        conversation.ignore("eve")
        conversation.add(message(1, text, sender, "dev", **more))
        dev = conversation.room("dev")
        found: dict[str, Any] = {}
        for _, line in dev.rows.older((UNSENT, 0)):
            found = styles(line, Look("ann", highlights)) | found
        self.assertEqual(dev.mentions, int("mention" in found.values()), "it is counted as it is marked")
        return found

    def test_word_and_name_are_marked(self) -> None:
        seen = self.styles("hi Ann: lunch?", "bob", "lunch")
        self.assertEqual(seen["Ann"], LayeredAttr("highlight", "talk"))
        self.assertEqual(seen["lunch"], LayeredAttr("highlight", "talk"))
        self.assertEqual(seen["bob"], "mention")
        did = self.styles("/me waves at ann")
        self.assertEqual((did["*"], did["ann"]), ("mention", LayeredAttr("highlight", "action")))

    def test_not_in_what_one_says_oneself_nor_in_what_is_no_talk(self) -> None:
        for text, sender, more in (
            ("I am ann", "ann", {}),
            (f"{'I ' * PART} am ann", "ann", {}),
            ("/me waves", "ann", {}),
            ("ann", "eve", {}),
            ("", "bob", {"name": "ann", "size": 3}),
            ("", "bob", {"deleted": True}),
            ("annual", "bob", {}),
        ):
            with self.subTest(text[:20], sender=sender, **more):
                seen = str(self.styles(text, sender, **more).values())
                self.assertNotIn("mention", seen)
                self.assertNotIn("highlight", seen)

    def test_it_may_stand_anywhere_in_a_long_text(self) -> None:
        for before in (PART - 10, PART, 2 * PART - 100):
            seen = self.styles("x " * (before // 2) + "and ann")
            self.assertEqual((seen["bob"], seen["ann"]), ("mention", LayeredAttr("highlight", "talk")))
        self.assertEqual(self.styles("x " * 5 * PART + "and ann")["bob"], "mention")  # where one opens it to see

    def test_what_the_program_says_below_it_is_none(self) -> None:
        seen = self.styles("save " + "x " * 5 * PART, "bob", "save")
        self.assertEqual(seen["bob"], "mention")
        self.assertNotIn(LayeredAttr("highlight", "notice"), seen.values())


class Links(TestCase):
    def test_link(self) -> None:
        seen = styles(said("see http://a.b/c, ann", mention=True))
        self.assertEqual(seen["http://a.b/c"], link("http://a.b/c", "talk"))
        self.assertEqual(seen["ann"], LayeredAttr("highlight", "talk"))

    def test_in_what_is_not_sent_too(self) -> None:
        self.assertEqual(styles(said("http://a.b", "ann", Kind.UNSENT))["http://a.b"], link("http://a.b", "unsent"))

    def test_wrapped_one_is_one(self) -> None:
        seen = styles(said("http://a.b/" + "c/" * 100))
        self.assertEqual(sum(style == link("http://a.b/" + "c/" * 100, "talk") for style in seen.values()), 3)

    def test_word_in_a_link(self) -> None:
        seen = styles(said("http://a.b/ann", mention=True))
        self.assertEqual(seen["http://a.b/ann"], link("http://a.b/ann", "talk"))
        self.assertNotIn("ann", seen)

    def test_what_may_be_cut_leads_nowhere(self) -> None:
        text = "http://a.b/" + "c" * PART
        for cut, leads in ((text[:PART], False), (text[: PART - 1], True), ("http://a.b/" + "ä" * 1000, False)):
            with self.subTest(len(cut)):
                seen = str(styles(said(cut), columns=3000).values())
                self.assertEqual("Hyperlink" in seen, leads)
                self.assertIn("link", seen)


class Screens(TestCase):
    def test_link_of_two_rows_is_one_for_the_terminal(self) -> None:
        with Terminal(SCRIPTED, 60, 12) as terminal:
            terminal.wait_for("live")
            terminal.type("!say 'http://a.b/' + 'c/' * 30 + ', ann'\r")
            terminal.wait_for(", ann")
            opened = re.findall(
                rb"\x1b\]8;id=chat;http://a.b/(?:c/){30}\x1b\\([^\x1b]+)\x1b\]8;;\x1b\\", terminal.output
            )
            self.assertEqual(b"".join(opened[:2]), b"http://a.b/" + b"c/" * 30)
            self.assertEqual(terminal.colour("bob http"), "000000")  # on yellow

    def test_without_colours(self) -> None:
        with Terminal(SCRIPTED, 60, 12, env={"NO_COLOR": "1"}) as terminal:
            terminal.wait_for("live")
            terminal.type("!say 'ann: http://a.b'\r")
            terminal.wait_for("bob ann:")
            self.assertIsNone(re.search(rb"\x1b\[[\d;]*(?:[34][0-7]|38|48|9[0-7])[;m]", terminal.output))
            self.assertIn(b"\x1b[0;39;1;4;49m", terminal.output)  # the word is bold and underlined
