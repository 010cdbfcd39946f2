"""How good are plans, and how soon? Measures the scheduler beside its peers; writes docs/scheduler.md.

    python -m benchmarks.scheduler [--only 20,fine] [--approaches step,cpsat] [--seeds 2] [--work DIR]

Every unit (a snapshot of Example 3, planned by one approach) runs in a process of its own. A JSON line is
appended for each, with the code's version: a stopped run goes on. CP-SAT's environment is made in the working
folder from benchmarks/peers/scheduler.lock. All of it takes about 25 minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.engines_peers import surroundings
from benchmarks.keeping import append, rows_of, version

ROOT = Path(__file__).resolve().parent.parent
APPROACHES = ("step", "rules", "paper", "cpsat", "compile")


def main() -> None:
    from benchmarks.scheduler_units import CASES

    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--only", default=",".join(CASES), help="cases, by their names")
    options.add_argument("--approaches", default=",".join(APPROACHES))
    options.add_argument("--seeds", type=int, default=100, help="at most so many snapshots of a case")
    options.add_argument("--work", type=Path, default=ROOT / "build" / "scheduler")
    options.add_argument("--out", type=Path, default=ROOT / "docs")
    options.add_argument("--page-only", action="store_true", help="from what was measured last")
    options.add_argument("--one", help=argparse.SUPPRESS)
    asked = options.parse_args()
    work = asked.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    if asked.one:
        print(json.dumps(_one(asked.one, work)))
        return
    rows = work / "rows.jsonl"
    if not asked.page_only:
        _measure(asked.only.split(","), asked.approaches.split(","), asked.seeds, work, rows)
    from benchmarks.scheduler_page import write

    sys.stdout.write(write(rows_of(rows), asked.out))


def _one(name: str, work: Path) -> dict[str, Any]:
    """A unit, in this process."""
    from benchmarks.scheduler_units import compiled_model, measure, units

    if "/compile/" in name:
        return compiled_model(int(name.rpartition("/")[2]))
    return measure(next(unit for unit in units() if unit.name == name), work)


def _measure(cases: list[str], approaches: list[str], seeds: int, work: Path, rows: Path) -> None:
    from benchmarks.scheduler_peers import prepare
    from benchmarks.scheduler_units import units

    chosen = (unit for unit in units() if unit.case in cases and unit.approach in approaches)
    names = [unit.name for unit in chosen if unit.seed < seeds]
    names += [f"model/compile/{seed}" for seed in range(3)] if "compile" in approaches else []
    if "cpsat" in approaches:
        prepare(work)
    code = version(ROOT)
    done = {(row["version"], row["unit"]) for row in rows_of(rows)}
    for k, name in enumerate(names, 1):
        if (code, name) in done:
            continue
        measured = _in_process(name, work)
        case, approach, seed = name.split("/")
        about = {"unit": name, "case": case, "approach": approach, "seed": int(seed)}
        append(rows, {"version": code, **about, "machine": _machine(), **measured})
        told = {key: value for key, value in measured.items() if key != "incumbents"}
        sys.stderr.write(f"{k} of {len(names)}, {name}: {json.dumps(told)[:400]}\n")


def _in_process(name: str, work: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.scheduler", "--one", name, "--work", str(work)]
    ended = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env=surroundings(work), check=False
    )
    if ended.returncode:
        return {"failed": (ended.stderr.strip().splitlines() or ["it was ended"])[-1][:300]}
    return dict(json.loads(ended.stdout.splitlines()[-1]))


def _machine() -> str:
    return f"Python {platform.python_version()}, {os.cpu_count()} cores"


if __name__ == "__main__":
    main()
