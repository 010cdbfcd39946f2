"""Gantt charts of runs and plans: who works on which order when (Figure 11 of the paper)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import altair as alt

if TYPE_CHECKING:
    from optimization.problem import Plan, Problem
    from simulation.run import Run
    from twin.drawing_tools import Picture

HOUR = 3600.0
COLOURS = ("#3b82a8", "#d97b3c", "#6a9a5b", "#8a6fae", "#c9a227", "#5aa6a6", "#b0567d", "#8a97a3")


@dataclass(frozen=True, slots=True)
class Bar:
    """One piece of work."""

    agent: str
    order: str
    start_h: float
    end_h: float


def bars_of_run(run: Run) -> tuple[Bar, ...]:
    """Work of a run in which whatever was interrupted was so at the instant it began: then it ends as long
    after its real beginning as the shortest work of its task."""
    import numpy as np

    log = run.executions
    lasted = log.end_s - log.start_s
    bars = []
    for i in np.argsort(log.start_s, kind="stable").tolist():
        if log.agent[i] < 0 or np.isnan(log.end_s[i]):
            continue
        alone = lasted[(log.node == log.node[i]) & (log.preemptions == 0)].min()
        begin_s = float(log.end_s[i] - alone) if log.preemptions[i] else float(log.start_s[i])
        agent, order = run.agents[log.agent[i]], run.order_ids[log.order[i]]
        bars.append(Bar(agent, order, begin_s / HOUR, float(log.end_s[i]) / HOUR))
    return tuple(bars)


def bars_of_plan(problem: Problem, plan: Plan) -> tuple[Bar, ...]:
    """The plan's work, hours from its beginning; units of a pool take it as they come free."""
    begun = sorted((int(plan.start[i]), i) for i in range(len(problem.ops)) if plan.mode[i] >= 0)
    free: dict[str, int] = {}
    bars = []
    hours = problem.grid.dt_s / HOUR
    for start, i in begun:
        op = problem.ops[i]
        mode = op.modes[int(plan.mode[i])]
        unit = next(u for u in problem.pools[mode.pool].units if free.get(u, 0) <= start)
        free[unit] = int(mode.ends[start])
        bars.append(Bar(unit, problem.jobs[op.job].order.id, start * hours, free[unit] * hours))
    return tuple(bars)


def gantt(charts: Mapping[str, Sequence[Bar]], due_h: Mapping[str, float]) -> Picture:
    """One chart above the other, by title: a row an agent, a colour an order. Orders' due dates are in the
    legend; a tick on the last row marks what is over too late."""
    from twin.drawing_tools import base, titled

    agents = list(dict.fromkeys(bar.agent for bars in charts.values() for bar in bars))
    last = max(bar.end_h for bars in charts.values() for bar in bars)
    names = {order: f"{order}, due at {due:g} h" for order, due in due_h.items()}
    colour = alt.Color(
        "due", type="nominal", title="order", scale=alt.Scale(domain=[*names.values()], range=[*COLOURS])
    )
    panels = []
    for title, bars in charts.items():
        rows = [{**asdict(bar), "due": names[bar.order]} for bar in bars]
        over = {bar.order: bar for bar in sorted(bars, key=lambda bar: bar.end_h)}
        late = [{**asdict(bar), "text": "late"} for bar in over.values() if bar.end_h > due_h[bar.order]]
        y = alt.Y("agent", type="nominal", sort=agents, title=None)
        x: Any = alt.X("start_h", type="quantitative", title="h", scale=alt.Scale(domain=[0, last]))
        bar = base(rows).mark_bar(height=20, stroke="#ffffff").encode(x=x, x2="end_h", y=y, color=colour)
        middle = alt.X("middle", type="quantitative")
        labels = [{**row, "middle": (row["start_h"] + row["end_h"]) / 2} for row in rows]
        text = base(labels).mark_text(color="#ffffff").encode(x=middle, y=y, text="order:N")
        mark = (
            base(late)
            .mark_text(color="#d0453b", dy=-16, align="right", fontSize=10)
            .encode(x=alt.X("end_h", type="quantitative"), y=y, text="text:N")
        )
        panels.append(
            alt.layer(bar, text, mark).properties(width=560, height=28 * len(agents), title=titled(title))
        )
    return alt.vconcat(*panels, spacing=18)
