"""Times as people write them on a command line: 15m, 1h, 90s, 1h30m."""

from __future__ import annotations

import re

from metagraph.errors import UsageError

_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "min": 60.0, "s": 1.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(min|[dhms])", re.IGNORECASE)
LONGEST_S = 100 * 366 * 86400.0


def seconds_of(text: str, option: str) -> float:
    """Seconds of a time such as 15m, 1h30m, 90s, 2d; above 0 and at most 100 years.

    Raises UsageError naming the option.
    """
    rest, total = text.strip(), 0.0
    while rest:
        part = _PART.match(rest)
        if part is None:
            raise _refused(text, option)
        total += float(part[1]) * _UNITS[part[2].lower()]
        rest = rest[part.end() :].lstrip()
    if not 0 < total <= LONGEST_S:
        raise _refused(text, option)
    return total


def _refused(text: str, option: str) -> UsageError:
    return UsageError(
        f"{option} {text}: expected a time above 0 with its unit, e.g. 15m, 1h, 1h30m, 90s or 2d"
    )
