"""What is said of files that are sent and saved, without a terminal."""

from __future__ import annotations

import tempfile
from contextlib import chdir
from pathlib import Path
from typing import cast

from twisted.internet.error import ConnectionLost

from cli.refusals import AskRefused, ClientClosed
from cli.screen.talk import Talk
from cli.screen.transfers import Transfers
from tests.cli.screen.test_places import Typed


class Saving(Typed):
    def setUp(self) -> None:
        super().setUp()
        Transfers(cast(Talk, self.talk))
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.enterContext(chdir(self.folder))

    def test_said_with_the_whole_path(self) -> None:
        self.type("save 1 file")
        self.assertEqual(self.answer(5), f"message 1 is saved in {self.folder}/file, 5 bytes")

    def test_no_answer(self) -> None:
        for why, said in (
            (AskRefused("unknown_message", "there is none"), "there is none"),
            (ConnectionLost(), "there is no connection; try again once it is live"),
            (ClientClosed("kicked out"), "kicked out"),
            (ClientClosed(""), "the connection is closed"),
        ):
            self.type("save 1 file")
            self.assertEqual(self.answer(why), f"message 1 is not saved: {said}")

    def test_where_one_is_was_removed(self) -> None:
        self.folder.rmdir()
        said = "message 1 is not saved: No such file or directory; name a whole path"
        self.assertEqual((self.type("save 1"), self.client.asked), (said, []))
