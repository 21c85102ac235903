"""What fuzzing found, and what it began with, breaks nothing any more."""

from __future__ import annotations

from pathlib import Path
from unittest import TestCase

from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"


class CorpusTests(TestCase):
    def test_each_input(self) -> None:
        self.assertEqual({folder.name for folder in CORPUS.iterdir()}, set(TARGETS))
        for name, target in TARGETS.items():
            inputs = sorted((CORPUS / name).iterdir())
            self.assertTrue(inputs, name)
            for file in inputs:
                with self.subTest(target=name, input=file.name):
                    target(file.read_bytes())
