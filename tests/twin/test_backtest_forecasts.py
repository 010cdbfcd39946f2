"""A backtest reads nothing of what came later, scores what came, and goes on where it was stopped."""

import csv
import random
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from calibration.settings import Settings
from metagraph.errors import DataError, UsageError
from metagraph.model import Metagraph
from tests.twin.learning import learn_little
from tests.twin.small import known_log
from twin import backtesting
from twin.backtest_forecast_kept import kept_beside
from twin.backtest_forecasts import TWIN, BacktestRequest, Made, Twins, made_at
from twin.backtest_origins import asked, origins, truth_of
from twin.backtesting import Wanted, backtest_forecasts_command
from twin.build import BuildRequest, build
from twin.progress import CancelledError, Progress
from twin.requests import log_request
from twin.source import LogRequest, read_log, read_then

HORIZONS = (24.0,)


@pytest.fixture(autouse=True)
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    learn_little(monkeypatch)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("backtest")
    known_log(folder / "orders.csv", days=12)
    return folder


@pytest.fixture(scope="module")
def twin(place: Path) -> Metagraph:
    source = read_log(request(place))
    return build(source, BuildRequest("orders", Settings(), noises=(0.0,)))


def request(place: Path, name: str = "orders.csv") -> LogRequest:
    return log_request(str(place / name), str(place / "db"))


def forecast_at(place: Path, name: str, twin: Metagraph, at: datetime) -> Made:
    read_log(request(place, f"{name}.csv"))
    named = LogRequest(name, str(place / "db"))
    wanted = BacktestRequest(named, HORIZONS, twin, replications=10, workers=1, boosted=False)
    return made_at(wanted, Twins(wanted), at, None, Progress())


def test_what_comes_after_an_instant_changes_no_forecast_made_at_it(place: Path, twin: Metagraph) -> None:
    with (place / "orders.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    begins, ends = "start_time", "end_time"
    at = datetime.fromisoformat(sorted(row[begins] for row in rows)[2 * len(rows) // 3])
    text = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    past = [row for row in rows if row[begins] <= text]
    future = [row for row in rows if row[begins] > text]
    for row in past:
        if row[ends] > text:
            row[ends] = ""  # It runs; when it ends lies in the future.
    ends_later = [row[ends] for row in future]
    random.Random(1).shuffle(ends_later)
    shuffled = [
        row | {"case_id": other["case_id"], ends: max(end, row[begins])}
        for row, other, end in zip(future, reversed(future), ends_later, strict=True)
    ]
    for name, kept in (("whole", past + future), ("shuffled", past + shuffled), ("deleted", past)):
        with (place / f"{name}.csv").open("w", encoding="utf-8", newline="") as lines:
            out = csv.DictWriter(lines, rows[0].keys())
            out.writeheader()
            out.writerows(kept)
    first, *others = (forecast_at(place, name, twin, at) for name in ("whole", "shuffled", "deleted"))
    assert len(first.asked.ids) > 3
    for other in others:
        assert other.asked.ids == first.asked.ids
        assert other.asked.standing == first.asked.standing
        for who, left_s in first.left_s.items():
            assert np.array_equal(other.left_s[who], left_s), who
        assert np.array_equal(other.wip[TWIN], first.wip[TWIN])


def test_what_came_is_told_by_the_whole_log(place: Path) -> None:
    log = read_log(request(place)).snapshot
    truth = truth_of(log)
    (at,) = origins(log, 1)
    known = read_then(LogRequest("orders", str(place / "db")), at).snapshot
    rows = asked(known, at, truth)
    at_s = (at - log.origin).total_seconds()
    for case, left, ended in zip(rows.ids, rows.left_s, rows.ended, strict=True):
        end = truth.last_s.get(case)
        assert ended == (end is not None)
        assert left == pytest.approx(max(min(end or np.inf, log.until_s) - at_s, 0.0))
    went_on = sum(truth.first_s[case] <= at_s < truth.last_s.get(case, np.inf) for case in known.cases)
    assert len(rows.ids) - rows.over.sum() + rows.missed == went_on == truth.in_process(at_s)


def test_instants_leave_time_to_see_what_came(place: Path) -> None:
    log = read_log(request(place)).snapshot
    found = origins(log, 5)
    assert list(found) == sorted(set(found))
    last = (found[-1] - log.origin).total_seconds()
    assert last < log.until_s - 0.04 * (log.until_s - log.start_s.min())
    begin = found[0] + timedelta(hours=5)
    assert origins(log, 3, begin, begin + timedelta(days=1))[0] >= begin
    with pytest.raises(UsageError, match="ask for fewer"):
        origins(log, 500, begin, begin + timedelta(hours=1))
    with pytest.raises(DataError, match="finished cases"):
        origins(replace(log, is_open=np.ones(log.n_cases, bool)), 1)


def test_a_stopped_backtest_goes_on_and_says_the_same(
    place: Path, twin: Metagraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, count = place / "rows.csv", 0
    wanted = Wanted(
        origins=3, horizons_h=HORIZONS, replications=10, workers=1, plain=True, boosted=False, out=out
    )
    real = made_at

    def counted(*arguments: object) -> Made:
        nonlocal count
        count += 1
        if count == 3:
            raise CancelledError("stopped")
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(backtesting, "made_at", counted)
    with pytest.raises(CancelledError):
        backtest_forecasts_command(twin, request(place), wanted, Progress())
    assert kept_beside(out).exists()
    assert not out.exists()
    went_on = backtest_forecasts_command(twin, request(place), wanted, Progress())
    assert count == 4, "two instants were kept, the third was made anew"
    assert not kept_beside(out).exists()
    text = out.read_text(encoding="utf-8")
    again = backtest_forecasts_command(twin, request(place), wanted, Progress())
    assert count == 7
    assert out.read_text(encoding="utf-8") == text
    assert again.forecasters == went_on.forecasters
    assert {f.name for f in again.forecasters} >= {TWIN, "residual life by age"}
    assert any("choices" in note for note in again.notes), "the twin was built from the whole log"
