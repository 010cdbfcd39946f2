"""What the pages run in processes of their own and no command does."""

import subprocess
from pathlib import Path

import pytest

from metagraph.errors import DataError
from metagraph.json_io import save
from tests.twin import handmade
from twin.json_out import dump, read
from twin.progress import Progress
from twin.source import LogRequest
from twin.validation import METRICS, Validation
from ui import jobs
from ui.taken import Taken
from ui.tasks import holdout
from ui.workspace import ChosenLog, Workspace

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "order_to_cash.csv"


def imported(folder: Path, rows: int) -> Workspace:
    """A workspace with the example's first rows in its database."""
    from eventlogs.historian import Historian

    place = Workspace(folder)
    log = folder / "orders.csv"
    log.write_text("\n".join(EXAMPLE.read_text(encoding="utf-8").splitlines()[: rows + 1]), encoding="utf-8")
    place.choose("orders", ChosenLog(str(log), "orders", {}, None, "UTC", False))
    with Historian(place.db) as historian:
        historian.import_log(log)
    return place


def test_the_last_fifth_is_simulated_by_a_twin_of_the_rest(tmp_path: Path) -> None:
    from eventlogs.historian import Historian
    from eventlogs.split import closed_cases, split_snapshot

    place = imported(tmp_path, 900)
    folder = place.job("orders", "validation")
    folder.mkdir(parents=True)
    done = subprocess.run(
        jobs.task(
            *("holdout", "--db", str(place.db), "--log", "orders", "--config", str(place.config("orders"))),
            *("--runs", "2", "--seed", "0", "--progress-file", str(jobs.progress_file(folder))),
        ),
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    found = read(Validation, done.stdout)
    with Historian(place.db) as historian:
        train, test = split_snapshot(closed_cases(historian.snapshot("orders")), 0.8)
    assert (found.cases, found.events, found.runs) == (test.n_cases, test.n_events, 2)
    assert set(found.distances) == set(METRICS)
    assert train.until_s < test.start_s.max()
    assert "last period copied" in found.references
    assert (found.log, found.held_out) == ("orders", True)
    assert '"references"' in jobs.progress_file(folder).read_text()


def test_a_log_that_is_too_short_to_be_cut_says_so(tmp_path: Path) -> None:
    place = imported(tmp_path, 1)
    with pytest.raises(DataError):
        holdout(place.db, "orders", place.config("orders"), 2, 0, Progress())


def test_the_report_takes_the_results_that_are_there(tmp_path: Path) -> None:
    twin, missing, out = tmp_path / "twin.json", tmp_path / "none.json", tmp_path / "report.html"
    save(handmade.twin(), twin)
    measured = tmp_path / "validation.json"
    measured.write_text(dump(handmade.validation()), encoding="utf-8")
    arguments = ("report", "--twin", twin, "--validation", measured, "--forecast", missing, "--out", out)
    subprocess.run(jobs.task(*map(str, arguments)), check=True)
    page = out.read_text(encoding="utf-8")
    assert "beats a plain copy" in page
    assert "Forecast of" not in page


def test_rows_set_aside_are_taken_back_by_the_pages(tmp_path: Path) -> None:
    log = tmp_path / "odd.csv"
    log.write_text("case,activity,end\n1,a,2026-01-02T08:00Z\n1,b,soon\n1,c,never\n", encoding="utf-8")
    aside, request = tmp_path / "aside.csv", LogRequest(str(log), str(tmp_path / "x.duckdb"), quarantine=True)
    common = ("--quarantined", str(aside), "--progress-file", str(tmp_path / "progress"))

    def done(*command: str) -> Taken:
        out = subprocess.run(
            jobs.task(*command, *common), stdout=subprocess.PIPE, check=True, text=True
        ).stdout
        return read(Taken, out)

    assert done("take", "--request", dump(request)).report.rows_quarantined == 2
    fixed = tmp_path / "fixed.csv"
    fixed.write_text(aside.read_text(encoding="utf-8").replace("soon", "2026-01-02T09:00Z"), encoding="utf-8")
    taken = done("mend", "--db", request.db, "--log", "odd", "--fixed", str(fixed))
    assert (taken.report.rows_kept, taken.report.rows_quarantined, taken.quality.executions) == (2, 1, 2)
    assert "never" in aside.read_text(encoding="utf-8")
    assert "soon" not in aside.read_text(encoding="utf-8")
