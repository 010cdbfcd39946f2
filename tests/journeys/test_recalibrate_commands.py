"""The commands recalibrate and jobs, as typed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.journeys.test_commands import fine, tracetwin
from tests.twin.test_recalibrate import made
from twin import gate


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with a log in which nothing changes, and a twin of its first half."""
    return made(tmp_path_factory.mktemp("same"), "same")


def test_a_rejected_challenger_ends_with_exit_code_4_however_often_it_is_judged(
    db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "SEEDS", 4)
    monkeypatch.setattr(gate, "FORECAST_CUTS", 1)
    monkeypatch.setattr(gate, "FORECAST_REPLICATIONS", 20)
    shutil.copytree(db.parent, tmp_path / "copy")
    own = tmp_path / "copy" / db.name
    asked = ("recalibrate", "orders", "--log", "orders", "--always", "--db", own)
    report = tmp_path / "report.md"
    said = tracetwin(*asked, "--report", report)
    assert said.code == 4
    assert "rejected" in said.out
    assert said.err.startswith("tracetwin: the challenger is")
    assert "## Gate: the champion's choices on newer data" in report.read_text(encoding="utf-8")
    again = tracetwin(*asked, "--json")
    told = json.loads(again.out)
    assert (again.code, told["verdict"], told["again"]) == (4, "rejected", False)
    wrong = tracetwin(*asked, "--report", tmp_path / "report.pdf")
    assert (wrong.code, ".html, .md, .json" in wrong.err) == (2, True)
    past = tracetwin(*asked[:5], "--as-of", "2024-02-01", "--db", own)
    assert (past.code, "nothing new" in past.out) == (0, True)


def test_jobs_are_added_listed_shown_and_cancelled(tmp_path: Path) -> None:
    own = tmp_path / "x.duckdb"
    none = tracetwin("jobs", "list", "--db", own)
    assert (none.code, "no such database" in none.err) == (3, True)
    command = ("recalibrate", "orders", "--log", "orders")
    first = json.loads(fine("jobs", "add", "--db", own, "--key", "night", "--json", "--", *command))
    assert first["job"]["command"] == list(command)
    again = json.loads(fine("jobs", "add", "--db", own, "--key", "night", "--json", "--", *command))
    assert again == first
    assert "queued" in fine("jobs", "list", "--db", own)
    assert "cancelled before it began" in fine("jobs", "cancel", "1", "--db", own)
    assert "cancelled" in fine("jobs", "show", "1", "--db", own)
    assert tracetwin("jobs", "show", "7", "--db", own).code == 3
    wrong = tracetwin("jobs", "add", "--db", own, "--", "serve")
    assert (wrong.code, "can't be queued" in wrong.err) == (2, True)
