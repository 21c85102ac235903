"""``python cmd/cli``: the client from a clone, with nothing of ours installed."""

import os
import sys

# Without pathlib: until it was loaded Ctrl-C would show where it struck.
sys.path[0] = os.path.abspath(f"{__file__}/../../..")  # noqa: PTH100

from cli.main import main

if __name__ == "__main__":
    main()
