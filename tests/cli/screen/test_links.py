"""Addresses in a text."""

from __future__ import annotations

from unittest import TestCase

from hypothesis import given
from hypothesis import strategies as st
from urwid import Hyperlink

from cli.screen.links import LONGEST_LINK, links
from wire.text import safe


def found(text: str) -> list[str]:
    return [text[link.start : link.end] for link in links(text)]


class Found(TestCase):
    def test_where_it_begins_and_ends(self) -> None:
        for text, address in (
            ("https://example.org", "https://example.org"),
            ("see http://a.b/c?d=e&f#g, it is good", "http://a.b/c?d=e&f#g"),
            ("(http://a.b/c)", "http://a.b/c"),
            ("https://en.wikipedia.org/wiki/Foo_(bar)", "https://en.wikipedia.org/wiki/Foo_(bar)"),
            ("(as in https://a.b/Foo_(bar)).", "https://a.b/Foo_(bar)"),
            ("[http://a.b/[x]]", "http://a.b/[x]"),
            ("is it http://a.b/?", "http://a.b/"),
            ("http://a.b/c...", "http://a.b/c"),
            ('"http://a.b/c"', "http://a.b/c"),
            ("<http://a.b/c>", "http://a.b/c"),
            ("'http://a.b/c'", "http://a.b/c"),
            ("*http://a.b/c*", "http://a.b/c"),
            ("HTTPS://A.B", "HTTPS://A.B"),
            ("ftp://a.b/c", "ftp://a.b/c"),
            ("看https://a.b/路径。", "https://a.b/路径"),
            ("http://a.b/c\nnext", "http://a.b/c"),
            ("http://user@a.b:80/~c/%20-_", "http://user@a.b:80/~c/%20-_"),
        ):
            with self.subTest(text):
                self.assertEqual(found(text if "看" not in text else text.replace("看", "看 ")), [address])

    def test_what_is_none(self) -> None:
        for text in ("http://", "http://...", "http:/a.b", "javascript:alert(1)", "file:///etc/passwd", "xhttp://a.b",
                     "a.b.c", "mailto:a@b"):  # fmt: skip
            with self.subTest(text):
                self.assertEqual(found(text), [])

    def test_several(self) -> None:
        self.assertEqual(found("http://a.b,http://c.d http://e.f"), ["http://a.b,http://c.d", "http://e.f"])

    def test_a_terminal_is_told_printable_ascii(self) -> None:
        (link,) = links("http://a.b/ä|`{x}\\^%41?q=é#[1]")
        self.assertEqual(link.address, "http://a.b/%C3%A4%7C%60%7Bx%7D%5C%5E%41?q=%C3%A9#[1]")

    @given(st.text(st.characters(codec=None) | st.sampled_from("\x1b\x07\x9c\\]8;)(.,\u202e\ud800"), max_size=50))
    def test_nothing_else_of_the_text_gets_into_it(self, text: str) -> None:
        shown = safe(f"https://{text}")
        for link in links(shown):
            self.assertTrue(link.address.isascii() and link.address.isprintable() and " " not in link.address)
            if len(link.address) <= LONGEST_LINK:
                Hyperlink(link.address)  # ValueError where it will not have it

    def test_many_that_close(self) -> None:
        self.assertEqual(found("http://" + ")" * 2000), [])
