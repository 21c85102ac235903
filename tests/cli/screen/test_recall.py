"""What was typed before."""

from __future__ import annotations

import stat
import tempfile
from pathlib import Path
from unittest import TestCase
from unittest.mock import patch

from cli.screen import entered
from cli.screen.editing import LONG, KillRing
from cli.screen.entered import ENTRIES, LONGEST, Entered
from cli.screen.paste import Pasted
from cli.screen.recall import HistorySearch, Recall


def unkept() -> Entered:
    return Entered(None, print)


class Recalled(TestCase):
    def setUp(self) -> None:
        self.entered = unkept()
        self.recall = Recall(self.entered, KillRing())

    def type(self, text: str) -> None:
        self.recall.buffer.insert(text)

    def steps(self, *by: int) -> list[str]:
        texts = []
        for step in by:
            self.recall.step(step)
            texts.append(self.recall.buffer.whole)
        return texts

    def test_back_and_forth(self) -> None:
        self.entered.add("one")
        self.entered.add("two")
        self.type("half")
        self.assertEqual(self.steps(-1, -1, -1, 1, 1, 1), ["two", "one", "one", "two", "half", "half"])

    def test_a_changed_line_is_not_lost_until_one_is_entered(self) -> None:
        self.entered.add("one")
        self.recall.step(-1)
        self.type(" more")
        self.assertEqual(self.steps(1, -1), ["", "one more"])
        self.assertEqual(self.recall.take(), "one more")
        self.entered.add("one more")
        self.assertEqual(self.steps(-1, -1), ["one more", "one"])

    def test_half_written_stays_when_another_is_entered(self) -> None:
        self.entered.add("one")
        self.type("half")
        self.recall.buffer.go(2)
        self.recall.step(-1)
        self.assertEqual(self.recall.take(), "one")
        self.assertEqual((self.recall.buffer.whole, self.recall.buffer.cursor), ("half", 2))
        self.assertEqual(self.recall.take(), "half")
        self.assertEqual(self.recall.buffer.whole, "")

    def test_each_room_has_its_own_place(self) -> None:
        self.entered.add("one")
        self.type("here")
        self.recall.step(-1)
        other = Recall(self.entered, KillRing())
        self.assertEqual(other.buffer.whole, "")
        self.entered.add("two")
        self.assertEqual(self.steps(1, 1), ["two", "here"])

    def test_bound(self) -> None:
        for number in range(ENTRIES + 5):
            self.entered.add(str(number))
        self.assertEqual(self.steps(*[-1] * (ENTRIES + 5))[-1], "5")

    def test_bound_of_characters(self) -> None:
        with patch.object(entered, "CHARACTERS", 100):
            for letter in "abc":
                self.entered.add(letter * 40)
            self.assertEqual(self.steps(-1, -1, -1)[-1], "b" * 40)
            self.entered.add("d" * 200)
            self.assertEqual((self.entered.end - self.entered.first, self.entered[self.entered.first]), (1, "d" * 200))


class Searched(TestCase):
    def setUp(self) -> None:
        entered = unkept()
        for text in ("see the Docs", "lunch?", "the docs are good", "no"):
            entered.add(text)
        self.recall = Recall(entered, KillRing())
        self.recall.buffer.insert("half")
        self.recall.buffer.go(1)
        self.search = HistorySearch(self.recall)

    @property
    def found(self) -> str:
        buffer = self.recall.buffer
        return buffer.text[: buffer.cursor] + "|" + buffer.text[buffer.cursor :]

    def press(self, *keys: str) -> None:
        for key in keys:
            self.assertTrue(self.search.press(key))

    def test_a_letter_at_a_time_back_and_on(self) -> None:
        self.press(Pasted("d"), Pasted("oc"))
        self.assertEqual(self.found, "the |docs are good")
        self.search.again(-1)
        self.assertEqual(self.found, "see the |Docs")
        self.search.again(-1)
        self.assertEqual(self.found, "see the |Docs")
        self.assertIn("nothing has: doc", self.search.prompt)
        self.search.again(1)
        self.assertEqual(self.found, "the |docs are good")
        self.press("enter")
        self.assertTrue(self.search.over)
        self.recall.step(1)
        self.assertEqual(self.recall.buffer.text, "no")

    def test_fewer_letters_find_more(self) -> None:
        self.press(Pasted("dox"))
        self.assertEqual(self.found, "h|alf")
        self.assertIn("nothing has", self.search.prompt)
        self.press("backspace")
        self.assertEqual(self.found, "the |docs are good")
        self.press("backspace", "backspace")
        self.assertEqual(self.found, "h|alf")

    def test_going_back_loses_nothing(self) -> None:
        for key in ("esc", "ctrl g", "ctrl c"):
            self.press(Pasted("lunch"), key)
            self.assertTrue(self.search.over)
            self.assertEqual(self.found, "h|alf")

    def test_a_text_that_reads_like_a_key_is_a_text(self) -> None:
        self.press(Pasted("enter"))
        self.assertFalse(self.search.over)

    def test_what_is_long(self) -> None:
        self.recall.take()
        self.recall._entered.add("x" * LONG + "lunch!")
        self.press(Pasted("lunch"))
        self.assertEqual(self.found, "|lunch?", "of a very long text the beginning counts")
        self.press(Pasted("x" * 2**20))
        self.assertLess(len(self.search.prompt), 300)

    def test_other_keys_are_for_others(self) -> None:
        self.press(Pasted("lunch"))
        self.assertFalse(self.search.press("left"))
        self.assertEqual(self.found, "|lunch?")


class OnDisk(TestCase):
    def setUp(self) -> None:
        self.path = Path(self.enterContext(tempfile.TemporaryDirectory())) / "state" / "history"
        self.complaints: list[str] = []

    def open(self) -> Entered:
        return Entered(self.path, self.complaints.append)

    def texts(self) -> list[str]:
        found = self.open()
        return [found[number] for number in range(found.first, found.end)]

    def test_the_next_run_has_it(self) -> None:
        first, second = self.open(), self.open()
        first.add("one")
        second.add("two\nlines, ä")
        first.add("two\nlines, ä")
        first.add("")
        first.add("x" * (LONGEST + 1))
        self.assertEqual(self.texts(), ["one", "two\nlines, ä", "two\nlines, ä"])
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(self.path.parent.stat().st_mode), 0o700)

    def test_what_is_torn_or_foreign_is_left_out(self) -> None:
        self.path.parent.mkdir()
        self.path.write_bytes(b'"one"\n{"a": 1}\n\xff\n"\xff"\n"tw\n"three"\n"fo')
        self.assertEqual(self.texts(), ["one", "three"])

    def test_what_comes_behind_a_torn_line_is_kept(self) -> None:
        self.path.parent.mkdir()
        self.path.write_bytes(b'"one"\n"fo')
        self.open().add("two")
        self.assertEqual(self.texts(), ["one", "two"])

    def test_what_another_program_adds_while_it_is_made_shorter(self) -> None:
        class Busy(Entered):
            def _put(self, text: str) -> None:
                if text == "text 499":
                    other.add("meanwhile")
                super()._put(text)

        with patch.object(entered, "BYTES", 1000):
            other = self.open()
            for number in range(500):
                other.add(f"text {number}")
            self.assertGreater(Busy(self.path, self.complaints.append).end, 0)
            self.assertLessEqual(self.path.stat().st_size, 1000)
            self.assertEqual(self.texts()[-2:], ["text 499", "meanwhile"])

    def test_the_file_has_a_bound(self) -> None:
        with patch.object(entered, "BYTES", 1000):
            kept = self.open()
            for number in range(500):
                kept.add(f"text {number}")
            texts = self.texts()
            self.assertLessEqual(self.path.stat().st_size, 1000)
            self.assertEqual(texts[-1], "text 499")
            self.assertEqual(texts, [f"text {500 - len(texts) + number}" for number in range(len(texts))])
            self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)
            self.assertEqual(self.texts(), texts)

    def test_a_file_that_cannot_be_used_is_told_once(self) -> None:
        self.path.mkdir(parents=True)
        kept = self.open()
        kept.add("one")
        kept.add("two")
        self.assertEqual([kept[number] for number in range(kept.end)], ["one", "two"])
        [complaint] = self.complaints
        self.assertIn(f"{self.path}: Is a directory", complaint)
