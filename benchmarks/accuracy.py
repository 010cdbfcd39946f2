"""How real are simulated logs? Builds a twin of each log and writes docs/accuracy.md.

    python -m benchmarks.accuracy [--logs LoanApp,P2P] [--runs 10] [--jobs 1] [--data FOLDER ...]
        [--ablation] [--scale] [--work build/accuracy] [--table-only]

Logs are NAME_train.csv.gz and NAME_test.csv.gz in the `--data` folders; without any, those in accuracy/logs
of the folder that TRACETWIN_LOGS names, and those that benchmarks/characters.py has made. Each twin is fitted
to the training part alone, simulates as many cases as the test part has, `runs` times from the first test
arrival on, and is measured. Results are appended as one JSON line a unit, with the code's version, so that a
stopped run goes on. `--ablation` also measures what each ingredient is worth, `--scale` a build of the
largest log that is promised to be taken.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks import accuracy_units as units
from benchmarks.accuracy_page import page
from benchmarks.keeping import append, rows_of, version
from benchmarks.published import peers

ROOT = units.ROOT
ABLATION_RUNS = 3


def main() -> None:
    asked = _asked()
    data = asked.data or _known_folders()
    if not data:
        sys.exit(
            "skipped: set TRACETWIN_LOGS to the folder that holds accuracy/, or name folders with --data"
        )
    asked.work.mkdir(parents=True, exist_ok=True)
    results, code = asked.work / "results.jsonl", version(ROOT)
    pairs = [p for p in units.logs_in(*data) if not asked.logs or p.name in asked.logs.split(",")]
    if not pairs:
        sys.exit(f"no NAME_train.csv.gz beside NAME_test.csv.gz in {', '.join(map(str, data))}")
    if not asked.table_only:
        jobs = _jobs(asked, pairs, results, code)
        with ThreadPoolExecutor(asked.jobs) as pool:
            for ended in [pool.submit(job) for job in jobs]:
                ended.result()
    published = peers(data[0].parent / "published.csv")
    text = page(*_latest(rows_of(results), published))
    (ROOT / "docs" / "accuracy.md").write_text(text, encoding="utf-8")
    sys.stdout.write(text)


def _asked() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--logs", default="", help="names, separated by commas; default: all")
    options.add_argument("--data", type=Path, nargs="*")
    options.add_argument("--runs", type=int, default=10)
    options.add_argument("--jobs", type=int, default=1, help="logs at once")
    options.add_argument("--ablation", action="store_true")
    options.add_argument("--scale", action="store_true")
    options.add_argument("--work", type=Path, default=ROOT / "build" / "accuracy")
    options.add_argument("--table-only", action="store_true")
    return options.parse_args()


def _known_folders() -> list[Path]:
    named = os.environ.get("TRACETWIN_LOGS")
    folders = [Path(named).resolve() / "accuracy" / "logs"] if named else []
    return [folder for folder in (*folders, ROOT / "build" / "characters") if folder.is_dir()]


def _jobs(
    asked: argparse.Namespace, pairs: list[units.LogPair], results: Path, code: str
) -> list[Callable[[], None]]:
    """What is left to do with this version of the code."""
    done = {
        (row["unit"], row["log"], row.get("runs"), row.get("variant"))
        for row in rows_of(results)
        if row["version"] == code
    }

    def measured(pair: units.LogPair) -> None:
        try:
            row = units.measure(pair, asked.work, asked.runs)
            row["drawing"] = units.draw(pair, asked.work, ROOT / "docs" / "twins")
        except units.FailedError as error:
            row = {"unit": "log", "log": pair.name, "failed": str(error)[-2000:]}
            sys.stderr.write(f"{pair.name} failed: {error}\n")
        append(results, {"version": code, **row})

    def ablated(pair: units.LogPair) -> None:
        mine = {str(v) for unit, log, _, v in done if unit == "ablation" and log == pair.name}
        units.ablate(pair, asked.work, ABLATION_RUNS, code, mine)

    def scaled() -> None:
        append(results, {"version": code, **units.scale(asked.work)})

    jobs: list[Callable[[], None]] = [
        lambda pair=pair: measured(pair)  # type: ignore[misc]
        for pair in pairs
        if ("log", pair.name, asked.runs, None) not in done
    ]
    if asked.scale and ("scale", "bank", None, None) not in done:
        jobs.append(scaled)
    if asked.ablation:
        jobs += [lambda pair=pair: ablated(pair) for pair in pairs]  # type: ignore[misc]
    return jobs


def _latest(rows: list[dict[str, Any]], published: Any) -> tuple[Any, Any, Any, Any, dict[str, str]]:
    """The last measurement of everything: logs, peers, ablation, scale, and what failed."""
    logs = {row["log"]: row for row in rows if row["unit"] == "log"}
    failed = {name: row["failed"] for name, row in logs.items() if "failed" in row}
    logs = {name: row for name, row in logs.items() if name not in failed}
    first = [name for name in published if name in logs]
    ordered = {name: logs[name] for name in (*first, *sorted(set(logs) - set(first)))}
    newest = {row["log"]: row["version"] for row in rows if row["unit"] == "ablation"}
    ablation = [row for row in rows if row["unit"] == "ablation" and row["version"] == newest[row["log"]]]
    scale = [row for row in rows if row["unit"] == "scale"]
    return ordered, published, ablation, scale[-1] if scale else None, failed


if __name__ == "__main__":
    main()
