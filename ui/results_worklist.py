"""What `tracetwin worklist` shows: a table an agent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from twin.words import by_engine, number, span
from twin.worklist_words import SIMULATED, others, short
from ui.console import MOST_ROWS, OUT, as_json, more, say, show_table

if TYPE_CHECKING:
    from twin.worklists import AgentList, Listed, ListedOrder, Worklist

STANDS = {"working": "now", "coming": "soon"}
ROOMY = 110
"""Columns of a terminal in which all of a table fits."""


def show_worklist(found: Worklist, json_wanted: bool, written: Sequence[Path] = ()) -> None:
    """Every agent with something to do; all of it as JSON."""
    if json_wanted:
        as_json(found)
        return
    likely = "; with 90 % it is finished by 'likely by'" if OUT.width >= ROOMY else ""
    say(
        f"As of {found.as_of:%Y-%m-%d %H:%M} UTC under policy {found.policy}: {found.open_rule}; "
        f"{found.replications} futures{by_engine(found.engine)}. Start and finish are medians{likely}. "
        f"{SIMULATED}."
    )
    orders = {one.order: one for one in found.orders}
    idle = [agent for agent in found.agents if not agent.rows]
    for agent in found.agents:
        if agent.rows:
            _show_agent(agent, orders, found.as_of)
    if idle:
        say(f"Nothing is listed for {', '.join(agent.agent for agent in idle)}.")
    for text in (*found.explanations, *found.notes):
        say(text if text.endswith(".") else f"{text}.")
    for path in written:
        say(f"Written: {path}")


def shift_text(agent: AgentList, now: datetime) -> str:
    """'on shift until Mon 03-02 17:00', 'off shift, back Tue 03-03 09:00'."""
    until = None if agent.until is None else short(agent.until, now)
    if agent.on_shift:
        return "on shift" if until is None else f"on shift until {until}"
    kind = "away" if agent.away else "off shift"
    return f"{kind}, nobody knows until when" if until is None else f"{kind}, back {until}"


def _show_agent(agent: AgentList, orders: dict[str, ListedOrder], now: datetime) -> None:
    shown = agent.rows[:MOST_ROWS]
    teams = {row.shared_with for row in shown if row.stands != "working"}
    alike = others(next(iter(teams))) if len(teams) == 1 else ""
    rows = [_row(row, orders[row.order], now, "" if alike else others(row.shared_with)) for row in shown]
    columns: tuple[str, ...] = (
        "",
        "order",
        "task",
        "why",
        "start",
        "finish",
        "likely by",
        "slack",
        "late",
        "a day costs",
    )
    if OUT.width < ROOMY:
        columns, rows = _fewer(columns), [_fewer(row) for row in rows]
    title = f"{agent.agent} ({shift_text(agent, now)}{'; from the same queue: ' if alike else ''}{alike})"
    show_table(title, columns, rows, (0, 1, 2, 3))
    more(len(agent.rows))


def _fewer(row: tuple[str, ...]) -> tuple[str, ...]:
    """Without 'likely by' and 'slack': a narrow table has no room for them."""
    return (*row[:6], *row[8:])


def _row(row: Listed, order: ListedOrder, now: datetime, shared: str) -> tuple[str, ...]:
    rank = STANDS.get(row.stands, str(row.rank))
    share = "" if row.stands == "working" or row.probability > 0.995 else f" {row.probability:.0%}"
    return (
        rank + share,
        row.order,
        row.activity,
        "; ".join(filter(None, (row.reason, shared))),
        *(brief(at, now) for at in (row.start[1], row.finish[1], row.finish[2])),
        "" if order.slack_h is None else span(order.slack_h[1] * 3600),
        "" if order.late is None else f"{order.late:.0%}",
        costs_text(order),
    )


def brief(at: datetime, now: datetime) -> str:
    """The time alone if it is the same day."""
    if at.date() == now.date():
        return f"{at:%H:%M}"
    return f"{at:%m-%d %H:%M}" if at.year == now.year else f"{at:%Y-%m-%d}"


def costs_text(order: ListedOrder) -> str:
    """What a day's delay is expected to cost, with half its interval; else the risk that it adds."""
    if order.day_costs is not None:
        half = order.day_costs.high - order.day_costs.mean
        return number(order.day_costs.mean) + (f" ± {number(half)}" if half > 0 else "")
    if order.late_more is not None:
        return f"+{100 * order.late_more:.0f} points late"
    return ""
