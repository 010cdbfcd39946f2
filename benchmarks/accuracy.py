"""How real are simulated logs? Builds a twin of each public log and writes docs/accuracy.md.

    python benchmarks/accuracy.py [--logs LoanApp,P2P] [--runs 10] [--work build/accuracy] [--table-only]

Takes the folder that holds `accuracy/` from TRACETWIN_LOGS. Fits on the training part alone, simulates as
many cases as the test part has, `runs` times from the first test arrival on, and measures the distances.
Results are appended as one JSON line per log, with the code's version, so that a stopped run goes on.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOGS = ("LoanApp", "P2P", "ConsultaDataMining", "BPIC12W")
METRICS = ("NGD", "AEDD", "CADD", "CEDD", "REDD", "CTDD")
GOALS = {"LoanApp": 0.10, "P2P": 0.40, "ConsultaDataMining": 0.30, "BPIC12W": 0.20}
CPU_GOAL_S = 60.0
MEMORY_GOAL_MB = 1536.0


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--logs", default=",".join(LOGS))
    options.add_argument("--runs", type=int, default=10)
    options.add_argument("--work", type=Path, default=ROOT / "build" / "accuracy")
    options.add_argument("--table-only", action="store_true")
    asked = options.parse_args()
    folder = os.environ.get("TRACETWIN_LOGS")
    if not folder:
        sys.exit("skipped: set TRACETWIN_LOGS to the folder that holds accuracy/")
    data = Path(folder).resolve() / "accuracy"
    asked.work.mkdir(parents=True, exist_ok=True)
    results = asked.work / "results.jsonl"
    version = _version()
    if not asked.table_only:
        done = {(row["log"], row["version"], row["runs"]) for row in _rows(results)}
        for name in asked.logs.split(","):
            if (name, version, asked.runs) in done:
                continue
            row = {"version": version, **_measure(name, data, asked.work, asked.runs)}
            with results.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(row) + "\n")
    latest = {row["log"]: row for row in _rows(results)}
    text = _table(latest, data / "published.csv")
    (ROOT / "docs" / "accuracy.md").write_text(text, encoding="utf-8")
    sys.stdout.write(text)


def _measure(name: str, data: Path, work: Path, runs: int) -> dict[str, Any]:
    """Build and validate by the commands a user calls; CPU and memory are the build's."""
    train, test = (data / "logs" / f"{name}_{part}.csv.gz" for part in ("train", "test"))
    twin, db = work / f"{name}.json", work / f"{name}.duckdb"
    db.unlink(missing_ok=True)
    nobody = work / "no_open_cases.txt"
    nobody.write_text("", encoding="utf-8")
    before = time.time()
    used = _run("build", train, "--twin", twin, "--db", db, "--open", nobody)
    seconds = time.time() - before
    command = ("validate", twin, "--log", test, "--train", train, "--runs", str(runs), "--db", db, "--json")
    validation = json.loads(_run(*command)["out"])
    model = json.loads(twin.read_text(encoding="utf-8"))
    choices = {
        choice["what"]: next(c["name"] for c in choice["candidates"] if c["chosen"])
        for choice in model["provenance"]["choices"]
    }
    _report(name, used, seconds, validation)
    return {
        "log": name,
        "runs": runs,
        "cpu_s": used["cpu_s"],
        "memory_mb": used["memory_mb"],
        "wall_s": seconds,
        "distances": validation["distances"],
        "references": validation["references"],
        "choices": choices,
    }


def _run(*arguments: object) -> dict[str, Any]:
    """A tracetwin command; its output, CPU seconds (children included) and peak memory of one process."""
    script = (
        "import resource, sys; sys.argv[0] = 'tracetwin'\n"
        "import atexit\n"
        "def used():\n"
        "    a, b = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "    cpu = a.ru_utime + a.ru_stime + b.ru_utime + b.ru_stime\n"
        "    sys.stderr.write(f'\\nUSED {cpu} {max(a.ru_maxrss, b.ru_maxrss) / 1024}\\n')\n"
        "atexit.register(used)\n"
        "import cli; cli.main()\n"
    )
    command = [sys.executable, "-c", script, *map(str, arguments)]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    if ended.returncode:
        sys.exit(f"{' '.join(map(str, arguments))}: {ended.stderr}")
    cpu, memory = ended.stderr.rsplit("USED", 1)[1].split()
    return {"out": ended.stdout, "cpu_s": float(cpu), "memory_mb": float(memory)}


def _report(name: str, used: dict[str, Any], seconds: float, validation: dict[str, Any]) -> None:
    means = {metric: round(fmean(values), 3) for metric, values in validation["distances"].items()}
    sys.stderr.write(
        f"{name}: {means}, {used['cpu_s']:.0f} CPU s, {used['memory_mb']:.0f} MB, {seconds:.0f} s\n"
    )


def _rows(path: Path) -> Iterable[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def _version() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True).stdout.strip()


def _published(path: Path) -> dict[tuple[str, str], dict[str, float]]:
    """(log, system) -> metric -> mean of ten."""
    table: dict[tuple[str, str], dict[str, float]] = {}
    with path.open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            table.setdefault((row["log"], row["system"]), {})[row["metric"]] = float(row["mean_of_10"])
    return table


def _table(latest: dict[str, dict[str, Any]], published_csv: Path) -> str:
    published = _published(published_csv)
    lines = [_HEAD]
    for name in LOGS:
        if name not in latest:
            continue
        row = latest[name]
        lines.append(f"\n## {name}\n\n| system | {' | '.join(METRICS)} |\n|{' --- |' * (len(METRICS) + 1)}")
        ours = [_cell(row["distances"][metric]) for metric in METRICS]
        lines.append(f"| **Tracetwin** (mean ± sd of {row['runs']}) | {' | '.join(ours)} |")
        for (log, system), means in published.items():
            if log == name:
                cells = (f"{means[m]:.3g}" if m in means else "" for m in METRICS)
                lines.append(f"| {system} (published) | {' | '.join(cells)} |")
        for reference, values in row["references"].items():
            cells = (f"{fmean(values[metric]):.3g}" for metric in METRICS)
            lines.append(f"| {reference} | {' | '.join(cells)} |")
        goal, got = GOALS[name], fmean(row["distances"]["NGD"])
        verdict = "met" if got <= goal else "missed"
        lines.append(
            f"\nNGD goal ≤ {goal:.2f}: {verdict} ({got:.3f}). Build: {row['cpu_s']:.0f} CPU s "
            f"(goal ≤ {CPU_GOAL_S:.0f}), {row['memory_mb']:.0f} MB (goal ≤ {MEMORY_GOAL_MB:.0f}). "
            f"Chosen: {'; '.join(f'{what}: {choice}' for what, choice in row['choices'].items())}. "
            f"Code {row['version']}."
        )
    return "\n".join(lines) + "\n"


def _cell(values: list[float]) -> str:
    spread = f" ± {stdev(values):.2g}" if len(values) > 1 else ""
    return f"{fmean(values):.3g}{spread}"


_HEAD = """# How real are the simulated logs?

Made by `benchmarks/accuracy.py`. Four public logs, split at 80 % of the events by end time, cases that
cross the cut dropped. Each twin is built from the training part alone, told that none of its cases is open;
it then simulates as many cases as the test part has, from the first test arrival on, ten times with arrivals
drawn anew. Distances (package log-distance-measures, Wasserstein, lower is better): NGD 3-grams of activities
(0..1); in hours: AEDD absolute event times, CADD arrivals, CEDD circadian, REDD since case start, CTDD cycle
times. 'Last period copied' is the end of the training part shifted by whole weeks: a twin that is worse than
that has not learned the process. 'Training cases on true arrivals' knows when the test cases arrive, which
no simulator does."""


if __name__ == "__main__":
    main()
