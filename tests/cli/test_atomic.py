"""Files that are never half-written."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import TestCase
from unittest.mock import patch

from cli.atomic import replace


class Replacing(TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(TemporaryDirectory()))
        self.file = self.folder / "new" / "file"

    def test_a_new_one_is_the_users_alone(self) -> None:
        replace(self.file, b"one")
        self.assertEqual(self.file.read_bytes(), b"one")
        self.assertEqual((self.file.stat().st_mode & 0o777, self.file.parent.stat().st_mode & 0o777), (0o600, 0o700))

    def test_a_mode_and_a_link_stay(self) -> None:
        real = self.folder / "real"
        real.write_bytes(b"one")
        real.chmod(0o640)
        self.file.parent.mkdir()
        self.file.symlink_to(real)
        replace(self.file, b"two")
        self.assertEqual((real.read_bytes(), real.stat().st_mode & 0o777), (b"two", 0o640))
        self.assertTrue(self.file.is_symlink())

    def test_a_failure_leaves_what_was_there_and_nothing_else(self) -> None:
        replace(self.file, b"one")
        with patch.object(Path, "replace", side_effect=OSError), self.assertRaises(OSError):
            replace(self.file, b"two")
        self.assertEqual([each.read_bytes() for each in self.file.parent.iterdir()], [b"one"])
