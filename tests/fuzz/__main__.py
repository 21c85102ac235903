"""``python -m tests.fuzz SECONDS``: look for inputs that break something, guided by what of the code they reach.

Needs atheris, which ``make fuzz`` installs. What it found is kept in tests/fuzz/corpus; an input that breaks something
is left in the current folder as ``crash-...``.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"


def main(seconds: int) -> None:
    """Give each target its share of the time; exits with 1 where something broke."""
    names = sorted(folder.name for folder in CORPUS.iterdir())
    broken = [name for name in names if _fuzz(name, seconds // len(names))]
    raise SystemExit(f"broken: {', '.join(broken)}" if broken else 0)


def _fuzz(name: str, seconds: int) -> int:
    """Fuzz one target in a process of its own: libFuzzer ends the one that it runs in."""
    flags = [f"-max_total_time={max(1, seconds)}", "-timeout=10", "-rss_limit_mb=2048", "-max_len=4096"]
    return subprocess.run(
        [sys.executable, "-m", "tests.fuzz", name, str(CORPUS / name), *flags], check=False
    ).returncode


def _run(name: str, flags: list[str]) -> None:
    import atheris

    with atheris.instrument_imports(include=["wire", "server", "storage"]):
        from tests.fuzz.targets import TARGETS
    atheris.Setup([name, *flags], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    if sys.argv[1:] and sys.argv[1].isdecimal():
        main(int(sys.argv[1]))
    else:
        _run(sys.argv[1], sys.argv[2:])
