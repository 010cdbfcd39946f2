"""One replication of a contender, leg by leg: where its process changes, the run goes on in the next one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from twin.planned_policy import Planned, Planner
from twin.reschedule import Rescheduling
from twin.whatif_figures import Part, Window
from twin.whatif_runs import Contender, Source

if TYPE_CHECKING:
    from simulation.program import Program
    from simulation.run import Run
    from simulation.session import Options, Session


class Legs:
    """A run that goes on in other processes; a contender without later ones has one leg."""

    def __init__(
        self,
        source: Source,
        contender: Contender,
        seed: int,
        replication: int,
        options: Options,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        """`tell` hears of plans before they are made; it may raise to stop."""
        self._source, self._contender = source, contender
        self._seed, self._replication, self._options, self._tell = seed, replication, options, tell
        self._next = 0
        self._over: list[Run] = []
        self._planned = Planned()
        self.going: Session
        """The leg that is under way."""
        self._planner: Planner | None
        self._begin(source(contender, replication), contender)

    @property
    def planned(self) -> Planned:
        """Plans that were made so far."""
        return self._planned if self._planner is None else self._planned + self._planner.planned()

    def run_to(self, until_s: float) -> None:
        """Work off what happens up to and including an instant."""
        later = self._contender.later
        while self._next < len(later):
            start = later[self._next].start
            at_s = (start - self.going.program.origin).total_seconds()
            if at_s > until_s:
                break
            self._go(at_s)
            run = self.going.result(at_s)
            if run.stopped in ("executions", "open orders"):
                return
            self._cut(run, at_s)
        self._go(until_s)

    def result(self, before: Run | None, window: Window | None) -> tuple[Run, tuple[Part, ...]]:
        """The whole run to the window's end (None: to now), and its parts; `before`: its first leg up to its
        beginning."""
        from simulation.continued import spliced

        runs = [*self._over, self.going.result(None if window is None else window.end_s)]
        begin_s = runs[0].begin_s if window is None else window.begin_s
        graphs = [self._contender.metagraph, *(one.metagraph for one in self._contender.later)]
        parts = tuple(
            Part(
                graph,
                run,
                before if i == 0 else None,
                Window(begin_s if i == 0 else run.begin_s, run.until_s),
            )
            for i, (graph, run) in enumerate(zip(graphs, runs, strict=False))
        )
        return spliced(runs), parts

    def _cut(self, run: Run, at_s: float) -> None:
        """Go on in the next process."""
        from simulation.continued import continued

        one = self._contender.later[self._next]
        after = replace(self._contender, metagraph=one.metagraph, policy=one.policy, later=())
        self._next += 1
        program = self._source(after, self._replication)
        self._over.append(run)
        self._planned = self.planned
        self._begin(continued(self.going, program, at_s), after)

    def _begin(self, program: Program, contender: Contender) -> None:
        from simulation.engines import session

        self.going = session(program, self._seed, self._replication, options=self._options)
        how = contender.policy
        self._planner = None
        if isinstance(how, Rescheduling):
            self._planner = Planner(self.going, contender.metagraph, how, self._tell)

    def _go(self, until_s: float) -> None:
        if self._planner is None:
            self.going.run_to(until_s)
        else:
            self._planner.run_to(until_s)
