"""A look promises what an import then does."""

import csv
import shlex
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventlogs.historian import Historian
from eventlogs.report import ImportReport
from eventlogs.taking.columns import parse_map
from eventlogs.taking.looked import Look
from eventlogs.taking.looking import LookOptions, look
from metagraph.errors import DataError, UsageError
from tests.eventlogs.logs import lines

HEADER = ("Fall", "what", "User", "begun", "Finish date", "Order value")
MAP = {"case": "Fall", "activity": "what", "start": "begun", "end": "Finish date"}
fields = st.tuples(
    st.sampled_from(["1", "2", "ä", ""]),
    st.sampled_from(["A", "B;C", "", '"']),
    st.sampled_from(["ann", ""]),
    st.sampled_from(["2024-03-04 10:00", "2024-03-05T11:30:00+02:00", "soon", ""]),
    st.sampled_from(["2024-03-04 12:00", "2024-03-04 09:00", "late", ""]),
    st.sampled_from(["1,5", "20", ""]),
)


def typed(seen: Look) -> ImportReport:
    """The import that the look's own command does."""
    words = shlex.split(seen.command)
    assert words[:3] == ["tracetwin", "import", "take"]
    options = dict(zip(words[4::2], words[5::2], strict=False))
    with Historian(":memory:") as historian:
        return historian.import_log(
            words[3],
            mapping=parse_map(options["--map"]),
            time_format=options.get("--time-format"),
            tz=options.get("--tz"),
            decimal=options.get("--decimal"),
            on_bad_rows="quarantine" if "--quarantine" in words else "refuse",
        )


@settings(max_examples=12)
@given(st.lists(fields, min_size=1, max_size=20), st.sampled_from([None, "Europe/Berlin"]), st.booleans())
def test_what_is_typed_next_does_what_was_shown(
    rows: list[tuple[str, ...]], tz: str | None, ragged: bool
) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "log one.csv"
        good = ("9", "A", "ann", "2024-03-04 10:00", "2024-03-04 12:00", "2,25")
        with file.open("w", encoding="cp1252", newline="") as out:
            table = csv.writer(out, delimiter=";")
            table.writerows([HEADER, good, *rows, *([(*good, "more")] if ragged else [])])
        seen = look(file, LookOptions(MAP, tz=tz))
        assert (seen.to_settle, seen.delimiter, seen.rows) == (None, ";", 1 + len(rows) + ragged)
        report = typed(seen)
        assert {p.reason: p.rows for p in seen.problems} == report.quarantined
        assert (report.tz, report.tz_assumed) == (tz or "UTC", tz is None)
        zoneless = sum("+" not in stamp and stamp[:2] == "20" for row in [good, *rows] for stamp in row[3:5])
        assert sum(time.zoneless for time in seen.times) == report.zoneless_stamps == zoneless
        assert seen.tz_assumed == (tz is None)
        places = [place for problem in seen.problems for place in problem.places]
        for shown, text in zip(seen.read, [good, *rows], strict=False):
            assert shown.case == (text[0] or None)
            assert (shown.place in places) == (shown.problem is not None)
        with Historian(":memory:") as historian:
            historian.import_log(file, "log", MAP, tz=tz, on_bad_rows="quarantine")
            aside = [row for row, _, _ in historian.quarantined("log")]
        assert set(places) <= {f"line {row + 1}" for row in aside}


def test_columns_have_examples_and_suggestions_are_not_done(tmp_path: Path) -> None:
    file = lines(
        tmp_path / "log.csv",
        "case_id,activity,end_time,region,amount",
        "1,A,2024-03-04T08:00Z,north,1.5",
        "1,B,2024-03-04T09:00Z,,1.5",
        "2,A,2024-03-05T08:00Z,south,2.5",
    )
    seen = look(file)
    assert [(c.name, c.examples) for c in seen.columns][3:] == [
        ("region", ("north", "south")),
        ("amount", ("1.5", "2.5")),
    ]
    assert seen.columns[3].filled == pytest.approx(2 / 3)
    assert (seen.encoding, seen.delimiter, seen.decimal) == ("utf-8", ",", ".")
    assert seen.candidate.columns["segment"] == "region"
    assert seen.candidate.confidence["segment"] == 0.5
    assert "--map case=case_id,activity=activity,end=end_time" in seen.command
    assert "segment" not in seen.command
    assert "--tz" not in seen.command
    assert not seen.tz_assumed
    assert typed(seen).mapping == {"case": "case_id", "activity": "activity", "end": "end_time"}


def test_what_only_the_user_knows_stands_in_capitals(tmp_path: Path) -> None:
    file = lines(tmp_path / "log.csv", "Nr,activity,end", "1,A,03/04/2024 10:00", "2,B,05/06/2024 10:00")
    assert "--map case=COLUMN,activity=activity,end=end" in look(file).command
    named = look(file, LookOptions({"case": "Nr"}))
    assert named.to_settle is not None
    assert "--time-format FORMAT" in named.command
    settled = look(file, LookOptions({"case": "Nr"}, time_format="dmy"))
    assert settled.to_settle is None
    assert [reading.decided_by for reading in settled.times[0].readings] == ["given with --time-format"]
    assert typed(settled).time_formats["end"] == settled.times[0].readings


def test_amounts_that_could_be_either_are_asked_for(tmp_path: Path) -> None:
    file = lines(tmp_path / "log.csv", "case,activity,end,value", '1,A,2024-03-04T08:00Z,"1,234"')
    seen = look(file, LookOptions({"value": "value"}))
    assert seen.to_settle is not None
    assert "--decimal SIGN" in seen.command
    said = look(file, LookOptions({"value": "value"}, decimal=","))
    assert (said.to_settle, said.decimal) == (None, ",")
    assert "--decimal ," in said.command


def test_one_time_for_events_stays_one(tmp_path: Path) -> None:
    file = lines(tmp_path / "log.csv", "case,activity,start,end", "1,A,2024-03-04T08:00Z,2024-03-04T09:00Z")
    seen = look(file, LookOptions({"timestamp": "end"}))
    assert "timestamp=end" in seen.command
    assert typed(seen).single_timestamp


def test_what_is_no_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="empty"):
        look(lines(tmp_path / "log.csv", ""))
    file = lines(tmp_path / "ok.csv", "case,activity,end", "1,A,2024-03-04T08:00Z")
    with pytest.raises(UsageError, match="no time zone"):
        look(file, LookOptions(tz="Mars"))
    with pytest.raises(UsageError, match="--object-type"):
        look(file, LookOptions(object_type="order"))


def test_starts_and_ends_in_each_other_s_columns_are_named(tmp_path: Path) -> None:
    """Also with bad rows set aside, as the few that would be kept are the wrong ones."""
    rows = [f"{i},A,2024-03-{4 + i % 20:02d}T10:00:00Z,2024-03-{4 + i % 20:02d}T09:00:00Z" for i in range(30)]
    file = lines(tmp_path / "log.csv", "case,activity,start,end", *rows, "1,B,2024-03-04,2024-03-05")
    seen = look(file)
    assert "in 30 of 31 rows" in (seen.to_settle or "")
    assert "--map start=end,end=start" in (seen.to_settle or "")
    with Historian(":memory:") as historian, pytest.raises(DataError, match="exchanged"):
        historian.import_log(file, on_bad_rows="quarantine")
    with pytest.raises(DataError, match="line 32: the end"):
        typed(seen)
    few = lines(tmp_path / "few.csv", "case,activity,start,end", *rows[:9])
    assert look(few).to_settle != seen.to_settle
    half = lines(
        tmp_path / "half.csv", "case,activity,start,end", *rows, *(["1,B,2024-03-04,2024-03-05"] * 30)
    )
    assert look(half).to_settle is None
