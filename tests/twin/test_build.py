"""From a log to a twin: the same for the same seed, true on a known process, whole for any log."""

import csv
import gzip
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import pytest

from calibration.overrides import Rename
from calibration.settings import Settings
from examples.order_to_cash import FOLDER, START, structure
from metagraph.errors import DataError
from metagraph.json_io import from_json, to_json
from metagraph.model import Approval, Metagraph
from metagraph.parse_blocks import parse_blocks
from tests.naive import canonical
from tests.twin.small import known_log
from twin import options
from twin.build import NOISES, BuildRequest, build
from twin.forecast import forecast
from twin.reference import LAST_PERIOD
from twin.source import LogRequest, LogSource, read_log
from twin.state import state_of

COLUMNS = ("case_id", "activity", "resource", "start_time", "end_time")
REQUEST = BuildRequest("orders", replace(Settings(), fast=True), (0.0,), seed=3)


def source(log: Path, **options: Any) -> LogSource:
    return read_log(LogRequest(str(log), str(log.with_suffix(".duckdb")), **options))


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> LogSource:
    return source(known_log(tmp_path_factory.mktemp("build") / "orders.csv", 17))


@pytest.fixture(scope="module")
def twin(log: LogSource) -> Metagraph:
    return build(log, REQUEST)


def test_the_true_structure_is_chosen_on_the_example(tmp_path: Path) -> None:
    request = LogRequest(str(FOLDER / "order_to_cash.csv"), str(tmp_path / "db"))
    found = build(read_log(request), replace(REQUEST, noises=NOISES))
    assert canonical(parse_blocks(found)) == canonical(structure())


def test_the_same_seed_gives_the_same_twin(log: LogSource, twin: Metagraph) -> None:
    text = to_json(twin)
    assert to_json(build(log, REQUEST)) == text
    assert from_json(text, "twin") == twin


def test_every_choice_names_its_candidates_and_what_they_had_to_beat(twin: Metagraph) -> None:
    assert twin.provenance
    names = [c.what for c in twin.provenance.choices]
    matters = {known.what for known in vars(options).values() if isinstance(known, options.Matter)}
    assert len(set(names)) == len(names)
    assert {"control flow", "time model"} <= set(names) <= matters
    for choice in twin.provenance.choices:
        chosen = [c for c in choice.candidates if c.chosen]
        assert len(chosen) == 1
        assert choice.candidates[-1].name == LAST_PERIOD
        assert choice.candidates[-1].scores["total"] == 0
        metrics = set(choice.candidates[0].scores)
        for candidate in choice.candidates:
            unusable = candidate.note.startswith("not usable: ")
            assert set(candidate.scores) == (set() if unusable else metrics)


def test_the_twin_says_where_it_comes_from(log: LogSource, twin: Metagraph) -> None:
    known = twin.provenance
    assert known
    assert (known.log, known.cases, known.events) == ("orders", log.snapshot.n_cases, log.snapshot.n_events)
    assert known.open_cases == log.snapshot.is_open.sum() > 0
    assert known.facts["open orders"] == log.open_rule
    assert set(known.libraries) >= {"pm4py", "fitter", "simpy", "duckdb"}
    assert twin.closing == log.closing
    assert known.seed == REQUEST.seed


def small(folder: Path, days: float = 3.5) -> list[dict[str, str]]:
    """The rows of a log of about 40 cases, fewer of them closed."""
    with known_log(folder / "some.csv", days).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write(path: Path, rows: list[dict[str, str]], *columns: str) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.DictWriter(file, columns, extrasaction="ignore")
        out.writeheader()
        out.writerows(rows)
    return path


def test_a_log_too_short_to_hold_a_part_back_is_not_judged(tmp_path: Path) -> None:
    rows = small(tmp_path, 2.5)
    found = build(source(write(tmp_path / "short.csv", rows, *COLUMNS)), REQUEST)
    assert found.provenance
    (choice,) = found.provenance.choices
    assert "too few" in choice.reason
    assert [c.chosen for c in choice.candidates] == [True]


def test_a_log_without_resources(tmp_path: Path) -> None:
    log = source(
        write(tmp_path / "alone.csv", small(tmp_path), "case_id", "activity", "start_time", "end_time")
    )
    found = build(log, REQUEST)
    assert found.agents == ()
    state, _ = state_of(found, log.snapshot)
    assert len(state.orders) == log.snapshot.is_open.sum() > 0
    assert forecast(found, log.snapshot, open_rule="", replications=3).orders


def test_a_log_with_one_timestamp_works_and_says_what_that_costs(tmp_path: Path) -> None:
    rows = [row for row in small(tmp_path) if row["end_time"]]
    log = source(write(tmp_path / "single.csv", rows, "case_id", "activity", "resource", "end_time"))
    found = build(log, REQUEST)
    assert found.provenance
    said = [d for d in found.provenance.defaults if d.where == "the whole log"]
    assert "one timestamp per event" in said[0].missing
    assert "can't be told from it" in said[0].assumed
    assert all(task.durations.default.law.mean() == 0 for task in found.tasks())
    assert forecast(found, log.snapshot, open_rule="", replications=3).orders


def xes(rows: list[dict[str, str]]) -> str:
    """XES with lifecycle pairs; an execution that still runs has its start alone."""
    events: dict[str, list[tuple[str, str, dict[str, str]]]] = {}
    for row in rows:
        for key, transition in (("start_time", "start"), ("end_time", "complete")):
            if row[key]:
                events.setdefault(row["case_id"], []).append((row[key], transition, row))
    text = ['<?xml version="1.0" encoding="UTF-8"?><log xes.version="1.0">']
    for case, found in events.items():
        text.append(f'<trace><string key="concept:name" value={quoteattr(case)}/>')
        for time, transition, row in sorted(found, key=lambda e: (e[0], e[1] == "start")):
            text.append(
                f'<event><string key="concept:name" value={quoteattr(row["activity"])}/>'
                f'<string key="org:resource" value={quoteattr(row["resource"])}/>'
                f'<string key="lifecycle:transition" value="{transition}"/>'
                f'<date key="time:timestamp" value="{time}"/></event>'
            )
        text.append("</trace>")
    return "".join([*text, "</log>"])


def test_an_xes_log_gives_the_twin_of_its_csv(tmp_path: Path) -> None:
    rows = small(tmp_path)
    (tmp_path / "one.xes.gz").write_bytes(gzip.compress(xes(rows).encode()))
    packed = source(tmp_path / "one.xes.gz")
    (tmp_path / "csv").mkdir()
    plain = source(write(tmp_path / "csv" / "one.csv", rows, *COLUMNS))
    assert packed.snapshot.n_events == plain.snapshot.n_events
    one, other = build(packed, REQUEST), build(plain, REQUEST)
    assert canonical(parse_blocks(one)) == canonical(parse_blocks(other))
    assert {t.label: t.durations.default.law.mean() for t in one.tasks()} == {
        t.label: t.durations.default.law.mean() for t in other.tasks()
    }


def test_until_builds_what_would_have_been_built_then(tmp_path: Path) -> None:
    """A log cut at an instant and a longer one read until that instant give the same twin."""
    cut = START + timedelta(days=3.5)
    then = build(source(known_log(tmp_path / "a.csv", 3.5), until=cut), REQUEST)
    (tmp_path / "b").mkdir()
    later = build(source(known_log(tmp_path / "b" / "a.csv", 8), until=cut), REQUEST)
    assert later.provenance
    assert then.provenance
    facts = {**later.provenance.facts, "import": then.provenance.facts["import"]}
    assert replace(later, provenance=replace(later.provenance, facts=facts)) == then


def test_what_the_analyst_knows_is_applied_last(tmp_path: Path) -> None:
    log = source(known_log(tmp_path / "orders.csv", 3))
    approval = Approval("Dora", START)
    wanted = replace(REQUEST, overrides=(Rename("Goods Issue", "Ship"),), approvals=(approval,))
    found = build(log, wanted)
    assert "Ship" in {task.label for task in found.tasks()}
    assert found.approvals == (approval,)
    assert [o.value for o in found.overrides] == ["Ship"]
    _, notes = state_of(found, log.snapshot)
    assert not any("Goods Issue" in note for note in notes)


def test_cases_as_long_as_the_log_are_not_judged(tmp_path: Path) -> None:
    """None of them lies wholly on one side of any cut."""
    steps = [("A", 8, 9), ("B", 20, 21)]
    rows = [
        {
            "case_id": str(case),
            "activity": activity,
            "start_time": f"2026-03-02T{begin:02d}:{case:02d}:00Z",
            "end_time": f"2026-03-02T{end:02d}:{case:02d}:00Z",
        }
        for case in range(50)
        for activity, begin, end in steps
    ]
    columns = ("case_id", "activity", "start_time", "end_time")
    found = build(source(write(tmp_path / "long.csv", rows, *columns), open_file=empty(tmp_path)), REQUEST)
    assert found.provenance
    assert "too long for the log" in found.provenance.choices[0].reason


@pytest.mark.parametrize("cases", [1, 2, 5])
def test_logs_of_very_few_cases(cases: int, tmp_path: Path) -> None:
    rows = small(tmp_path, 4)
    closed = [row["case_id"] for row in rows if row["activity"] == "Goods Issue" and row["end_time"]][:cases]
    kept = [row for row in rows if row["case_id"] in closed]
    log = source(write(tmp_path / "few.csv", kept, *COLUMNS), open_file=empty(tmp_path))
    found = build(log, REQUEST)
    assert from_json(to_json(found), "few") == found
    assert found.provenance
    assert found.provenance.cases == cases


def empty(folder: Path) -> Path:
    path = folder / "open.txt"
    path.touch()
    return path


def test_a_log_without_a_finished_case_is_refused(tmp_path: Path) -> None:
    rows = [row for row in small(tmp_path, 2) if row["activity"] == "Create Order"][:3]
    listed = tmp_path / "open.txt"
    listed.write_text("\n".join(row["case_id"] for row in rows))
    log = source(write(tmp_path / "open.csv", rows, *COLUMNS), open_file=listed)
    with pytest.raises(DataError, match="log 'open' has no finished case to learn from"):
        build(log, REQUEST)
