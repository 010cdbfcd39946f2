"""Every way of writing a time, in every kind of zone, against Python's own datetime and zoneinfo."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metagraph.errors import DataError
from tests.eventlogs.taking.test_timestamps import EPOCH, read

ZONES = (
    "UTC",
    "Europe/Paris",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
)
DECIDING = datetime(2024, 1, 31, 13, 45, 9)  # noqa: DTZ001 a 31st decides between the orders


def half_day(t: datetime) -> str:
    return f"{(t.hour - 1) % 12 + 1}:{t:%M:%S} {'AM' if t.hour < 12 else 'PM'}"


LOCAL: dict[str, Callable[[datetime], str]] = {
    "ISO": lambda t: t.isoformat(" "),
    "T and lower case": lambda t: t.isoformat("T").lower(),
    "no zero": lambda t: f"{t.year}-{t.month}-{t.day} {t.hour}:{t:%M:%S}",
    "blanks around": lambda t: f"  {t:%Y-%m-%d %H:%M:%S} ",
    "slashes": lambda t: t.strftime("%Y/%m/%d %H:%M:%S"),
    "dots, year first": lambda t: t.strftime("%Y.%m.%d %H:%M:%S"),
    "dots": lambda t: t.strftime("%d.%m.%Y, %H:%M:%S"),
    "American": lambda t: f"{t:%m/%d/%Y} {half_day(t)}",
    "dotted half day": lambda t: f"{t:%m/%d/%Y} {half_day(t).replace('M', '.M.').lower()}",
    "compact": lambda t: t.strftime("%Y%m%d%H%M%S"),
    "compact with T": lambda t: t.strftime("%Y%m%dT%H%M%S"),
    "day-month-year": lambda t: t.strftime("%d-%b-%Y %H:%M:%S"),
    "month in words": lambda t: f"{t:%B} {t.day}, {t.year} {half_day(t)}",
    "short month": lambda t: f"{t:%b} {t.day}, {t.year}, {half_day(t)}",
    "year, month name": lambda t: t.strftime("%Y-%b-%d %H:%M:%S"),
    "with the day": lambda t: t.strftime("%a, %d %b %Y %H:%M:%S"),
}
ZONED: dict[str, Callable[[datetime], str]] = {
    "ISO": lambda t: t.isoformat(),
    "no colon": lambda t: t.strftime("%Y-%m-%d %H:%M:%S%z"),
    "a blank": lambda t: t.strftime("%d.%m.%Y %H:%M:%S %z"),
    "RFC 2822": lambda t: t.strftime("%a, %d %b %Y %H:%M:%S %z"),
    "compact": lambda t: t.strftime("%Y%m%dT%H%M%S%z"),
    "GMT": lambda t: t.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S GMT"),
    "z": lambda t: t.astimezone(UTC).strftime("%Y-%m-%dt%H:%M:%Sz"),
}
walls = st.datetimes(datetime(1975, 1, 1), datetime(2037, 1, 1)).map(lambda t: t.replace(microsecond=0))  # noqa: DTZ001
near_changes = st.sampled_from(
    [
        datetime(2024, 3, 31, 2, 30),  # noqa: DTZ001
        datetime(2024, 10, 27, 2, 30),  # noqa: DTZ001
        datetime(2024, 3, 10, 2, 59, 59),  # noqa: DTZ001
        datetime(2024, 11, 3, 1, 0),  # noqa: DTZ001
        datetime(2024, 4, 7, 1, 45),  # noqa: DTZ001
        datetime(2024, 10, 6, 2, 15),  # noqa: DTZ001
        datetime(2024, 3, 10, 2, 30),  # noqa: DTZ001
    ]
)


@pytest.mark.parametrize("way", LOCAL)
@settings(max_examples=4)
@given(times=st.lists(walls | near_changes, min_size=1, max_size=8), name=st.sampled_from(ZONES))
def test_local_times_are_those_of_zoneinfo(way: str, times: list[datetime], name: str) -> None:
    zone = ZoneInfo(name)
    times = [*times, DECIDING]
    kind, found = read([LOCAL[way](t) for t in times], tz=name)
    # PEP 495: the offset before the change where a time is missing, the earlier instant where it comes twice.
    assert found == [t.replace(tzinfo=zone, fold=0).astimezone(UTC) for t in times]
    assert (kind.zoneless, kind.zoned) == (len(times), 0)


def whole_minutes(t: datetime, zone: tzinfo) -> datetime:
    """In the zone, if its offset can be written in hours and minutes."""
    there = t.astimezone(zone)
    offset = there.utcoffset() or timedelta(0)
    return there if offset % timedelta(minutes=1) == timedelta(0) else t


@pytest.mark.parametrize("way", ZONED)
@settings(max_examples=4)
@given(
    times=st.lists(st.tuples(walls, st.sampled_from(ZONES)), min_size=1, max_size=8),
    name=st.sampled_from(ZONES),
)
def test_a_zone_of_its_own_wins(way: str, times: list[tuple[datetime, str]], name: str) -> None:
    instants = [t.replace(tzinfo=UTC) for t, _ in times] + [DECIDING.replace(tzinfo=UTC)]
    zones = [ZoneInfo(zone) for _, zone in times] + [UTC]
    texts = [ZONED[way](whole_minutes(t, z)) for t, z in zip(instants, zones, strict=True)]
    kind, found = read(texts, tz=name)
    assert found == instants
    assert (kind.zoneless, kind.zoned) == (0, len(texts))


@pytest.mark.parametrize(
    ("texts", "given_format", "seconds"),
    [
        (["2024-01-31T13:45:00.123456789Z"], None, [0.123456]),
        (["2024-01-31T13:45:00,5", "31-Jan-2024 13:45:00,25"], None, [0.5, 0.25]),
        (["2024-01-31T24:00:00Z", "20240131T240000"], None, [36900.0] * 2),
        (["2024-01-31T23:59:60Z", "31.01.2024 23:59:60"], None, [36900.0] * 2),
        (["20240131", "20240131T1345", "20240131134500123"], None, [-49500.0, 0.0, 0.123]),
        (["20240131T134500+0100", "20240131T134500.5Z"], None, [-3600.0, 0.5]),
        (["1706708700123456789"], None, [0.123456]),
        (["45322.572916667", "45322"], "excel", [0.0, -49500.0]),
        (["45322,5"], "excel", [-6300.0]),
        (["1706708700"], "s", [0.0]),
        (["31.01.24 13:45"], "%d.%m.%y %H:%M", [0.0]),
    ],
)
def test_what_datetime_cannot_read(texts: list[str], given_format: str | None, seconds: list[float]) -> None:
    base = datetime(2024, 1, 31, 13, 45, tzinfo=UTC)
    assert read(texts, given_format)[1] == [base + timedelta(seconds=s) for s in seconds]


def test_two_clear_formats_in_one_column_are_both_read_and_told_apart() -> None:
    kind, found = read(["2024-01-30 10:00", "31/01/2024 10:00", "01/02/2024 10:00"])
    assert found == [datetime(2024, m, d, 10, tzinfo=UTC) for m, d in ((1, 30), (1, 31), (2, 1))]
    assert [(r.format.split(" (")[0], r.rows, r.decided_by) for r in kind.readings()] == [
        ("day first", 2, "1 date has a first number over 12, such as '31/01/2024 10:00'"),
        ("year first", 1, "the year comes first"),
    ]


def test_marks_are_judged_each_for_itself() -> None:
    _, found = read(["31/01/2024", "02/01/2024", "01-31-2024", "02-01-2024"])
    assert found == [datetime(2024, m, d, tzinfo=UTC) for m, d in ((1, 31), (1, 2), (1, 31), (2, 1))]


def test_a_number_among_dates_is_no_time() -> None:
    assert read(["2024-01-31", "1706708700"])[1] == [datetime(2024, 1, 31, tzinfo=UTC), None]


def test_what_could_be_anything_is_asked_for() -> None:
    for text in ("31.01.24", "31-Jan-24 10:00", "45322", "soon", "202401311345", "13:45"):
        with pytest.raises(DataError, match=r"column 'when'.*--time-format"):
            read([text])


@settings(max_examples=40)
@given(st.integers(0, 2**62).map(lambda us: EPOCH + timedelta(microseconds=us % (7 * 10**15))))
def test_iso_of_any_instant(instant: datetime) -> None:
    assert read([instant.isoformat()])[1] == [instant]
