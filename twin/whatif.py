"""What if: scenarios simulated beside a twin as it is, on the same random numbers, and what differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from metagraph.errors import DataError, UsageError
from twin.edits import Edited, Phase, edited
from twin.given import Given
from twin.planned_policy import NO_PLANS, Planned, Planning, served
from twin.policies import Wanted
from twin.progress import Progress
from twin.scenario_sections import Scenario
from twin.whatif_costs import priced
from twin.whatif_figures import HEADLINE, Window
from twin.whatif_found import ScenarioFound, WhatIf
from twin.whatif_runs import WAITING, WIP, Contender, Later, Played, Study, played, series_of
from twin.whatif_source import Futures
from twin.whatif_words import verdict
from twin.words import instant, percent

REPLICATIONS = 100
BASELINE = "baseline"
MANY_OPEN = 0.2
"""Of the orders: if more are open at the end, figures of those that ended mislead."""
_LAST_RESORT = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class WhatIfRequest:
    """What is compared, from when, for how long, and how often."""

    given: Given
    """The twin; with a state and its origin, the comparison begins at the state's instant, or `warm_up_s`
    after it."""
    scenarios: tuple[Scenario, ...]
    start: datetime | None = None
    """Without a state: when it begins; None: the Monday after the log that the twin was built from."""
    warm_up_s: float = 0.0
    """The twin as it is runs for so long before the comparison begins, from the state or an empty process on,
    and what it comes to is what all begin with."""
    horizon_s: float = 28 * 86400.0
    """What is counted, from the beginning on; new orders arrive until its end."""
    replications: int = REPLICATIONS
    policy: Wanted = field(default_factory=Wanted)
    """The baseline's."""
    seed: int = 0
    workers: int | None = None
    max_open: int | None = None
    open_rule: str = ""
    """How the open orders of the state were told, in words."""
    notes: tuple[str, ...] = ()
    """On the state."""


def what_if(wanted: WhatIfRequest, progress: Progress, *, folder: Path | None = None) -> WhatIf:
    """Simulate every scenario and the baseline on the same replications, and compare them.

    `folder`: where policies written in Python are looked for. Raises DataError for a scenario that doesn't
    fit the twin or changes nothing, UsageError for what can't be simulated.
    """
    begin = begin_of(wanted)
    twin, scenarios, words = priced(wanted.given.metagraph, wanted.scenarios)
    known = tuple(f"taken for the baseline as well: {text}" for text in words)
    given = replace(wanted.given, metagraph=twin)
    wanted = replace(wanted, given=given, scenarios=scenarios, notes=(*wanted.notes, *known))
    contenders = _contenders(wanted, begin, folder or Path.cwd())
    source = _source(wanted, begin, contenders[0].policy)
    zero = _seconds(begin, source.origin)
    study = Study(source, contenders, wanted.seed, Window(zero, zero + wanted.horizon_s), wanted.max_open)
    runs = played(study, wanted.replications, wanted.workers, progress)
    by_contender = list(zip(*runs, strict=True))
    return _found(wanted, study, by_contender, source.origin)


def begin_of(wanted: WhatIfRequest) -> datetime:
    """When the comparison begins. Raises UsageError for options that contradict the state."""
    given = wanted.given
    if given.state is not None and given.origin is not None:
        if wanted.start is not None:
            raise UsageError("the open orders have an instant of their own: leave --start out")
        return given.origin + timedelta(seconds=given.state.at_s + wanted.warm_up_s)
    if given.orders and given.origin is not None:
        if wanted.start is not None or wanted.warm_up_s:
            raise UsageError(
                "the instance lists its orders, and it begins with the first of them: leave "
                "--start and --warm-up out"
            )
        first = min(order.release_s for order in given.orders)
        return given.origin + timedelta(seconds=first)
    if wanted.start is not None:
        return wanted.start
    known = given.metagraph.provenance
    if known is None:
        return _LAST_RESORT
    from simulation.arrivals import monday

    return monday(known.until) + timedelta(days=7)


def _contenders(wanted: WhatIfRequest, begin: datetime, folder: Path) -> tuple[Contender, ...]:
    """The baseline, then the scenarios."""
    names = [scenario.name for scenario in wanted.scenarios]
    if not names:
        raise UsageError("name at least one scenario file, see docs/whatif.md")
    twice = next((name for name in names if names.count(name) > 1 or name == BASELINE), None)
    if twice is not None:
        raise UsageError(
            f"two contenders are called {twice!r}: give every scenario another 'name', and none of them "
            f"{BASELINE!r}"
        )
    twin = wanted.given.metagraph
    found = [Contender(BASELINE, twin, served(wanted.policy, Planning(), folder))]
    for scenario in wanted.scenarios:
        one = edited(twin, scenario, begin, wanted.policy)
        policy = _served(one, one.phases[0], wanted.policy, folder)
        later = tuple(_later(one, phase, wanted.policy, folder) for phase in one.phases[1:])
        found.append(Contender(one.name, one.metagraph, policy, one, later))
    return tuple(found)


def _later(one: Edited, phase: Phase, baseline: Wanted, folder: Path) -> Later:
    assert phase.start is not None
    return Later(phase.start, phase.metagraph, _served(one, phase, baseline, folder))


def _served(one: Edited, phase: Phase, baseline: Wanted, folder: Path) -> Any:
    """How queues are served in a phase."""
    try:
        return served(phase.wanted(baseline), phase.planning(), folder)
    except UsageError as error:
        said = str(error).removeprefix("--policy ")
        raise DataError(f"{one.name}, [policy] policy = {said}") from error


def _source(wanted: WhatIfRequest, begin: datetime, policy: Any) -> Futures:
    from simulation.arrivals import monday

    given = wanted.given
    origin = given.origin or monday(begin - timedelta(seconds=wanted.warm_up_s))
    return Futures(
        twin=given.metagraph,
        begin=begin,
        origin=origin,
        until_s=_seconds(begin, origin) + wanted.horizon_s,
        seed=wanted.seed,
        state=given.state,
        orders=tuple(sorted(given.orders, key=lambda order: order.release_s)),
        warm_up_s=wanted.warm_up_s,
        policy=policy,
    )


def _found(
    wanted: WhatIfRequest,
    study: Study,
    runs: Sequence[Sequence[Played]],
    origin: datetime,
) -> WhatIf:
    """Everything compared with the baseline, which comes first."""
    from simulation.kpis import interval
    from twin import whatif_compared as compared

    grid = tuple(origin + timedelta(seconds=t) for t in study.window.grid().tolist())
    numbers = compared.columns(runs)
    counts = [compared.stacked(one) for one in runs]
    sure = compared.family(numbers[0], numbers[1:])
    series = series_of(study.contenders[0].metagraph)
    drawn = compared.shown(series, counts[0], counts[1:])
    found = []
    for contender, mine, course in zip(study.contenders[1:], numbers[1:], counts[1:], strict=True):
        figures = dict(compared.compared(numbers[0], mine, sure))
        rows = {name: (course[:, series.index(name)], counts[0][:, series.index(name)]) for name in drawn}
        assert contender.edited is not None
        found.append(
            ScenarioFound(
                name=contender.name,
                note=next(s.note for s in wanted.scenarios if s.name == contender.name),
                changes=contender.edited.changes,
                figures=figures,
                courses={name: compared.course_compared(*row) for name, row in rows.items()},
                recovery=tuple(
                    compared.recovery(name, *row, grid)
                    for name, row in rows.items()
                    if name == WIP or name.startswith(WAITING)
                ),
                dates=tuple(sorted(_dates(contender.edited, grid[0], grid[-1]))),
                verdict=tuple(verdict(figures, wanted.replications)),
                notes=(*contender.edited.notes, *_beyond(contender.edited, grid[-1])),
            )
        )
    names = [name for name in (*HEADLINE, *numbers[0]) if name in numbers[0]]
    return WhatIf(
        twin=wanted.given.metagraph.name,
        begin=grid[0],
        end=grid[-1],
        beginning=_beginning(wanted),
        replications=wanted.replications,
        seed=wanted.seed,
        engine=" and ".join(sorted({one.engine for row in runs for one in row})),
        confidence=sure.headline,
        figures={name: interval(numbers[0][name]) for name in dict.fromkeys(names)},
        at=grid,
        courses={name: compared.course(counts[0][:, series.index(name)]) for name in drawn},
        scenarios=tuple(found),
        notes=(*wanted.notes, *wanted.given.notes, *_notes(wanted, study, runs)),
    )


def _beyond(one: Edited, end: datetime) -> Iterator[str]:
    """Tables that hold only after the comparison."""
    for where, start in one.starts.items():
        if start is not None and start >= end:
            yield (
                f"{where} begins at {instant(start)}, after the comparison's end at {instant(end)}: it "
                "changes nothing here; compare for longer with --horizon"
            )


def _dates(one: Edited, begin: datetime, end: datetime) -> set[datetime]:
    """Instants at which something of the scenario begins or ends."""
    graph, new = one.metagraph, "what-if"
    found = {agent.hired for agent in graph.agents if agent.note.startswith(new)}
    found |= {
        at for a in graph.agents for away in a.absences if away.note == new for at in (away.start, away.end)
    }
    changes = graph.arrivals.changes if graph.arrivals else ()
    found |= {at for change in changes for at in (change.start, change.end)}
    found |= {phase.start for phase in one.phases}
    found |= {at for extra in one.overtime for at in (extra.start, extra.end)}
    return {at for at in found if at is not None and begin <= at <= end}


def _beginning(wanted: WhatIfRequest) -> str:
    state = wanted.given.state
    first = "an empty process" if state is None else f"{len(state.orders)} open orders"
    if wanted.warm_up_s:
        return f"what {wanted.warm_up_s / 86400:g} days of the baseline lead to from {first} on"
    return first


def _notes(wanted: WhatIfRequest, study: Study, runs: Sequence[Sequence[Played]]) -> Iterator[str]:
    """What the figures rest on and lack."""
    from twin.model_words import congestion_text

    for contender, row in zip(study.contenders, runs, strict=True):
        planned = sum((one.planned for one in row), NO_PLANS)
        if planned != NO_PLANS:
            yield from _planned(contender.name, planned, len(row))
        cut = sum(one.stopped not in ("end", "horizon") for one in row)
        if cut:
            yield (
                f"{cut} of {len(row)} runs of {contender.name} were broken off because orders piled up: "
                "their figures are of what happened until then"
            )
    left = max(float(np.mean([_open_share(one.figures) for one in row])) for row in runs)
    if left > MANY_OPEN:
        yield (
            f"up to {percent(left)} of the orders are still open at the end: cycle times and shares are of "
            "those that ended, among which quick ones count for more than they should; compare for longer "
            "with --horizon"
        )
    text = congestion_text(wanted.given.metagraph)
    if text:
        yield text.rstrip(".")
    if wanted.open_rule:
        yield wanted.open_rule
    graph = wanted.given.metagraph
    if not any(agent.cost_per_h for agent in graph.agents):
        yield "nobody said what an hour of the agents costs: a scenario's [[cost]] can"
    if wanted.given.state is None and not wanted.warm_up_s and not wanted.given.orders:
        yield "the process begins empty: give --log and --as-of, or --warm-up, to begin with orders in it"


def _planned(name: str, planned: Planned, runs: int) -> Iterator[str]:
    yield f"{name}: {planned.made / runs:.3g} plans a run were made of the open orders as they stood"
    if planned.loose:
        yield (
            f"{name}: {planned.loose} of {planned.made} plans weren't proven to be as good as asked in their "
            "time, so that another machine may find others: give more with time_limit_s in [policy], or ask "
            "for less with gap"
        )
    if planned.none:
        yield f"{name}: at {planned.none} instants there was no plan, and the one before held on"


def _open_share(figures: Mapping[str, float]) -> float:
    """Share of the orders that were there that are open at the end."""
    there = figures["completed"] + figures["lost"] + figures["wip_end"]
    return figures["wip_end"] / there if there else 0.0


def _seconds(moment: datetime, origin: datetime) -> float:
    return (moment - origin).total_seconds()
