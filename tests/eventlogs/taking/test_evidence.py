"""What the whole file says of days and months, of zones, of amounts and of cases; and what is asked for."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from eventlogs.historian import Historian
from eventlogs.report import ImportReport
from eventlogs.taking.columns import guess_mapping, parse_map, settle_mapping
from eventlogs.taking.decimals import find_sign, plain_number
from eventlogs.taking.looking import LookOptions, look
from metagraph.errors import DataError, UsageError
from tests.eventlogs.logs import lines

PAIR = "case_id,activity,start_time,end_time"
ONE = "case_id,activity,timestamp"


def taken(path: Path, *rows: str, **options: str) -> tuple[ImportReport, dict[str, tuple[str | None, ...]]]:
    with Historian(":memory:") as historian:
        report = historian.import_log(lines(path / "log.csv", *rows), "log", **options)  # type: ignore[arg-type]
        assert ImportReport.from_json(report.to_json()) == report
        return report, dict(historian.snapshot("log", open_cases=()).attributes)


def test_ends_before_starts_tell_days_from_months(tmp_path: Path) -> None:
    report, _ = taken(tmp_path, PAIR, "1,A,03/04/2024 08:00,01/05/2024 08:00")
    assert report.first == datetime(2024, 4, 3, 8, tzinfo=UTC)
    assert report.time_formats["start_time"][0].decided_by == (
        "read month first, 1 of the ends would lie before the starts"
    )
    assert (
        "Column 'start_time' was read day first (31.01.2024 13:45): read month first, 1 of the ends"
        in " ".join(report.sentences())
    )
    report, _ = taken(tmp_path, PAIR, "1,A,04/03/2024 08:00,05/01/2024 08:00")
    assert report.first == datetime(2024, 4, 3, 8, tzinfo=UTC)


def test_the_order_of_rows_in_their_cases_tells_days_from_months(tmp_path: Path) -> None:
    # Month first the cases would go back five times; one of another case below keeps the table unsorted.
    days = ("01/02", "02/02", "01/03", "03/03", "01/04", "02/04", "01/05", "04/05", "01/06", "02/06", "01/07")
    rows = [f"1,A,{day}/2024 08:00" for day in days]
    report, _ = taken(tmp_path, ONE, *rows, "2,A,01/02/2024 09:00")
    assert report.last == datetime(2024, 7, 1, 8, tzinfo=UTC)
    assert report.time_formats["timestamp"][0].decided_by == (
        "read month first, 5 rows would lie before the row above in their case"
    )
    by_text = [f"1,A,{day:02d}/{month:02d}/2024" for day in range(1, 7) for month in (2, 3)]
    for undecided in (rows[:6], [*rows, *rows[:1]], by_text):
        with pytest.raises(DataError, match="--time-format dmy or --time-format mdy"):
            taken(tmp_path, ONE, *undecided)


def test_the_other_column_decides_where_one_does_not(tmp_path: Path) -> None:
    report, _ = taken(tmp_path, PAIR, "1,A,03/04/2024 08:00,13/04/2024 08:00")
    assert report.first == datetime(2024, 4, 3, 8, tzinfo=UTC)


def test_clock_changes_are_counted_and_speak_against_a_zone(tmp_path: Path) -> None:
    rows = [f"1,A,2024-03-31 02:{m}:00" for m in (10, 20, 59)] + ["1,B,2024-03-31 03:00:00"]
    report, _ = taken(
        tmp_path, ONE, *rows, "1,C,2024-10-27 02:00:00", "1,D,2024-10-27 03:00:00", tz="Europe/Paris"
    )
    assert (report.missing_stamps, report.double_stamps) == (3, 1)
    said = " ".join(report.sentences())
    assert "3 stamps in 'timestamp' can't exist in Europe/Paris" in said
    assert (
        "(such as '2024-03-31 02:10:00'); read as if they had not yet; so many speak against this zone."
        in said
    )
    assert "1 stamp in 'timestamp' came twice in Europe/Paris" in said
    assert not report.tz_assumed
    report, _ = taken(tmp_path, ONE, *rows)
    assert (report.tz_assumed, report.missing_stamps, report.tz) == (True, 0, "UTC")
    assert (
        "4 stamps without a time zone: they were read as UTC, which nobody has confirmed; say 'import take"
        in " ".join(report.sentences())
    )


def test_reports_of_older_versions_still_load(tmp_path: Path) -> None:
    report, _ = taken(tmp_path, ONE, "1,A,2024-03-31")
    old = json.loads(report.to_json())
    for name in (
        "tz_assumed",
        "zoned_stamps",
        "missing_stamps",
        "double_stamps",
        "aborted",
        "paused",
        "left_suspended",
        "ignored",
    ):
        del old[name]
    old["time_formats"] = {"timestamp": "year first"}
    read = ImportReport.from_json(json.dumps(old))
    assert [r.format for r in read.time_formats["timestamp"]] == ["year first"]
    assert replace(read, time_formats=report.time_formats) == replace(report, tz_assumed=False)
    assert not any("'timestamp'" in sentence for sentence in read.sentences())


def test_years_that_no_log_is_from_are_bad_rows(tmp_path: Path) -> None:
    rows = (
        "1,A,1899-12-31T23:59:59Z",
        "1,B,1900-01-01",
        "1,C,2199-12-31T23:59:59Z",
        "1,D,2200-01-01",
        "1,E,9999-01-01",
    )
    report, _ = taken(tmp_path, ONE, *rows, on_bad_rows="quarantine")
    reason = "time is absurd: column 'timestamp' should hold years from 1900 to 2199"
    assert report.quarantined == {reason: 3}
    with pytest.raises(DataError, match=r"line 2: '1899.* 1900 to 2199 \(the first of 3 rows"):
        taken(tmp_path, ONE, *rows)


def test_case_attributes_are_known_from_the_first_event(tmp_path: Path) -> None:
    rows = (
        "1,A,2024-03-04,gold,,x",
        "1,B,2024-03-05,,late,x",
        "2,A,2024-03-04,tin,soon,",
        "2,B,2024-03-05,tin,,y",
    )
    report, attributes = taken(tmp_path, f"{ONE},kind,mood,tint", *rows)
    assert report.case_attributes == ("kind",)
    assert report.event_attributes == ("mood", "tint")
    assert attributes == {"kind": ("gold", "tin")}


def test_what_describes_a_case_is_only_suggested() -> None:
    columns = ["case_id", "activity", "end_time", "due date", "amount", "Segment", "category"]
    guess = guess_mapping(columns)
    assert {role: guess.columns[role] for role in ("class", "segment", "due", "value")} == {
        "class": "category",
        "segment": "Segment",
        "due": "due date",
        "value": "amount",
    }
    assert settle_mapping("f", columns)[0].of_case == {}
    mapping, _ = settle_mapping("f", columns, parse_map("due=due date,value=amount"))
    assert mapping.of_case == {"due": "due date", "value": "amount"}
    assert "amount" not in mapping.used()


def test_dates_and_amounts_of_cases_are_kept_in_one_form(tmp_path: Path) -> None:
    rows = (
        '1,A,2024-03-04,31.03.2024,"1.234,50 €"',
        "2,A,2024-03-04,soon,EUR -7",
        "3,A,2024-03-04,1.4.2024,n/a",
    )
    with Historian(":memory:") as historian:
        report = historian.import_log(
            lines(tmp_path / "log.csv", f"{ONE},until,worth", *rows),
            "log",
            {"due": "until", "value": "worth"},
        )
        found = historian.snapshot("log", open_cases=()).attributes
    assert found["until"] == ("2024-03-31T00:00:00Z", None, "2024-04-01T00:00:00Z")
    assert found["worth"] == ("1234.50", "-7", None)
    assert "1 case has no number in column 'worth' that can be read, such as 'n/a'" in " ".join(report.notes)
    assert report.mapping["due"] == "until"


def amounts(texts: list[str], sign: str | None = None) -> list[str | None]:
    table = pa.table({"row": range(len(texts)), "v": texts})
    with duckdb.connect() as con:
        con.register("t", table)
        found = find_sign(con, "t", "v", "worth", "log.csv", sign)
        return [
            v for (v,) in con.execute(f"SELECT {plain_number('v', found)} FROM t ORDER BY row").fetchall()
        ]


@settings(max_examples=40)
@given(
    st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=6),
    st.sampled_from([",.", ".,", "' .", " ,"]),
    st.sampled_from(["{}", "€ {}", "{} EUR", "US$ {}"]),
)
def test_amounts_are_read_as_they_were_written(cents: list[int], marks: str, around: str) -> None:
    thousands, decimal = marks[0], marks[-1]
    plain = [f"{n / 100:.2f}" for n in cents]
    texts = [
        around.format(f"{n / 100:,.2f}".replace(",", "#").replace(".", decimal).replace("#", thousands))
        for n in cents
    ]
    assert amounts(texts) == [p if float(p) else p.lstrip("-") for p in plain]


def test_amounts_that_do_not_tell_are_asked_for() -> None:
    with pytest.raises(DataError, match=r"column 'worth' .*'1\.234'.*--decimal , or --decimal \."):
        amounts(["1.234", "17"])
    assert amounts(["1.234", "17"], ",") == ["1234", "17"]
    assert amounts(["1.234", "17"], ".") == ["1.234", "17"]
    assert amounts(["1.234", "0.5"]) == ["1.234", "0.5"]
    assert amounts(["1.234", "1.234.567"]) == ["1234", "1234567"]
    with pytest.raises(DataError, match=r"decimal comma \('1,5'\) and some with a decimal point \('2\.5'\)"):
        amounts(["1,5", "2.5"])
    with pytest.raises(UsageError, match="--decimal ';'"):
        amounts(["1"], ";")
    assert amounts(["1.5e3", "-12-", "12-", "1.2.3", "", "12 34 x9", "(5)"]) == [
        "1.5e3",
        *(["-12"] * 2),
        *([None] * 4),
    ]


def test_one_is_said_of_one_and_thousands_are_told_apart(tmp_path: Path) -> None:
    report, _ = taken(tmp_path, ONE, "1,A,2024-03-31")
    one = " ".join(replace(report, running=1, missing_resources=1, duplicates=1, aborted=1).sentences())
    assert "1 row read: 1 kept as 1 task execution of 1 case, 0 ignored, 0 quarantined." in one
    assert "1 execution has no end; it was taken to be still running." in one
    assert "1 execution names no resource. 1 execution repeats an earlier one exactly; it was kept." in one
    many = " ".join(replace(report, rows_read=1219, running=4096).sentences())
    assert "1,219 rows read" in many
    assert "4,096 executions have no end; they were taken to be still running." in many


def test_numbers_of_parquet_have_no_decimal_sign_to_be_asked_for(tmp_path: Path) -> None:
    columns = {"case_id": ["1"], "activity": ["A"], "end_time": ["2024-03-31"], "value": [1.125]}
    parquet.write_table(pa.table(columns), tmp_path / "log.parquet")
    seen = look(tmp_path / "log.parquet", LookOptions({"value": "value"}))
    assert (seen.decimal, seen.to_settle) == (None, None)
    with Historian(":memory:") as historian:
        historian.import_log(tmp_path / "log.parquet", mapping={"value": "value"})
        assert historian.snapshot("log", open_cases=()).attributes["value"] == ("1.125",)
