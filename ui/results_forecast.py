"""What the forecast command shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from twin.outlook_words import plus_minus
from twin.words import by_engine, number
from ui.console import MOST_ROWS, as_json, more, say, show_table

if TYPE_CHECKING:
    from twin.outlook import Fan, Forecast, OrderOutlook, SystemOutlook

MOST_HORIZONS = 4
FIRST_ORDERS = 5
"""As many as the short form shows."""


def show_forecast(result: Forecast, json_wanted: bool, written: Sequence[Path] = ()) -> None:
    """Open orders by their median completion, money, counts and the load ahead."""
    if json_wanted:
        as_json(result)
        return
    if result.orders:
        _orders(result)
        _money(result)
    else:
        say(f"Nothing is open at {result.as_of:%Y-%m-%d %H:%M} UTC.")
    _counts(result.system)
    _loads(result)
    if result.learnt:
        say(result.learnt.words)
    for note in result.notes[:MOST_ROWS]:
        say(note)
    more(len(result.notes))
    for path in written:
        say(f"Written: {path}")


def show_briefly(result: Forecast, json_wanted: bool) -> None:
    """The first few dates, money and counts: what a newcomer needs."""
    if json_wanted:
        as_json(result)
        return
    _as_of(result)
    rows = [row[:-3] for row in _rows(result)[:FIRST_ORDERS]]
    show_table(f"Completion of the first {len(rows)}, UTC (month-day)", COLUMNS[:-3], rows, (0, 1))
    _money(result)
    _counts(result.system)


COLUMNS = ("order", "stands", "5 %", "median", "95 %", "due", "late", "lost", "profit", "at stake")


def _as_of(result: Forecast) -> None:
    futures = f"{result.replications} futures{by_engine(result.engine)}"
    say(f"As of {result.as_of:%Y-%m-%d %H:%M} UTC: {result.open_rule}; {futures}")


def _orders(result: Forecast) -> None:
    _as_of(result)
    show_table(
        "Completion, UTC (month-day); money expected, and what lateness takes of it",
        COLUMNS,
        _rows(result)[:MOST_ROWS],
        (0, 1),
    )
    more(len(result.orders))
    if result.learnt is not None and result.learnt.weight == 0.0:
        say("More futures would not move these dates: the log gives them.")
    else:
        _sure(result.orders)


def _rows(result: Forecast) -> list[tuple[str, ...]]:
    """COLUMNS of every order, the next to be completed first."""
    from twin.outlook import LEVELS, median

    low, high = LEVELS.index(0.05), LEVELS.index(0.95)
    rows = []
    for o in sorted(result.orders, key=lambda o: median(o.quantiles)):
        times = (o.quantiles[low], median(o.quantiles), o.quantiles[high])
        rows.append(
            (
                *(o.case_id, _short(o.standing), *(_stamp(t, result.as_of) for t in times)),
                _stamp(o.due, result.as_of) if o.due else "",
                "" if o.late_probability is None else f"{o.late_probability:.0%}",
                "" if o.lost_probability is None else f"{o.lost_probability:.0%}",
                *(("" if money is None else number(money.mean)) for money in (o.profit, o.loss)),
            )
        )
    return rows


def _sure(orders: Sequence[OrderOutlook]) -> None:
    """How far the replications' number leaves the quantiles open, in the middle of the orders."""
    from statistics import median

    told = []
    for name in ("50", "95"):
        ends = [o.sure.get(name, (None, None)) for o in orders]
        widths = [(high - low).total_seconds() / 7200 for low, high in ends if low and high]
        if len(widths) == len(ends) and widths:
            told.append(f"{name} % quantile ± {number(median(widths))} h")
        else:
            told.append(f"{name} % quantile: so few futures can't tell")
    say(f"More futures would move the dates of an order in the middle by as much as: {', '.join(told)}.")


def _money(result: Forecast) -> None:
    parts = [
        f"{name} {plus_minus(figure)}{unit}"
        for name, figure, unit in (
            ("late or lost", result.late, " orders"),
            ("profit", result.profit, ""),
            ("lost to lateness and lost sales", result.loss, ""),
        )
        if figure is not None
    ]
    if parts:
        say(f"Expected of all open orders, with the futures' 95 % intervals: {'; '.join(parts)}.")


def _counts(system: Sequence[SystemOutlook]) -> None:
    """Counts at a few of the horizons."""
    from twin.outlook import LEVELS

    asked = sorted({s.horizon_h for s in system})
    shown = _few(asked)
    at = [LEVELS.index(level) for level in (0.05, 0.5, 0.95)]
    rows = [
        (f"in {s.horizon_h:g} h", s.metric, *(f"{s.quantiles[i]:.0f}" for i in at))
        for s in system
        if s.horizon_h in shown
    ]
    if rows:
        show_table("Orders", ("", "", "5 %", "median", "95 %"), rows, (0, 1))
        if len(shown) < len(asked):
            say(f"… and {len(asked) - len(shown)} more horizons (--json shows all)")


def _few(horizons: Sequence[float]) -> list[float]:
    """At most MOST_HORIZONS of them, evenly spread, the last one among them."""
    n = min(MOST_HORIZONS, len(horizons))
    return [horizons[(k + 1) * len(horizons) // n - 1] for k in range(n)]


def _loads(result: Forecast) -> None:
    """Work ahead of agents and in queues: now, in the middle and at the end."""
    for kind, title in (("queue", "Queues"), ("agent", "Agents")):
        loads = [load for load in result.loads if load.kind == kind]
        if not loads:
            continue
        hours = loads[0].horizons_h
        when = sorted({0, len(hours) // 2, len(hours) - 1})
        columns = ["now" if k == 0 else f"in {hours[k]:g} h" for k in when]
        rows = [
            (load.name, *(_fan(load.work_h[k]) for k in when), _fan(load.waiting[0]))
            for load in loads[:MOST_ROWS]
        ]
        what = "hours of work ahead (median, 5–95 %), and items that wait now"
        show_table(f"{title}: {what}", (kind, *columns, "items"), rows)
        more(len(loads))


def _fan(fan: Fan) -> str:
    low, mid, high = (f"{fan[i]:.1f}".removesuffix(".0") for i in (0, 2, -1))
    return mid if low == high else f"{mid} ({low}–{high})"


def _short(standing: str) -> str:
    """Where an order stands, without since when and with whom: a table has little room."""
    return "; ".join(part.partition(" since ")[0].partition(" by ")[0] for part in standing.split("; "))


def _stamp(at: datetime, now: datetime) -> str:
    """The month, day and time; the year too where it isn't the same."""
    return f"{at:%m-%d %H:%M}" if at.year == now.year else f"{at:%Y-%m-%d %H:%M}"
