"""What `tracetwin bottlenecks` does: who is short, what orders wait for, and what would help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING

from metagraph.errors import DataError, UsageError
from metagraph.model import Metagraph
from twin.bottleneck_findings import Bottlenecks, Gain, Side
from twin.bottleneck_verdicts import sentence
from twin.files import check_picture_name, check_writable, write_text
from twin.policies import OWN, Wanted, policy_of
from twin.progress import Progress
from twin.source import LogRequest
from twin.words import few, number

if TYPE_CHECKING:
    from twin.bottleneck_runs import Baseline, Source, Span

WARM_UP_CYCLES = 2.0
"""Mean times from first start to last end, for which orders arrive before they count."""
LEAST_WARM_UP_WEEKS, MOST_WARM_UP_WEEKS = 1.0, 52.0


@dataclass(frozen=True, slots=True)
class BottleneckRequest:
    """What to look at, and where to write it."""

    weeks: float = 8.0
    """In which the simulated orders arrive that count."""
    start: datetime | None = None
    """When they begin to; None: where the twin's log ends."""
    replications: int = 30
    policy: str = OWN
    step_h: float = 1.0
    """Hours a week that each agent gets more; what that is worth is told per hour."""
    most: int = 10
    """So many agents and activities are tried at most."""
    seed: int = 0
    workers: int | None = None
    out: Path | None = None
    chart: Path | None = None
    folder: Path = Path()
    """Where a policy's module is looked for."""


def bottlenecks_command(
    model: Metagraph, log: LogRequest | None, wanted: BottleneckRequest, progress: Progress
) -> Bottlenecks:
    """Find the bottlenecks, and write the table and the picture that were asked for.

    Raises UsageError and DataError for what can't be read, simulated or written.
    """
    check_picture_name(wanted.chart)
    check_writable(wanted.out, wanted.chart)
    if wanted.replications < 2:
        raise UsageError(f"--replications {wanted.replications}: give at least 2, or nothing has an interval")
    source = _source(model, wanted)
    sides, notes = _log_side(model, log, progress.part(0.0, 0.15))
    found = bottlenecks(source, wanted, sides, notes, progress.part(0.15, 0.95))
    if wanted.out is not None:
        from twin.bottleneck_words import to_csv

        write_text(wanted.out, to_csv(found))
    if wanted.chart is not None:
        from twin.bottleneck_charts import bottlenecks_chart
        from twin.drawing_tools import write_picture

        write_picture(wanted.chart, bottlenecks_chart(found))
    return found


def _log_side(
    model: Metagraph, log: LogRequest | None, progress: Progress
) -> tuple[tuple[Side, ...], tuple[str, ...]]:
    if log is None:
        return (), ("no log was given: with --log the twin's figures stand beside what the log shows",)
    from twin.bottlenecks_log import log_side
    from twin.renames import closing_in_log_words
    from twin.source import read_log

    asked = replace(log, closing=closing_in_log_words(model))
    read = read_log(asked, progress.step, lambda text: progress.step(text, 0.0))
    progress.step("looking at the log", 0.5)
    side, notes = log_side(model, read.snapshot)
    return (side,), notes


def _source(model: Metagraph, wanted: BottleneckRequest) -> Source:
    """Where the runs come from. Raises DataError for a twin without arrivals."""
    from twin.bottleneck_runs import Source

    if model.arrivals is None or not any(model.arrivals.rates_per_h):
        raise DataError(
            f"the twin {model.name!r} knows no arrivals, so nothing can be simulated: build it from a log "
            "with more cases, or set rates in its 'arrivals'"
        )
    return Source(model, _span(model, wanted), wanted.seed, policy_of(Wanted(wanted.policy), wanted.folder))


def _span(model: Metagraph, wanted: BottleneckRequest) -> Span:
    from simulation.arrivals import monday
    from twin.bottleneck_runs import WEEK_S, Span

    known = model.provenance
    start = wanted.start or (known.until if known else datetime(2024, 1, 1, tzinfo=UTC))
    cycle_s = (known.cycle_s if known else None) or 0.0
    warm = min(max(WARM_UP_CYCLES * cycle_s / WEEK_S, LEAST_WARM_UP_WEEKS), MOST_WARM_UP_WEEKS)
    first = start - timedelta(weeks=warm)
    origin = monday(first)
    warm_s = (first - origin).total_seconds()
    begin_s = warm_s + warm * WEEK_S
    return Span(origin, warm_s, begin_s, begin_s + wanted.weeks * WEEK_S)


def bottlenecks(
    source: Source,
    wanted: BottleneckRequest,
    sides: Sequence[Side] = (),
    notes: Sequence[str] = (),
    progress: Progress | None = None,
) -> Bottlenecks:
    """The twin's side beside others, and what changes of it would bring."""
    from twin.bottleneck_gains import automated, gains, longer_weeks
    from twin.bottleneck_runs import baseline
    from twin.running import engine_text

    progress = progress or Progress()
    base = baseline(source, wanted.replications, progress.part(0.0, 0.4))
    model, before = source.metagraph, base.yields
    weeks, refused = longer_weeks(model, base.busiest, wanted.step_h, wanted.most)
    more = f"{number(wanted.step_h)} h more a week"
    full = [f"there is no room for {more} of {few(refused)}: they are there always"] if refused else []
    robots = list(automated(model, base.slowest))[: wanted.most]
    hours, cut_hours = gains(
        "hour", weeks, source, before, wanted.step_h, wanted.workers, progress.part(0.4, 0.7)
    )
    tasks, cut_tasks = gains(
        "automation", robots, source, before, 1.0, wanted.workers, progress.part(0.7, 1.0)
    )
    every = (*sides, base.side)
    span = source.span
    return Bottlenecks(
        twin=model.name,
        policy=wanted.policy,
        sides=every,
        sentence=sentence(every),
        value="profit" if base.dear else "lead time",
        hours=hours,
        tasks=tasks,
        step_h=wanted.step_h,
        weeks=span.weeks,
        warm_up_weeks=(span.begin_s - span.warm_s) / (7 * 86400.0),
        replications=wanted.replications,
        notes=(
            *_notes(model, base, wanted, hours, cut_hours + cut_tasks),
            *full,
            *notes,
        ),
        engine=engine_text(base.engine),
    )


def _notes(
    model: Metagraph, base: Baseline, wanted: BottleneckRequest, hours: Sequence[Gain], cut: int
) -> list[str]:
    notes = []
    agents = len(base.busiest)
    if agents > wanted.most:
        notes.append(
            f"an hour more was tried for the {len(hours)} agents with the highest utilisation that have room "
            f"for it, of {agents} (--most tries more)"
        )
    tasks = sum(bool(task.queues) for task in model.tasks())
    if tasks > wanted.most:
        notes.append(f"automation was tried for the {wanted.most} activities that take most time, of {tasks}")
    broken = sum(one.cut for one in base.yields) + cut
    if broken:
        notes.append(
            f"{broken} runs were broken off because orders piled up: more arrive than the twin's agents can "
            "do, and gains are larger than told"
        )
    if base.yields[0].profit is not None and not base.dear:
        notes.append(
            "orders have values, but lose nothing by a day's delay: the worth of changes is counted in hours"
        )
    if base.dear:
        notes.append("what agents and executions cost isn't subtracted from the profit")
    if any(isnan(one.value.low) for one in hours):
        notes.append("some gains have no interval")
    return notes
