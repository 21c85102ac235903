"""kill -9 of the server, in every phase of a batch, while fifty write, others read, upload and come back."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Final

from tests.chance import times
from tests.processes import SERVER, ServerProcess
from tests.torture.case import TortureCase, mariadb, shown
from tests.torture.marksman import Marksman
from tests.torture.phases import Phase
from tests.torture.talk import Talk

KILLS = times("KILLS", 4)
COMING: Final = 6  # people who are on their way back when a kill is near
# How long a phase lasts, about: so far behind its beginning a shot may fall. Seconds.
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


class KilledServer(TortureCase):
    def test_on_sqlite(self) -> None:
        self.kill()

    def test_on_mariadb(self) -> None:
        _, url = mariadb()
        self.kill(shown(url))

    def kill(self, db: str | None = None) -> None:
        """Kill a server :data:`KILLS` times in the middle of a talk, most often where it was hit least."""
        server = self.stack.enter_context(PhasedServer(db))
        marksman = self.stack.enter_context(Marksman(server.phase_file))
        talk = self.talk(server, uploaders=3)
        hit: Counter[Phase] = Counter()
        coming = uploading = 0
        for _ in range(KILLS):
            self.shoot(server, marksman, talk, min(Phase, key=hit.__getitem__))
            hit[server.phase] += 1
            coming += talk.coming > 0
            uploading += any(uploader.is_uploading for uploader in talk.uploaders)
            server.start()
            talk.open = True
        phases = ", ".join(f"{hit[phase]} {phase.name.lower()}" for phase in Phase)
        rate = f"{talk.said / talk.seconds:,.0f} messages/s meanwhile"
        under_way = f"{coming} with a login, {uploading} with an upload under way"
        talk.finish()
        self.judge(talk.people, server, f"{KILLS} kills of the server: {phases}; {under_way}; {rate}")
        self.assertGreaterEqual(coming, KILLS // 10)  # nearly all, mostly; chance may spare a few

    def shoot(self, server: PhasedServer, marksman: Marksman, talk: Talk, phase: Phase) -> None:
        """Have the server killed in that phase, and return when it is dead; some are just coming back."""
        after, aside = self.chance.uniform(0.1, 0.9), self.chance.uniform(0, LASTS[phase])
        marksman.shoot(server.pid, phase, after, aside)
        soon = time.monotonic() + after - 0.1

        def dead() -> bool:
            if time.monotonic() >= soon:
                for _ in range(talk.coming, COMING):
                    talk.drop_somebody()
            return server.status is not None

        talk.run(dead)
        talk.open = False
