"""How fast is the historian, and how lean? Measures it beside pm4py and pandas; writes docs/historian.md.

    python -m benchmarks.historian [--units xes_read,xes_pm4py] [--repeats 3] [--work build/historian]

Makes its logs in the working folder (some 4 GB). Every unit runs in a process of its own, `--repeats` times;
a JSON line is appended per run, with the code's version, so that a stopped benchmark goes on.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.historian_units import UNITS, prepare

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--units", default=",".join(UNITS))
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--work", type=Path, default=ROOT / "build" / "historian")
    options.add_argument("--one", help=argparse.SUPPRESS)
    options.add_argument("--prepare", action="store_true", help="only make the logs")
    asked = options.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    if asked.one:
        print(json.dumps(_measured(asked.one, asked.work)))
        return
    if asked.prepare:
        prepare(asked.work)
        return
    prepared = _run("--prepare", "--work", str(asked.work))
    if prepared.returncode:
        sys.exit(prepared.stderr)
    results = asked.work / "results.jsonl"
    version = _version()
    for unit in asked.units.split(","):
        for repeat in range(asked.repeats):
            key = (version, unit, repeat)
            if any((r["version"], r["unit"], r["repeat"]) == key for r in _rows(results)):
                continue
            row = {"version": version, "unit": unit, "repeat": repeat, **_in_process(unit, asked.work)}
            with results.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(row) + "\n")
            sys.stderr.write(f"{row}\n")
    text = _page(list(_rows(results)))
    (ROOT / "docs" / "historian.md").write_text(text, encoding="utf-8")
    sys.stdout.write(text)


def _measured(unit: str, folder: Path) -> dict[str, float]:
    """CPU and wall seconds between the unit's yields, and how far memory rose above the start's."""
    work = Path(tempfile.mkdtemp(dir=folder))
    try:
        steps = UNITS[unit](folder, work)
        next(steps)
        base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        cpu, wall = time.process_time(), time.perf_counter()
        amount = next(steps)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        steps.close()
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return {"amount": amount, "cpu_s": cpu, "wall_s": wall, "peak_mb": peak / 1024, "base_mb": base / 1024}


def _in_process(unit: str, work: Path) -> dict[str, Any]:
    ended = _run("--one", unit, "--work", str(work))
    if ended.returncode:
        return {"failed": ended.stderr.strip().splitlines()[-1][:300]}
    return dict(json.loads(ended.stdout.splitlines()[-1]))


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.historian", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


def _rows(path: Path) -> Iterable[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def _version() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True).stdout.strip()


def _page(rows: list[dict[str, Any]]) -> str:
    from benchmarks.historian_page import page

    last = {row["unit"]: row["version"] for row in rows}
    runs = {
        unit: [row for row in rows if row["unit"] == unit and row["version"] == version]
        for unit, version in last.items()
    }
    keys = ("amount", "cpu_s", "wall_s", "peak_mb", "base_mb")
    medians = {
        unit: {key: median(row[key] for row in found) for key in keys}
        for unit, found in runs.items()
        if all("cpu_s" in row for row in found)
    }
    failed = {unit: row["failed"] for unit, found in runs.items() for row in found if "failed" in row}
    return page(medians, failed, last)


if __name__ == "__main__":
    main()
