"""How work and arrivals of two twins differ."""

from __future__ import annotations

from collections.abc import Iterator
from math import exp, log, sqrt

from metagraph.distributions import Fitted
from metagraph.model import Metagraph
from metagraph.orders import Arrivals
from twin.diff import SMALL, Change, Difference, Test, both
from twin.diff_graph import tasks_of
from twin.diff_tests import FEWEST, RATES, Basis, Z, counts_test, laws_test, ratio_of_means, share_change
from twin.words import DAYS, number, percent, span

SAME = 0.01
"""Means of twins of the same data that differ by less are not told."""
NONE = "none"


def differences(before: Metagraph, after: Metagraph, basis: Basis) -> Iterator[Difference]:
    """Work task by task, then arrivals and classes."""
    old, new = tasks_of(before), tasks_of(after)
    common = sorted(old.keys() & new.keys())
    for name in common:
        yield from _law(name, old[name].durations.default, new[name].durations.default, basis)
    if before.arrivals is not None and after.arrivals is not None:
        yield from _arrivals(before.arrivals, after.arrivals, basis)
        yield from _week(before.arrivals, after.arrivals, basis)
    elif before.arrivals != after.arrivals:
        told = both(lambda model: _weekly(model.arrivals), (before, after))
        yield Difference("arrivals", "all orders", told, verdict="decided")
    yield from _classes(before, after, basis)


def _law(name: str, old: Fitted, new: Fitted, basis: Basis) -> Iterator[Difference]:
    means = both(lambda fitted: float(fitted.law.mean()), (old, new))
    if max(means) <= 0:
        return
    told = both(span, means)
    change = ratio_of_means(old, new, basis)
    if basis.same or 0 in (old.n, new.n):
        if change is None or abs(change.size) >= SAME:
            hand = "set by hand" if "human" in (old.level, new.level) else ""
            yield Difference("durations", name, told, change, verdict="decided", note=hand)
        return
    test = laws_test(old, new, basis)
    if test is not None:
        yield Difference("durations", name, told, change, test)
    elif change is None or abs(change.size) >= SMALL:
        note = f"fewer than {FEWEST} executions on one side: not tested"
        yield Difference("durations", name, told, change, note=note)


def _weekly(arrivals: Arrivals | None) -> str:
    return NONE if arrivals is None else f"{number(sum(arrivals.rates_per_h))} a week"


def _arrivals(old: Arrivals, new: Arrivals, basis: Basis) -> Iterator[Difference]:
    """How many orders come."""
    pair = (old, new)
    was, now = both(lambda arrivals: sum(arrivals.rates_per_h), pair)
    told = both(_weekly, pair)
    if min(was, now) <= 0:
        if was != now:
            yield Difference("arrivals", "all orders", told)
        return
    shift, unit = log(now / was), "orders a week"
    if basis.same or 0 in (old.n, new.n):
        if abs(shift) >= SAME:
            change = Change("ratio", was, now, unit, exp(shift) - 1)
            yield Difference("arrivals", "all orders", told, change, verdict="decided")
        return
    error = _rate_error(old, new, basis)
    low, high = exp(shift - Z * error) - 1, exp(shift + Z * error) - 1
    change = Change("ratio", was, now, unit, exp(shift) - 1, low, high)
    test = _rate_test(shift, error, old, new, basis)
    yield Difference("arrivals", "all orders", told, change, test)


def _spread(arrivals: Arrivals) -> float:
    """By how much counts vary more than by chance: busier days, and orders that come together."""
    daily = sum(arrivals.rates_per_h) / 7
    squares = sum(share * n * n for n, share in enumerate(arrivals.batches or (1.0,), 1))
    return squares / arrivals.orders_at_once() + arrivals.dispersion * daily


def _rate_error(old: Arrivals, new: Arrivals, basis: Basis) -> float:
    """Standard error of the log ratio of two rates."""
    counts = basis.variance(both(_spread, (old, new)), (old.n, new.n))
    return sqrt(counts + sum(arrivals.level.now_sd**2 for arrivals in (old, new) if arrivals.level))


def _rate_test(shift: float, error: float, old: Arrivals, new: Arrivals, basis: Basis) -> Test | None:
    from scipy.stats import norm

    parts = basis.parts(old.n, new.n)
    if parts is None or error <= 0:
        return None
    return Test(RATES, *parts, 2 * float(norm.sf(abs(shift) / error)))


def _week(old: Arrivals, new: Arrivals, basis: Basis) -> Iterator[Difference]:
    """When in the week they come: weekdays, then hours of the day."""
    spread = max(_spread(old), _spread(new))
    for what, hours in (("weekdays", 24), ("hours of the day", 1)):
        cells = 7 if hours == 24 else 24
        shares = both(_by_cell, (old, new), hours, cells)
        most = max(range(cells), key=lambda i: abs(shares[1][i] - shares[0][i]))
        name = f"on {DAYS[most]}" if cells == 7 else f"from {most} to {most + 1} h"
        was, now = shares[0][most], shares[1][most]
        told = f"{percent(was)} {name}", f"{percent(now)} {name}"
        change = Change("share", was, now, name, now - was)
        if basis.same:
            if abs(now - was) >= SAME:
                yield Difference("arrivals", what, told, change, verdict="decided")
            continue
        counts = [s * old.n for s in shares[0]], [s * new.n for s in shares[1]]
        test = counts_test(counts, basis, spread)
        if test is not None:
            yield Difference("arrivals", what, told, change, test)


def _by_cell(arrivals: Arrivals, hours: int, cells: int) -> list[float]:
    """The share of the orders that come in each weekday or hour of the day."""
    rates = [0.0] * cells
    for hour, rate in enumerate(arrivals.rates_per_h):
        rates[hour // hours % cells] += rate
    whole = sum(rates) or 1.0
    return [rate / whole for rate in rates]


def _classes(before: Metagraph, after: Metagraph, basis: Basis) -> Iterator[Difference]:
    """How many orders are of which class and segment."""
    old, new = ({(c.cls, c.segment): c for c in model.orders.classes} for model in (before, after))
    names = sorted(old.keys() | new.keys())
    if len(names) < 2:
        return
    shares = both(lambda found: [found[n].share if n in found else 0.0 for n in names], (old, new))
    counts = both(lambda found: [float(found[n].n) if n in found else 0.0 for n in names], (old, new))
    most = max(range(len(names)), key=lambda i: abs(shares[1][i] - shares[0][i]))
    name = f"class {', '.join(filter(None, names[most])) or '(none)'}"
    was, now = shares[0][most], shares[1][most]
    told = both(percent, (was, now))
    change = share_change((was, now), both(sum, counts), "of the orders", basis)
    if basis.same or not all(map(sum, counts)):
        if abs(now - was) >= SAME:
            yield Difference("arrivals", name, told, change, verdict="decided")
        return
    test = counts_test(counts, basis)
    if test is not None:
        yield Difference("arrivals", name, told, change, test)
