"""Weekly hours as people write them: 'Mon-Fri 08:00-12:00, 13:00-17:00; Sat 06:00-12:00'."""

from __future__ import annotations

import re

from metagraph.calendars import ALWAYS

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_GROUP = re.compile(r"([A-Za-z]{3})[a-z]*(?:\s*[-–]\s*([A-Za-z]{3})[a-z]*)?\s+(.+)")
_SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})")
EXPECTED = "expected hours such as 'Mon-Fri 08:00-12:00, 13:00-17:00; Sat 06:00-12:00', or 'always'"


def parse_hours(text: str) -> tuple[tuple[float, float], ...]:
    """Intervals in seconds since Monday 00:00, ascending and disjoint; touching ones are joined.

    A span that ends at or before its start runs past midnight. Raises ValueError with a sentence.
    """
    if text.strip().lower() == "always":
        return ALWAYS
    spans: list[tuple[float, float]] = []
    for group in filter(str.strip, text.split(";")):
        found = _GROUP.fullmatch(group.strip())
        if found is None:
            raise ValueError(f"{group.strip()!r} is not understood; {EXPECTED}")
        for day in _days(found[1], found[2] or found[1]):
            for span in found[3].split(","):
                spans += _wrapped(day, *_span(span.strip()))
    if not spans:
        raise ValueError(f"no hours in {text!r}; {EXPECTED}")
    return _joined(sorted(spans))


def _days(first: str, last: str) -> list[int]:
    for name in (first, last):
        if name.lower() not in DAYS:
            raise ValueError(f"{name!r} is no day of the week; {EXPECTED}")
    a, b = DAYS.index(first.lower()), DAYS.index(last.lower())
    return list(range(a, b + 1)) if a <= b else [*range(a, 7), *range(b + 1)]


def _span(text: str) -> tuple[float, float]:
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no span of hours; {EXPECTED}")
    h0, m0, h1, m1 = (int(part) for part in found.groups())
    start, end = 60.0 * (60 * h0 + m0), 60.0 * (60 * h1 + m1)
    if max(m0, m1) > 59 or start >= 86400 or end > 86400:
        raise ValueError(f"{text!r} is outside 00:00-24:00; {EXPECTED}")
    return start, end if end > start else end + 86400


def _wrapped(day: int, start: float, end: float) -> list[tuple[float, float]]:
    """A span in seconds of the week; Sunday night goes on in Monday morning."""
    week = 7 * 86400.0
    a, b = day * 86400.0 + start, day * 86400.0 + end
    return [(a, b)] if b <= week else [(a, week), (0.0, b - week)]


def _joined(spans: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    out = [spans[0]]
    for start, end in spans[1:]:
        if start <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((start, end))
    return tuple(out)
