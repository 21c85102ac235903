"""Connections of one client that race each other: who logs in later has the word, and each message is there once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from itertools import count

from tests.chance import times
from tests.plain_client import Crowd, Frame
from tests.processes import ServerProcess
from tests.torture.case import TortureCase, mariadb, shown
from tests.torture.people import Person, Uploader
from tests.torture.talk import content

RACES = times("RACES", 15)


class Racing(Person):
    """One of several connections of the same client, which say the same with the same numbers."""

    replaced = 0

    def share(self, first: Racing) -> None:
        """Say what ``first`` says."""
        self.said = first.said

    def also_say(self) -> None:
        """Send what the other one has just begun to say."""
        if self.here:
            self._send(self.said[-1])

    def _take_bye(self, frame: Frame) -> None:
        assert frame["reason"] == "replaced", frame
        self.replaced += 1


class RacingUploader(Racing, Uploader):
    """The same, with uploads."""

    pace = 0


class SameClient(TortureCase):
    def test_messages_on_sqlite(self) -> None:
        self.race(Racing)

    def test_messages_on_mariadb(self) -> None:
        _, url = mariadb()
        self.race(Racing, shown(url))

    def test_uploads_on_sqlite(self) -> None:
        self.race(RacingUploader)

    def test_uploads_on_mariadb(self) -> None:
        _, url = mariadb()
        self.race(RacingUploader, shown(url))

    def race(self, kind: type[Racing], db: str | None = None) -> None:
        """Have three connections of one client log in at the same moment, again and again, while they send."""
        server = self.stack.enter_context(ServerProcess(db=db))
        crowd = self.stack.enter_context(closing(Crowd()))
        racers = [kind(crowd, lambda: server.address, "ann", client="the one program") for _ in range(3)]
        for racer in racers[1:]:
            racer.share(racers[0])
        give_up_at = time.monotonic() + 60
        for races in count(1):
            self.meet(crowd, racers)
            self.say_something(racers)
            replaced = sum(racer.replaced for racer in racers)
            if races >= RACES and replaced > RACES / 2:  # where logins take long there is none in many a race
                break
            self.assertLess(time.monotonic(), give_up_at, f"{replaced} replaced in {races} races")
        winner = racers[0]
        for racer in racers[1:]:
            racer.leave()
        self.until_heard(crowd, winner)
        for racer in racers[1:]:
            self.until_heard(crowd, racer)
            racer.leave()
        replaced = sum(racer.replaced for racer in racers)
        logins = sum(racer.logins for racer in racers)
        for racer in racers[1:]:  # what was told to one holds for all
            for seq, id in racer.ids.items():
                self.assertEqual(winner.ids.setdefault(seq, id), id)
        self.judge(racers[:1], server, f"{logins} logins of one client, {replaced} times one replaced the other")
        for racer in racers:
            self.assertEqual(racer.heard, winner.heard)

    def meet(self, crowd: Crowd, racers: Sequence[Racing]) -> None:
        """Have some of them log in at once, and go on at a random moment while some are still at it."""
        for racer in racers:
            if self.chance.random() < 0.3:
                racer.drop()
            racer.come()
        end = time.monotonic() + self.chance.uniform(0, 0.05)

        def over() -> bool:
            for racer in racers:
                racer.turn(time.monotonic())
            return time.monotonic() > end

        crowd.run(over)

    def say_something(self, racers: Sequence[Racing]) -> None:
        first = racers[0]
        for _ in range(self.chance.randint(1, 10)):
            if not isinstance(first, Uploader):
                first.say(f"ann says {len(first.said)}")
            elif max(racer.settled for racer in racers) == len(first.said):
                first.upload(*content(self.chance, f"{len(first.said)}"), "lobby")
            else:
                break
            for racer in racers[1:]:
                racer.also_say()

    def until_heard(self, crowd: Crowd, racer: Racing) -> None:
        def done() -> bool:
            racer.come()
            racer.turn(time.monotonic())
            return racer.has({"lobby": len(racer.said)})

        crowd.run(done)
