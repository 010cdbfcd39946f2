"""What orders are worth and promise, from the analyst's words and the log's columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import numpy as np

from calibration.due_days import due_days
from calibration.duration_rows import Groups
from calibration.fitting import quantile_law
from calibration.local_time import Floats, local_time
from calibration.order_sample import sample_of, usable_attributes
from calibration.settings import OrderSpec, Promise, Rule
from calibration.window import ENOUGH
from eventlogs.bounds import case_bounds
from eventlogs.snapshot import Snapshot
from metagraph.distributions import Constant, Fitted, Parametric
from metagraph.errors import DataError
from metagraph.model import Default
from metagraph.orders import GroupRule, OrderClass, OrderModel

_YEAR_S = 366 * 86400.0
"""Dates further ahead than this are told in the time that holds then."""


def group_cases(snapshot: Snapshot, spec: OrderSpec) -> Groups:
    """Class and segment of every case: by the column's value, else by the first rule that holds, else ''.

    Raises DataError for a column that the log doesn't have.
    """
    return Groups(
        _grouped(snapshot, spec.class_column, spec.class_rules, "class"),
        _grouped(snapshot, spec.segment_column, spec.segment_rules, "segment"),
    )


def _grouped(snapshot: Snapshot, column: str | None, rules: Sequence[Rule], what: str) -> tuple[str, ...]:
    values = _column(snapshot, column, what) if column else (None,) * snapshot.n_cases
    conditions = [
        (rule.result, [(_column(snapshot, c, f"{what} rule"), v) for c, v in rule.when]) for rule in rules
    ]

    def ruled(case: int) -> str:
        for result, pairs in conditions:
            if all(found[case] == value for found, value in pairs):
                return result
        return ""

    return tuple(value or ruled(case) for case, value in enumerate(values))


def _column(snapshot: Snapshot, column: str, what: str) -> tuple[str | None, ...]:
    found = snapshot.attributes.get(column)
    if found is None:
        known = ", ".join(sorted(snapshot.attributes)) or "none"
        raise DataError(
            f"log {snapshot.name} has no case column '{column}', which [orders] names for the {what}; "
            f"its case columns are: {known}"
        )
    return found


def fit_orders(
    snapshot: Snapshot, spec: OrderSpec, groups: Groups | None = None, time_zone: str = "UTC"
) -> OrderModel:
    """An OrderClass for every class and segment seen, with shares and what is known of value and dates.

    Patience is fitted from the orders that were cancelled, the others counting as patient until their end.
    Raises DataError for missing columns and for values that are no numbers or instants.
    """
    groups = groups or group_cases(snapshot, spec)
    keys = list(zip(groups.cls, groups.segment, strict=True))
    counts = Counter(keys)
    if not counts:
        return _model((OrderClass("", "", 1.0, 0),), spec)
    of_case = np.array([sorted(counts).index(k) for k in keys], np.int64)
    release, _ = case_bounds(snapshot)
    value = _numbers(snapshot, spec.value_column, "value", _money)
    due = _numbers(snapshot, spec.due_column, "due date", _instant(snapshot)) - release
    lost = _numbers(snapshot, spec.lost_column, "lost-sale date", _instant(snapshot)) - release
    latest = min(float(np.nanmax(release + due, initial=snapshot.until_s)), snapshot.until_s + _YEAR_S)
    local = local_time(snapshot.origin, float(release.min()), latest, time_zone)
    when = due_days(release, due, local, of_case)
    names, _ = usable_attributes(snapshot, (spec.due_column, spec.lost_column))
    classes = []
    for i, (cls, segment) in enumerate(sorted(counts)):
        mine = of_case == i
        promise = promised(spec.promises, cls, segment)
        classes.append(
            OrderClass(
                cls,
                segment,
                counts[cls, segment] / len(keys),
                counts[cls, segment],
                value=_fitted(value[mine], value, promise.value),
                due_after=_due_law(due[mine], due, promise.due_after_s),
                due_working_days=None if spec.due_column else promise.due_working_days,
                patience=_fitted(lost[mine], lost, promise.lost_after_s) or _patience(snapshot, spec, mine),
                sample=sample_of(
                    snapshot, mine, names, (value, due, lost), counts[cls, segment] / len(keys), when
                ),
            )
        )
    return _model(tuple(classes), spec)


def _model(classes: tuple[OrderClass, ...], spec: OrderSpec) -> OrderModel:
    """The classes, and how those of other orders are told."""
    rules = (
        tuple(GroupRule(rule.result, dict(rule.when)) for rule in those)
        for those in (spec.class_rules, spec.segment_rules)
    )
    return OrderModel(classes, spec.profit, _columns(spec), {}, "", *rules)


def due_dates(snapshot: Snapshot, spec: OrderSpec) -> Floats:
    """Of every case, in seconds since the log's origin; NaN where no column says so."""
    return _numbers(snapshot, spec.due_column, "due date", _instant(snapshot))


def order_defaults(snapshot: Snapshot, spec: OrderSpec) -> tuple[Default, ...]:
    """What new orders go without, because it tells who or which one an order of the past was."""
    return usable_attributes(snapshot, (spec.due_column, spec.lost_column))[1]


def promised(promises: Sequence[Promise], cls: str, segment: str) -> Promise:
    """What is promised to orders of this class and segment, each field by its most specific promise."""
    matching = [p for p in promises if p.cls in (None, cls) and p.segment in (None, segment)]
    matching.sort(key=lambda p: (p.cls is None, p.segment is None))

    def first(field: str) -> float | None:
        return next((v for p in matching if (v := getattr(p, field)) is not None), None)

    days = first("due_working_days")
    return Promise(
        cls,
        segment,
        first("value"),
        None if days is None else int(days),
        first("due_after_s"),
        first("lost_after_s"),
    )


def _columns(spec: OrderSpec) -> dict[str, str]:
    names = {
        "class": spec.class_column,
        "segment": spec.segment_column,
        "value": spec.value_column,
        "due": spec.due_column,
        "lost": spec.lost_column,
    }
    return {k: v for k, v in names.items() if v}


def _numbers(snapshot: Snapshot, column: str | None, what: str, read: Callable[[str], float]) -> Floats:
    """The column as floats, NaN where a case has none."""
    out = np.full(snapshot.n_cases, np.nan)
    if column is None:
        return out
    for case, text in enumerate(_column(snapshot, column, what)):
        if text is None or not text.strip():
            continue
        try:
            out[case] = read(text.strip())
        except ValueError as error:
            raise DataError(
                f"log {snapshot.name}, case {snapshot.cases[case]}, {column}: '{text}' is no {what}; "
                f"expected {'a number' if read is _money else 'an instant like 2026-03-01T17:00:00Z'}"
                f"{_import_advice(what, column)}"
            ) from error
    return out


def _import_advice(what: str, column: str) -> str:
    """Only the import knows amounts and dates as people write them."""
    role = {"value": "value", "due date": "due"}.get(what)
    if role is None:
        return ""
    return f", or take the log again with --map {role}={column}, which reads other ways to write it"


def _money(text: str) -> float:
    value = float(text)
    if not np.isfinite(value):
        raise ValueError(text)
    return value


def _instant(snapshot: Snapshot) -> Callable[[str], float]:
    def read(text: str) -> float:
        stamp = datetime.fromisoformat(text)
        stamp = stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)
        return (stamp - snapshot.origin).total_seconds()

    return read


def _fitted(mine: Floats, everyone: Floats, said: float | None) -> Fitted | None:
    """The column's values in this group, or all groups' where it has few; without any, what was said."""
    own, pooled = mine[~np.isnan(mine)], everyone[~np.isnan(everyone)]
    if len(own) >= ENOUGH or (len(own) and len(own) == len(pooled)):
        return _signed_law(own, "class")
    if len(pooled):
        return _signed_law(pooled, "all classes")
    return None if said is None else Fitted(Constant(said), 0, "human")


def _due_law(mine: Floats, everyone: Floats, said: float | None) -> Fitted | None:
    """As `_fitted`, but by however many orders of the group have a due date, for groups differ in what they
    promise; None where a group of ENOUGH orders has none."""
    own = mine[~np.isnan(mine)]
    if len(own):
        return _signed_law(own, "class")
    if len(mine) >= ENOUGH and not np.isnan(everyone).all():
        return None
    return _fitted(mine, everyone, said)


def _signed_law(values: Floats, level: str) -> Fitted:
    """Observed quantiles as they are: credits and dates before release are below zero."""
    law = Constant(float(values[0])) if np.ptp(values) == 0 else quantile_law(values)
    note = f"only {len(values)} orders" if len(values) < ENOUGH else ""
    observed = np.quantile(values, np.linspace(0, 1, 41))
    return Fitted(law, len(values), level, observed=tuple(np.round(observed, 3).tolist()), note=note)


def _patience(snapshot: Snapshot, spec: OrderSpec, mine: np.typing.NDArray[np.bool_]) -> Fitted | None:
    """Time from release until an order was cancelled; orders that weren't are right-censored at their end."""
    if not spec.cancelled:
        return None
    unknown = sorted(set(spec.cancelled) - set(snapshot.activities))
    if unknown:
        raise DataError(
            f"log {snapshot.name} has no activity '{unknown[0]}', which [orders] names as a cancellation; "
            f"its activities are: {', '.join(sorted(snapshot.activities))}"
        )
    labels = [a for a, name in enumerate(snapshot.activities) if name in spec.cancelled]
    release, last = case_bounds(snapshot)
    case = snapshot.case_of_row()
    rows = np.isin(snapshot.activity, labels)
    gave_up = np.full(snapshot.n_cases, np.inf)
    np.minimum.at(gave_up, case[rows], snapshot.start_s[rows])
    cancelled = mine & np.isfinite(gave_up)
    until = np.where(snapshot.is_open, snapshot.until_s, last)
    waited = (until - release)[mine & ~cancelled]
    times = (gave_up - release)[cancelled]
    if not len(times[times > 0]):
        return None
    return _censored_law(times[times > 0], waited[waited > 0])


def _censored_law(times: Floats, waited: Floats) -> Fitted:
    """A Weibull law by maximum likelihood with censoring; exponential where few gave up: rate = deaths over
    time at risk."""
    import scipy.stats

    if len(times) >= ENOUGH:
        data = scipy.stats.CensoredData(uncensored=times, right=waited)
        shape, _, scale = scipy.stats.weibull_min.fit(data, floc=0)
        return Fitted(Parametric("weibull_min", (float(shape), 0.0, float(scale))), len(times), "class")
    mean = float(times.sum() + waited.sum()) / len(times)
    note = f"only {len(times)} orders were cancelled: a constant rate"
    return Fitted(Parametric("expon", (0.0, mean)), len(times), "class", note=note)
