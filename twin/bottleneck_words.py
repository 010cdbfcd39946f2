"""Bottlenecks as a table and in short."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from math import isfinite, nan

from simulation.kpis import Interval
from twin.bottleneck_findings import Bottlenecks, Gain, Side
from twin.words import number, percent

COLUMNS = ("what", "source", "name", "figure", "unit", "mean", "low", "high", "p")


def to_csv(found: Bottlenecks) -> str:
    """A row a figure: COLUMNS; 95 % intervals, adjusted p values; '' where there is none."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for row in _rows(found):
        table.writerow([_cell(value) for value in row])
    return text.getvalue()


def _rows(found: Bottlenecks) -> Iterator[tuple[object, ...]]:
    for side in found.sides:
        yield "orders", side.source, "all", "lead time", "h", *_three(side.lead_h), None
        for kind, rows in (("role", side.roles), ("agent", side.agents)):
            for one in rows:
                for figure in ("utilisation", "sole", "shifting", "share"):
                    yield kind, side.source, one.name, figure, "share", *_three(getattr(one, figure)), None
        for queue in side.queues:
            yield "queue", side.source, queue.activity, "wait", "s", *_three(queue.wait_s), None
            yield (
                "queue",
                side.source,
                queue.activity,
                "of lead time",
                "share",
                queue.of_lead,
                None,
                None,
                None,
            )
            for cause, seconds in queue.parts_s.items():
                yield "queue", side.source, queue.activity, cause, "s", seconds, None, None, None
    for gain in (*found.hours, *found.tasks):
        yield gain.what, "twin", gain.name, "lead time saved", "h a week", *_three(gain.saved_h), gain.p
        if gain.profit is not None:
            yield gain.what, "twin", gain.name, "profit", "money a week", *_three(gain.profit), gain.p


def _three(one: Interval) -> tuple[float, float, float]:
    return one.mean, one.low, one.high


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}" if isfinite(value) else ""
    return str(value)


def plus_minus(one: Interval, scale: float = 1.0, unit: str = "") -> str:
    """'12 ± 3 h'; '' for what isn't known."""
    if not isfinite(one.mean):
        return ""
    half = scale * (one.high - one.mean)
    told = f"{number(scale * one.mean)}"
    told += f" ± {number(half)}" if isfinite(half) and half > 0 else ""
    return f"{told} {unit}".rstrip()


def gain_text(gain: Gain) -> str:
    """How sure a gain is, in a word."""
    if not gain.sure:
        return "can't tell"
    return "gains" if gain.value.mean > 0 else "costs"


def causes_text(side: Side) -> str:
    """Of all waiting, how much is for busy agents, and what most of it is for; '' without waiting."""
    sums: dict[str, float] = {}
    for queue in side.queues:
        for part, seconds in queue.parts_s.items():
            sums[part] = sums.get(part, 0.0) + queue.n * seconds
    total = sum(sums.values())
    if not total > 0:
        return ""
    busy = (sums["agents busy"] + sums["others went first"]) / total
    most = max(sums, key=lambda part: sums[part])
    rest = "" if most in ("agents busy", "others went first") else f", most is {CAUSES[most]}"
    return f"Of the waiting in the {side.source} {percent(busy)} is for busy agents{rest}."


CAUSES = {
    "off shift": "for those off shift",
    "batching": "for batches",
    "remaining": "explained by neither shifts nor agents (customers, other systems, post)",
}
"""Where an hour more of anybody helps little."""


def best_text(found: Bottlenecks) -> str:
    """What would help most, as far as that is sure; one sentence each for hours and automation."""
    told = []
    unit = "of profit" if found.value == "profit" else "h of lead time"
    for gains, what in ((found.hours, "One more hour a week"), (found.tasks, "Automation")):
        sure = [gain for gain in gains if gain.sure and gain.value.mean > 0]
        if not gains:
            continue
        if not sure:
            told.append(f"{what} of none of those tried is surely worth anything.")
            continue
        best = sure[0]
        rest = sum(gain is not best and gain.value.high >= best.value.low for gain in gains)
        alike = f"; {rest} other{'s' * (rest > 1)} may be worth as much" if rest else ""
        told.append(f"{what} of {best.name} is worth {plus_minus(best.value)} {unit} a week{alike}.")
    return " ".join(told)


_NUMBERS = frozenset({"mean", "low", "high", "share", "p", "of_lead"})


def read_found(text: str) -> Bottlenecks:
    """The inverse of json_out.dump: numbers that aren't known come back as NaN.

    Raises pydantic's ValidationError on text of another kind.
    """
    import json

    from twin.json_out import read

    def known(values: dict[str, object]) -> dict[str, object]:
        return {name: nan if name in _NUMBERS and value is None else value for name, value in values.items()}

    return read(Bottlenecks, json.dumps(json.loads(text, object_hook=known)))
