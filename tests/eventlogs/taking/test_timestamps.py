"""Every way to write a time that is known gives back the instant it was written from."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventlogs.taking.timestamps import TimeFormat, detect_formats, find_zone_of, instant
from metagraph.errors import DataError, UsageError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def read(
    texts: list[str], given_format: str | None = None, tz: str = "UTC"
) -> tuple[TimeFormat, list[datetime | None]]:
    rows = pa.table({"row": range(1, len(texts) + 1), "v": texts})
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.register("t", rows)
        formats = detect_formats(con, "t", {"v": "when"}, "log.csv", given_format)
        kind, zone = formats["v"], find_zone_of(con, "t", formats, tz)
        walls = f"SELECT row, {kind.wall('v')} AS wall, {kind.is_local('v')} AS is_local FROM t"
        found = con.execute(
            f"SELECT {instant('wall', 'is_local', zone)} FROM ({walls}) ORDER BY row"
        ).fetchall()
    return kind, [None if us is None else EPOCH + timedelta(microseconds=us) for (us,) in found]


WAYS: dict[str, Callable[[datetime], str]] = {
    "ISO with Z": lambda t: t.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    "ISO with offset": lambda t: t.astimezone(BERLIN).isoformat(),
    "compact offset": lambda t: t.astimezone(BERLIN).strftime("%Y-%m-%d %H:%M:%S.%f%z"),
    "offset after a space": lambda t: t.astimezone(BERLIN).strftime("%Y-%m-%d %H:%M:%S.%f %z"),
    "no zone": lambda t: t.strftime("%Y-%m-%d %H:%M:%S.%f"),
    "word UTC": lambda t: t.strftime("%Y-%m-%d %H:%M:%S.%f UTC"),
    "comma fraction": lambda t: t.strftime("%Y-%m-%d %H:%M:%S,%f"),
    "slashes": lambda t: t.strftime("%Y/%m/%d %H:%M:%S.%f"),
    "dots": lambda t: t.strftime("%d.%m.%Y %H:%M:%S.%f"),
    "short dots": lambda t: f"{t.day}.{t.month}.{t.year} {t.hour}:{t:%M:%S.%f}",
    "day first": lambda t: t.strftime("%d/%m/%Y %H:%M:%S.%f"),
    "month first": lambda t: t.strftime("%m/%d/%Y %H:%M:%S.%f"),
    "dashes, day first": lambda t: t.strftime("%d-%m-%YT%H:%M:%S.%f"),
    "microseconds": lambda t: str((t - EPOCH) // timedelta(microseconds=1)),
    "seconds": lambda t: f"{(t - EPOCH) // timedelta(seconds=1)}.{t:%f}",
}
instants = st.integers(10**15, 2 * 10**15).map(lambda us: EPOCH + timedelta(microseconds=us))


@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=6)
@given(times=st.lists(instants, min_size=1, max_size=8))
def test_written_instants_read_back(way: str, times: list[datetime]) -> None:
    times = [*times, datetime(2024, 1, 31, 13, 45, 9, 7, tzinfo=UTC)]  # the 31st decides between the orders
    kind, found = read([WAYS[way](t) for t in times])
    assert found == times
    zoned = way in ("ISO with Z", "word UTC", "microseconds", "seconds") or "offset" in way
    assert kind.zoneless == (0 if zoned else len(times))


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["2024-01-31", "2024-01-31 13:45", "2024-01-31T13:45:30Z"], [(0, 0, 0), (13, 45, 0), (13, 45, 30)]),
        (["1/31/2024 1:05 PM", "1/31/2024 12:00 AM", "1/31/2024"], [(13, 5, 0), (0, 0, 0), (0, 0, 0)]),
        (["31.01.2024 01:05:09 pm", "31.01.2024 11:05:09am"], [(13, 5, 9), (11, 5, 9)]),
        (["1706708700", "1706708730"], [(13, 45, 0), (13, 45, 30)]),
        (["1706708700000", "1706708730000"], [(13, 45, 0), (13, 45, 30)]),
    ],
)
def test_shorter_ways(texts: list[str], expected: list[tuple[int, int, int]]) -> None:
    assert read(texts)[1] == [datetime(2024, 1, 31, h, m, s, tzinfo=UTC) for h, m, s in expected]


def test_what_is_not_of_the_columns_format_is_not_read() -> None:
    odd = ["infinity", "epoch", "2024-02-30", "2024-13-01", "1706708700", "now", "", " ", "31.01.24"]
    odd += ["2024-01-31T13:45:00+25:00", "2024-01-31 13:60", "2024-01-31 23:58:60", "2024-01-31 13:45 PM"]
    odd += ["2024-01-31 (BC)", "2024-01-31 10:00 Europe/Paris", "-2024-01-31", "2024-01-31 25:00", "20240132"]
    _, found = read(["2024-01-31", "2024-02-01", "2024-02-02", *odd])
    assert found[3:] == [None] * len(odd)


def test_a_zone_given_for_stamps_without_one() -> None:
    for pattern in ("%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p"):
        local = [datetime(2024, month, 15, 12, tzinfo=BERLIN) for month in range(1, 13)]
        for given_format in (None, pattern):
            assert read([t.strftime(pattern) for t in local], given_format, "Europe/Berlin")[1] == local
    mixed = read(["2024-07-01T12:00:00", "2024-07-01T12:00:00Z"], tz="Europe/Berlin")[1]
    assert mixed == [datetime(2024, 7, 1, 10, tzinfo=UTC), datetime(2024, 7, 1, 12, tzinfo=UTC)]


def test_an_undecided_order_is_asked_for() -> None:
    texts = ["03/04/2024 10:00", "05/06/2024 10:00"]
    with pytest.raises(DataError, match=r"log.csv: column 'when' .* --time-format dmy or --time-format mdy"):
        read(texts)
    assert read(texts, "dmy")[1][0] == datetime(2024, 4, 3, 10, tzinfo=UTC)
    assert read(texts, "mdy")[1][0] == datetime(2024, 3, 4, 10, tzinfo=UTC)
    with pytest.raises(DataError, match="mixes day-first and month-first"):
        read(["31/01/2024", "01/31/2024"])


def test_patterns_by_hand() -> None:
    with pytest.raises(DataError, match=r"no time this program knows \(row 2 has 'soon'\)"):
        read(["", "soon"])
    with pytest.raises(DataError, match=r"years of two digits \(row 2 has '31-Jan-24'\).*--time-format"):
        read(["", "31-Jan-24"])
    with pytest.raises(DataError, match=r"days of a spreadsheet, say --time-format excel"):
        read(["45322.5"])
    assert read(["31-Jan-24"], "%d-%b-%y")[1] == [datetime(2024, 1, 31, tzinfo=UTC)]
    assert read(["31-Jan-24 10:00 +0200"], "%d-%b-%y %H:%M %z")[1] == [datetime(2024, 1, 31, 8, tzinfo=UTC)]
    with pytest.raises(UsageError, match="neither one of"):
        read(["2024-01-31"], "european")
