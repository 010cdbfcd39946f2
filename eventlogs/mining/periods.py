"""Hours, days, weeks and months on the clock of a zone, as intervals between instants."""

from __future__ import annotations

from zoneinfo import ZoneInfo, available_timezones

from duckdb import DuckDBPyConnection

from eventlogs.mining.selection import LAST_US, Selection
from metagraph.errors import UsageError

PERIODS = ("hour", "day", "week", "month")
_SHORTEST_S = {"hour": 3600, "day": 86_400, "week": 604_800, "month": 28 * 86_400}
MOST_PERIODS = 1_000_000


def periods(by: str) -> str:
    """Step `periods`: every one from a log's first instant to its last: local (its start by the clock of
    $zone), from_us and to_us, which is the next one's from_us.

    A day of a change of clocks has 23 or 25 hours; an hour that the clock skips is absent, one that it
    repeats is one period of two hours.
    """
    return (
        "span AS (SELECT make_timestamp(min(start_us)) AT TIME ZONE 'UTC' AT TIME ZONE $zone AS first, "
        f"make_timestamp(max({LAST_US})) AT TIME ZONE 'UTC' AT TIME ZONE $zone AS last FROM executions), "
        f"clock AS (SELECT unnest(generate_series(date_trunc('{by}', first), date_trunc('{by}', last) + "
        f"INTERVAL 1 {by}, INTERVAL 1 {by})) AS local FROM span), "
        "periods AS (SELECT local, from_us, to_us FROM (SELECT local, epoch_us(local AT TIME ZONE $zone) AS "
        "from_us, lead(epoch_us(local AT TIME ZONE $zone)) OVER (ORDER BY local) AS to_us FROM clock) "
        "WHERE to_us > from_us)"
    )


def instant(us: str) -> str:
    """Microseconds since 1970 as an instant."""
    return f"make_timestamp({us}) AT TIME ZONE 'UTC'"


def check_periods(con: DuckDBPyConnection, selection: Selection, by: str) -> None:
    """Raise UsageError where a log has more than a million of them: it holds a stray date."""
    span = selection.ask(con, f"SELECT max({LAST_US}) - min(start_us) AS us FROM executions")
    length_s = (span["us"][0].as_py() or 0) / 1e6
    if length_s / _SHORTEST_S[by] > MOST_PERIODS:
        raise UsageError(
            f"by {by!r}: the log spans {length_s / 31_557_600:,.0f} years, too many to count by the {by}; "
            "choose week or month, or a window"
        )


def check_zone(zone: str) -> None:
    """Raise UsageError for a name that is no time zone."""
    if zone not in available_timezones():
        raise UsageError(f"zone {zone!r} is no time zone; give an IANA name such as Europe/Berlin")
    ZoneInfo(zone)
