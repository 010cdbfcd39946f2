"""A plan made by hand, for words and pictures: orders pass through agents one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

from twin.planned import (
    Improvement,
    Model,
    Planned,
    PlannedAgent,
    PlannedByRule,
    PlannedOrder,
    PlannedWork,
    Standing,
)

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
OPENS, CLOSES = 8, 17
PLACES = 2
"""Items that the first agent works on at once."""


def made_plan(
    n: int, agents: Sequence[str], *, hours: bool = False, shifts: bool = True, seed: int = 1
) -> Planned:
    """`n` orders; with `shifts` agents are there from 8 to 17. The first task of order 1 is under way, the
    last order is left out."""
    random = Random(seed)
    free = {agent: [NOW] * (PLACES if i == 0 else 1) for i, agent in enumerate(agents)}
    work: list[PlannedWork] = []
    orders: list[PlannedOrder] = []
    for i in range(n):
        name, t, left_out = f"SO-{i + 1}", NOW, i == n - 1 and n > 1
        for k, agent in enumerate(agents):
            if left_out:
                continue
            place = free[agent].index(min(free[agent]))
            start = _opened(max(t, free[agent][place]), shifts)
            end = start + timedelta(minutes=15 * random.randint(1, 6))
            running = i == k == 0
            begun = NOW - timedelta(minutes=20) if running else start
            rank = None if running else float(i)
            work.append(PlannedWork(name, f"t{k}", f"Task {k}", agent, rank, begun, end, running))
            free[agent][place] = t = end
        due = NOW + timedelta(hours=random.randint(3, 5 + n))
        stands: Standing = "left out" if left_out else "on time" if t <= due else "late"
        done = None if left_out else t
        slack_h = None if left_out else (due - t).total_seconds() / 3600
        orders.append(
            PlannedOrder(name, "", "", stands, NOW, due, None, done, done, slack_h, 100.0 - i, 120.0)
        )
    return _plan(orders, sorted(work, key=lambda one: one.start), agents, hours, shifts)


def _opened(t: datetime, shifts: bool) -> datetime:
    while shifts and not OPENS <= t.hour < CLOSES:
        t = t.replace(minute=0) + timedelta(hours=1)
    return t


def _plan(
    orders: list[PlannedOrder], work: list[PlannedWork], agents: Sequence[str], hours: bool, shifts: bool
) -> Planned:
    last = max(one.end for one in work)
    off: list[tuple[datetime, datetime]] = []
    closing = NOW.replace(hour=CLOSES)
    while shifts and closing < last:
        off.append((closing, min(last, closing + timedelta(hours=24 - CLOSES + OPENS))))
        closing += timedelta(days=1)
    dated = [one for one in orders if one.due is not None]
    return Planned(
        name="workshop",
        at=NOW,
        until=last,
        dt_s=900.0,
        periods=int((last - NOW).total_seconds() / 900),
        hours=hours,
        status="gap",
        values={"profit": 8_646.0},
        units={"profit": "money"},
        objective=8_646.0,
        bound=8_700.0,
        gap=54 / 8_646,
        asked_gap=0.01,
        better_by=0.02,
        on_time=sum(one.standing == "on time" for one in dated) / len(dated),
        preemptions=0,
        orders=tuple(orders),
        work=tuple(work),
        agents=tuple(
            PlannedAgent(a, sum(one.agent == a for one in work), 4.0 - i / 9, 8.0, False, tuple(off))
            for i, a in enumerate(agents)
        ),
        rules=(
            PlannedByRule("PD", {"profit": 8_476.0}, 0.5),
            PlannedByRule("PDS", {"profit": 8_476.0}, 0.5),
            PlannedByRule("F1", {"profit": 8_170.0}, 0.25),
        ),
        model=Model("step", 485, 745, 710, 35),
        improvements=(Improvement(0.1, 8_476.0, None, "PD"), Improvement(0.4, 8_646.0, 8_700.0, "MIP")),
        build_s=0.2,
        solve_s=1.1,
        cpu_s=1.6,
        seed=0,
        notes=("A grid of 15 min was asked for; it holds the durations as they are.",),
    )


def with_status(plan: Planned, **changes: object) -> Planned:
    """The plan with other figures."""
    return replace(plan, **changes)  # type: ignore[arg-type]
