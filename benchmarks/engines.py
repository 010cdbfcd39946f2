"""How fast are the two engines, and how lean? Measures them beside their peers; writes docs/engines.md.

    python -m benchmarks.engines [--units tandem_kernel,tandem_ciw] [--repeats 5] [--work build/engines]

Every unit runs in a process of its own, once in each of `--repeats` rounds, so that what is compared was
measured under the same conditions. A JSON line is appended per run, with the code's version: a stopped run
goes on. The peers' environment is made in the working folder from benchmarks/peers/peers.lock.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks import engines_peers, engines_use

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    from benchmarks.engines_units import UNITS

    names = [*engines_peers.paired(UNITS), *(engines_use.UNITS if engines_use.logs() else ())]
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--units", default=",".join(names))
    options.add_argument("--repeats", type=int, default=5)
    options.add_argument("--work", type=Path, default=ROOT / "build" / "engines")
    options.add_argument("--one", help=argparse.SUPPRESS)
    options.add_argument("--repeat", type=int, default=0, help=argparse.SUPPRESS)
    options.add_argument(
        "--page-only", action="store_true", help="only write the page, from what was measured"
    )
    asked = options.parse_args()
    work = asked.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    if asked.one:
        print(json.dumps({**UNITS, **engines_use.UNITS}[asked.one](work, asked.repeat)))
        return
    rows = work / "rows.jsonl"
    if not asked.page_only:
        _measure(asked.units.split(","), asked.repeats, work, rows)
    from benchmarks.engines_page import write

    sys.stdout.write(write(list(_read(rows)), ROOT / "docs"))


def _measure(units: list[str], repeats: int, work: Path, rows: Path) -> None:
    version = _version()
    engines_peers.prepare(work)
    if set(units) & set(engines_use.UNITS):
        engines_use.prepare(work)
    done = {(row["version"], row["unit"], row["repeat"]) for row in _read(rows)}
    for repeat in range(repeats):
        for unit in units:
            if (version, unit, repeat) in done:
                continue
            peer = unit in engines_peers.COMMANDS
            measured = engines_peers.run(unit, work, repeat) if peer else _in_process(unit, work, repeat)
            row = {"version": version, "unit": unit, "repeat": repeat, "machine": _machine(), **measured}
            with rows.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(row) + "\n")
            sys.stderr.write(f"{repeat} {unit}: {json.dumps(measured)[:300]}\n")


def _in_process(unit: str, work: Path, repeat: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.engines", "--one", unit]
    command += ["--repeat", str(repeat), "--work", str(work)]
    env = engines_peers.surroundings(work)
    ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=env, check=False)
    if ended.returncode:
        return {"failed": (ended.stderr.strip().splitlines() or ["it was ended"])[-1][:300]}
    return dict(json.loads(ended.stdout.splitlines()[-1]))


def _read(path: Path) -> Iterable[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def _version() -> str:
    """Of the code: pages that a run has written don't count."""
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs")
    return _git("rev-parse", "--short", "HEAD") + ("-dirty" if changed else "")


def _git(*command: str) -> str:
    return subprocess.run(
        ["git", *command], capture_output=True, text=True, cwd=ROOT, check=True
    ).stdout.strip()


def _machine() -> str:
    return f"Python {platform.python_version()}, {os.cpu_count()} cores"


if __name__ == "__main__":
    main()
