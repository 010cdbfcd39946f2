"""Numbers and parts of a model in words, for reports and pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from math import sqrt

import numpy as np

from metagraph.calendars import Calendar
from metagraph.distributions import Constant, Distribution, Empirical, Fitted, Parametric, ZeroInflated
from metagraph.model import Metagraph
from metagraph.nodes import Task
from metagraph.routing import Routing
from metagraph.shifts import presence

_UNITS = (("s", 1.0, 100.0), ("min", 60.0, 100 * 60.0), ("h", 3600.0, 72 * 3600.0), ("d", 86400.0, np.inf))
_FAMILIES = {
    "lognorm": "lognormal",
    "gamma": "gamma",
    "weibull_min": "Weibull",
    "expon": "exponential",
    "norm": "normal",
    "truncnorm": "truncated normal",
    "uniform": "uniform",
    "triang": "triangular",
    "beta": "beta",
    "invgauss": "inverse Gaussian",
}
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def unit_for(seconds: float) -> tuple[str, float]:
    """The unit in which a time of about this size reads well, and its length in seconds."""
    size = abs(seconds)
    return next((name, length) for name, length, below in _UNITS if size < below or below == np.inf)


def number(value: float) -> str:
    """Three significant digits, without an exponent."""
    if value == 0 or not np.isfinite(value):
        return "0" if value == 0 else "–"
    digits = max(0, 2 - int(np.floor(np.log10(abs(value)))))
    text = f"{value:,.{digits}f}".replace("-", "−")
    return text.rstrip("0").rstrip(".") if "." in text else text


def span(seconds: float) -> str:
    """A time in words: '12 min'."""
    unit, length = unit_for(seconds)
    return f"{number(seconds / length)} {unit}"


def mean_span(seconds: float | None, half: float | None) -> str:
    """A mean time with half of its interval: '12 ± 2 min'; '–' where there is none."""
    if seconds is None:
        return "–"
    if not half:
        return span(seconds)
    unit, length = unit_for(seconds)
    digits = max(0, -int(np.floor(np.log10(half / length))))
    return f"{seconds / length:,.{digits}f} ± {half / length:,.{digits}f} {unit}"


def percent(share: float) -> str:
    """A share of 0..1 as a percentage; small ones keep a digit."""
    return f"{100 * share:.1f} %" if 0 < share < 0.01 else f"{100 * share:.0f} %"


def instant(moment: datetime | None) -> str:
    """An instant to the minute, with its zone."""
    return "–" if moment is None else f"{moment:%Y-%m-%d %H:%M} {moment.tzname() or ''}".rstrip()


def family_name(family: str) -> str:
    """A family of laws in words; what follows a comma stays."""
    name, comma, rest = family.partition(",")
    return _FAMILIES.get(name, name) + comma + rest


def law_name(law: Distribution) -> str:
    """The family in words."""
    match law:
        case Constant():
            return "constant"
        case Empirical():
            return "observed quantiles"
        case Parametric(family=family):
            return family_name(family)
        case ZeroInflated(p_zero=p, positive=positive):
            return f"{percent(p)} none at all, else {law_name(positive)}"


def mean_half_width(fitted: Fitted) -> float | None:
    """Half the 95 % interval of the mean of `n` observations; None where nothing was observed."""
    if fitted.n < 2 or isinstance(fitted.law, Constant):
        return None
    draws = fitted.law.ppf((np.arange(2000) + 0.5) / 2000)
    return float(1.96 * draws.std() / sqrt(fitted.n))


def mean_text(fitted: Fitted) -> str:
    """'12.3 ± 0.4 min', the interval being that of the mean at 95 %."""
    return mean_span(fitted.law.mean(), mean_half_width(fitted))


def share_interval(share: float, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share seen in n decisions (E. B. Wilson, 1927)."""
    z = 1.96
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def share_text(share: float, n: int) -> str:
    """'17 % (15 to 19)', or the share alone where nothing was counted."""
    if n < 1:
        return percent(share)
    low, high = share_interval(share, n)
    return f"{percent(share)} ({percent(low)[:-2]} to {percent(high)[:-2]})"


def by_engine(engine: str) -> str:
    """Which engine simulated, in brackets after what it made; `engine` may say why after a colon."""
    return f" ({engine.partition(':')[0]} engine)" if engine else ""


def few(names: Iterable[str], limit: int = 5) -> str:
    """The first few names, and how many more there are."""
    names = list(names)
    rest = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + rest


def hours_text(calendar: Calendar) -> str:
    """Weekly hours: 'Mon–Fri 09:00–17:00; Sat 10:00–14:00'; how often and when, where days are drawn."""
    if calendar.always_open:
        return "always"
    days = [_drawn_text(calendar, day) if calendar.shifts else _day_text(calendar, day) for day in range(7)]
    parts: list[str] = []
    first = 0
    for day in range(1, 8):
        if day < 7 and days[day] == days[first]:
            continue
        if days[first]:
            name = DAYS[first] if day - first == 1 else f"{DAYS[first]}–{DAYS[day - 1]}"
            parts.append(f"{name} {days[first]}")
        first = day
    return "; ".join(parts) or "never"


def _day_text(calendar: Calendar, day: int) -> str:
    low, high = day * 86400.0, (day + 1) * 86400.0
    pieces = [(max(a, low) - low, min(b, high) - low) for a, b in calendar.hours if a < high and b > low]
    return ", ".join(f"{_clock(a)}–{_clock(b)}" for a, b in pieces)


def _drawn_text(calendar: Calendar, day: int) -> str:
    """How often somebody comes on a weekday, and the mean begin and end of their shifts; the hours of a shift
    that most days have, and how often there are others."""
    shifts = [shift for shift in calendar.shifts[day] if shift.weight > 0]
    if not shifts:
        return ""
    most = max(shifts, key=lambda shift: shift.weight)
    if len(shifts) > 1 and most.weight > 0.5 and presence(shifts) > 1 - 1e-5:
        usual = replace(calendar, shifts=tuple((most,) if k == day else () for k in range(7))).usual()
        return f"{_day_text(usual, day)} (others on {percent(1 - most.weight)})"
    total = sum(shift.weight for shift in shifts)
    start, end = (
        sum(shift.weight * at for shift, at in zip(shifts, edges, strict=True)) / total
        for edges in ([s.start_s for s in shifts], [s.end_s for s in shifts])
    )
    return f"present {percent(presence(shifts))}, about {_clock(start)}–{_clock(end % 86400 or 86400.0)}"


def _clock(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def serving(metagraph: Metagraph, task: Task) -> tuple[str, ...]:
    """Ids of the agents that may work on a task, in the model's order."""
    able = {a for queue in metagraph.queues if queue.id in task.queues for a in queue.agents}
    return tuple(agent.id for agent in metagraph.agents if agent.id in able)


def branch_text(metagraph: Metagraph, flow_id: str) -> str:
    """Where a flow leads: the tasks that come next, gateways looked through."""
    flow = next(flow for flow in metagraph.flows if flow.id == flow_id)
    return few(_nearest(metagraph, flow.target, forward=True), 3) or "end"


def ways_text(
    metagraph: Metagraph, routing: Routing, weights: Sequence[float], n: int
) -> list[tuple[str, str]]:
    """Each way on from a gateway, of several at once all of them, and how often it is taken."""
    return [
        (
            " with ".join(branch_text(metagraph, flow) for flow in flows) or "none of them",
            share_text(weight, n),
        )
        for flows, weight in zip(routing.outcomes(), weights, strict=True)
    ]


def gateway_text(metagraph: Metagraph, node: str) -> str:
    """Where a gateway stands: 'after Credit Check', or 'at the start'."""
    before = _nearest(metagraph, node, forward=False)
    return f"after {few(before, 3)}" if before else "at the start"


def _nearest(metagraph: Metagraph, node: str, *, forward: bool) -> Sequence[str]:
    """Labels of the tasks first met from a node; 'end' among them where the End is met."""
    nodes = {n.id: n for n in metagraph.nodes}
    steps: dict[str, list[str]] = {n: [] for n in nodes}
    for flow in metagraph.flows:
        here, there = (flow.source, flow.target) if forward else (flow.target, flow.source)
        steps[here].append(there)
    labels: dict[str, None] = {}
    queue = [node] if forward else list(steps[node])
    seen: set[str] = set()
    while queue:
        current = queue.pop(0)
        if current in seen:
            continue
        seen.add(current)
        found = nodes[current]
        if isinstance(found, Task):
            labels[found.label] = None
        elif found.kind == "end":
            labels["end"] = None
        else:
            queue += steps[current]
    return tuple(labels)
