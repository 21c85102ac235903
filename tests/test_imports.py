"""Who may import whom: each package stands on the ones below it, and on nothing beside or above it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from unittest import TestCase

ROOT = Path(__file__).resolve().parent.parent
OURS = {"wire", "storage", "server", "cli", "cmd", "tests", "bench", "tools"}
MAY_IMPORT: dict[str, set[str]] = {
    "wire": set(),
    "storage": {"wire"},
    "server": {"storage", "wire"},
    "cli": {"wire"},
}


def imported(source: str, package: str) -> Iterator[str]:
    """Yield the top-level name of each import, wherever in ``source`` it stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield package if node.level else (node.module or "").partition(".")[0]


class ImportTests(TestCase):
    def test_each_package_imports_only_what_is_below_it(self) -> None:
        for package, allowed in MAY_IMPORT.items():
            files = list((ROOT / package).rglob("*.py"))
            self.assertTrue(files, package)
            for file in files:
                foreign = set(imported(file.read_text(), package)) & OURS - allowed - {package}
                self.assertEqual(foreign, set(), f"{file.relative_to(ROOT)} imports what it must not")

    def test_only_the_netstrings_of_wire_know_twisted(self) -> None:
        knowing = {f.name for f in (ROOT / "wire").rglob("*.py") if "twisted" in imported(f.read_text(), "wire")}
        self.assertEqual(knowing, {"netstring.py"})

    def test_the_storage_knows_no_twisted(self) -> None:
        knowing = {f.name for f in (ROOT / "storage").rglob("*.py") if "twisted" in imported(f.read_text(), "storage")}
        self.assertEqual(knowing, set())

    def test_what_would_hide_a_package_of_others_has_no_init(self) -> None:
        for folder in ("cmd", "twisted", "twisted/plugins"):
            self.assertFalse((ROOT / folder / "__init__.py").exists(), folder)
