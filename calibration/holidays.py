"""Days on which hardly anybody worked though their weekday is worked, and whose public holidays they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from calibration.local_time import Floats, LocalTime, log_time
from calibration.settings import Settings
from eventlogs.bounds import case_bounds
from eventlogs.snapshot import Snapshot
from metagraph.model import Default

Ints = NDArray[np.int64]

EXPECTED = 10.0
"""Starts and ends that the same weekday must show around a day: without any, chance is e^-10."""
HARDLY = 0.1
"""A free day has at most this share of them."""
AROUND = 4
"""So many weeks before and after tell what is expected."""
OFTEN = 0.2
"""Of a weekday that is empty more often no day is a holiday: it is an irregular weekday."""
SELDOM = 0.5
"""A weekday with less of the work than this share of the week's busiest half is not one on which people work:
no day of it is a holiday."""
MATCHED = 4
"""Free days that a country's holidays must explain."""
DISTINCT = 2
"""Differently named holidays, and closures, that those must come from: one closed week tells no country."""
APART = 4
"""Free days so many days apart belong to two closures: more than over a weekend."""
EXPLAINED = 0.6
"""And this share of all free days."""
CLEARLY = 1
"""A country's matched days less its worked holidays must be more than any other's by so much: neighbours
share most of their holidays."""
WORKED = 0.2
"""Of a country's holidays on ordinary working days at most this share may have been worked."""
AHEAD_YEARS = 2
"""Holidays of the country are put into calendars for so many years after the log."""
NONE = "none"


@dataclass(frozen=True, slots=True)
class Holidays:
    """What the log says of holidays."""

    free: tuple[date, ...] = ()
    """Days of the log, in its time zone, on which hardly anybody worked."""
    country: str = ""
    """ISO 3166 code of the country whose holidays they are; empty where that can't be told."""
    coming: tuple[date, ...] = ()
    """The country's holidays from the end of the log on."""
    past: tuple[date, ...] = ()
    """Those before it, worked or not."""
    words: str = ""
    assumed: Default | None = None

    @property
    def dates(self) -> tuple[date, ...]:
        """All days that are known to be or have been unlike others, ascending."""
        return tuple(sorted({*self.free, *self.past, *self.coming}))

    def days(self, origin: datetime) -> Ints:
        """The free days, counted from the date of the log's origin."""
        return np.array([(day - origin.date()).days for day in self.free], np.int64)


def holidays_of(snapshot: Snapshot, settings: Settings) -> Holidays:
    """What the log says of holidays, in the zone and of the country of the settings."""
    return find_holidays(snapshot, log_time(snapshot, settings.time_zone), settings.holidays)


def find_holidays(snapshot: Snapshot, local: LocalTime, wanted: str | None) -> Holidays:
    """The free days of a log and the country they point to.

    `wanted`: a country's code, or "none" for no assumption, or None: the country whose holidays explain at
    least MATCHED and EXPLAINED of the free days with at most WORKED of its holidays worked, and CLEARLY
    more than every other country's. Raises DataError for a code that the package holidays doesn't know.
    """
    ended = snapshot.end_s[~np.isnan(snapshot.end_s)]
    stamps = local.of(np.concatenate((snapshot.start_s, ended)))
    if not len(stamps):
        return Holidays()
    days = np.floor(stamps / 86400.0).astype(np.int64)
    first = int(days.min())
    counts = np.bincount(days - first)
    expected = usual_counts(counts)
    origin = snapshot.origin.date()
    # After the last case has come people are idle for want of work.
    came = local.of(case_bounds(snapshot)[0].max(keepdims=True))
    last_came = int(came[0] // 86400.0) - first
    free = tuple(
        origin + timedelta(days=first + int(d)) for d in free_days(counts, expected) if d <= last_came
    )
    whole = np.flatnonzero(expected[:-1] >= EXPECTED)
    usual = tuple(origin + timedelta(days=first + int(d)) for d in whole if d)
    country, why = (wanted, "as the settings say") if wanted else _country(free, usual)
    words = ", ".join(f"{day:%Y-%m-%d}" for day in free[:12]) + (" and more" if len(free) > 12 else "")
    if not country or country == NONE:
        return Holidays(free, words=words)
    last = origin + timedelta(days=first + len(counts))
    known = _public(country, min(usual, default=last).year, last.year + AHEAD_YEARS)
    coming = tuple(day for day in known if last <= day)
    past = tuple(day for day in known if day in usual)
    assumed = Default("calendars", "which holidays are to come", f"public holidays of {country}: {why}")
    return Holidays(free, country, coming, past, words, assumed)


def usual_counts(counts: Ints) -> Floats:
    """The median of the same weekday AROUND weeks before and after each day, without the day itself."""
    padded = np.full((2 * AROUND, len(counts)), np.nan)
    shifts = [7 * k for k in range(-AROUND, AROUND + 1) if k]
    for row, shift in enumerate(shifts):
        lo, hi = max(0, -shift), min(len(counts), len(counts) - shift)
        if lo < hi:
            padded[row, lo:hi] = counts[lo + shift : hi + shift]
    known = ~np.isnan(padded).all(axis=0)
    found = np.zeros(len(counts))
    found[known] = np.nanmedian(padded[:, known], axis=0)
    return found


def free_days(counts: Ints, expected: Floats) -> Ints:
    """The days with at most HARDLY of what is expected, on weekdays on which people work.

    Neither the first and the last day, which aren't whole, nor idle days before work has come up to what is
    usual or after the last day on which it had: there the log itself begins and ends.
    """
    low = (expected >= EXPECTED) & (counts <= HARDLY * expected)
    usual = np.flatnonzero(counts >= np.maximum(expected, EXPECTED) * SELDOM)
    low[: usual[0] + 1 if len(usual) else None] = False
    low[usual[-1] if len(usual) else 0 :] = False
    per_day = [np.median(counts[weekday::7]) if len(counts) > weekday else 0.0 for weekday in range(7)]
    for weekday in range(7):
        mine = np.arange(len(counts)) % 7 == weekday
        seldom = per_day[weekday] < SELDOM * float(np.median(sorted(per_day)[3:]))
        if seldom or low[mine].sum() > max(1.0, OFTEN * mine.sum()):
            low &= ~mine
    return np.flatnonzero(low)


def _country(free: tuple[date, ...], usual: tuple[date, ...]) -> tuple[str, str]:
    """The country that explains the free days better than every other, and how well."""
    if len(free) < MATCHED:
        return "", ""
    import holidays

    years = range(min(usual).year, max(usual).year + 1)
    scores: list[tuple[int, int, str]] = []
    telling: set[str] = set()
    for code in sorted(code for code in holidays.list_supported_countries() if len(code) == 2):
        named = _public(code, years[0], years[-1])
        off = named.keys() & set(usual)
        both = off & set(free)
        matched = len(both)
        worked = len(off) - matched
        scores.append((matched - worked, matched, code))
        if min(len({named[day] for day in both}), _closures(both)) >= DISTINCT:
            telling.add(code)
    scores.sort(reverse=True)
    best, matched, code = scores[0]
    worked = matched - best
    enough = code in telling and matched >= max(MATCHED, EXPLAINED * len(free))
    if not enough or worked > WORKED * (matched + worked):
        return "", ""
    if best < scores[1][0] + CLEARLY:
        return "", ""
    return code, f"{matched} of the {len(free)} days on which hardly anybody worked are among them"


def _closures(days: set[date]) -> int:
    """How many stretches the days make."""
    ordered = sorted(days)
    return sum((b - a).days >= APART for a, b in pairwise(ordered)) + bool(ordered)


@cache
def _public(code: str, first_year: int, last_year: int) -> dict[date, str]:
    """Public holidays of a country, ascending, with their names."""
    import holidays

    from metagraph.errors import DataError

    try:
        found = holidays.country_holidays(code, years=range(first_year, last_year + 1))
    except NotImplementedError:
        raise DataError(
            f"holidays of {code!r} aren't known: give the two-letter code of a country, such as AT, or 'none'"
        ) from None
    return dict(sorted(found.items()))
