"""Times that can be read in several ways, or in none."""

from __future__ import annotations

from collections.abc import Sequence

from tests.nasty.outcome import Nasty, Refused, Right, Row

DMY, MDY = "--time-format dmy", "--time-format mdy"


def _stamps(*stamps: str) -> bytes:
    """A log of one time an event; a case of activities A, B, C, …"""
    rows = "".join(f"1,{chr(65 + i)},{stamp}\n" for i, stamp in enumerate(stamps))
    return ("case_id,activity,timestamp\n" + rows).encode()


def _rows(stamps: Sequence[str]) -> tuple[Row, ...]:
    return tuple(("1", chr(65 + i), None, stamp, stamp) for i, stamp in enumerate(stamps))


def _right(*stamps: str, says: str = "", quarantined: int = 0) -> Right:
    return Right(_rows(stamps), says=says, quarantined=quarantined)


MORNING = "2024-03-13T08:00:00Z"
FILES = (
    Nasty(
        "ambiguous_days.csv",
        _stamps('"03/04/2024 08:00"', '"05/04/2024 09:00"'),
        Refused(f"(?s){DMY}.*{MDY}|{MDY}.*{DMY}"),
        "March or April?",
    ),
    Nasty(
        "day_first.csv",
        _stamps("12/03/2024 08:00", "13/03/2024 08:00"),
        _right("2024-03-12T08:00:00Z", MORNING),
        "a 13 far down decides",
    ),
    Nasty(
        "month_first.csv",
        _stamps("03/12/2024 08:00 AM", "03/13/2024 08:00 PM"),
        _right("2024-03-12T08:00:00Z", "2024-03-13T20:00:00Z"),
        "a 13 in second place decides",
    ),
    Nasty(
        "told_order.csv",
        _stamps("03/04/2024 08:00"),
        _right("2024-04-03T08:00:00Z"),
        "ambiguous, but the user says",
        {"time_format": "dmy"},
    ),
    Nasty(
        "both_orders.csv",
        _stamps("13/03/2024 08:00", "03/14/2024 08:00"),
        Refused("timestamp"),
        "day first here, month first there",
    ),
    Nasty(
        "two_formats.csv",
        _stamps("2024-03-12 08:00:00", "13.03.2024 08:00"),
        _right("2024-03-12T08:00:00Z", MORNING, says="two formats|formats"),
        "two formats in one column, each of them clear",
    ),
    Nasty(
        "no_zone.csv",
        _stamps("2024-03-13 08:00:00"),
        _right(MORNING, says="UTC"),
        "local time of nobody knows where",
    ),
    Nasty(
        "zone_told.csv",
        _stamps("2024-03-13 08:00:00", "2024-07-13 08:00:00"),
        _right("2024-03-13T07:00:00Z", "2024-07-13T06:00:00Z", says="Europe/Paris"),
        "local time of Paris, winter and summer",
        {"tz": "Europe/Paris"},
    ),
    Nasty(
        "some_zones.csv",
        _stamps("2024-03-13 08:00:00", "2024-03-13T10:00:00+01:00"),
        _right(MORNING, "2024-03-13T09:00:00Z", says="1 stamp"),
        "one stamp with a zone, one without",
    ),
    Nasty(
        "summer_gap.csv",
        _stamps("2024-03-31 01:30:00", "2024-03-31 02:30:00", "2024-03-31 03:30:00"),
        _right(
            "2024-03-31T00:30:00Z",
            "2024-03-31T01:30:00Z",
            "2024-03-31T01:30:00Z",
            says="(?i)1 .*(exist|skip)",
        ),
        "02:30 doesn't exist on the night when summer time begins",
        {"tz": "Europe/Paris"},
    ),
    Nasty(
        "winter_overlap.csv",
        _stamps("2024-10-27 02:30:00"),
        _right("2024-10-27T00:30:00Z", says="(?i)1 .*twice"),
        "02:30 comes twice on the night when summer time ends",
        {"tz": "Europe/Paris"},
    ),
    Nasty("seconds.csv", _stamps("1710316800"), _right(MORNING), "seconds since 1970"),
    Nasty("milliseconds.csv", _stamps("1710316800000"), _right(MORNING), "milliseconds since 1970"),
    Nasty(
        "nanoseconds.csv",
        _stamps("2024-03-13T08:00:00.123456789Z"),
        _right("2024-03-13T08:00:00.123456Z"),
        "more digits than are kept",
    ),
    Nasty("excel_days.csv", _stamps("45364.333", "45365.5"), Refused("--time-format"), "days since 1899"),
    Nasty("two_digit_years.csv", _stamps("13.03.24 08:00"), Refused("--time-format"), "which century?"),
    Nasty(
        "no_such_day.csv",
        _stamps("2024-02-28T08:00:00Z", "2024-02-30T08:00:00Z"),
        Refused(r"line 3: '2024-02-30T08:00:00Z'"),
        "30 February",
    ),
    Nasty(
        "no_such_day_aside.csv",
        _stamps("2024-02-28T08:00:00Z", "2024-02-30T08:00:00Z"),
        _right("2024-02-28T08:00:00Z", quarantined=1),
        "30 February, to be set aside",
        {"on_bad_rows": "quarantine"},
    ),
    Nasty(
        "words_for_times.csv",
        _stamps("yesterday", "soon"),
        Refused("'timestamp'"),
        "words in place of times",
    ),
    Nasty(
        "year_9999.csv",
        _stamps("2024-03-13T08:00:00Z", "9999-12-31T23:59:59Z"),
        Refused("line 3"),
        "'never', as some systems write it",
    ),
    Nasty(
        "year_1.csv",
        _stamps("0001-01-01T00:00:00Z", "2024-03-13T08:00:00Z"),
        Refused("line 2"),
        "'not yet', as others write it",
    ),
    Nasty(
        "no_such_zone.csv",
        _stamps("2024-03-13 08:00"),
        Refused("Mars"),
        "a zone of another planet",
        {"tz": "Mars/Olympus"},
    ),
)
