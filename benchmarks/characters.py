"""Known processes unlike each other, whose logs stand in for logs that nobody has seen yet.

    python -m benchmarks.characters [--names factory,exams] [--into build/characters]

Writes NAME_train.csv.gz and NAME_test.csv.gz, split like the public logs of benchmarks/accuracy.py.
`write_bank` makes the log on which a build's time and memory are measured: 30,000 cases, 1.2 million lines.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import characters_harsh as harsh
from benchmarks import characters_plans as plans
from benchmarks.known_logs import log_of, write_log
from metagraph.model import Metagraph

if TYPE_CHECKING:
    import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
CHARACTERS: Mapping[str, tuple[Callable[[], Metagraph], int]] = {
    "factory": (plans.factory, 2500),
    "field": (plans.field, 4000),
    "university": (plans.university, 1200),
    "purchasing": (plans.purchasing, 1500),
}
"""By name: the process, and how many cases its log has."""
NAMES = (*CHARACTERS, *harsh.LOGS)


def parts(log: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A log of finished cases, split at 80 % of the events by end time; what crosses the cut is dropped."""
    log = log.sort_values("end_time", kind="stable")
    cut = log["end_time"].iloc[int(0.8 * len(log))]
    last = log.groupby("case_id")["end_time"].transform("max")
    first = log.groupby("case_id")["start_time"].transform("min")
    return log[last <= cut], log[first > cut]


def finished(log: pd.DataFrame) -> pd.DataFrame:
    """The cases that were over when the last one began."""
    known = log.groupby("case_id")["start_time"].min().max()
    over = log.groupby("case_id")["end_time"].transform("max") <= known
    kept: pd.DataFrame = log[over]
    return kept


def whole_log(name: str) -> pd.DataFrame:
    """A log of finished cases by its name: of a known process, or drawn case by case."""
    if name in harsh.LOGS:
        log = harsh.log_of(name)
        return log if name in harsh.FOLLOWED else finished(log)
    make, cases = CHARACTERS[name]
    return finished(log_of(make(), cases, 1, cut=False))


def write_bank(into: Path) -> dict[str, Any]:
    """The largest log; what it holds."""
    log = log_of(plans.bank(), 30_000, 1)
    path = write_log(into / "bank.csv.gz", log)
    return {
        "path": str(path),
        "lines": len(log),
        "cases": log["case_id"].nunique(),
        "activities": log["activity"].nunique(),
        "resources": log.loc[log["resource"] != "", "resource"].nunique(),
    }


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--names", default=",".join(NAMES))
    options.add_argument("--into", type=Path, default=ROOT / "build" / "characters")
    asked = options.parse_args()
    asked.into.mkdir(parents=True, exist_ok=True)
    for name in asked.names.split(","):
        for part, log in zip(("train", "test"), parts(whole_log(name)), strict=True):
            write_log(asked.into / f"{name}_{part}.csv.gz", log)
            print(f"{name} {part}: {log['case_id'].nunique()} cases, {len(log)} events")


if __name__ == "__main__":
    main()
