"""``python cmd/cli``: the client from a clone, with nothing of ours installed."""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[2])

from cli.main import main

if __name__ == "__main__":
    main()
