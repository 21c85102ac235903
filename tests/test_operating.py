"""``docs/operating.md`` tells every flag, and every message of the log, and no other ones."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from unittest import TestCase

from server.commands import COMMANDS
from server.options import Options

ROOT = Path(__file__).resolve().parent.parent
SOURCES = [ast.parse(file.read_text()) for file in (ROOT / "server").rglob("*.py")]


def logged() -> Iterator[str]:
    """Yield the text of each call of a logger, or by way of the complaints; those aside that are an attribute."""
    for source in SOURCES:
        for node in ast.walk(source):
            match node:
                case ast.Call(ast.Attribute(ast.Attribute(attr="_log") | ast.Name("_log")), [text, *_]):
                    yield from constants(text, source)
                case ast.Call(ast.Attribute(attr="tell"), [_, text, *_]):
                    yield from constants(text, source)


def constants(text: ast.expr, source: ast.Module) -> Iterator[str]:
    """Yield the text itself, or what is assigned to the variable of that name."""
    match text:
        case ast.Constant(str(said)):
            yield said
        case ast.Name(name):
            for node in ast.walk(source):
                match node:
                    case ast.Assign([ast.Name(target)], ast.Constant(str(said))) if target == name:
                        yield said


def section(name: str) -> str:
    """Return a section of the page."""
    _, _, rest = (ROOT / "docs" / "operating.md").read_text().partition(f"\n## {name}\n")
    return rest.partition("\n## ")[0]


class OperatingTests(TestCase):
    def test_every_flag_is_told(self) -> None:
        told = set(re.findall(r"^\| `--([a-z-]+) ", section("Flags"), re.MULTILINE))
        self.assertEqual(told, {parameter[0] for parameter in Options.optParameters} | {"listen"})

    def test_every_command_and_its_flags_are_told(self) -> None:
        page = section("Commands")
        for name, named in COMMANDS.items():
            self.assertIn(f"\n| `{name}", page)
            command = named()
            for flag, *_ in (*getattr(command, "optParameters", ()), *getattr(command, "optFlags", ())):
                self.assertIn(f"--{flag}", page, name)

    def test_every_message_of_the_log_is_told(self) -> None:
        told = set(re.findall(r"^\| `([^`]+)` \|", section("The log"), re.MULTILINE))
        said = set(logged())
        self.assertGreater(len(said), 20)
        self.assertEqual(said - told, set())
        texts = {node.value for source in SOURCES for node in ast.walk(source) if isinstance(node, ast.Constant)}
        self.assertEqual(told - texts, set())
