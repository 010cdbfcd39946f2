"""How often a comparison of twins finds what isn't there, and how often what is, on logs of a known process.

`python -m benchmarks.comparing [--pairs N] [--work FOLDER]` appends a line a log to FOLDER/comparing.jsonl,
goes on where it was stopped, and prints the figures of docs/comparing-twins.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.changed_twins import LEFT, REROUTED, SLOWER, busier, left, rerouted, slower
from benchmarks.keeping import append, rows_of
from calibration.settings import Settings
from eventlogs.historian import Historian
from eventlogs.snapshot import Snapshot
from eventlogs.split import known_at
from examples.order_to_cash import START, known_twin, log_text
from metagraph.model import Metagraph
from twin.build import fitted
from twin.diff import CONSEQUENCES, diff
from twin.structures import Recipe
from twin.words import share_interval

CHANGES: Mapping[str, tuple[str, Metagraph]] = {
    "a task slower by 25 %": (SLOWER, slower(known_twin(), 1.25)),
    "arrivals up by 30 %": ("all orders", busier(known_twin(), 1.3)),
    "a branch taken by 40 % in place of 17 %": (REROUTED, rerouted(known_twin(), 0.4)),
    "an agent left": (LEFT, left(known_twin())),
}
"""How the process changes -> what is to be named, and the process then."""
DAYS = 40.0
FIRST_SEED = 1000
OF_CHANGED = 5000
"""Added to the seed of logs of a changed process."""
PART = 0.6
"""Of a log's time, after which it is held against its whole."""
EVERY = 3
"""Which logs are also compared with those of changed processes."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what hasn't been measured yet and print the shares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=59)
    parser.add_argument("--work", type=Path, default=Path("build/comparing"))
    options = parser.parse_args(arguments)
    options.work.mkdir(parents=True, exist_ok=True)
    file = options.work / "comparing.jsonl"
    done = {row["seed"] for row in rows_of(file)}
    for seed in range(FIRST_SEED, FIRST_SEED + options.pairs):
        if seed not in done:
            append(file, measured(seed, options.work))
    told(rows_of(file))


def measured(seed: int, folder: Path) -> dict[str, Any]:
    """What is found between two logs without a change, between a log and its part, and with each change."""
    (log, model), (other, theirs) = (known(seed + k, folder) for k in (0, 1))
    part = known_at(log, PART * log.until_s)
    row: dict[str, Any] = {
        "seed": seed,
        "apart": found(model, theirs, (log, other)),
        "part": found(fit(part), model, (part, log)),
    }
    if (seed - FIRST_SEED) % EVERY == 0:
        for change, (what, process) in CHANGES.items():
            changed, after = known(seed + OF_CHANGED, folder, process)
            names = found(model, after, (log, changed))
            row[change] = {"named": what in names, "alone": names == [what]}
    return row


def found(before: Metagraph, after: Metagraph, logs: tuple[Snapshot, Snapshot]) -> list[str]:
    """What more than chance explains, but for what follows from it."""
    real = diff(before, after, logs).found("real", "small")
    return sorted({one.what for one in real if one.kind not in CONSEQUENCES})


def known(seed: int, folder: Path, process: Metagraph | None = None) -> tuple[Snapshot, Metagraph]:
    """A log of the process, and the twin that is fitted to it."""
    twin = process or known_twin()
    file = folder / "log.csv"
    file.write_text(log_text(twin, START, START + timedelta(days=DAYS), seed), encoding="utf-8")
    with Historian(":memory:") as historian:
        historian.import_log(file, f"log{seed}")
        snapshot = historian.snapshot(f"log{seed}")
    return snapshot, fit(snapshot)


def fit(snapshot: Snapshot) -> Metagraph:
    return fitted(snapshot, Recipe(0.0), replace(Settings(), fast=True), 0)


def told(rows: Sequence[dict[str, Any]]) -> None:
    """Shares with their 95 % intervals."""
    for what in ("apart", "part"):
        _say(f"false findings, {what}", sum(bool(row[what]) for row in rows), len(rows))
    for change in CHANGES:
        tried = [row[change] for row in rows if change in row]
        for how in ("named", "alone"):
            _say(f"{change}, {how}", sum(one[how] for one in tried), len(tried))


def _say(what: str, n: int, of: int) -> None:
    low, high = share_interval(n / of, of)
    print(f"{what}: {n} of {of} ({low:.0%} to {high:.0%})")


if __name__ == "__main__":
    main()
