"""What benchmarks/accuracy.py runs: each unit gives one row of results."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


class FailedError(Exception):
    """A command that ended with an error; its words."""


@dataclass(frozen=True, slots=True)
class LogPair:
    """A log in two parts."""

    name: str
    train: Path
    test: Path


def logs_in(*folders: Path) -> list[LogPair]:
    """NAME_train.csv.gz beside NAME_test.csv.gz, by folder and name; the first of equal names counts."""
    found: dict[str, LogPair] = {}
    for folder in folders:
        for train in sorted(folder.glob("*_train.csv.gz")):
            name = train.name.removesuffix("_train.csv.gz")
            test = folder / f"{name}_test.csv.gz"
            if test.exists():
                found.setdefault(name, LogPair(name, train, test))
    return list(found.values())


def measure(pair: LogPair, work: Path, runs: int) -> dict[str, Any]:
    """Build, validate and draw by the commands a user calls; CPU, memory and time are the build's."""
    twin, db = work / f"{pair.name}.json", work / f"{pair.name}.duckdb"
    used = build(pair.train, twin, db, work, "--open", nobody(work))
    options = ("--train", pair.train, "--runs", str(runs), "--db", db, "--json")
    validation = json.loads(run("validate", twin, "--log", pair.test, *options)["out"])
    means = {metric: round(fmean(values), 3) for metric, values in validation["distances"].items()}
    sys.stderr.write(f"{pair.name}: {means}, {used['cpu_s']:.0f} CPU s, {used['memory_mb']:.0f} MB\n")
    return {
        "unit": "log",
        "log": pair.name,
        "runs": runs,
        **used,
        "cases": validation["cases"],
        "distances": validation["distances"],
        "references": validation["references"],
        "choices": choices(twin),
    }


def scale(work: Path) -> dict[str, Any]:
    """A build from the largest log that the program promises to take."""
    from benchmarks.characters import write_bank

    log = write_bank(work)
    used = build(Path(log["path"]), work / "bank.json", work / "bank.duckdb", work)
    return {"unit": "scale", "log": "bank", **used, **log, "choices": choices(work / "bank.json")}


def build(log: Path, twin: Path, db: Path, work: Path, *more: object) -> dict[str, Any]:
    """CPU seconds, megabytes and seconds of `tracetwin build`, with an empty database to begin with."""
    for old in (db, db.with_name(db.name + ".wal")):
        old.unlink(missing_ok=True)
    before = time.time()
    used = run("build", log, "--twin", twin, "--db", db, *more)
    return {"cpu_s": used["cpu_s"], "memory_mb": used["memory_mb"], "wall_s": time.time() - before}


def nobody(work: Path) -> Path:
    """A list of open cases with none in it."""
    path = work / "no_open_cases.txt"
    path.write_text("", encoding="utf-8")
    return path


def choices(twin: Path) -> dict[str, str]:
    """What the build chose, by question."""
    model = json.loads(twin.read_text(encoding="utf-8"))
    return {
        choice["what"]: next(c["name"] for c in choice["candidates"] if c["chosen"])
        for choice in model["provenance"]["choices"]
    }


def run(*arguments: object) -> dict[str, Any]:
    """A tracetwin command: its output, CPU seconds (children included) and the most memory of one process."""
    script = (
        "import atexit, resource, sys\n"
        "from benchmarks.peak import peak_mb\n"
        "sys.argv[0] = 'tracetwin'\n"
        "def used():\n"
        "    a, b = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "    cpu = a.ru_utime + a.ru_stime + b.ru_utime + b.ru_stime\n"
        "    sys.stderr.write(f'\\nUSED {cpu} {max(peak_mb(), b.ru_maxrss / 1024)}\\n')\n"
        "atexit.register(used)\n"
        "import cli; cli.main()\n"
    )
    command = [sys.executable, "-c", script, *map(str, arguments)]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    if ended.returncode:
        raise FailedError(f"{' '.join(map(str, arguments))}: {ended.stderr}")
    cpu, memory = ended.stderr.rsplit("USED", 1)[1].split()
    return {"out": ended.stdout, "cpu_s": float(cpu), "memory_mb": float(memory)}


def draw(pair: LogPair, work: Path, into: Path) -> dict[str, float]:
    """The twin as a picture; how wide and high it is, in pixels."""
    from metagraph.drawing import draw_svg
    from metagraph.json_io import load

    text = draw_svg(load(work / f"{pair.name}.json"))
    into.mkdir(parents=True, exist_ok=True)
    (into / f"{pair.name}.svg").write_text(text, encoding="utf-8")
    size = text.split('viewBox="0 0 ', 1)[1].split('"', 1)[0].split()
    return {"width": float(size[0]), "height": float(size[1])}


def ablate(pair: LogPair, work: Path, runs: int, code: str, done: set[str]) -> None:
    """Append a row for each ingredient that isn't `done`, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.ablation", pair.name, pair.train, pair.test, work, str(runs)]
    command += [code, *sorted(done)]
    subprocess.run(list(map(str, command)), cwd=ROOT, check=True)
