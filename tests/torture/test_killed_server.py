"""kill -9 of the server, in every phase of a batch, while fifty write, others read, upload and come back."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Final
from unittest import TestCase

from tests.chance import seeded, times
from tests.mariadb import MariaDB
from tests.processes import SERVER, ServerProcess
from tests.torture.marksman import Marksman
from tests.torture.phases import Phase
from tests.torture.talk import Talk, judge, wrong_contents

KILLS = times("KILLS", 4)
UPLOADERS = times("UPLOADERS", 0)
COMING: Final = 3  # people who are on their way back at any moment
# How long a phase lasts, about: so far behind its beginning a shot may fall.
LASTS: Final = {Phase.GATHERING: 0.002, Phase.COMMITTING: 0.004, Phase.COMMITTED: 0.0001, Phase.PUBLISHING: 0.0005}


class PhasedServer(ServerProcess):
    """A server that tells in which phase its journal is, also after its death."""

    def __init__(self, db: str | None) -> None:
        program = Path(__file__).with_name("phased_server.py")
        super().__init__(db=db, command=(SERVER[0], str(program), "phase"))
        self.phase_file = self.folder / "phase"
        self.phase_file.write_bytes(b"\0")

    @property
    def phase(self) -> Phase:
        return Phase(self.phase_file.read_bytes()[0])


class KilledServer(TestCase):
    def kill(self, db: str | None = None) -> None:
        """Kill a server :data:`KILLS` times in the middle of a talk, then judge."""
        chance = seeded()
        hit: Counter[Phase] = Counter()
        coming = uploading = 0
        with ExitStack() as stack:
            server = stack.enter_context(PhasedServer(db))
            marksman = stack.enter_context(Marksman(server.phase_file))
            talk = Talk(lambda: server.address, chance, uploaders=UPLOADERS)
            stack.callback(talk.close)
            for _ in range(KILLS):
                self.shoot(server, marksman, talk, min(Phase, key=hit.__getitem__), chance)
                hit[server.phase] += 1
                coming += talk.coming > 0
                uploading += any(uploader.is_uploading for uploader in talk.uploaders)
                server.start()
                talk.open = True
            talk.finish()
            verdict = judge(talk.people, server.db)
            wrong = list(wrong_contents(list(talk.uploaders), server.address))
            self.assertEqual(server.terminate(), 0)
            self.assertNotIn("Traceback", "\n".join(server.log))
        kills = ", ".join(f"{hit[phase]} {phase.name.lower()}" for phase in Phase)
        print(f"{KILLS} kills of the server ({kills}; {coming} with a login, {uploading} with an upload under way)")
        print(verdict, flush=True)
        self.assertEqual(verdict.faults + wrong, [])
        self.assertGreater(verdict.acknowledged, verdict.messages / 2)
        self.assertEqual(coming, KILLS)

    def shoot(self, server: PhasedServer, marksman: Marksman, talk: Talk, phase: Phase, chance: random.Random) -> None:
        """Have the server killed in that phase, and return when it is dead; somebody is always coming back."""
        marksman.shoot(server.pid, phase, after=chance.uniform(0.2, 0.8), aside=chance.uniform(0, LASTS[phase]))

        def dead() -> bool:
            if talk.coming < COMING:
                talk.drop_somebody()
            return server.status is not None

        talk.run(dead)
        talk.open = False

    def test_on_sqlite(self) -> None:
        self.kill()

    def test_on_mariadb(self) -> None:
        database = MariaDB.shared()
        self.kill(database.url(database.create()).render_as_string(hide_password=False))
