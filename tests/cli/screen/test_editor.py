"""A text written in an editor."""

from __future__ import annotations

import locale
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from cli.screen.editor import EditorFailed, edit


class Editors(SynchronousTestCase):
    """Python with a program of a line is the editor; ``path`` is the file."""

    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        self.patch(tempfile, "tempdir", temporary.name)

    def lend(self, command: Sequence[str]) -> Deferred[int]:
        return succeed(subprocess.run(command, check=False).returncode)

    def edit(self, text: str, program: str) -> Deferred[str]:
        code = f"import os, sys, pathlib; path = pathlib.Path(sys.argv[1]); {program}"
        with patch.dict(os.environ, VISUAL=shlex.join([sys.executable, "-c", code])):
            return Deferred.fromCoroutine(edit(text, self.lend))

    def why(self, edited: Deferred[str]) -> str:
        return str(self.failureResultOf(edited, EditorFailed).value)

    def test_what_it_made_of_the_text(self) -> None:
        edited = self.edit("one\ntwö", "path.write_text(path.read_text().upper() + '!\\n')")
        self.assertEqual(self.successResultOf(edited), "ONE\nTWÖ!")
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_lines_that_end_as_on_windows(self) -> None:
        edited = self.edit("one", "path.write_bytes(b'one\\r\\ntwo\\r\\n')")
        self.assertEqual(self.successResultOf(edited), "one\ntwo")

    def test_a_locale_that_is_not_utf_8(self) -> None:
        self.patch(locale, "getpreferredencoding", lambda **_: "latin-1")
        edited = self.edit("twö", "path.write_bytes(path.read_bytes() + b'\\xfc')")
        self.assertEqual(self.successResultOf(edited), "twöü")
        edited = self.edit("谢谢", "pass")
        self.assertEqual(self.successResultOf(edited), "谢谢")

    def test_nobody_else_reads_it(self) -> None:
        edited = self.edit("", "path.write_text(oct(path.parent.stat().st_mode))")
        self.assertEqual(self.successResultOf(edited), "0o40700")

    def test_a_failure_leaves_what_was_typed(self) -> None:
        self.assertIn("ended with status 3; what you typed is as it was", self.why(self.edit("one", "sys.exit(3)")))
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_a_failure_leaves_what_was_written(self) -> None:
        said = self.why(self.edit("one", "path.write_text('two'); sys.exit(1)"))
        [file] = self.folder.glob("*/*")
        self.assertTrue(said.endswith(f"ended with status 1; what it wrote is in {file}"))
        self.assertEqual(file.read_text(), "two")

    def test_no_terminal_to_lend(self) -> None:
        with patch.dict(os.environ, VISUAL="sh"):
            edited = Deferred.fromCoroutine(edit("", lambda _: fail(OSError("the terminal is in use"))))
        self.assertEqual(self.why(edited), "sh cannot be used: the terminal is in use")
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_which_one(self) -> None:
        for name in ("first", "second", "vi"):
            program = self.folder / name
            program.write_text(f"#!/bin/sh\necho {name} $2 > $1\n")
            program.chmod(0o755)
        path = f"{self.folder}:{os.environ['PATH']}"
        for env, made in (
            ({"VISUAL": "first", "EDITOR": "second"}, "first"),
            ({"EDITOR": "second"}, "second"),
            ({}, "vi"),
        ):
            with patch.dict(os.environ, env | {"PATH": path}):
                for name in {"VISUAL", "EDITOR"} - env.keys():
                    os.environ.pop(name, None)
                self.assertEqual(self.successResultOf(Deferred.fromCoroutine(edit("", self.lend))), made)
        for env, said in (
            ({"EDITOR": "no such editor"}, "there is no editor no; say in $EDITOR which one to use"),
            ({"EDITOR": "'vi"}, "which is no command"),
            ({"EDITOR": "", "VISUAL": "", "PATH": "/nowhere"}, "no editor is found; say in $EDITOR"),
        ):
            with patch.dict(os.environ, {"VISUAL": ""} | env):
                self.assertIn(said, self.why(Deferred.fromCoroutine(edit("", self.lend))))
