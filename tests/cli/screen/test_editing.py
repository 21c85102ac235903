"""The text that is being written, without a terminal."""

from __future__ import annotations

from collections import Counter
from unittest import TestCase

from hypothesis import given
from hypothesis import strategies as st
from wcwidth import iter_graphemes

from cli.screen.editing import COMMANDS, HELD, LONG, UNDONE, Buffer, KillRing
from wire.text import safe

BY_NAME = {command.name: command for command in COMMANDS}
ASTRONAUT = "\U0001f469\u200d\U0001f680"


def press(buffer: Buffer, *names: str) -> None:
    for name in names:
        BY_NAME[name].run(buffer)


class Commands(TestCase):
    """Each of readline's, on a text with ``|`` where the cursor is."""

    def check(self, before: str, names: str, after: str) -> None:
        buffer = Buffer(KillRing(), before.replace("|", ""))
        buffer.go(before.index("|"))
        press(buffer, *names.split())
        self.assertEqual(buffer.text[: buffer.cursor] + "|" + buffer.text[buffer.cursor :], after, (before, names))

    def test_they_do_what_readline_does(self) -> None:
        for before, names, after in [
            ("one\ntw|o\nthree", "beginning-of-line", "one\n|two\nthree"),
            ("one\ntw|o\nthree", "end-of-line", "one\ntwo|\nthree"),
            ("|ab", "forward-char forward-char forward-char", "ab|"),
            ("a|b", "backward-char backward-char", "|ab"),
            ("one, |two three", "forward-word", "one, two| three"),
            ("one|, two", "forward-word", "one, two|"),
            ("one, two|", "backward-word", "one, |two"),
            ("one, |two", "backward-word", "|one, two"),
            ("a|bc", "delete-char", "a|c"),
            ("abc|", "delete-char", "abc|"),
            ("ab|c", "backward-delete-char", "a|c"),
            ("o|ne\ntwo", "kill-line", "o|\ntwo"),
            ("one|\ntwo", "kill-line", "one|two"),
            ("one\ntw|o", "unix-line-discard", "one\n|o"),
            ("one\n|two", "unix-line-discard", "one|two"),
            ("one\nt|wo", "kill-whole-text", "|"),
            ("one| two three", "kill-word", "one| three"),
            ("see x.py|", "backward-kill-word", "see x.|"),
            ("see x.py  |", "unix-word-rubout", "see |"),
            ("  |", "unix-word-rubout", "|"),
            ("a|b", "transpose-chars", "ba|"),
            ("ab|", "transpose-chars", "ba|"),
            ("|ab", "transpose-chars", "|ab"),
            ("a|", "transpose-chars", "a|"),
            ("x\n|ab", "transpose-chars", "x\n|ab"),
            ("one two|", "transpose-words", "two one|"),
            ("one |two, three", "transpose-words", "two one|, three"),
            ("one two.|", "transpose-words", "two one|."),
            ("one|", "transpose-words", "one|"),
            ("|one two", "upcase-word", "ONE| two"),
            ("ONE| TWO", "downcase-word", "ONE two|"),
            ("| one", "capitalize-word", " One|"),
            ("h|ELLO", "capitalize-word", "hEllo|"),
            ("one| two", "kill-word yank yank", "one two two|"),
            ("one two|", "unix-word-rubout unix-word-rubout yank", "one two|"),
            ("|one two", "kill-word kill-word end-of-line yank", "one two|"),
            ("one two|", "unix-word-rubout end-of-line backward-char kill-line yank yank-pop", "onetwo|"),
            ("one|", "yank-pop yank", "one|"),
            ("a b|", "unix-word-rubout backward-char undo", "a b|"),
            ("ab|", "backward-delete-char backward-delete-char undo", "ab|"),
        ]:
            self.check(before, names, after)

    def test_what_looks_like_one_character_is_one(self) -> None:
        for whole in (ASTRONAUT, "e\u0301", "\u2764\ufe0f", "\U0001f1e9\U0001f1ea", "\u1100\u1161\u11a8"):
            self.check(f"a{whole}|b", "backward-delete-char", "a|b")
            self.check(f"a|{whole}b", "delete-char", "a|b")
            self.check(f"a{whole}|b", "backward-char", f"a|{whole}b")
            self.check(f"a|{whole}b", "transpose-chars", f"{whole}a|b")

    def test_what_becomes_one_with_what_stands_behind_it(self) -> None:
        buffer = Buffer(KillRing(), "\u0301b")
        buffer.go(0)
        buffer.insert("e")
        self.assertEqual(buffer.cursor, 2)
        press(buffer, "backward-delete-char")
        self.assertEqual(buffer.text, "b")

    def test_typing_is_taken_back_word_by_word(self) -> None:
        buffer = Buffer(KillRing())
        for key in "one two  three":
            buffer.insert(key)
        texts = []
        for _ in range(4):
            press(buffer, "undo")
            texts.append(buffer.text)
        self.assertEqual(texts, ["one two  ", "one ", "", ""])

    def test_each_has_a_name_and_keys_of_its_own(self) -> None:
        keys = Counter(key for command in COMMANDS for key in command.keys)
        self.assertEqual([key for key, count in keys.items() if count > 1], [])
        self.assertTrue(all(command.help for command in COMMANDS))
        self.assertEqual(len(BY_NAME), len(COMMANDS))


class AnySequence(TestCase):
    STEPS = st.lists(
        st.sampled_from(
            [*BY_NAME, *(f"+{text}" for text in ["a", " ", "\n", "\u0301", "\u200d", "\xad", "\x1b", "x" * (LONG + 1)])]
        )
        | st.text("ab \xad\x1b\u202e\u0301\u200d\U0001f469\U0001f680\U0001f1e9\n", min_size=1, max_size=4).map(
            "+".__add__
        )
        | st.integers(0, 20),
        max_size=UNDONE // 2,
    )

    def do(self, buffer: Buffer, step: str | int) -> None:
        if isinstance(step, int):
            buffer.go(step)
        elif step.startswith("+"):
            buffer.insert(step[1:])
        else:
            press(buffer, step)

    @given(STEPS)
    def test_the_cursor_stands_where_a_character_begins(self, steps: list[str | int]) -> None:
        buffer = Buffer(KillRing())
        for step in steps:
            self.do(buffer, step)
            borders, place = {0}, 0
            for cluster in iter_graphemes(buffer.text):
                place += len(cluster)
                borders.add(place)
            self.assertIn(buffer.cursor, borders)
            self.assertLessEqual(buffer.shown_cursor, len(buffer.shown))
            place = buffer.place(buffer.shown_cursor)
            self.assertEqual(safe(buffer.text[buffer.cursor : place]), "")  # nothing that is seen

    @given(st.text(max_size=20), STEPS)
    def test_all_of_it_can_be_taken_back(self, text: str, steps: list[str | int]) -> None:
        buffer = Buffer(KillRing(), text)
        began = buffer.whole
        for step in steps:
            self.do(buffer, step)
        for _ in steps:
            press(buffer, "undo")
        self.assertEqual(buffer.whole, began)


class LongTexts(TestCase):
    def setUp(self) -> None:
        self.buffer = Buffer(KillRing())
        self.long = "one line\n" * 80_000
        self.mark = "[pasted text, 720 kB, 80000 lines]"

    def test_a_mark_is_shown(self) -> None:
        for text in ("a", self.long, "b"):
            self.buffer.insert(text)
        self.assertEqual(self.buffer.shown, f"a{self.mark}b")
        self.assertEqual(self.buffer.whole, f"a{self.long}b")
        self.assertEqual(self.buffer.shown_cursor, len(self.buffer.shown))
        self.buffer.insert("x" * LONG)
        self.assertEqual(self.buffer.shown, f"a{self.mark}b" + "x" * LONG)

    def test_pieces_of_what_a_terminal_does_not_mark(self) -> None:
        pieces = [f"{number:5}" * (LONG // 5) for number in range(3 * HELD)]
        for piece in pieces:
            self.buffer.insert(piece)
        self.assertLess(len(self.buffer.shown), 4 * LONG)
        self.assertEqual(self.buffer.whole, "".join(pieces))

    def test_it_is_one_character(self) -> None:
        for text in ("a", self.long, "b"):
            self.buffer.insert(text)
        press(self.buffer, "backward-char", "backward-char")
        self.buffer.insert("c")
        self.assertEqual(self.buffer.shown, f"ac{self.mark}b")
        press(self.buffer, "delete-char")
        self.assertEqual(self.buffer.whole, "acb")
        press(self.buffer, "undo")
        self.assertEqual(self.buffer.whole, f"ac{self.long}b")

    def test_it_is_killed_and_yanked_whole(self) -> None:
        ring = KillRing()
        first = Buffer(ring, self.long)
        press(first, "unix-word-rubout")
        second = Buffer(ring)
        press(second, "yank", "yank")
        self.assertEqual(second.shown, self.mark * 2)
        self.assertEqual(second.whole, self.long * 2)

    def test_what_cannot_come_back_is_forgotten(self) -> None:
        for number in range(2100):  # there are 2048 halves of pairs
            self.buffer.insert(f"{number:{LONG + 1}}")
            press(self.buffer, "backward-delete-char")
        self.assertEqual(self.buffer.whole, "")
        self.assertLess(len(self.buffer._held), 2 * UNDONE)

    def test_what_is_typed_does_not_count_as_a_mark(self) -> None:
        self.buffer.insert(self.mark)
        self.buffer.insert(self.mark + self.long)
        self.buffer.insert("\ud800")
        self.assertEqual(self.buffer.whole, self.mark * 2 + self.long + "\ufffd")

    def test_a_tab_has_a_width(self) -> None:
        self.buffer.insert("a\tb")
        self.assertEqual((self.buffer.shown, self.buffer.whole), ("a    b", "a\tb"))
        self.assertEqual([self.buffer.place(shown) for shown in range(7)], [0, 1, 1, 1, 1, 2, 3])

    def test_what_is_put_in_is_shown_harmless_and_kept_as_it_is(self) -> None:
        self.buffer.insert("\x1b[2J\u202e\x07s\xadoft" + "\u0301" * 9)
        self.buffer.replace(0, 0, "\x9b")
        self.assertEqual(self.buffer.shown, "\ufffd␛[2J\ufffd␇soft" + "\u0301" * 4)
        self.assertEqual(self.buffer.whole, "\x9b\x1b[2J\u202e\x07s\xadoft" + "\u0301" * 9)
