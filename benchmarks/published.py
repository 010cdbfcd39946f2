"""What others reach on the public logs: the field's published means of ten runs, and peers run by us."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

EXTRA = Path(__file__).with_name("published_extra.csv")
NAMES = {"AgentSim": "AgentSimulator"}


@dataclass(frozen=True, slots=True)
class Peer:
    """One simulator on one log."""

    system: str
    means: Mapping[str, float]
    """Metric -> mean of ten."""
    ours: bool
    """Run by us; else published."""


def peers(published_csv: Path) -> dict[str, tuple[Peer, ...]]:
    """By log; none where the file isn't there."""
    found: dict[tuple[str, str, bool], dict[str, float]] = {}
    for path in (published_csv, EXTRA):
        if path.exists():
            with path.open(encoding="utf-8") as lines:
                for row in csv.DictReader(lines):
                    key = (row["log"], NAMES.get(row["system"], row["system"]), path == EXTRA)
                    found.setdefault(key, {})[row["metric"]] = float(row["mean_of_10"])
    logs: dict[str, tuple[Peer, ...]] = {}
    for (log, system, ours), means in found.items():
        logs[log] = (*logs.get(log, ()), Peer(system, means, ours))
    return logs
