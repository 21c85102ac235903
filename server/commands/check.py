"""``check``: does everything hold that has to hold in the database?"""

from __future__ import annotations

import sys

from server.commands.command import OnDatabase, progress
from storage.access import existing, snapshot
from storage.checking import CHECKS, faults


class Check(OnDatabase):
    """Looks at one moment of the database, so a server may go on writing."""

    longdesc = "Writes a line for each fault. Nothing is changed."

    def run(self) -> int:
        """Check."""
        found = 0
        with existing(self.db) as engine, snapshot(engine) as connection, progress(len(CHECKS), " checks") as bar:
            for check in CHECKS:
                bar.set_description_str(check.promise)
                for fault in faults(connection, check):
                    found += 1
                    bar.write(fault)
                bar.update()
        print(f"{found} faults" if found else "nothing is off", file=sys.stderr)
        return 1 if found else 0
