"""A picture of worklists: what each agent works on and takes next, and until when."""

from __future__ import annotations

from datetime import timedelta

import altair as alt

from twin.drawing_tools import BLUE, GREY, ORANGE, RED, Picture, base, ticks, titled, when
from twin.worklists import AgentList, Listed, Worklist

MOST_ROWS = 45
"""Nobody reads more."""
COLOURS = {"working": GREY, "waiting": BLUE, "coming": ORANGE}
POLICIES = {"own": "the twin's own rules", "milp": "an optimized plan"}
WORDS = {"working": "under way", "waiting": "waits", "coming": "comes soon"}


def worklist_chart(found: Worklist) -> Picture:
    """A row an agent and order, by agent and rank: median start to median finish, the finish from 10 to 90 %,
    due dates in red, now dashed."""
    picked = _picked(found)
    due = {one.order: one.due for one in found.orders}
    rows = [_row(agent, row) for agent, row in picked]
    names = [str(row["item"]) for row in rows]
    low = min((row.start[1] for _, row in picked), default=found.as_of)
    high = max((row.finish[2] for _, row in picked), default=found.as_of + timedelta(hours=1))
    # What is due long after all that is shown would press it together.
    scale = alt.Scale(type="utc", domain=[low.isoformat(), high.isoformat()])

    def at(field: str) -> alt.X:
        return when(field, scale=scale, at=ticks(low, high))

    y = alt.Y(
        "item", type="nominal", sort=names, title=None, axis=alt.Axis(labelLimit=330, labelOverlap=False)
    )
    colour = alt.Color(
        "stands:N",
        title=None,
        scale=alt.Scale(domain=list(WORDS.values()), range=[COLOURS[name] for name in WORDS]),
        legend=alt.Legend(orient="bottom"),
    )
    tips = ["item:N", "stands:N", "reason:N", *(_tip(*t) for t in _TIPS)]
    bars = base(rows).mark_bar(height=11, cornerRadius=2, clip=True)
    now = base([{"now": found.as_of.isoformat()}]).mark_rule(color=GREY, strokeDash=[4, 3], clip=True)
    layers: list[alt.Chart] = [
        bars.encode(x=at("from"), x2="to", y=y, color=colour, tooltip=tips),
        base(rows).mark_rule(color=GREY, strokeWidth=1.4).encode(x=at("early"), x2="late", y=y),
        now.encode(x=at("now")),
    ]
    dated = [
        {"item": name, "due": date.isoformat()}
        for name, (_, row) in zip(names, picked, strict=True)
        if (date := due[row.order]) is not None and low <= date <= high
    ]
    if dated:
        tick = base(dated).mark_tick(color=RED, thickness=2.5, size=14)
        layers.append(tick.encode(x=at("due"), y=y, tooltip=["item:N", _tip("due", "due")]))
    title = titled(
        f"Worklists under {POLICIES.get(found.policy, found.policy)}",
        _legend(found, len(picked), bool(dated)),
    )
    return alt.layer(*layers).properties(width=620, height=alt.Step(17), title=title)


_TIPS = (
    ("from", "start, median"),
    ("early", "finish, 10 %"),
    ("to", "finish, median"),
    ("late", "finish, 90 %"),
)


def _picked(found: Worklist) -> list[tuple[AgentList, Listed]]:
    """The first rows of every agent, as evenly as there is room for."""
    for most in range(MOST_ROWS, 0, -1):
        rows = [(agent, row) for agent in found.agents for row in agent.rows[:most]]
        if len(rows) <= MOST_ROWS:
            return rows
    return [(agent, agent.rows[0]) for agent in found.agents if agent.rows][:MOST_ROWS]


def _row(agent: AgentList, row: Listed) -> dict[str, object]:
    rank = {"working": "now", "coming": "soon"}.get(row.stands, f"{row.rank}.")
    return {
        "item": f"{agent.agent}  {rank}  {row.order} · {row.activity}",
        "stands": WORDS[row.stands],
        "reason": row.reason,
        "from": row.start[1].isoformat(),
        "to": row.finish[1].isoformat(),
        "early": row.finish[0].isoformat(),
        "late": row.finish[2].isoformat(),
    }


def _tip(field: str, title: str) -> alt.Tooltip:
    return alt.Tooltip(field, type="temporal", title=title, format="%a %d %b %H:%M")


def _legend(found: Worklist, shown: int, dated: bool) -> str:
    all_rows = sum(len(agent.rows) for agent in found.agents)
    more = f"; {shown} of {all_rows} rows" if shown < all_rows else ""
    due = "; red: due, where that is near" if dated else ""
    return (
        f"Median start to median finish over {found.replications} futures, finish from 10 to 90 %{due}{more}."
    )
