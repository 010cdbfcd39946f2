"""Laws of forecasts: exact where nothing is random, honest where it is, blind to the future."""

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from eventlogs.snapshot import Snapshot
from examples.order_to_cash import COLUMNS, START, known_twin, log_text
from metagraph.errors import DataError
from metagraph.model import Metagraph
from tests.eventlogs.logs import T0, Row
from tests.twin.learning import learn_little
from tests.twin.small import HOUR, deterministic, known_log, snapshot
from twin.files import write_forecast, write_system
from twin.forecast import forecast
from twin.forecasting import ForecastRequest, forecast_command
from twin.outlook import LEVELS, Forecast
from twin.progress import Progress
from twin.source import LogRequest, read_log

AS_OF = START + timedelta(days=10, hours=3, minutes=10)
LATER = START + timedelta(days=40)
LATEST = "2027-01-01T00:00:00Z"
KNOWN = known_twin()


def in_hours(at: datetime) -> float:
    return (at - T0) / timedelta(hours=1)


def completions(result: Forecast) -> dict[str, set[float]]:
    """Case -> the distinct values of its quantiles, hours after T0."""
    return {o.case_id: {round(in_hours(q), 6) for q in o.quantiles} for o in result.orders}


def test_a_process_without_chance_is_foretold_exactly(tmp_path: Path) -> None:
    begun = Row("1", "A", None, 0.0, HOUR)
    rows = [
        *(begun, Row("1", "B", None, HOUR, None), Row("1", "C", None, HOUR, None)),
        *(begun._replace(case="2"), Row("2", "B", None, HOUR, None), Row("2", "C", None, 1.25 * HOUR, None)),
        Row("3", "A", None, 1.5 * HOUR, None),
        *(begun._replace(case="4"), Row("4", "B", None, HOUR, 1.5 * HOUR)),
    ]
    known = snapshot(tmp_path, rows, T0 + timedelta(hours=1.5), ["1", "2", "3", "4"])
    result = forecast(deterministic(per_hour=0.2), known, open_rule="", replications=5, horizons_h=(6.0,))
    # C takes three hours, D and F one each; C of the fourth order begins now.
    assert completions(result) == {"1": {6.0}, "2": {6.25}, "3": {7.5}, "4": {6.5}}


def test_a_running_task_is_taken_on_from_where_it_is(tmp_path: Path) -> None:
    rows = [Row("1", "A", None, 0.0, None)]
    for elapsed, end in ((0.25, 6.0), (0.75, 6.0), (3.0, 8.0)):
        known = snapshot(tmp_path, rows, T0 + timedelta(hours=elapsed), ["1"])
        result = forecast(deterministic(), known, open_rule="", replications=2)
        # Longer than its law allows: it ends now.
        assert completions(result) == {"1": {end}}


def test_remaining_tasks_and_their_times(tmp_path: Path) -> None:
    known = snapshot(tmp_path, [Row("1", "A", None, 0.0, HOUR)], T0 + timedelta(hours=1), ["1"])
    result = forecast(deterministic(), known, open_rule="", replications=2)
    tasks = {t.activity: (in_hours(t.start[1]), in_hours(t.end[1])) for t in result.orders[0].tasks}
    assert tasks == {"B": (1.0, 3.0), "C": (1.0, 4.0), "D": (4.0, 5.0), "F": (5.0, 6.0)}
    assert all(t.probability == 1.0 and not t.running for t in result.orders[0].tasks)


def test_a_log_that_stops_long_before_the_instant_is_named(tmp_path: Path) -> None:
    for days, said in ((6, False), (9, True)):
        known = snapshot(tmp_path, [Row("1", "A", None, 0.0, HOUR)], T0 + timedelta(days=days), ["1"])
        notes = forecast(deterministic(), known, open_rule="", replications=1).notes
        assert any("the log's last event is of 2024-03-04 09:00 UTC" in note for note in notes) == said


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, str]]]:
    """A folder, and the rows of a log that knows what happened after AS_OF."""
    text = log_text(KNOWN, START, LATER, 7)
    return tmp_path_factory.mktemp("watched"), list(csv.DictReader(io.StringIO(text)))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="") as file:
        out = csv.DictWriter(file, COLUMNS)
        out.writeheader()
        out.writerows(rows)
    return path


def open_then(rows: list[dict[str, str]]) -> dict[str, datetime]:
    """Cases open at AS_OF and when they were completed, all of them before LATER."""
    arrived: dict[str, datetime] = {}
    ended: dict[str, datetime] = {}
    for row in rows:
        arrived.setdefault(row["case_id"], at(row["start_time"]))
        if row["end_time"]:
            ended[row["case_id"]] = max(ended.get(row["case_id"], at(row["end_time"])), at(row["end_time"]))
    return {c: ended[c] for c, t in arrived.items() if t <= AS_OF < ended[c]}


def known_at(path: Path, open_cases: list[str]) -> Snapshot:
    listed = path.with_suffix(".txt")
    listed.write_text("\n".join(open_cases))
    request = LogRequest(str(path), str(path.with_suffix(".duckdb")), until=AS_OF, open_file=listed)
    return read_log(request).snapshot


def test_nothing_after_the_instant_changes_a_forecast(
    watched: tuple[Path, list[dict[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The leak law: with the future shuffled, delayed or removed, the files are the same to the byte; with
    what is learnt from the log among them."""
    learn_little(monkeypatch)
    folder, rows = watched
    by_then = [row for row in rows if at(row["start_time"]) <= AS_OF]
    cut, moved = (
        [{**r, "end_time": end if at(r["end_time"] or LATEST) > AS_OF else r["end_time"]} for r in by_then]
        for end in ("", LATEST)
    )
    added = [*rows, {**rows[-1], "case_id": "NEW", "activity": "Never Seen", "resource": "Nobody"}]
    twin = replace(KNOWN, closing=None)
    results = []
    for name, some in (("whole", rows), ("cut", cut), ("moved", moved), ("added", added)):
        log = write(folder / f"{name}.csv", some)
        out, system = folder / f"{name}.f.csv", folder / f"{name}.s.csv"
        request = LogRequest(str(log), str(folder / f"{name}.duckdb"), until=AS_OF)
        wanted = ForecastRequest(AS_OF, (24.0, 72.0), 10, out=out, system_out=system)
        forecast_command(twin, request, wanted, Progress())
        results.append((out.read_bytes(), system.read_bytes()))
    assert len(results[0][0].splitlines()) > 10
    assert results[1:] == results[:1] * 3


@pytest.fixture(scope="module")
def foreseen(watched: tuple[Path, list[dict[str, str]]]) -> tuple[Forecast, dict[str, datetime]]:
    folder, rows = watched
    truth = open_then(rows)
    known = known_at(write(folder / "truth.csv", rows), sorted(truth))
    result = forecast(KNOWN, known, open_rule="listed", replications=60, horizons_h=(24.0, 72.0, 168.0))
    return result, truth


def test_only_the_listed_orders_appear(foreseen: tuple[Forecast, dict[str, datetime]]) -> None:
    result, truth = foreseen
    assert len(truth) > 20
    assert {o.case_id for o in result.orders} == set(truth)


def test_quantiles_ascend_from_the_instant(foreseen: tuple[Forecast, dict[str, datetime]]) -> None:
    result, _ = foreseen
    for order in result.orders:
        assert len(order.quantiles) == len(LEVELS)
        assert [AS_OF, *order.quantiles] == sorted([AS_OF, *order.quantiles])
        for task in order.tasks:
            assert list(task.start) == sorted(task.start)
            assert list(task.end) == sorted(task.end)
            assert 0 < task.probability <= 1
            assert task.end[0] >= AS_OF
    for outlook in result.system:
        assert list(outlook.quantiles) == sorted(outlook.quantiles)
        assert outlook.quantiles[0] >= 0


def test_ninety_percent_intervals_cover_on_the_known_twin(
    foreseen: tuple[Forecast, dict[str, datetime]],
) -> None:
    """The truth falls below the 5 % and above the 95 % quantile rarely, and around the median evenly.

    Orders of one instant share their crew and so aren't independent: the bounds are wide.
    """
    result, truth = foreseen
    inside = [o.quantiles[0] <= truth[o.case_id] <= o.quantiles[-1] for o in result.orders]
    below = [truth[o.case_id] < o.quantiles[LEVELS.index(0.5)] for o in result.orders]
    assert sum(inside) / len(inside) >= 0.75
    assert 0.2 <= sum(below) / len(below) <= 0.8


def test_unknown_open_cases_are_refused(tmp_path: Path) -> None:
    log = known_log(tmp_path / "log.csv", 2)
    listed = tmp_path / "open.txt"
    listed.write_text("SO-10001\nSO-99999\n")
    request = LogRequest(str(log), str(tmp_path / "db"), open_file=listed)
    with pytest.raises(DataError, match=r"open case 'SO-99999' is not in log 'log' as known then"):
        read_log(request)


def test_the_files_have_the_columns_of_the_contract(
    foreseen: tuple[Forecast, dict[str, datetime]], tmp_path: Path
) -> None:
    result, truth = foreseen
    write_forecast(tmp_path / "f.csv", result)
    write_system(tmp_path / "s.csv", result)
    quantiles = [f"q{5 * k:02d}" for k in range(1, 20)]
    with (tmp_path / "f.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["case_id", *quantiles]
    assert {row["case_id"] for row in rows} == set(truth)
    assert all(at(row["q05"]).tzinfo == UTC for row in rows)
    with (tmp_path / "s.csv").open() as file:
        counts = list(csv.DictReader(file))
    assert list(counts[0]) == ["horizon_h", "metric", *quantiles]
    assert {(float(r["horizon_h"]), r["metric"]) for r in counts} == {
        (h, m) for h in (24.0, 72.0, 168.0) for m in ("wip", "completions", "arrivals")
    }


def test_a_twin_without_arrivals_forecasts_what_is_open(tmp_path: Path) -> None:
    known = snapshot(tmp_path, [Row("1", "A", None, 0.0, None)], T0 + timedelta(hours=0.5), ["1"])
    quiet: Metagraph = deterministic()
    assert completions(forecast(quiet, known, open_rule="", replications=1)) == {"1": {6.0}}
