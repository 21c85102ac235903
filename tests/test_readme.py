"""What README shows works as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from unittest import TestCase

from tests.processes import ServerProcess, environment

README = Path(__file__).resolve().parent.parent / "README.md"


class BotTests(TestCase):
    def test_the_bot_answers(self) -> None:
        block = re.search(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
        assert block is not None
        with ServerProcess() as server, closing(server.connect()) as ann:
            ann.login("ann")
            bot = subprocess.Popen(
                [sys.executable, "-c", block[1].replace("7777", str(server.port))], env=environment(), cwd=server.folder
            )
            try:
                while "echo" not in ann.read("presence").header.get("joined", ()):
                    pass
                ann.send("!echo hello")
                while ann.read("message").text != "hello":
                    pass
            finally:
                bot.kill()
                bot.wait()
