"""The commands as their users meet them: contracts to the letter, and a sentence for every fault."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
import typer
from typer.core import TyperGroup

import cli
from examples.order_to_cash import START, known_twin
from metagraph.json_io import save
from tests.twin.learning import learn_little
from tests.twin.small import known_log
from twin.validation import METRICS

CHECKOUT = Path(__file__).resolve().parents[2]
DOCS = (CHECKOUT / "docs" / "commands.md").read_text(encoding="utf-8")
AS_OF = "2026-08-10T10:00:00Z"
HEAD = "case_id,activity,resource,start_time,end_time"
GOOD = "1,A,x,2024-03-04T08:00:00Z,2024-03-04T09:00:00Z"
COLUMNS = ["case_id", "activity", "resource", "start_time", "end_time"]
QUANTILES = [f"q{5 * k:02d}" for k in range(1, 20)]


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str


def tracetwin(*arguments: str | Path) -> Said:
    """Run a command here, as its entry point does. An exception that gets out is a bug."""
    out, err = io.StringIO(), io.StringIO()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    before, sys.argv = sys.argv, ["tracetwin", *map(str, arguments)]
    code: object = 0
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            cli.main()
    except SystemExit as end:
        code = end.code
    finally:
        sys.argv = before
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return Said(int(str(code or 0)), out.getvalue(), err.getvalue())


def fine(*arguments: str | Path) -> str:
    said = tracetwin(*arguments)
    assert said.code == 0, said.err
    return said.out


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a log, taken in and built from, and the known twin."""
    folder = tmp_path_factory.mktemp("commands")
    known_log(folder / "orders.csv", 11)
    known_log(folder / "later.csv", 5, 2, START + timedelta(weeks=2))
    save(known_twin(), folder / "known.json")
    save(replace(known_twin(), arrivals=None), folder / "quiet.json")
    before = Path.cwd()
    os.chdir(folder)
    try:
        fine("build", "orders.csv", "--twin", "twin.json")
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def here(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    learn_little(monkeypatch)
    monkeypatch.chdir(place)
    return place


def commands(group: TyperGroup, of: str = "") -> dict[str, list[str]]:
    """Command -> its options."""
    found: dict[str, list[str]] = {}
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            found |= commands(command, f"{name} ")
        else:
            found[of + name] = [option for p in command.params for option in p.opts]
    return found


COMMANDS = commands(typer.main.get_group(cli.app))


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_has_help_and_stands_in_the_docs(name: str) -> None:
    said = tracetwin(*name.split(), "--help")
    assert said.code == 0
    assert f"tracetwin {name}" in " ".join(said.out.split())
    section = DOCS.split(f"## tracetwin {name}", 1)[1].split("\n## ", 1)[0]
    for option in COMMANDS[name]:
        if option.startswith("--") and option != "--help":
            assert f"`{option}" in section or f" {option} " in section.splitlines()[0] + " ", option
    assert "`--json`" in section


def rows(path: Path) -> list[dict[str, str]]:
    text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text("utf-8")
    return list(csv.DictReader(io.StringIO(text)))


def test_simulate_keeps_its_contract(here: Path) -> None:
    start = "2026-11-03T09:30:00Z"
    for name, seed in (("a.csv", 4), ("b.csv", 4), ("c.csv", 5), ("a.csv.gz", 4)):
        fine("simulate", "twin.json", "--cases", "20", "--start", start, "--seed", str(seed), "--out", name)
    first = rows(here / "a.csv")
    assert list(first[0]) == [*COLUMNS, "outcome", "due_date", "segment", "value"]
    assert len({(row["case_id"], row["segment"], row["value"]) for row in first}) == 20
    assert {row["segment"] for row in first} <= {row["segment"] for row in rows(here / "orders.csv")}
    assert {row["outcome"] for row in first} == {"completed"}
    assert len({row["case_id"] for row in first}) == 20
    starts = [datetime.fromisoformat(row["start_time"]) for row in first]
    ends = [datetime.fromisoformat(row["end_time"]) for row in first]
    assert min(starts) >= datetime(2026, 11, 3, 9, 30, tzinfo=UTC)
    assert all(s <= e for s, e in zip(starts, ends, strict=True))
    assert all(row["start_time"].endswith("Z") for row in first)
    assert (here / "a.csv").read_bytes() == (here / "b.csv").read_bytes() != (here / "c.csv").read_bytes()
    assert rows(here / "a.csv.gz") == first


def test_the_first_order_arrives_at_the_start_instant(here: Path) -> None:
    """A Tuesday morning, when somebody is there to begin at once."""
    for start in ("2026-11-03T09:30:00.000Z", "2026-11-03T10:59:59.500Z"):
        fine("simulate", "known.json", "--cases", "5", "--start", start, "--out", "first.csv")
        assert min(row["start_time"] for row in rows(here / "first.csv")) == start


def test_forecast_keeps_its_contract(here: Path) -> None:
    (here / "open.txt").write_text("SO-10003\nSO-10005\n")
    options = ("--log", "orders.csv", "--as-of", "2026-08-05T10:00:00Z", "--open", "open.txt")
    files = ("--out", "f.csv", "--system-out", "s.csv", "--horizons-h", "24,72.5")
    said = fine("forecast", "twin.json", *options, *files, "--json", "--replications", "20")
    found = rows(here / "f.csv")
    assert list(found[0]) == ["case_id", *QUANTILES]
    assert {row["case_id"] for row in found} == {"SO-10003", "SO-10005"}
    counts = rows(here / "s.csv")
    assert list(counts[0]) == ["horizon_h", "metric", *QUANTILES]
    assert {(row["horizon_h"], row["metric"]) for row in counts} == {
        (h, m) for h in ("24.0", "72.5") for m in ("wip", "completions", "arrivals")
    }
    assert {order["case_id"] for order in json.loads(said)["orders"]} == {"SO-10003", "SO-10005"}
    first = (here / "f.csv").read_bytes(), (here / "s.csv").read_bytes()
    fine("forecast", "twin.json", *options, *files, "--replications", "20", "--workers", "1")
    assert first == ((here / "f.csv").read_bytes(), (here / "s.csv").read_bytes())


JSON = {
    "import look": ("import", "look", "orders.csv"),
    "import take": ("import", "take", "orders.csv"),
    "import list": ("import", "list"),
    "quality": ("quality", "orders"),
    "simulate": ("simulate", "twin.json", "--cases", "5", "--start", "2026-11-03"),
    "validate": ("validate", "twin.json", "--log", "later.csv", "--train", "orders.csv", "--runs", "1"),
    "forecast": ("forecast", "known.json", "--log", "orders", "--as-of", AS_OF, "--replications", "2"),
    "quote": ("quote", "known.json", "--log", "orders", "--as-of", AS_OF, "--replications", "2"),
    "show": ("show", "twin"),
    "show --choices": ("show", "twin", "--choices"),
    "waits": ("waits", "twin"),
    "arrivals": ("arrivals", "twin", "--replications", "20"),
    "models list": ("models", "list"),
    "models show": ("models", "show", "twin"),
}


@pytest.mark.parametrize("command", JSON)
@pytest.mark.usefixtures("here")
def test_json_is_one_document_and_tables_fit(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert json.loads(fine(*JSON[command], "--json"))
    monkeypatch.setenv("COLUMNS", "80")
    text = fine(*JSON[command])
    lines = [line for line in text.splitlines() if not line.startswith("  tracetwin import take ")]
    assert max(map(len, lines)) <= 80
    assert "…" not in text.replace("… and", ""), "cut short"


def test_build_prints_the_twin_it_wrote_and_keeps_versions(here: Path) -> None:
    log = known_log(here / "tiny.csv", 2)
    said = fine("build", log, "--twin", "tiny.json", "--json")
    assert said == (here / "tiny.json").read_text("utf-8")
    assert "kept in the database as tiny@2; 'tiny' alone still means version 1" in " ".join(
        fine("build", log, "--twin", "tiny.json", "--seed", "9").split()
    )

    def meant() -> int:
        return int(json.loads(fine("show", "tiny", "--json"))["provenance"]["seed"])

    assert meant() == 0
    fine("models", "promote", "tiny@2")
    assert meant() == 9
    kept = [m for m in json.loads(fine("models", "list", "--json")) if m["name"] == "tiny"]
    assert {(m["version"], m["state"]) for m in kept} == {(1, "retired"), (2, "champion")}


FORECAST = f"forecast known.json --log orders --as-of {AS_OF}"
SHORT = f"{FORECAST} --replications 2 --plain"
"""Learns nothing from the log, which takes most of the time."""
NEW = "simulate known.json --start 2026-11-03"
FAULTS: dict[str, tuple[str, int, str]] = {
    "missing column": ("build nocase.csv --twin t.json", 3, "nocase.csv: no column recognised as case"),
    "unparsable time": (
        "build badtime.csv --twin t.json",
        3,
        "badtime.csv, line 3: 'soon' in column 'end_time'",
    ),
    "end before start": ("import take backwards.csv", 3, "backwards.csv, line 3: the end"),
    "empty file": ("build empty.csv --twin t.json", 3, "empty.csv: the file is empty"),
    "header only": ("build header.csv --twin t.json", 3, "header.csv: there is a header but no row"),
    "unknown key": (
        "build orders --twin t.json --config key.toml",
        3,
        "key.toml, line 2: [build] has no key 'noise'",
    ),
    "no TOML": ("build orders --twin t.json --config no.toml", 3, "no.toml: not valid TOML"),
    "newer twin": ("show newer.json", 3, "newer.json was written by a newer Tracetwin (schema 99"),
    "nonsense twin": ("show nonsense.json", 3, "nonsense.json can't be used; mend these"),
    "twin that is no JSON": ("show text.json", 3, "text.json is no JSON"),
    "twin that is a list": ("show list.json", 3, "list.json can't be used"),
    "as of before the log": (
        "forecast known.json --log orders --as-of 2020-01-01 --out t.csv",
        3,
        "log 'orders' has no event at or before 2020-01-01",
    ),
    "quote before the log": (
        "quote known.json --log orders --as-of 2020-01-01",
        3,
        "log 'orders' has no event at or before",
    ),
    "until before the log": (
        "build orders --twin t.json --until 2020-01-01",
        3,
        "log 'orders' has no event at or before",
    ),
    "no instant": ("forecast known.json --log orders --as-of soon", 2, "--as-of soon: not an instant"),
    "no until": ("build orders --twin t.json --until soon", 2, "--until soon: not an instant"),
    "unknown log": (
        "validate known.json --log nolog",
        3,
        "nolog: neither a file nor a log in tracetwin.duckdb; imported logs:",
    ),
    "unknown twin": ("show notwin", 3, "there is no twin 'notwin' in the database; it holds:"),
    "unknown version": ("show twin@77", 3, "there is no twin 'twin@77' in the database"),
    "missing log": ("build none.csv --twin t.json", 3, "none.csv can't be opened: No such file"),
    "missing twin": ("show none.json", 3, "none.json doesn't exist"),
    "missing configuration": ("build orders --twin t.json --config none.toml", 3, "none.toml: no such file"),
    "twin in no folder": (
        "build orders --twin no/t.json",
        3,
        "no/t.json can't be written (there is no such folder)",
    ),
    "name with @": ("build orders --twin a@b.json", 2, "--twin a@b.json"),
    "log in no folder": (f"{NEW} --cases 2 --out no/t.csv", 3, "no/t.csv can't be written"),
    "forecast in no folder": (f"{FORECAST} --out no/t.csv", 3, "no/t.csv can't be written"),
    "report in no folder": (
        "validate known.json --log orders --report no/t.html",
        3,
        "no/t.html can't be written",
    ),
    "picture in no folder": ("show known.json --svg no/t.svg", 3, "no/t.svg can't be written"),
    "a folder as file": (f"{NEW} --cases 2 --out .", 3, ". can't be written (it is a folder)"),
    "progress in no folder": (f"{FORECAST} --progress-file no/p", 3, "--progress-file no/p can't be written"),
    "horizons of words": (f"{FORECAST} --horizons-h day", 2, "--horizons-h day: expected hours"),
    "horizons of nothing": (f"{FORECAST} --horizons-h nan", 2, "--horizons-h nan: expected hours above 0"),
    "horizons for ever": (f"{FORECAST} --horizons-h 1e9", 2, "--horizons-h 1e9: expected hours above 0"),
    "negative horizons": (f"{FORECAST} --horizons-h=-3", 2, "--horizons-h -3: expected hours above 0"),
    "forecast as a song": (f"{FORECAST} --wip-chart t.mp3", 2, "--wip-chart t.mp3: expected a name"),
    "no cases": (f"{NEW} --cases 0", 2, "Invalid value for '--cases'"),
    "bad start": ("simulate known.json --cases 2 --start soon", 2, "--start soon: not an instant"),
    "start in the year 9000": (
        "simulate known.json --cases 2 --start 9000-01-01",
        2,
        "--start 9000-01-01: expected a year",
    ),
    "negative seed": ("build orders --twin t.json --seed -1", 2, "Invalid value for '--seed'"),
    "huge seed": (f"{FORECAST} --seed 4294967296", 2, "Invalid value for '--seed'"),
    "no workers": (f"{FORECAST} --workers 0", 2, "Invalid value for '--workers'"),
    "unknown policy": (f"{NEW} --cases 2 --policy LAST", 2, "--policy LAST: unknown; take one of"),
    "bad map": ("build orders.csv --twin t.json --map case", 2, "--map 'case' is not of the form"),
    "map to no column": (
        "build orders.csv --twin t.json --map case=Nr",
        3,
        "orders.csv: --map case=Nr names no column",
    ),
    "no database": ("models list --db none.duckdb", 3, "none.duckdb: no such database"),
    "text as database": (
        "models list --db empty-not.duckdb",
        3,
        "empty-not.duckdb can't be opened as a database",
    ),
    "foreign database": (
        "import take orders.csv --db foreign.duckdb",
        3,
        "foreign.duckdb is a database of another program",
    ),
    "damaged database": ("models list --db damaged.duckdb", 3, "damaged.duckdb"),
    "database in no folder": ("import take orders.csv --db no/x.duckdb", 3, "no/x.duckdb can't be opened"),
    "no arrivals": ("simulate quiet.json --cases 2 --start 2026-11-03 --out t.csv", 3, "knows no arrivals"),
    "no arrivals to validate": ("validate quiet.json --log orders", 3, "knows no arrivals"),
    "missing ids": (f"{FORECAST} --open none.txt", 3, "none.txt can't be read (No such file or directory)"),
    "unknown ids": (
        f"{FORECAST} --open ids.txt --out t.csv",
        3,
        "open case 'SO-1' is not in log 'orders' as known then",
    ),
    "unknown segment": (
        "quote known.json --log orders --as-of 2026-08-10T10:00:00Z --segment gold",
        2,
        "--segment gold: unknown to the twin; known are key account, standard",
    ),
    "promotion of nothing": (
        "models promote twin",
        2,
        "models promote twin: expected name@version, e.g. twin@2",
    ),
    "promotion of no version": ("models promote twin@77", 3, "there is no twin 'twin@77'"),
    "demo in a file": ("demo --out orders.csv", 3, "--out orders.csv: no such folder can be made"),
    "unknown command": ("guess", 2, "No such command 'guess'"),
    "the old way to import": ("import orders.csv", 2, "'tracetwin import take orders.csv' takes it"),
    "a look at nothing": ("import look none.csv", 3, "none.csv can't be opened: No such file"),
    "a look at no log": ("import look empty.csv", 3, "empty.csv: the file is empty"),
    "an unknown zone": ("import look orders.csv --tz Mars/Olympus", 2, "--tz 'Mars/Olympus' is no time zone"),
    "nothing to undo": ("import undo nolog", 3, "nothing was ever imported as log 'nolog'"),
    "no quarantine": ("import quarantined orders --out t.csv", 3, "log 'orders' has no quarantined rows"),
    "nothing to forget": ("import forget", 2, "import forget: give one of --case ID, --person NAME and"),
    "nobody to forget": ("import forget --case SO-0", 3, "SO-0"),
    "no database to list": ("import list --db none.duckdb", 3, "none.duckdb: no such database; take a log"),
    "quality of nothing": ("quality nolog", 3, "nolog: neither a file nor a log in tracetwin.duckdb"),
}


@pytest.fixture(scope="module")
def broken(place: Path) -> Path:
    """Everything that can be wrong, in files."""
    files = {
        "nocase.csv": "activity,end_time\nA,2024-03-04\n",
        "badtime.csv": f"{HEAD}\n{GOOD}\n1,B,x,2024-03-04T10:00:00Z,soon\n",
        "backwards.csv": f"{HEAD}\n{GOOD}\n1,B,x,2024-03-04T10:00:00Z,2024-03-04T09:00:00Z\n",
        "empty.csv": "",
        "header.csv": f"{HEAD}\n",
        "key.toml": "[build]\nnoise = 1\n",
        "no.toml": "[build\n",
        "newer.json": '{"schema_version": 99}',
        "text.json": "a twin",
        "list.json": "[]",
        "ids.txt": "SO-1\n",
        "empty-not.duckdb": "text",
    }
    for name, text in files.items():
        (place / name).write_text(text, encoding="utf-8")
    twin = json.loads((place / "twin.json").read_text("utf-8"))
    twin["flows"][0]["target"] = "nowhere"
    (place / "nonsense.json").write_text(json.dumps(twin))
    with duckdb.connect(str(place / "foreign.duckdb")) as con:
        con.execute("CREATE TABLE uploads (a INTEGER)")
    whole = (place / "tracetwin.duckdb").read_bytes()
    (place / "damaged.duckdb").write_bytes(whole[: len(whole) // 2])
    return place


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file() and ".duckdb" not in p.name}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.usefixtures("here")
def test_a_fault_is_one_sentence_and_leaves_nothing(fault: str, broken: Path) -> None:
    arguments, code, sentence = FAULTS[fault]
    names, before = sorted(p.name for p in broken.iterdir()), contents(broken)
    said = tracetwin(*arguments.split())
    flat = " ".join(said.err.replace("│", " ").split())
    assert sentence in flat
    assert said.code == code
    assert "Traceback" not in said.err
    assert said.out == ""
    assert contents(broken) == before
    assert sorted(p.name for p in broken.iterdir()) == names


def test_an_instant_long_after_the_log_is_answered_with_a_warning(here: Path) -> None:
    said = fine(*f"{SHORT} --as-of 2027-06-01 --json".split())
    assert any("nothing is known of the" in note for note in json.loads(said)["notes"])


def test_nothing_open_is_said_in_a_sentence(here: Path) -> None:
    (here / "nobody.txt").write_text("")
    said = fine(*f"{SHORT} --open nobody.txt".split())
    assert said.strip().splitlines()[0].rstrip() == "Nothing is open at 2026-08-10 10:00 UTC."
    quoted = FORECAST.replace("forecast", "quote")
    for options, empty in (("--open nobody.txt", True), ("", False)):
        err = tracetwin(*f"{quoted} --replications 2 {options}".split()).err
        assert ("nothing is open at the instant of the quote" in err) == empty


@pytest.mark.usefixtures("here")
def test_a_twin_measured_on_its_own_log_is_warned_of() -> None:
    for log, flatters in (("orders.csv", True), ("later.csv", False)):
        said = tracetwin("validate", "twin.json", "--log", log, "--runs", "1", "--json")
        assert json.loads(said.out)["log"] == log.removesuffix(".csv")
        assert ("the twin was built from orders, so these distances flatter it" in said.err) == flatters


@pytest.mark.usefixtures("here")
def test_figures_of_simulated_logs_say_nothing_trivial() -> None:
    one = fine(*f"{NEW} --cases 5".split())
    assert one.count("Add --replications 20 for intervals.") == 1
    assert "orders lost" not in one
    assert "orders completed  " not in one
    assert re.search(r"utilisation .* \d+ %", one)
    several = fine(*f"{NEW} --cases 5 --replications 3".split())
    assert "--replications" not in several
    assert re.search(r"cycle time, mean .* to ", several)


@pytest.mark.usefixtures("here")
def test_distances_stand_in_the_order_of_the_docs_and_perfect_facts_are_left_out() -> None:
    said = fine("show", "twin.json", "--choices")
    heads = [line.split()[1:] for line in said.splitlines() if line.startswith("candidate")]
    for head in heads:
        assert head == [metric for metric in (*METRICS, "circadian", "total") if metric in head]
    assert heads
    said = fine("show", "twin.json")
    assert "time zone: UTC" not in said
    assert said.index("Tasks (means") < said.index("open orders: ")


def test_waits_are_told_in_numbers_and_as_a_picture(here: Path) -> None:
    times = json.loads(fine("waits", "twin.json", "--out", "time.csv", "--chart", "time.svg", "--json"))
    table = rows(here / "time.csv")
    assert [row["task"] for row in table] == [time["task"] for time in times]
    assert [float(row["total_s"]) for row in table] == pytest.approx([time["total_s"] for time in times])
    for time_of in times:
        assert sum(time_of["mean_s"].values()) == pytest.approx(time_of["total_s"], abs=0.01)
    assert (here / "time.svg").read_text("utf-8").startswith("<svg")
    said = tracetwin("waits", "twin.json", "--chart", "time.gif")
    assert (said.code, said.err) == (
        2,
        "tracetwin: --chart time.gif: expected a name that ends in .svg, .png, .html\n",
    )


def test_orders_to_come_are_told_in_numbers_and_as_a_picture(here: Path) -> None:
    asked = ("--days", "9", "--replications", "50")
    volume = json.loads(fine("arrivals", "twin.json", *asked, "--out", "v.csv", "--chart", "v.svg", "--json"))
    table = rows(here / "v.csv")
    assert [row["begin"] for row in table] == [c["begin"].replace("Z", "+00:00") for c in volume["counts"]]
    assert [float(row["q50"]) for row in table] == [c["q50"] for c in volume["counts"]]
    assert len(table) == 9
    assert (here / "v.svg").read_text("utf-8").startswith("<svg")
    for fault, arguments in {
        "--weeks and --days both say how far to look; leave one of them out": ("--weeks", "1", "--days", "2"),
        "--chart v.gif: expected a name that ends in .svg, .png, .html": ("--chart", "v.gif"),
    }.items():
        said = tracetwin("arrivals", "twin.json", *arguments)
        assert (said.code, said.err) == (2, f"tracetwin: {fault}\n")


def process(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(CHECKOUT / "cli.py"), *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_build_leaves_no_half_written_twin(number: signal.Signals, tmp_path: Path) -> None:
    known_log(tmp_path / "orders.csv", 17)
    (tmp_path / "twin.json").write_text("the old one")
    child = process(tmp_path, *["build", "orders.csv", "--twin", "twin.json", "--progress-file", "p"])
    _until(lambda: (tmp_path / "p").exists() and "time model" in (tmp_path / "p").read_text(), child)
    child.send_signal(number)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 128 + number
    assert (out, err) == ("", f"tracetwin: stopped by {number.name}; no file is half-written\n")
    assert (tmp_path / "twin.json").read_text() == "the old one"
    assert {p.name for p in tmp_path.iterdir()} == {"orders.csv", "twin.json", "p", "tracetwin.duckdb"}


def _until(reached: Callable[[], bool], child: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 120
    while not reached():
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_log_that_was_mapped_once_needs_no_map_again(here: Path) -> None:
    """Also under another name; with a map of its own it is read by that."""
    head, rest = (here / "orders.csv").read_text("utf-8").split("\n", 1)
    renamed = head.replace("case_id", "Feld 1").replace("activity", "Feld 2")
    (here / "odd.csv").write_text(f"{renamed}\n{rest}", encoding="utf-8")
    assert tracetwin("forecast", "known.json", "--log", "odd.csv", "--as-of", AS_OF).code == 3
    fine("import", "take", "odd.csv", "--map", "case=Feld 1,activity=Feld 2")
    (here / "again.csv").write_bytes((here / "odd.csv").read_bytes())
    for log in ("odd.csv", "again.csv"):
        said = fine(*f"{SHORT} --json".replace("orders", log).split())
        assert json.loads(said) == json.loads(fine(*f"{SHORT} --json".split()))
    other = tracetwin("build", "odd.csv", "--twin", "odd.json", "--map", "case=Feld 1")
    assert "no column recognised as activity" in other.err


def test_a_reader_that_goes_away_is_no_fault(here: Path) -> None:
    child = process(here, "show", "twin.json", "--json")
    assert child.stdout
    assert child.stderr
    child.stdout.close()
    assert child.stderr.read() == ""
    child.wait(60)
