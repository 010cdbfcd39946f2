"""The bars that a twin is held to, computed over all cells (a log and a metric) and all systems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from benchmarks.published import Peer

JUDGED = ("NGD", "AEDD", "CEDD", "REDD", "CTDD")
US, COPY = "Tracetwin", "last period copied"
NGD_GOALS = {"LoanApp": 0.060, "P2P": 0.20, "ConsultaDataMining": 0.24, "BPIC12W": 0.151}
LOAN_GOALS = {"AEDD": 3.0, "CEDD": 0.20, "REDD": 0.80, "CTDD": 1.0}
CPU_GOAL_S, MEMORY_GOAL_MB = 120.0, 2048.0
BEST_SHARE, COPY_SHARE = 16 / 20, 12 / 20

Cell = tuple[str, str]
"""Log and metric."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar."""

    text: str
    met: bool


def cells_of(
    ours: Mapping[str, Mapping[str, float]],
    copies: Mapping[str, Mapping[str, float]],
    peers: Mapping[str, Sequence[Peer]],
) -> dict[Cell, dict[str, float]]:
    """Of every log that has peers: system -> mean, by cell; the copy and we included."""
    return {
        (log, metric): {
            US: ours[log][metric],
            COPY: copies[log][metric],
            **{p.system: p.means[metric] for p in peers[log] if metric in p.means},
        }
        for log in ours
        if peers.get(log)
        for metric in JUDGED
    }


def mean_ranks(cells: Mapping[Cell, Mapping[str, float]]) -> dict[str, tuple[float, int]]:
    """System -> mean rank (1: best; ties share theirs) and in how many cells, best first."""
    ranks: dict[str, list[float]] = {}
    for values in cells.values():
        for system, value in values.items():
            better = sum(other < value for other in values.values())
            equal = sum(other == value for other in values.values())
            ranks.setdefault(system, []).append(better + (equal + 1) / 2)
    found = {system: (fmean(mine), len(mine)) for system, mine in ranks.items()}
    return dict(sorted(found.items(), key=lambda item: item[1][0]))


def bars(
    ours: Mapping[str, Mapping[str, float]],
    cells: Mapping[Cell, Mapping[str, float]],
    cost: Mapping[str, tuple[float, float]],
) -> list[Bar]:
    """All of them; `cost`: CPU seconds and megabytes of each log's build."""
    if not cells:
        return [_cost(cost)]
    ranks = mean_ranks(cells)
    won = [cell for cell, v in cells.items() if v[US] <= min(x for s, x in v.items() if s not in (US, COPY))]
    copied = [cell for cell, v in cells.items() if v[US] <= v[COPY]]
    behind = [cell for cell, v in cells.items() if v[US] > median(x for s, x in v.items() if s != US)]
    first, n = next(iter(ranks)), len(cells)
    found = [
        Bar(f"first in mean rank over all systems: {first} leads, we are at {ranks[US][0]:.2f}", first == US),
        Bar(
            f"at or below the best simulator in {BEST_SHARE * n:.0f} of {n} cells: {len(won)}"
            f"{_list('not in', [c for c in cells if c not in won])}",
            len(won) >= BEST_SHARE * n,
        ),
        Bar(f"no cell worse than the median system: {len(behind)}{_list('in', behind)}", not behind),
        Bar(
            f"at or below the last-period copy in {COPY_SHARE * n:.0f} of {n} cells: {len(copied)}"
            f"{_list('not in', [c for c in cells if c not in copied])}",
            len(copied) >= COPY_SHARE * n,
        ),
    ]
    for log, goal in NGD_GOALS.items():
        if log in ours:
            got = ours[log]["NGD"]
            found.append(Bar(f"{log} NGD ≤ {goal:g}: {got:.3f}", got <= goal))
    if "LoanApp" in ours:
        for metric, goal in LOAN_GOALS.items():
            got = ours["LoanApp"][metric]
            found.append(Bar(f"LoanApp {metric} ≤ {goal:g}: {got:.3g}", got <= goal))
    return [*found, _cost(cost)]


def _cost(cost: Mapping[str, tuple[float, float]]) -> Bar:
    cpu, memory = (max((c[i] for c in cost.values()), default=0.0) for i in (0, 1))
    goal = f"every build within {CPU_GOAL_S:.0f} CPU s and {MEMORY_GOAL_MB:.0f} MB"
    text = f"{goal}: at most {cpu:.0f} s, {memory:.0f} MB"
    return Bar(text, cpu <= CPU_GOAL_S and memory <= MEMORY_GOAL_MB)


def _list(how: str, cells: Sequence[Cell]) -> str:
    return f" ({how} {', '.join(f'{log} {metric}' for log, metric in cells)})" if cells else ""
