"""From a messy file to a clean log by the commands alone, and all the way back."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.eventlogs.live.feeding import event, feed, live
from tests.journeys.test_commands import tracetwin
from twin.imports import listed
from ui.import_tables import show_imports

MESSY = """Vorgang;activity;user;start;end
1;A;ann;04.03.2024 08:00;04.03.2024 09:00
1;B;bob;04.03.2024 09:30;04.03.2024 09:10
2;A;ann;05.03.2024 08:00;05.03.2024 09:00
2;B;;bald;05.03.2024 10:00
3;A;ann;13.03.2024 08:00;13.03.2024 09:00
"""
OPTIONS = ("--map", "case=Vorgang", "--tz", "Europe/Berlin")


def run(*arguments: str, code: int = 0) -> str:
    said = tracetwin(*arguments)
    assert said.code == code, said.err
    return said.out if code == 0 else said.err


def answer(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json"))


def test_a_messy_file_is_looked_at_taken_mended_and_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "messy.csv").write_text(MESSY, encoding="utf-8")
    asked = run("import", "look", "messy.csv")
    assert "no column recognised as case" in " ".join(asked.split())
    seen = answer("import", "look", "messy.csv", *OPTIONS)
    assert [(p["rows"], p["places"]) for p in seen["problems"]] == [(1, ["line 3"]), (1, ["line 5"])]
    assert "end before start" in run("import", "look", "messy.csv", *OPTIONS)
    assert not list(tmp_path.glob("*.duckdb"))

    refused = run("import", "take", "messy.csv", *OPTIONS, code=3)
    assert "messy.csv, line 3: the end '04.03.2024 09:10' in 'end' lies before the start" in refused
    taken = answer("import", "take", "messy.csv", *OPTIONS, "--quarantine")
    assert (taken["rows_read"], taken["rows_kept"], taken["rows_quarantined"]) == (5, 3, 2)
    assert "nothing was done" in run("import", "take", "messy.csv")

    judged = answer("quality", "messy")
    counts = {finding["key"]: finding["count"] for finding in judged["findings"]}
    assert (counts["end_before_start"], counts["unusable"]) == (1, 1)
    assert judged["rows"]["balanced"]
    assert "5 rows read = 3 kept + 0 ignored + 2 quarantined." in run("quality", "messy")

    run("import", "quarantined", "messy", "--out", "aside.csv")
    rows = (tmp_path / "aside.csv").read_text(encoding="utf-8")
    assert rows.count("\n") == 3
    mended = rows.replace("04.03.2024 09:10", "04.03.2024 10:10").replace("bald", "05.03.2024 09:30")
    (tmp_path / "aside.csv").write_text(mended, encoding="utf-8")
    again = answer("import", "mend", "messy", "aside.csv")
    assert (again["rows_kept"], again["rows_quarantined"]) == (5, 0)

    def states() -> list[tuple[int, str]]:
        (log,) = answer("import", "list")
        return [(one["executions"], one["state"]) for one in log["imports"]]

    assert states() == [(5, "current"), (3, "superseded")]
    assert "was undone" in run("import", "undo", "messy")
    assert states() == [(5, "undone"), (3, "current")]
    assert "1 superseded" in run("import", "forget", "--superseded", "messy")
    assert states() == [(3, "current")]
    assert "1 execution," in run("import", "forget", "--case", "1")
    assert answer("quality", "messy")["cases"] == 2
    assert answer("import", "retain", "messy", "--days", "1")["log"] == "messy"


def test_an_old_command_line_is_told_the_new_one() -> None:
    said = run("import", "orders.csv", code=2)
    assert "'tracetwin import take orders.csv' takes it" in said


def test_a_list_of_no_logs_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "log.csv").write_text("case,activity,end\n1,A,2024-03-04T08:00:00Z\n", encoding="utf-8")
    run("import", "take", "log.csv")
    assert "log.csv" in run("import", "list")
    run("import", "undo", "log")
    assert run("import", "list").split()[:3] == ["No", "logs", "yet;"]


def test_live_events_are_listed_beside_imports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("ui.console.OUT.width", 200)
    with live() as (historian, inbox):
        (tmp_path / "log.csv").write_text("case,activity,end\n1,A,2024-03-04T08:00:00Z\n", encoding="utf-8")
        historian.import_log(tmp_path / "log.csv", "log")
        feed(historian, inbox, [event(1, 90_000, "log", case="9", activity="B")])
        show_imports(listed(historian), False)
        rows = [line.split() for line in capsys.readouterr().out.splitlines() if line.strip()]
        assert rows[-1] == ["log", "live", "events", "1", "1", "current"]
