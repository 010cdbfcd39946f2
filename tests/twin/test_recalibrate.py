"""Recalibration: idempotent, all or nothing, and only for the better."""

from __future__ import annotations

import shutil
import signal
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from benchmarks.change_points import WEEK, Process, history
from eventlogs.historian import Historian
from metagraph.errors import DataError, UsageError
from metagraph.json_io import from_json, to_json
from tests.service.serving import PATIENCE_S, start
from twin import gate
from twin.challengers import ways
from twin.drift import MONTHLY, DriftReport, allowed
from twin.forecast_scores import crps
from twin.gate import held_out
from twin.outlook import LEVELS
from twin.progress import Progress
from twin.rebuild import rebuild
from twin.recalibrate import Wanted, recalibrate, recalibrate_command
from twin.recalibration import Recalibration, RejectedError
from twin.recalibration_report import write_report
from twin.source import LogRequest, LogSource
from ui.results_recalibrated import end

WEEKS = 24
A_WEEK = 30.0
CHANGES = {"changed": Process(rate=1.5, work=2.0), "same": Process()}


def made(folder: Path, what: str) -> Path:
    """A database with a log whose second half may differ, and a twin that was learnt from the first half."""
    from calibration.settings import Settings
    from eventlogs.split import known_at
    from metagraph.model import BuildRecord
    from twin.build import Told, fit_as_told
    from twin.build_record import plain_values
    from twin.source import read_log
    from twin.structures import Recipe

    log = history("plain", 7, WEEKS, CHANGES[what], per_week=A_WEEK)
    rows = ["case_id,activity,start_time,end_time"]
    for case, activity, first, last in zip(
        log.case_of_row(), log.activity, log.start_s, log.end_s, strict=True
    ):
        stamps = (
            f"{log.origin + timedelta(seconds=round(float(s), 3)):%Y-%m-%dT%H:%M:%S.%f}Z"
            for s in (first, last)
        )
        rows.append(f"c{case},{log.activities[activity]},{','.join(stamps)}")
    csv = folder / "orders.csv"
    csv.write_text("\n".join(rows))
    db = folder / "x.duckdb"
    source = read_log(LogRequest(str(csv), db=str(db)))
    half = known_at(source.snapshot, WEEKS // 2 * WEEK)
    recipe, settings = Recipe(0.0), Settings(fast=True)
    record = BuildRecord(
        recipe=plain_values(recipe),
        settings=plain_values(settings),
        asked=plain_values(settings),
        noises=(0.0,),
        selected_on=half.content_hash,
        selected_until=half.origin + timedelta(seconds=half.until_s),
        selection_seed=0,
    )
    told = Told("orders", {}, source.closing, (), record, (), ())
    champion = fit_as_told(half, recipe, settings, 0, told)
    with Historian(db) as historian:
        historian.keep_snapshot(half, source.report, source.open_rule)
        historian.save_model("orders", to_json(champion))
    return db


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less to simulate than the gate asks for."""
    monkeypatch.setattr(gate, "SEEDS", 4)
    monkeypatch.setattr(gate, "FORECAST_CUTS", 1)
    monkeypatch.setattr(gate, "FORECAST_REPLICATIONS", 20)


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {what: made(tmp_path_factory.mktemp(what), what) for what in CHANGES}


def fresh(originals: dict[str, Path], what: str, folder: Path) -> Path:
    """A copy, to be written to."""
    shutil.copytree(originals[what].parent, folder / what)
    return folder / what / originals[what].name


def run(db: Path, *, promote: bool = False, always: bool = False) -> Recalibration:
    return recalibrate(
        Wanted("orders", LogRequest("orders", db=str(db)), always=always, promote=promote), Progress()
    )


def state(db: Path) -> tuple[int, int, int]:
    """The champion's version, and how many versions and runs are kept."""
    with Historian(db) as historian:
        models = historian.list_models()
        return historian.find_model("orders").version, len(models), len(historian.recalibrations())


def test_a_change_is_found_and_a_better_twin_promoted_once(
    originals: dict[str, Path], tmp_path: Path
) -> None:
    db = fresh(originals, "changed", tmp_path)
    found = run(db, promote=True)
    assert found.drift is not None
    assert {"arrivals", "durations"} <= {one.kind for one in found.drift.found}
    assert (found.verdict, found.challenger) == ("promoted", 2)
    assert found.gates[0].overall.low > 0
    assert state(db) == (2, 2, 1)
    with Historian(db) as historian:
        champion = from_json(historian.load_model("orders"), "orders")
        assert to_json(rebuild(historian, "orders")) == historian.load_model("orders")
    assert champion.provenance is not None
    assert champion.provenance.until == found.as_of
    assert run(db, promote=True).verdict == "nothing new"
    other = tmp_path / "other.csv"
    other.write_text("case_id,activity,end_time\n1,Paint,2030-01-01T08:00:00Z\n1,Dry,2030-01-01T09:00:00Z\n")
    with pytest.raises(DataError, match="of another process"):
        recalibrate(Wanted("orders", LogRequest(str(other), db=str(db))), Progress())
    assert state(db) == (2, 2, 1)


def test_asking_again_says_what_was_found_and_does_nothing(
    originals: dict[str, Path], tmp_path: Path
) -> None:
    db = fresh(originals, "changed", tmp_path)
    found = run(db)
    assert (found.verdict, found.challenger, state(db)) == ("asks", 2, (1, 2, 1))
    again = run(db)
    assert again.again
    assert (again.verdict, again.challenger, again.gates) == ("asks", 2, found.gates)
    assert state(db) == (1, 2, 1)
    with Historian(db) as historian:
        historian.set_model_state("orders@2", "rejected", why="too soon")
    assert run(db).words.endswith(": too soon")
    assert run(db, promote=True).challenger == 2, "the same twin isn't kept twice"
    assert state(db) == (2, 2, 2)


def test_without_drift_nothing_is_built_and_what_is_no_better_is_rejected(
    originals: dict[str, Path], tmp_path: Path
) -> None:
    db = fresh(originals, "same", tmp_path)
    assert (run(db).verdict, state(db)) == ("no drift", (1, 1, 1))
    request = Wanted("orders", LogRequest("orders", db=str(db)), None, always=True, promote=True)
    for runs in (2, 3):
        rejected = recalibrate_command(request, tmp_path / "report.html", Progress())
        assert rejected.verdict == "rejected"
        assert not rejected.again, "--always judges again what was judged before"
        with pytest.raises(RejectedError) as caught:
            end(rejected)
        assert caught.value.exit_code == 4
        assert state(db) == (1, 1, runs)
    for ending in (".md", ".json"):
        write_report(tmp_path / f"report{ending}", rejected)
    for file in tmp_path.glob("report.*"):
        assert rejected.gates[0].reason.split(":")[0][1:] in file.read_text()
    assert len(list(tmp_path.glob("report.*"))) == 3


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
import eventlogs.keeping.{module} as module
from eventlogs.historian import Historian
from eventlogs.keeping.recalibrations import Learnt, Look, NewModel

before = module.{name}
def deadly(*arguments, **named):
    found = before(*arguments, **named)
    os.kill(os.getpid(), signal.SIGKILL)
    return found
module.{name} = deadly
with Historian(sys.argv[1]) as historian:
    learnt = Learnt(historian.snapshot("orders"), historian.report("orders"), "")
    new = NewModel(historian.load_model("orders"), "", True)
    look, now = Look("orders", 1, "", ""), datetime.now(UTC)
    historian.keep_recalibration(look, now, "promoted", "{{}}", new, learnt)
"""


@pytest.mark.timeout(2 * PATIENCE_S)
@pytest.mark.parametrize(
    ("module", "name"), [("snapshots", "keep"), ("models", "save"), ("models", "promote")]
)
def test_killed_while_it_is_written_the_champion_is_untouched(
    originals: dict[str, Path], tmp_path: Path, module: str, name: str
) -> None:
    db = fresh(originals, "changed", tmp_path)
    killed = start("-c", KILLED.format(module=module, name=name), db, cwd=tmp_path)
    _, err = killed.communicate(timeout=PATIENCE_S)
    assert killed.returncode == -signal.SIGKILL, err
    assert state(db) == (1, 1, 0)


def test_nothing_is_written_where_another_version_became_champion(
    originals: dict[str, Path], tmp_path: Path
) -> None:
    db = fresh(originals, "changed", tmp_path)

    def meddle(step: str, share: float) -> None:
        if step.startswith("checking"):
            with Historian(db) as historian:
                historian.save_model("orders", historian.load_model("orders"))
                historian.promote_model("orders@2")

    wanted = Wanted("orders", LogRequest("orders", db=str(db)), promote=True)
    with pytest.raises(DataError, match="orders@2 became champion while orders@1"):
        recalibrate(wanted, Progress(meddle))
    assert state(db) == (2, 2, 0)


def test_only_kept_twins_can_be_recalibrated_and_only_on_their_own_log(
    originals: dict[str, Path], tmp_path: Path
) -> None:
    db = fresh(originals, "same", tmp_path)
    for name in ("orders@1", "orders.json"):
        with pytest.raises(UsageError, match="name alone"):
            recalibrate(Wanted(name, LogRequest("orders", db=str(db))), Progress())
    later = tmp_path / "later.csv"
    rows = (originals["same"].parent / "orders.csv").read_text().splitlines()
    later.write_text("\n".join([rows[0], *(row for row in rows[1:] if int(row.split(",")[0][1:]) > 500)]))
    with pytest.raises(DataError, match="give the log that the twin was built from"):
        recalibrate(Wanted("orders", LogRequest(str(later), db=str(db))), Progress())


def test_all_choices_are_made_again_where_that_is_asked_for_or_the_structure_changed() -> None:
    first = datetime(2024, 1, 1)  # noqa: DTZ001
    drift = DriftReport(first, first, 100, 100, MONTHLY, 0, ())
    nothing = cast(LogSource, None)  # looked at only where something changed
    names = {anew: [way.anew for way in ways(nothing, 0.0, drift, anew=anew)] for anew in (True, False)}
    assert names == {True: [True, False], False: [False]}


def test_looks_of_a_month_share_what_a_month_is_allowed() -> None:
    day = timedelta(days=1)
    first = datetime(2024, 1, 1)  # noqa: DTZ001
    shares = [allowed(first + k * day, first + (k + 1) * day) for k in range(30)]
    assert sum(shares) == pytest.approx(MONTHLY)
    assert allowed(first, first + 90 * day) == MONTHLY
    assert allowed(first, first) == 0.0


def test_scores_of_quantiles_by_hand() -> None:
    """A point forecast's pinball losses are p or 1 - p times the error: on average half of it, doubled."""
    quantiles = np.full((2, len(LEVELS)), 10.0)
    assert crps(np.array([14.0, 7.0]), quantiles) == pytest.approx([4.0, 3.0])


def test_the_newest_orders_are_held_out_and_the_older_half_is_not() -> None:
    log = history("plain", 3, 20, cut=True)
    since = log.origin + timedelta(seconds=10 * WEEK)
    begin = held_out(log, since)
    assert begin is not None
    assert 15 * WEEK < begin < 18.5 * WEEK
    assert held_out(log, log.origin + timedelta(seconds=19.5 * WEEK)) is None
    assert replace(log, is_open=~log.is_open) is not None
    assert held_out(replace(log, is_open=~log.is_open), since) is None
