"""The page docs/promises.md, from the rows of benchmarks/promises.py."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from examples.paper.pages import mean_of, table, wrapped

Row = dict[str, Any]
TWINS = ("true", "rediscovered")
ALL = "all"

INTRO = """# Are promises kept?

Four processes that are known make logs; what a log holds at an instant goes to a forecaster; what the
process then did is held against what was foretold. Every state is of a run of its own, after {warm} weeks
from an empty start, at an instant at which an order arrives. The *true* twin is the process itself: what is
missing there is missing in the forecaster. The *rediscovered* twin was built from another log of about 2,000
orders of the same process, as `tracetwin build` does: what is missing beyond the true one is what a log of
that length can't tell.

Intervals are of the 95 % kind and count a state as one observation, because orders of one state share their
queues."""

FIGURES = """Between the quantiles of 5 and 95 % (25 and 75 %). Before, after: completed before the 5 %
quantile, after the 95 % one; 5 % each are meant. Deviation: the greatest distance between the shares of
orders below each of the 19 quantiles and what they should be."""

METHOD = """## How it is measured

`python -m benchmarks.promises`: {states} independent states of each process, {futures} futures a forecast
and {quote_futures} a quote, so that the 5, 80 and 95 % quantiles are order statistics themselves. The
processes are the bundled one and three of `benchmarks/known_twins.py`, taken for their 10 to 25 open orders
and because they have no batches, no last come, first served, and nobody who shares time between items: of
processes with these the page says nothing. Forecasts and quotes are the simulation's alone here, without what
the commands also learn from a log. Arrivals stand in the logs as a task of no length: without it,
orders that wait for their first task are in no log, and a forecast that can't know of them is too early.
Days aren't busier than others by chance here; a forecast draws that anew from now on and doesn't look at
how busy today was. Quotes are of the order that arrives at the instant of a state, and of those that arrive
on the days after it ({fewest} to {most} a state), each from what was known then. In {cpu:.0f} CPU
minutes."""


def write(rows: Sequence[Row], docs: Path) -> str:
    """Write the page, and return its tables."""
    from benchmarks.promises import FUTURES, QUOTE_FUTURES, WARM_WEEKS

    if not rows:
        return "nothing was run yet"
    names = list(dict.fromkeys(row["world"] for row in rows))
    states = len(rows) // len(names)
    parts = [
        INTRO.format(warm=WARM_WEEKS),
        "## Against the targets",
        _verdict(rows, names),
        "## Open orders: intervals that should hold 90 % (and 50 %)",
        _forecasts(rows, names),
        FIGURES,
        "## Quotes: dates that should be kept with 80 % (50, 95 %)",
        _quotes(rows, names),
        METHOD.format(
            states=states,
            futures=FUTURES,
            quote_futures=QUOTE_FUTURES,
            fewest=min(len(row[TWINS[0]]["quotes"]) for row in rows),
            most=max(len(row[TWINS[0]]["quotes"]) for row in rows),
            cpu=sum(row["cpu_s"] for row in rows) / 60,
        ),
    ]
    text = wrapped("\n\n".join(parts))
    (docs / "promises.md").write_text(text, encoding="utf-8")
    return "\n".join((_forecasts(rows, names), _quotes(rows, names)))


def _verdict(rows: Sequence[Row], names: Sequence[str]) -> str:
    """Each target, over all processes and for each: what is good on the whole may hide one that isn't."""
    lines = []
    for what, least, most in (("90 % intervals", 0.88, 0.92), ("quotes at 80 %", 0.78, 0.82)):
        for twin in TWINS:
            shares = {name: _held(rows, name, twin, what) for name in (*names, ALL)}
            together = shares.pop(ALL)
            outside = [f"{name} {share:.1%}" for name, share in shares.items() if not least <= share <= most]
            lines.append(
                [
                    f"{what}, {twin} twin",
                    f"{least:.0%} to {most:.0%}",
                    f"{together:.1%}",
                    "met" if least <= together <= most else "not met",
                    "; ".join(outside) or "none",
                ]
            )
    return table(["", "target", "all together", "", "processes outside, by themselves"], lines)


def _held(rows: Sequence[Row], name: str, twin: str, what: str) -> float:
    """The share of orders, or of quotes."""
    mine = [row[twin] for row in rows if name in (row["world"], ALL)]
    if what == "quotes at 80 %":
        return float(np.mean([quote[1] for row in mine for quote in row["quotes"]]))
    return float(np.mean([0 < level < 19 for row in mine for level in row["levels"]]))


def _forecasts(rows: Sequence[Row], names: Sequence[str]) -> str:
    lines = []
    for twin in TWINS:
        for name in (*names, ALL):
            levels = [np.array(row[twin]["levels"]) for row in rows if name in (row["world"], ALL)]
            levels = [some for some in levels if len(some)]
            pit = np.concatenate(levels)
            off = max(abs(float((pit < k).mean()) - 0.05 * k) for k in range(1, 20))
            lines.append(
                [
                    f"{name}, {twin}",
                    f"{len(pit):,}",
                    str(len(levels)),
                    _share([(some > 0) & (some < 19) for some in levels]),
                    _share([(some > 4) & (some < 15) for some in levels]),
                    f"{(pit == 0).mean():.1%}",
                    f"{(pit == 19).mean():.1%}",
                    f"{off:.3f}",
                ]
            )
    head = ["process, twin", "orders", "states", "90 %", "50 %", "before", "after", "deviation"]
    return table(head, lines)


def _quotes(rows: Sequence[Row], names: Sequence[str]) -> str:
    lines = []
    for twin in TWINS:
        for name in (*names, ALL):
            quotes = [np.array(row[twin]["quotes"]) for row in rows if name in (row["world"], ALL)]
            kept = [[some[:, k] for some in quotes] for k in range(3)]
            promised = float(np.concatenate([some[:, 3] for some in quotes]).mean())
            taken = float(np.concatenate([some[:, 4] for some in quotes]).mean())
            lines.append(
                [
                    f"{name}, {twin}",
                    f"{sum(len(some) for some in quotes):,}",
                    *(_share(kept[k]) for k in (1, 0, 2)),
                    f"{promised:.1f}",
                    f"{taken:.1f}",
                ]
            )
    head = ["process, twin", "quotes", "80 %", "50 %", "95 %", "promised at 80 %, h", "taken, h"]
    return table(head, lines)


def _share(hits: Sequence[Any]) -> str:
    """Share of all orders, with an interval over states: a ratio of two sums (Cochran 1977, chapter 6)."""
    n = np.array([len(some) for some in hits], float)
    k = np.array([float(np.sum(some)) for some in hits])
    share = float(k.sum() / n.sum())
    around = mean_of(list((k - share * n) / n.mean()))
    return f"{share:.1%} ± {100 * around.half:.1f}"
