"""What is not needed at the start is not loaded there."""

import subprocess
import sys

LAZY = """
import sys
from cli.lately import lately
lately("http.cookiejar")
from http import cookiejar
print("http.client" in sys.modules, cookiejar.CookieJar.__name__, "http.client" in sys.modules)
"""


def said(*command: str) -> tuple[str, str]:
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=True)
    return done.stdout, done.stderr


def test_it_is_loaded_when_it_is_asked_for() -> None:
    assert said("-c", LAZY)[0] == "False CookieJar True\n"


def test_a_start_loads_nothing_of_http() -> None:
    loaded = said("-X", "importtime", "cmd/cli", "--version")[1]
    assert "twisted.python.compat" in loaded  # which asks for it
    assert "http.client" not in loaded
