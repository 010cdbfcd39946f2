"""Checks of the stamps as a whole: times of day that were not measured, and hours that jump."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from eventlogs.instants import EPOCH
from eventlogs.quality.found import MOST_EXAMPLES, Example, Found, counted

QUARTER_US = 900_000_000
EDGES = 6
"""Hour marks of the day that may hold any number of stamps: work waits for shifts and breaks to end."""
SIGMAS = 5.0
FEWEST = 5
ROUND_SHARE = 0.05
"""Share of the stamps on whole hours from which they are taken to be rounded."""
FINE = 0.01
"""Stamps have a resolution if at least this share of them needs it."""
WINDOW_D = 14
"""Days on both sides of a day that are compared, hour by hour."""
FEWEST_STAMPS = 200
"""In each of them."""
FEWEST_OF_DAY = 10
MOVED = 0.06
"""Share of the stamps that a jump moves to other hours, at least, and NOISE times what chance would move."""
NOISE = 2.5
LEFT = 0.4
"""The part of that which is left once the hours are moved back, at most."""
HOURS = 24

_Ints = NDArray[np.int64]
_Floats = NDArray[np.float64]
_US_INTO_QUARTER = f"((us % {QUARTER_US} + {QUARTER_US}) % {QUARTER_US})"
_STAMPS = (
    "SELECT case_id, activity, row, unnest(CASE WHEN end_us <> start_us THEN [start_us, end_us] "
    "ELSE [start_us] END) AS us FROM known"
)


@dataclass(frozen=True, slots=True, eq=False)
class Stamps:
    """Starts and ends (instant executions once) by quarter hour, in the log's zone; table `quarters`."""

    local_s: _Ints
    """When each quarter begins by the local clock, in seconds since 1970."""
    count: _Ints
    on_mark: _Ints
    """Stamps at the quarter's very beginning."""
    resolution_s: float
    """1, 60, 3600 or 86400: what the stamps are multiples of, but for a few."""


def prepare(con: DuckDBPyConnection, tz: str) -> Stamps:
    """Gather the stamps of view `known`; local times are those of zone `tz`."""
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE quarters AS
        SELECT us, n, marks, seconds, epoch(timezone('{tz}', make_timestamptz(us)))::BIGINT AS local_s
        FROM (
            SELECT us - {_US_INTO_QUARTER} AS us, count(*) AS n,
                count_if(us % {QUARTER_US} = 0) AS marks, count_if(us % 60000000 <> 0) AS seconds
            FROM ({_STAMPS}) GROUP BY 1
        )
        """
    )
    found = con.execute("SELECT local_s, n, marks, seconds FROM quarters ORDER BY us").fetchnumpy()
    local_s, count, on_mark = (np.asarray(found[name], np.int64) for name in ("local_s", "n", "marks"))
    needs = {
        1.0: np.asarray(found["seconds"], np.int64).sum(),
        60.0: count.sum() - on_mark[local_s % 3600 == 0].sum(),
        3600.0: count.sum() - on_mark[local_s % 86400 == 0].sum(),
    }
    resolution_s = next((r for r, n in needs.items() if n >= FINE * count.sum()), 86400.0)
    return Stamps(local_s, count, on_mark, resolution_s)


def rounded(con: DuckDBPyConnection, stamps: Stamps) -> dict[str, Found]:
    """Stamps at midnight, and on other whole hours, where there are more of them than chance gives.

    A stamp falls on a whole hour by chance once in 3,600 (60 where the stamps are whole minutes). The EDGES
    fullest hour marks of the day don't count, and midnight is compared with the hours on both sides of it.
    """
    total = int(stamps.count.sum())
    chance = 1 / 3600 if stamps.resolution_s == 1.0 else 1 / 60
    hour = stamps.local_s // 3600 % HOURS
    on_hour = np.where(stamps.local_s % 3600 == 0, stamps.on_mark, 0)
    marks = np.bincount(hour, on_hour, HOURS)
    others = np.bincount(hour, stamps.count, HOURS)
    midnights = marks[0]
    near = others[0] + others[HOURS - 1]
    others[0] -= midnights
    marks[0] = 0.0
    on_hours = marks.sum() / max(others.sum(), 1.0)
    kept = np.argsort(-marks, kind="stable")[EDGES:]
    off_edges, off_marks = others[kept].sum(), marks[kept].sum()
    is_round = _unlikely(off_marks, off_edges, chance) and off_marks >= ROUND_SHARE * off_edges
    is_dated = _unlikely(midnights, near, max(chance, on_hours) / 2)
    return {
        "midnight": _on_marks(con, "= 0", total) if is_dated else Found(0, total),
        "whole_hours": _on_marks(con, "<> 0", total) if is_round else Found(0, total),
    }


def _unlikely(count: float, n: float, chance: float) -> bool:
    spread = np.sqrt(n * chance * (1 - chance))
    return bool(count >= FEWEST and count > n * chance + SIGMAS * spread)


def _on_marks(con: DuckDBPyConnection, second_of_day: str, of: int) -> Found:
    """Stamps on whole local hours whose second of the day is as asked for."""
    return counted(
        con,
        f"SELECT case_id, activity, us AS at_us, row, '' AS note, 1 AS weight FROM ({_STAMPS}) "
        "JOIN quarters USING (us) WHERE local_s % 3600 = 0 AND (local_s % 86400 + 86400) % 86400 "
        f"{second_of_day}",
        of,
    )


def zone_jumps(stamps: Stamps) -> Found:
    """Days from which on the same hours of the day are stamped, but all of them moved by whole hours.

    WINDOW_D days before each day are compared with as many from it on, by total variation of the shares of
    the local hours; of neighbouring days the one where moving back helps most counts.
    """
    day = stamps.local_s // 86400
    first = int(day.min())
    cells = (day - first) * HOURS + stamps.local_s // 3600 % HOURS
    days = int(day.max()) - first + 1
    by_day = np.bincount(cells, stamps.count, days * HOURS).astype(np.float64).reshape(days, HOURS)
    sums = np.vstack([np.zeros((1, HOURS)), np.cumsum(by_day, axis=0)])
    cuts = np.arange(WINDOW_D, days - WINDOW_D + 1)
    before, after = sums[cuts] - sums[cuts - WINDOW_D], sums[cuts + WINDOW_D] - sums[cuts]
    enough = np.minimum(before.sum(axis=1), after.sum(axis=1)) >= FEWEST_STAMPS
    cuts, before, after = cuts[enough], before[enough], after[enough]
    if not len(cuts):
        return Found(0, 0)
    shift, gain = _best_shifts(before, after, _dispersion(by_day))
    examples: list[Example] = []
    while (best := int(np.argmax(gain))) >= 0 and gain[best] > 0:
        at = EPOCH + timedelta(days=first + int(cuts[best]))
        examples.append(Example(at=at, note=f"{shift[best]:+d} h from this day on"))
        gain[np.abs(cuts - cuts[best]) < 2 * WINDOW_D] = 0.0
    examples.sort(key=lambda example: str(example.at))
    return Found(len(examples), len(cuts), tuple(examples[:MOST_EXAMPLES]))


def _dispersion(by_day: _Floats) -> float:
    """By how much more than by chance the hours of a day differ from the next day's: the median, at least 1.

    Chi squared by degree of freedom: stamps of one case come together, so that they count as fewer than they
    are.
    """
    first, second = by_day[:-1], by_day[1:]
    n, m = first.sum(axis=1), second.sum(axis=1)
    pairs = (n >= FEWEST_OF_DAY) & (m >= FEWEST_OF_DAY)
    first, second, n, m = first[pairs], second[pairs], n[pairs, None], m[pairs, None]
    seen = first + second
    apart = np.sqrt(m / n) * first - np.sqrt(n / m) * second
    chi2 = np.divide(apart**2, seen, out=np.zeros_like(seen), where=seen > 0).sum(axis=1)
    freedom = np.maximum((seen > 0).sum(axis=1) - 1, 1)
    return float(max(np.median(chi2 / freedom), 1.0)) if len(chi2) else 1.0


def _best_shifts(before: _Floats, after: _Floats, dispersion: float) -> tuple[_Ints, _Floats]:
    """Per cut the shift in hours that explains the change, and by how much; 0 gain where none does."""
    n_before, n_after = before.sum(axis=1, keepdims=True), after.sum(axis=1, keepdims=True)
    pooled = (before + after) / (n_before + n_after)
    # A share's difference is about normal, so its mean size is sqrt(2 / pi) of its standard deviation.
    chance = pooled * (1 / n_before + 1 / n_after) * dispersion
    noise = np.sqrt(chance).sum(axis=1) / 2 * np.sqrt(2 / np.pi)
    p, q = before / n_before, after / n_after
    moved = np.stack([np.abs(p - np.roll(q, -s, axis=1)).sum(axis=1) / 2 for s in range(HOURS)])
    best = np.argmin(np.round(moved, 9), axis=0)
    left = moved.min(axis=0)
    is_jump = (moved[0] >= np.maximum(MOVED, NOISE * noise)) & (left <= LEFT * moved[0])
    shift = np.where(best > HOURS // 2, best - HOURS, best)
    # Rounded, so that the first of equally good days is the same on any machine.
    return shift, np.where(is_jump, np.round(moved[0] - left, 9), 0.0)
