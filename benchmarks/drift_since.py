"""How soon is drift found, and how often is some found that isn't there? Writes docs/drift-since.md.

    python -m benchmarks.drift_since [--twins 12] [--work build/drift_since] [--page-only]

Known random twins (docs/roundtrip.md) leave logs of half a year, from which a twin would be learnt, and go on
for a quarter: as before, or changed from then on. Every week it is looked for drift, as `tracetwin
recalibrate` does it, with the share of a month's 5 % that a week is allowed. A stopped run goes on.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.keeping import append, rows_of, version
from benchmarks.known_logs import START
from eventlogs.snapshot import NO_RESOURCE, Snapshot, sealed
from metagraph.agents import Absence
from metagraph.model import Metagraph

ROOT = Path(__file__).resolve().parent.parent
WEEK_S = 604800.0
LEARNT, AFTER = 26, 13
"""Weeks before and after the change."""
WARM = 4
"""Weeks for which a changed twin runs before its orders count."""
SHARE = 0.15
"""Of the orders that go by a new branch."""
CHANGES = {
    "none": "nothing changes",
    "arrivals": "30 % more orders",
    "durations": "the task with most work slower by 25 %",
    "structure": "a new branch for 15 % of the orders",
    "agents": "an agent lost",
}
"""By the kind of finding that tells it."""


def main() -> None:
    asked = _asked()
    asked.work.mkdir(parents=True, exist_ok=True)
    path, code = asked.work / "rows.jsonl", version(ROOT)
    done = {(row["seed"], row["change"], row["again"]) for row in rows_of(path)}
    if not asked.page_only:
        for seed in range(asked.twins):
            for change in CHANGES:
                for again in range(3 if change == "none" else 1):
                    if (seed, change, again) not in done:
                        row = {"version": code, "seed": seed, "change": change, "again": again}
                        found = measured(seed, change, again)
                        append(path, row | found)
                        sys.stderr.write(f"{seed} {change} {again}: {found}\n")
    (ROOT / "docs" / "drift-since.md").write_text(page(rows_of(path)), encoding="utf-8")


def _asked() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--twins", type=int, default=12)
    options.add_argument("--work", type=Path, default=ROOT / "build" / "drift_since")
    options.add_argument("--page-only", action="store_true")
    return options.parse_args()


def measured(seed: int, change: str, again: int) -> dict[str, Any]:
    """When weekly looks first found the change, and what else they found."""
    from benchmarks.known_twins import random_twin
    from eventlogs.bounds import case_bounds
    from eventlogs.split import known_at
    from twin.drift import watch

    known, _ = random_twin(seed)
    known = _learnt(known)
    log = _log(known, change, 1000 * seed + again)
    if log is None:
        return {"weeks": None, "orders": None, "alarms": [], "possible": False}
    release, _ = case_bounds(log)
    first, weeks, orders, size = None, None, None, None
    alarms: list[list[Any]] = []
    earlier: set[tuple[str, str]] = set()
    for week in range(1, AFTER + 1):
        now = (LEARNT + week) * WEEK_S
        last = START + timedelta(seconds=now - WEEK_S)
        report = watch(known, known_at(log, now), last, earlier)
        earlier |= {(one.kind, one.what) for one in report.found}
        for one in report.found:
            if one.kind == change and first is None:
                first = one
                weeks = week
                orders = int(((release >= LEARNT * WEEK_S) & (release < now)).sum())
                size = [one.size, one.low, one.high]
            elif change == "none":
                alarms.append([week, one.kind, one.what, one.corrected_p])
    return {"weeks": weeks, "orders": orders, "size": size, "alarms": alarms, "possible": True}


def _learnt(known: Metagraph) -> Metagraph:
    """The true twin, as if it had been learnt from the first half year."""
    from metagraph.model import Provenance

    until = START + timedelta(weeks=LEARNT)
    return replace(known, provenance=Provenance("known", "", START, until, 0, 0, 0, 0))


def _log(known: Metagraph, change: str, seed: int) -> Snapshot | None:
    """Half a year of the twin and a quarter of the changed one; None where the twin can't be changed so."""
    weekly = sum(known.arrivals.rates_per_h) * known.arrivals.orders_at_once() if known.arrivals else 0.0
    at = START + timedelta(weeks=LEARNT)
    if change == "agents":
        gone = _without_one(known, at)
        return None if gone is None else _snapshot([_frame(gone, weekly, LEARNT + AFTER, seed, None)])
    if change in ("none", "structure"):
        frame = _frame(known, weekly, LEARNT + AFTER, seed, None)
        return _snapshot([_branched(frame, seed) if change == "structure" else frame])
    changed = _busier(known) if change == "arrivals" else _slower(known)
    weekly_after = weekly * (1.3 if change == "arrivals" else 1.0)
    before = _frame(known, weekly, LEARNT + WARM, seed, None)
    after = _frame(changed, weekly_after, WARM + AFTER, seed + 500, at - timedelta(weeks=WARM))
    first = [frame.groupby("case_id")["start_time"].transform("min") for frame in (before, after)]
    parts = [before[first[0] < at], after[first[1] >= at]]
    return _snapshot([part.assign(case_id=f"{k}." + part["case_id"]) for k, part in enumerate(parts)])


def _frame(twin: Metagraph, weekly: float, weeks: float, seed: int, start: Any) -> Any:
    from benchmarks.known_logs import log_of

    begin = start or START
    log = log_of(twin, round(1.15 * weekly * weeks) + 50, seed, cut=False, start=begin)
    end = begin + timedelta(weeks=weeks)
    return log[log.groupby("case_id")["start_time"].transform("min") < end]


def _busier(known: Metagraph) -> Metagraph:
    assert known.arrivals is not None
    rates = tuple(1.3 * rate for rate in known.arrivals.rates_per_h)
    return replace(known, arrivals=replace(known.arrivals, rates_per_h=rates))


def _slower(known: Metagraph) -> Metagraph:
    """The task of the longest mean work takes 25 % longer."""
    from metagraph.distributions import Parametric
    from metagraph.nodes import DurationRow, DurationTable

    tasks = [task for task in known.tasks() if isinstance(task.durations.default.law, Parametric)]
    slow = max(tasks, key=lambda task: task.durations.default.law.mean())
    law = slow.durations.default.law
    assert isinstance(law, Parametric)
    shape, place, scale = law.params
    fitted = replace(slow.durations.default, law=Parametric(law.family, (shape, place, 1.25 * scale)))
    changed = replace(slow, durations=DurationTable((DurationRow(fitted),)))
    return replace(known, nodes=tuple(changed if node is slow else node for node in known.nodes))


def _without_one(known: Metagraph, at: Any) -> Metagraph | None:
    """One agent of a shared queue leaves for good."""
    queues = [queue for queue in known.queues if len(queue.agents) > 1]
    if not queues:
        return None
    who = max(queues, key=lambda queue: len(queue.agents)).agents[0]
    agents = tuple(
        replace(agent, absences=(Absence(at, None, True),)) if agent.id == who else agent
        for agent in known.agents
    )
    return replace(known, agents=agents)


def _branched(frame: Any, seed: int) -> Any:
    """An activity X an hour after the first one, in some of the orders that begin after the change."""
    import pandas as pd

    dice = np.random.default_rng(seed)
    first = frame.sort_values("start_time").groupby("case_id").first()
    new = first[first["start_time"] >= START + timedelta(weeks=LEARNT)]
    some = new[dice.uniform(size=len(new)) < SHARE].reset_index()
    hour = pd.Timedelta(hours=1)
    rows = some.assign(
        activity="X", resource=None, start_time=some["end_time"], end_time=some["end_time"] + hour
    )
    return pd.concat([frame, rows[frame.columns]], ignore_index=True)


def _snapshot(frames: Sequence[Any]) -> Snapshot:
    """The logs as one."""
    import pandas as pd

    log = pd.concat(frames, ignore_index=True)
    start, end = (
        (log[name] - pd.Timestamp(START)).dt.total_seconds().to_numpy() for name in ("start_time", "end_time")
    )
    first = pd.Series(start).groupby(log["case_id"].to_numpy()).min().sort_values(kind="stable")
    case = pd.Index(first.index).get_indexer(log["case_id"])
    activity, activities = pd.factorize(log["activity"], sort=True)
    resource, resources = pd.factorize(log["resource"], sort=True)
    order = np.lexsort((start, end, case))
    sizes = np.bincount(case)
    return sealed(
        Snapshot(
            name="known",
            origin=START,
            until_s=float(end.max()),
            cases=tuple(first.index),
            activities=tuple(activities),
            resources=tuple(resources),
            offsets=np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
            activity=activity[order].astype(np.int32),
            resource=np.where(resource < 0, NO_RESOURCE, resource)[order].astype(np.int32),
            start_s=start[order],
            end_s=end[order],
            is_open=np.zeros(len(sizes), np.bool_),
            attributes={},
            single_timestamp=False,
            content_hash="",
        )
    )


def page(rows: Sequence[dict[str, Any]]) -> str:
    """docs/drift-since.md."""
    return "\n".join(_lines(rows)) + "\n"


def _lines(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    from scipy.stats import chi2

    calm = [row for row in rows if row["change"] == "none"]
    months = len(calm) * AFTER * 7 / 30
    # A look that finds what the look before found raises no new alarm.
    raised = [_first_of(row["alarms"]) for row in calm]
    alarms = sum(len(one) for one in raised)
    kinds: dict[str, int] = {}
    for one in raised:
        for kind, _ in one:
            kinds[kind] = kinds.get(kind, 0) + 1
    told = ", ".join(f"{n} of {kind}" for kind, n in sorted(kinds.items())) or "none"
    yield HEAD.format(
        twins=len({row["seed"] for row in rows}),
        logs=len(calm),
        months=months,
        alarms=alarms,
        share=alarms / months,
        low=float(chi2.ppf(0.025, 2 * alarms)) / 2 / months if alarms else 0.0,
        high=float(chi2.ppf(0.975, 2 * alarms + 2)) / 2 / months,
        kinds=told,
    )
    yield "| change | found | after orders: median (10 to 90 %) | after weeks: median | size held |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for change, words in CHANGES.items():
        mine = [row for row in rows if row["change"] == change and row["possible"]]
        if change != "none" and mine:
            yield _line(words, change, mine)
    yield MISSED


TRUE = {"arrivals": 1.3, "durations": 1.25, "structure": SHARE}


def _line(words: str, change: str, rows: Sequence[dict[str, Any]]) -> str:
    hits = [row for row in rows if row["weeks"] is not None]
    if not hits:
        return f"| {words} | 0 of {len(rows)} | – | – | – |"
    low, middle, high = np.quantile([row["orders"] for row in hits], [0.1, 0.5, 0.9])
    weeks = float(np.median([row["weeks"] for row in hits]))
    held = "–"
    if change in TRUE:
        inside = sum(row["size"][1] <= TRUE[change] <= row["size"][2] for row in hits)
        held = f"{inside} of {len(hits)}"
    found = f"{len(hits)} of {len(rows)}"
    return f"| {words} | {found} | {middle:.0f} ({low:.0f} to {high:.0f}) | {weeks:.0f} | {held} |"


def _first_of(alarms: Sequence[Sequence[Any]]) -> list[tuple[str, str]]:
    """Each thing that was ever found, once."""
    return list(dict.fromkeys((str(kind), str(what)) for _, kind, what, _ in alarms))


HEAD = """# Drift since a twin was learnt

Made by `python -m benchmarks.drift_since`. {twins} known random twins ([roundtrip](roundtrip.md): 40 to 150
orders a week) leave logs of half a year, from which they count as learnt, and go on for a quarter. Every week
it is looked for drift as [`tracetwin recalibrate`](recalibration.md) does it; a week is allowed 7 / 30 of the
5 % chance of a false alarm a month. "Found" is the first look that tells the change by its own kind of test.
Sizes are those of that look, when chance has just made the change look large: the last column says how often
their 95 % intervals hold the true size all the same.

Without any change {logs} such quarters, {months:.0f} months, raised {alarms} false alarms ({kinds}):
{share:.1%} a month, with a 95 % interval (Poisson, exact) from {low:.1%} to {high:.1%}.
"""
MISSED = """
What isn't found within the quarter: busier days in processes of 40 to 80 orders a week whose days differ much
(half a year of such weeks doesn't tell 30 % from chance at so small a chance of a false alarm), and a slower
task that few orders go by. An agent is missed after days on which others did the same work, more than 1.5
times as many as ever before: a longer leave than any before looks the same as leaving."""


if __name__ == "__main__":
    main()
