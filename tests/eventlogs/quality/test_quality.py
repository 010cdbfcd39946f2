"""What is doubtful is counted as one would by hand, and a log without faults is left in peace."""

import csv
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from calibration import hands, unnamed, window
from eventlogs import closing
from eventlogs.historian import Historian
from eventlogs.quality import edges, stamps, words
from eventlogs.quality import rows as row_rules
from eventlogs.quality.quality import QualityReport
from metagraph.errors import DataError
from tests.eventlogs.logs import T0, Row, frozen, write
from tests.eventlogs.quality import naive

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "order_to_cash.csv"
HOUR_S, DAY_S = 3600.0, 86400.0
SUSPICIOUS = (
    *("duplicates", "batches", "out_of_order", "future", "midnight", "whole_hours", "zone_jumps"),
    *("begun_before", "long_cases", "end_before_start", "unusable"),
)

times = st.one_of(
    st.integers(0, 80).map(lambda half_days: half_days * 43200.0 - 8 * HOUR_S),
    st.integers(0, 12).map(lambda hours: hours * HOUR_S),
    st.integers(0, 960).map(lambda hours: hours * HOUR_S),
    st.integers(0, 40 * 86400).map(float),
).filter(lambda s: s >= 0)


@st.composite
def a_row(draw: st.DrawFn) -> Row:
    start = draw(times)
    end = draw(st.sampled_from([start, start + HOUR_S, None]) | times)
    end = None if end is None else max(start, end)
    who = draw(st.sampled_from(["Ann", "Bob", None]))
    return Row(draw(st.sampled_from("123456789abc")), draw(st.sampled_from("ABC")), who, start, end)


coarse_logs = st.lists(a_row(), min_size=1, max_size=10) | st.lists(a_row(), min_size=30, max_size=80)


def report(path: Path, until: datetime | None = None, **options: object) -> QualityReport:
    with Historian(":memory:") as historian:
        historian.import_log(path, "log", on_bad_rows="quarantine", **options)  # type: ignore[arg-type]
        return historian.quality("log", until)


@settings(max_examples=12, phases=[Phase.generate])
@given(coarse_logs, st.none() | st.floats(0.2, 1.0))
def test_counts_are_those_of_a_naive_count(rows: list[Row], share: float | None) -> None:
    """With limits so low that small logs pass them."""
    final = max(naive.last(r) for r in rows)
    first = min(r.start_s for r in rows)
    until_s = final if share is None else float(int(first + share * (final - first)))
    until = None if share is None else T0 + timedelta(seconds=until_s)
    with (
        patch.multiple(edges, ENOUGH=3, USUAL=0.3),
        patch.multiple(row_rules, BATCH=2, FENCE=0.4, SIGMAS=0.5),
        patch.multiple(stamps, EDGES=1, FEWEST=2, SIGMAS=1.0),
        patch.multiple(stamps, WINDOW_D=3, FEWEST_STAMPS=2, FEWEST_OF_DAY=1, MOVED=0.1013, NOISE=1.0),
        patch.object(stamps, "LEFT", 0.8717),
        TemporaryDirectory() as folder,
    ):
        path = write(Path(folder) / "log.csv", rows)
        found = report(path, until)
        known = naive.known(rows, until_s)
        counts = {finding.key: finding.count for finding in found.findings}
        midnights, hours = naive.whole_hours(known)
        assert counts == {
            "end_before_start": 0,
            "unusable": 0,
            "duplicates": naive.duplicates(known),
            "missing_resources": sum(r.resource is None for r in known),
            "instant": sum(r.end_s == r.start_s for r in known),
            "overlaps": naive.overlaps(known, until_s),
            "batches": naive.batches(known),
            "out_of_order": naive.out_of_order(known),
            "future": 0,
            "midnight": midnights,
            "whole_hours": hours,
            "zone_jumps": len(naive.zone_jumps(known)),
            "begun_before": naive.begun_before(known, until_s),
            "unfinished": unfinished(path, until),
            "long_cases": naive.long_cases(known),
            "seen_once": naive.seen_once(known),
        }
        jumps = found.finding("zone_jumps").examples
        assert {(f"{e.at:%Y-%m-%d}", e.note) for e in jumps} <= {
            (day, f"{hours:+d} h from this day on") for day, hours in naive.zone_jumps(known).items()
        }
    assert found.cases == len(naive.by_case(known))
    assert found.executions == len(known)
    assert found.running == sum(r.end_s is None for r in known)
    for finding in found.findings:
        assert bool(finding.examples) == bool(finding.count)
        assert len(finding.examples) <= 5
        for example in finding.examples:
            if example.row is not None:
                assert rows[example.row - 1].case == example.case
                assert example.activity in (None, rows[example.row - 1].activity)


def unfinished(path: Path, until: datetime | None) -> int:
    snapshot = frozen(path, until)
    return int(closing.apply(closing.fit(snapshot), snapshot)[0].sum())


def test_the_rule_for_unfinished_cases_is_learned_from_a_sample_of_a_large_log() -> None:
    whole = report(EXAMPLE).finding("unfinished")
    with patch.object(edges, "SAMPLE", 2000):
        sampled = report(EXAMPLE).finding("unfinished")
    assert whole.count == unfinished(EXAMPLE, None)
    assert sampled.of == whole.of == 820
    assert sampled.count == pytest.approx(whole.count, rel=0.5)


def test_the_example_raises_no_suspicion() -> None:
    found = report(EXAMPLE)
    alarms = {f.key for f in found.doubts()} & set(SUSPICIOUS)
    # Its log ends on 14 October 2026: on a clock that is behind, that is the future.
    assert alarms - {"future"} == set()
    assert found.rows.equation() == "6,785 rows read = 6,785 kept + 0 ignored + 0 quarantined"
    assert found.rows.balanced


def test_public_logs_raise_no_suspicion(public_logs: Path) -> None:
    for name in ("BPIC12W", "LoanApp", "P2P"):
        found = report(public_logs / "forecast" / "logs" / f"{name}.csv.gz")
        assert {f.key for f in found.doubts()} & set(SUSPICIOUS) == set()


def office(seed: int = 1, days: int = 60, per_day: int = 12) -> list[Row]:
    """Orders of three steps each, in office hours, by two people, to the second."""
    random = Random(seed)
    rows = []
    for day in range(days):
        for i in range(per_day):
            at = day * DAY_S + random.uniform(0, 6 * HOUR_S)
            for step in ("Enter", "Check", "Ship"):
                ends = at + random.expovariate(1 / 1500) + 20
                rows.append(Row(f"{day}-{i}", step, f"{step}er", round(at), round(ends)))
                at = ends + random.expovariate(1 / 1500) + 30
    return sorted(rows, key=lambda row: row.start_s)


def shifted(rows: Iterable[Row], first_day: int, hours: int) -> list[Row]:
    def move(row: Row) -> Row:
        by = hours * HOUR_S if row.start_s >= first_day * DAY_S else 0.0
        return row._replace(start_s=row.start_s + by, end_s=None if row.end_s is None else row.end_s + by)

    return [move(row) for row in rows]


def rounded(rows: Iterable[Row], to_s: float, every: int) -> list[Row]:
    """Every so many-th row with its times rounded down, to whole seconds of the UTC day."""

    def down(stamp: float) -> float:
        return (stamp + 8 * HOUR_S) // to_s * to_s - 8 * HOUR_S

    return [
        r._replace(start_s=down(r.start_s), end_s=down(naive.last(r))) if i % every == 0 else r
        for i, r in enumerate(rows)
    ]


def cut_before(rows: Iterable[Row], first_s: float) -> list[Row]:
    return [row for row in rows if row.start_s >= first_s]


def in_batches(rows: list[Row]) -> list[Row]:
    """All that is shipped on the tenth day ends at one instant."""
    return [
        row._replace(end_s=10 * DAY_S)
        if row.activity == "Ship" and 9 * DAY_S < row.start_s < 10 * DAY_S
        else row
        for row in rows
    ]


def with_swap(rows: list[Row]) -> list[Row]:
    return [*rows[3:600], *rows[:3], *rows[600:]]


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> QualityReport:
    return report(write(tmp_path_factory.mktemp("clean") / "log.csv", office()))


def test_a_clean_log_is_quiet(tmp_path: Path, clean: QualityReport) -> None:
    for found in (clean, report(write(tmp_path / "log.csv", office(2)))):
        assert {f.key for f in found.doubts()} <= {"overlaps", "unfinished"}


@pytest.mark.parametrize(
    ("plant", "key", "at_least"),
    [
        (lambda rows: [*rows, rows[7], rows[7]], "duplicates", 2),
        (lambda rows: [rows[0]._replace(resource=None), *rows[1:]], "missing_resources", 1),
        (lambda rows: [rows[0]._replace(end_s=rows[0].start_s), *rows[1:]], "instant", 1),
        (lambda rows: [rows[0]._replace(end_s=rows[0].start_s - 5), *rows[1:]], "end_before_start", 1),
        (lambda rows: [rows[0]._replace(case=""), *rows[1:]], "unusable", 1),
        (lambda rows: [rows[0]._replace(end_s=1e9), *rows[1:]], "future", 1),
        (lambda rows: [rows[0]._replace(activity="Oops"), *rows[1:]], "seen_once", 1),
        (lambda rows: [*rows, Row("0-0", "Ship", "Shiper", 59 * DAY_S, 59 * DAY_S + 9)], "long_cases", 1),
        (with_swap, "out_of_order", 1),
        (in_batches, "batches", 8),
        (lambda rows: rounded(rows, DAY_S, 20), "midnight", 100),
        (lambda rows: rounded(rows, HOUR_S, 10), "whole_hours", 200),
        (lambda rows: rounded(rows, HOUR_S, 1), "whole_hours", 2000),
        (lambda rows: shifted(rows, 30, 2), "zone_jumps", 1),
        (lambda rows: shifted(rows, 30, -4), "zone_jumps", 1),
        (lambda rows: cut_before(rows, 4 * HOUR_S), "begun_before", 1),
        (lambda rows: [*rows, Row("x", "Enter", None, 59.2 * DAY_S, None)], "unfinished", 1),
    ],
)
def test_planted_faults_are_found(
    tmp_path: Path, clean: QualityReport, plant: Callable[[list[Row]], list[Row]], key: str, at_least: int
) -> None:
    found = report(write(tmp_path / "log.csv", plant(office())))
    finding = found.finding(key)
    assert finding.count >= clean.finding(key).count + at_least
    assert finding.examples
    assert finding.share == finding.count / finding.of
    assert finding.consequence.endswith(".")
    assert found.rows.balanced


def test_the_worst_examples_come_first(tmp_path: Path) -> None:
    """Not those that stand first in the file."""
    rows = [*office(), *(Row(f"long {d}", "A", "r", 0.0, d * DAY_S) for d in (120, 130, 900, 140, 125, 150))]
    rows += [Row("twice", "B", "r", 9.0, 9.0)] * 2 + [Row("often", "B", "r", 9.0, 9.0)] * 4
    rows += [Row(f"ahead {d}", "A", "r", d * DAY_S, d * DAY_S) for d in (50_000, 51_000)]
    found = report(write(tmp_path / "log.csv", rows))
    longest = [example.case for example in found.finding("long_cases").examples]
    assert longest == ["long 900", "long 150", "long 140", "long 130", "long 125"]
    assert [e.case for e in found.finding("duplicates").examples] == ["often", "twice"]
    assert [e.case for e in found.finding("future").examples] == ["ahead 51000", "ahead 50000"]


def test_a_jump_of_the_hours_is_dated_and_measured(tmp_path: Path) -> None:
    rows = shifted(shifted(office(days=150, per_day=20), 50, 2), 100, -4)
    jumps = report(write(tmp_path / "log.csv", rows)).finding("zone_jumps").examples
    assert [jump.note for jump in jumps] == ["+2 h from this day on", "-4 h from this day on"]
    for jump, day in zip(jumps, (50, 100), strict=True):
        assert jump.at is not None
        assert abs((jump.at - T0).total_seconds() / DAY_S - day) < 2.5


def test_summer_time_is_a_jump_only_in_a_log_read_in_another_zone(tmp_path: Path) -> None:
    """The log changes its clock with Paris, on 31 March 2024."""
    log = tmp_path / "log.csv"
    with log.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["case", "activity", "resource", "start", "end"])
        for row in office():
            stamps = (T0 + timedelta(seconds=s) for s in (row.start_s, naive.last(row)))
            out.writerow([row.case, row.activity, row.resource, *(f"{s:%Y-%m-%d %H:%M:%S}" for s in stamps)])
    assert not report(log, tz="UTC").finding("zone_jumps").count
    assert not report(log, tz="Europe/Paris").finding("zone_jumps").count
    paris = shifted(office(per_day=100), 27, -1)
    (jump,) = report(write(log, paris)).finding("zone_jumps").examples
    assert (f"{jump.at:%Y-%m-%d}", jump.note) == ("2024-03-31", "-1 h from this day on")


def test_midnights_are_those_of_the_logs_zone(tmp_path: Path) -> None:
    lines = ["case,activity,end"] + [f"{i},A,2024-01-{1 + i % 28:02d} 00:00" for i in range(60)]
    log = tmp_path / "dates.csv"
    log.write_text("\n".join(lines) + "\n")
    found = report(log, tz="Asia/Kolkata")
    assert found.finding("midnight").count == 60
    assert found.finding("whole_hours").count == 0
    assert "one time per event" in found.finding("instant").consequence


def test_an_instant_before_the_log_has_no_quality() -> None:
    with Historian(":memory:") as historian:
        historian.import_log(EXAMPLE, "log")
        with pytest.raises(DataError, match="no event at or before 2020"):
            historian.quality("log", datetime(2020, 1, 1, tzinfo=UTC))
        with pytest.raises(DataError, match="no log 'other'"):
            historian.quality("other")
        assert historian.quality("log").cases == 820


def test_consequences_say_what_calibration_does() -> None:
    assert words.NEEDS_NOBODY == unnamed.MISSING
    assert words.BUSY == hands.BUSY
    assert words.ENOUGH == window.ENOUGH
