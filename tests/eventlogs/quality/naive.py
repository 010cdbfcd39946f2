"""What the quality report should say, counted the obvious way from plain rows with times in whole seconds."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta

import numpy as np

from eventlogs.quality import edges
from eventlogs.quality import rows as row_rules
from eventlogs.quality import stamps as stamp_rules
from tests.eventlogs.logs import T0, Row


def known(rows: Sequence[Row], until_s: float) -> list[Row]:
    """Rows as known then; the row's place in the file is its index."""
    return [
        r._replace(end_s=r.end_s if r.end_s is not None and r.end_s <= until_s else None)
        for r in rows
        if r.start_s <= until_s
    ]


def last(row: Row) -> float:
    return row.start_s if row.end_s is None else row.end_s


def by_case(rows: Sequence[Row]) -> dict[str, list[Row]]:
    cases: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        cases[row.case].append(row)
    return cases


def duplicates(rows: Sequence[Row]) -> int:
    return sum(n - 1 for n in Counter(rows).values())


def overlaps(rows: Sequence[Row], until_s: float) -> int:
    spans = [(i, r.resource, r.start_s, until_s if r.end_s is None else r.end_s) for i, r in enumerate(rows)]
    lasting = [span for span in spans if span[1] is not None and span[3] > span[2]]
    return sum(
        any(i != j and who == other and start < finish and begin < end for j, other, begin, finish in lasting)
        for i, who, start, end in lasting
    )


def out_of_order(rows: Sequence[Row]) -> int:
    late_starts = late_ends = 0
    for group in by_case(rows).values():
        for i, row in enumerate(group):
            late_starts += any(row.start_s < above.start_s for above in group[:i])
            late_ends += any(last(row) < last(above) for above in group[:i])
    return min(late_starts, late_ends)


def seen_once(rows: Sequence[Row]) -> int:
    return sum(n == 1 for n in Counter(row.activity for row in rows).values())


def stamps(rows: Sequence[Row]) -> list[float]:
    return [s for r in rows for s in ([r.start_s] if r.end_s in (None, r.start_s) else [r.start_s, r.end_s])]


def second_of_day(stamp_s: float) -> float:
    return (T0.hour * 3600 + stamp_s) % 86400


def resolution_s(rows: Sequence[Row]) -> float:
    seconds = [second_of_day(s) for s in stamps(rows)]
    for resolution, coarser in ((1.0, 60), (60.0, 3600), (3600.0, 86400)):
        if sum(s % coarser != 0 for s in seconds) >= stamp_rules.FINE * len(seconds):
            return resolution
    return 86400.0


def batches(rows: Sequence[Row]) -> int:
    first, final = min(r.start_s for r in rows), max(last(r) for r in rows)
    slots = max((final - first) / resolution_s(rows) / row_rules.BUSIEST, 1.0)
    count = 0
    for activity, resource, end in {(r.activity, r.resource, r.end_s) for r in rows if r.end_s is not None}:
        group = [r for r in rows if (r.activity, r.resource, r.end_s) == (activity, resource, end)]
        expected = sum((r.activity, r.resource) == (activity, resource) for r in rows) / slots
        many = len(group) >= row_rules.BATCH
        if (
            many
            and len({r.case for r in group}) > 1
            and len(group) > expected + row_rules.SIGMAS * math.sqrt(expected)
        ):
            count += len(group)
    return count


def long_cases(rows: Sequence[Row]) -> int:
    spans = [max(map(last, group)) - min(r.start_s for r in group) for group in by_case(rows).values()]
    logs = [math.log(span) for span in spans if span > 0]
    if not logs:
        return 0
    low, high = np.quantile(logs, [0.25, 0.75])
    fence = high + row_rules.FENCE * max(high - low, row_rules.SPREAD)
    return sum(span > fence for span in logs)


def begun_before(rows: Sequence[Row], until_s: float) -> int:
    """A case begins with its earliest start, in the file the first of those."""
    cases = list(by_case(rows).values())
    first = min(r.start_s for r in rows)
    spans = [max(map(last, group)) - min(r.start_s for r in group) for group in cases]
    edge = first + min(float(np.quantile(spans, edges.LONG)), (until_s - first) / 2)
    begins = [min(group, key=lambda r: r.start_s) for group in cases]
    later = [row for row in begins if row.start_s > edge]
    learned = later if len(later) >= edges.ENOUGH else begins
    seen = Counter(row.activity for row in learned)
    usual = {activity for activity, n in seen.items() if n >= edges.USUAL * len(learned)}
    odd = sum(row.activity not in usual for row in begins if row.start_s <= edge)
    odd_later = sum(row.activity not in usual for row in later)
    expected = 0.0
    if len(later) >= edges.ENOUGH:
        expected = (len(begins) - len(later)) * odd_later / len(later)
    return odd if odd > expected + edges.SIGMAS * math.sqrt(expected) else 0


def whole_hours(rows: Sequence[Row]) -> tuple[int, int]:
    """Stamps at midnight, and on other whole hours; 0 where chance and shift edges explain them."""
    seconds = [second_of_day(s) for s in stamps(rows)]
    chance = 1 / 3600 if resolution_s(rows) == 1.0 else 1 / 60
    midnights = sum(s == 0 for s in seconds)
    rest = [s for s in seconds if s != 0]
    marks = {h: sum(s == h * 3600 for s in rest) for h in range(24)}
    full = sorted(range(24), key=lambda h: (-marks[h], h))
    off_edges = [s for s in rest if s // 3600 in full[stamp_rules.EDGES :]]
    off_marks = sum(s % 3600 == 0 for s in off_edges)
    near = sum(s // 3600 in (0, 23) for s in seconds)
    share = sum(marks.values()) / max(len(rest), 1)
    is_round = unlikely(off_marks, len(off_edges), chance)
    is_round = is_round and off_marks >= stamp_rules.ROUND_SHARE * len(off_edges)
    is_dated = unlikely(midnights, near, max(chance, share) / 2)
    return midnights * is_dated, sum(marks.values()) * is_round


def unlikely(count: int, n: int, chance: float) -> bool:
    limit = n * chance + stamp_rules.SIGMAS * math.sqrt(n * chance * (1 - chance))
    return count >= stamp_rules.FEWEST and count > limit


def zone_jumps(rows: Sequence[Row]) -> dict[str, int]:
    """Day -> hours by which the hours of the day jump there."""
    instants = [T0 + timedelta(seconds=s) for s in stamps(rows)]
    days = sorted(instant.date() for instant in instants)
    spread = dispersion(instants)
    width = timedelta(days=stamp_rules.WINDOW_D)
    gains = {}
    day = days[0] + width
    while day <= days[-1] + timedelta(days=1) - width:
        before = Counter(i.hour for i in instants if day - width <= i.date() < day)
        after = Counter(i.hour for i in instants if day <= i.date() < day + width)
        n, m = before.total(), after.total()
        if min(n, m) >= stamp_rules.FEWEST_STAMPS:
            moved = [
                sum(abs(before[h] / n - after[(h + s) % 24] / m) for h in range(24)) / 2 for s in range(24)
            ]
            pooled = [(before[h] + after[h]) / (n + m) for h in range(24)]
            noise = sum(math.sqrt(p * (1 / n + 1 / m) * spread) for p in pooled) / 2 * math.sqrt(2 / math.pi)
            best = min(range(24), key=lambda s: round(moved[s], 9))
            limit = max(stamp_rules.MOVED, stamp_rules.NOISE * noise)
            if moved[0] >= limit and moved[best] <= stamp_rules.LEFT * moved[0]:
                gains[day] = round(moved[0] - moved[best], 9), best - 24 * (best > 12)
        day += timedelta(days=1)
    found = {}
    while gains and max(gains.values())[0] > 0:
        most = max(gain for gain, _ in gains.values())
        at = min(day for day, (gain, _) in gains.items() if gain == most)
        found[at.isoformat()] = gains[at][1]
        gains = {day: gain for day, gain in gains.items() if abs(day - at) >= 2 * width}
    return found


def dispersion(instants: Sequence[datetime]) -> float:
    hours: dict[date, Counter[int]] = defaultdict(Counter)
    for instant in instants:
        hours[instant.date()][instant.hour] += 1
    found = []
    for day, first in hours.items():
        second = hours.get(day + timedelta(days=1), Counter())
        n, m = first.total(), second.total()
        if min(n, m) < stamp_rules.FEWEST_OF_DAY:
            continue
        both = set(first) | set(second)
        chi2 = sum(
            (math.sqrt(m / n) * first[h] - math.sqrt(n / m) * second[h]) ** 2 / (first[h] + second[h])
            for h in both
        )
        found.append(chi2 / max(len(both) - 1, 1))
    return max(1.0, float(np.median(found))) if found else 1.0
