"""The demo: the whole way on the bundled log, as a newcomer runs it."""

import csv
import json
import os
import re
import resource
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from eventlogs.historian import Historian
from metagraph.json_io import load, to_json
from tests.journeys.test_commands import tracetwin
from tests.twin import handmade
from twin.rebuild import rebuild
from ui.demo import _Steps
from ui.results import show_validation
from ui.tables import show_twin

CHECKOUT = Path(__file__).resolve().parents[2]
MOST_CPU_S = 120.0


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Its folder and what it printed on a terminal of 80 columns."""
    folder = tmp_path_factory.mktemp("demo")
    before = _cpu_s()
    done = subprocess.run(
        [sys.executable, str(CHECKOUT / "cli.py"), "demo", "--out", "here"],
        cwd=folder,
        env={**os.environ, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert _cpu_s() - before < MOST_CPU_S
    return folder / "here", done.stdout


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_its_twin_is_built_again_byte_for_byte(demo: tuple[Path, str]) -> None:
    folder, _ = demo
    with Historian(folder / "demo.duckdb", read_only=True) as historian:
        (info,) = historian.list_models()
        assert to_json(rebuild(historian, info.name)) == (folder / "twin.json").read_text("utf-8")


def test_it_leaves_the_twin_the_pictures_and_the_forecast(demo: tuple[Path, str]) -> None:
    folder, _ = demo
    assert {path.name for path in folder.iterdir()} == {
        *("demo.duckdb", "demo.duckdb.snapshots", "demo.duckdb.learnt", "twin.json", "report.html"),
        *("process.svg", "validation.svg", "forecast.svg", "forecast.csv"),
    }
    twin = load(folder / "twin.json")
    assert twin.provenance
    with (folder / "forecast.csv").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == twin.provenance.open_cases > 0
    for name in ("process", "validation", "forecast"):
        assert (folder / f"{name}.svg").read_text("utf-8").lstrip().startswith("<svg")


def test_the_report_loads_nothing(demo: tuple[Path, str]) -> None:
    page = (demo[0] / "report.html").read_text(encoding="utf-8")
    assert not re.findall(r"<script[^>]+src|<link[^>]+href|@import", page)
    assert not re.findall(r"""\ssrc=["'](?!data:)[^"']*""", page)
    assert not re.findall(r"""url\(["']?(?!data:|#)[^)]*""", page)
    for words in ("SO-1", "Credit Check", "key account"):
        assert words in page


def test_what_it_prints_is_read_on_any_terminal(demo: tuple[Path, str]) -> None:
    _, text = demo
    lines = text.splitlines()
    assert max(len(line) for line in lines) <= 80
    steps = re.split(r"\n\d/5  ", text)
    assert len(steps) == 6
    assert max(step.count("\n") for step in steps) <= 80, "a step is longer than a newcomer reads"
    words = set(text.split())
    for task in load(demo[0] / "twin.json").tasks():
        assert set(task.label.split()) <= words, "a name is broken in the middle"
    assert "make app" in " ".join(lines[-4:])


def test_the_command_that_it_names_shows_the_rest(
    demo: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, text = demo
    (command,) = re.findall(r"tracetwin (forecast .*?) \\\n *(.*)", text)
    monkeypatch.chdir(folder.parent)
    said = tracetwin(*shlex.split(" ".join(command)), "--plain", "--replications", "2")
    assert (said.code, said.err) == (0, "")
    assert "Agents: hours of work ahead" in said.out


def test_as_json_all_results_are_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    steps = _Steps(json_wanted=True)
    with steps("1/2  Build"):
        pass
    steps.show("twin", show_twin, handmade.twin())
    steps.show("validation", show_validation, handmade.validation())
    steps.end("Done.")
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["twin", "validation"]
    assert found["twin"] == json.loads(to_json(handmade.twin()))
    assert found["validation"]["runs"] == handmade.validation().runs
