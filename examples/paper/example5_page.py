"""The page and the pictures of Example 5."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import altair as alt
import numpy as np

from examples.paper.example5 import ASKED, PUBLISHED, SEGMENTS, Example5, Floats, History
from examples.paper.pages import PAPER, Mean, mean_of, table, wrapped
from twin.drawing_tools import BLUE, GREY, ORANGE, Picture, base, titled, write_picture, x, y

NAMES = {"low": "Low", "medium": "Medium", "high": "High"}
COLOURS = {"all": GREY, "low": ORANGE, "medium": "#5a9e6f", "high": BLUE}
CURVES = 20
"""So many of the fortnights are drawn one by one."""
_BINS = 60
_LONGEST_H = 30.0


def write(found: Sequence[Example5], out: Path) -> str:
    """docs/example5.md and its pictures; what comes out is returned in a line a network."""
    out.mkdir(parents=True, exist_ok=True)
    for one in found:
        name = one.network.replace(" ", "-")
        write_picture(out / f"example5-{name}-22.svg", _open_orders(one.history))
        write_picture(out / f"example5-{name}-23.svg", _lead_times(one.history))
    (out / "example5.md").write_text(page(found), encoding="utf-8")
    return "\n".join(
        f"{one.network}: "
        + ", ".join(f"{segment} {one.told[segment].lead_h.mean():.1f} h" for segment in SEGMENTS)
        for one in found
    )


def page(found: Sequence[Example5]) -> str:
    """docs/example5.md."""
    return wrapped("\n\n".join([_head(found), *(_part(one) for one in found)]))


def _head(found: Sequence[Example5]) -> str:
    instances, futures = found[0].told["low"].lead_h.shape
    return f"""# Example 5: what lead time a customer can be told

Made by `python -m examples.paper.example5`. {PAPER}, section 4.5: the network of [Example 3](example3.md)
with an order every 45 minutes on average, worth 0 to 1,000 uniformly, in three profit classes, without due
dates, lost sales and penalties, under the highest-profit heuristic (P). {found[0].weeks} weeks of it are
the history. Then a new order comes when seven others are open: five of high profit, one medium, one low.
The twin starts from their state, simulates {instances} times {futures} futures of 36 h of arrivals, and
says how long the new order takes, for each of three prices. *Aggregated* is the mean of all past orders,
*segmented* that of the price's profit class.

Numbers in square brackets are those that the paper printed. A mean has its 95 % interval; that of history
counts a fortnight as one observation, because orders of one time share their queues. Deviations are those
of single orders.

What the paper leaves open, and what was done here: the mean durations (Figure 13 is missing in our copy, so
that the two networks of [Example 3](example3.md) stand in for it), with a CoV of 30 %, the one of its Example
4; the new order's duration class (B, the middle one); and where in the network the seven orders were. Of the
states with these seven in the weeks after the history, a day apart, the one with the orders at the most
different tasks was taken; what the twin says in the others stands beside it.
"""


def _part(one: Example5) -> str:
    name = one.network.replace(" ", "-")
    history, wip = one.history, one.history.wip
    beyond = float((wip > 25).mean())
    return f"""## Network {one.network}

### Table 3

{_table(one)}

{_between(one)}

The seven orders: {_standing(one)}.

In other states with the same seven, the twin says on average (least to most of
{len(one.elsewhere_h["low"])} states): {_elsewhere(one)}.

### Is it nearer to what comes?

{_missed(one)}

### Figure 22

![Open orders in {len(wip)} fortnights, laid over each other](example5-{name}-22.svg)

The number of open orders goes from {int(wip.min())} to {history.most_open} [0 to 40], and is above 25 for
{beyond:.1%} of the time.

### Figure 23

![Lead times in the history, all orders and by profit class](example5-{name}-23.svg)
"""


def _table(one: Example5) -> str:
    history = one.history
    everyone, deviation = history_mean(history, None), history.lead_h.std(ddof=1)
    rows = []
    for i, segment in enumerate(SEGMENTS):
        mine = history.segment == i
        lead_h = one.told[segment].lead_h
        twin = mean_of([float(mean) for mean in lead_h.mean(axis=1)])
        printed = PUBLISHED[segment]
        cells = [
            *(_cell(everyone, printed[0][0]), _deviation(float(deviation), printed[0][1])),
            *(_cell(history_mean(history, i), printed[1][0]),),
            _deviation(float(history.lead_h[mine].std(ddof=1)), printed[1][1]),
            *(_cell(twin, printed[2][0]), _deviation(float(lead_h.std(ddof=1)), printed[2][1])),
        ]
        rows.append([f"{ASKED[segment] / 1000:.2f} k", NAMES[segment], *cells])
    head = ["Price", "Class", "Aggregated, mean (h)", "deviation", "Segmented, mean (h)", "deviation"]
    return table([*head, "Twin, mean (h)", "deviation"], rows, left=2)


def history_mean(history: History, segment: int | None) -> Mean:
    """Mean lead time with an interval over fortnights: a ratio of sums (Cochran 1977, chapter 6)."""
    mine = np.ones(len(history.lead_h), bool) if segment is None else history.segment == segment
    periods = int(history.period.max()) + 1
    hours = np.bincount(history.period[mine], history.lead_h[mine], periods)
    n = np.bincount(history.period[mine], minlength=periods)
    mean = float(hours.sum() / n.sum())
    around = mean_of(((hours - mean * n) / n.mean()).tolist())
    return Mean(mean, mean - around.half, mean + around.half)


def _cell(mean: Mean, printed: float) -> str:
    return f"{mean.mean:.1f} ± {mean.half:.1f} [{printed:g}]"


def _deviation(found: float, printed: float) -> str:
    return f"{found:.1f} [{printed:g}]"


def _between(one: Example5) -> str:
    """The other reading of the paper's deviations."""
    deviations = [one.told[segment].lead_h.mean(axis=1).std(ddof=1) for segment in SEGMENTS]
    n = len(one.told["low"].lead_h)
    return (
        f"Between the means of the {n} simulations the deviations are "
        f"{', '.join(f'{deviation:.1f}' for deviation in deviations)} h; which of the two the paper printed "
        "of its twin it doesn't say."
    )


def _standing(one: Example5) -> str:
    def at(nodes: Sequence[str]) -> str:
        return " and ".join(node.replace("_", " ") for node in nodes)

    return "; ".join(
        f"{order.order.segment} at {at([position.node for position in order.positions])}"
        for order in one.state.orders
    )


def _elsewhere(one: Example5) -> str:
    return ", ".join(
        f"{segment} {hours.mean():.1f} h ({hours.min():.1f} to {hours.max():.1f})"
        for segment, hours in one.elsewhere_h.items()
    )


def _missed(one: Example5) -> str:
    errors = one.missed
    ways = {
        "aggregated": errors.aggregated_h,
        "segmented": errors.segmented_h,
        "twin": errors.twin_h,
    }
    rows = [
        [name, *(_mean_text(values[errors.segment == i]) for i in range(len(SEGMENTS))), _mean_text(values)]
        for name, values in ways.items()
    ]
    for name in ("aggregated", "segmented"):
        change = errors.twin_h - ways[name]
        groups = [change[errors.segment == i] for i in range(len(SEGMENTS))]
        rows.append([f"twin minus {name}", *map(_mean_text, (*groups, change))])
    text = (
        f"{len(errors.twin_h)} orders that came a day apart after the history: the mean distance, in hours, "
        "between the lead time that each way tells and the one that came. The last two rows are paired.\n\n"
    )
    return text + table(["", *(NAMES[segment] for segment in SEGMENTS), "all"], rows)


def _mean_text(values: Floats) -> str:
    around = mean_of(values.tolist())
    return f"{around.mean:.2f} ± {around.half:.2f}"


def _open_orders(history: History) -> Picture:
    """Figure 22: fortnights laid over each other."""
    days = np.arange(history.wip.shape[1]) / 12
    names = ("q05", "q25", "q50", "q75", "q95")
    levels = dict(zip(names, np.quantile(history.wip, (0.05, 0.25, 0.5, 0.75, 0.95), axis=0), strict=True))
    rows = [
        {"day": float(day)} | {name: float(level[i]) for name, level in levels.items()}
        for i, day in enumerate(days)
    ]
    curves = [
        {"day": float(day), "open": int(n), "fortnight": k}
        for k, row in enumerate(history.wip[:CURVES])
        for day, n in zip(days[::2], row[::2], strict=True)
    ]
    bands = base(rows)
    lines = base(curves).mark_line(color=GREY, opacity=0.25, strokeWidth=0.7)
    picture: Picture = alt.layer(
        lines.encode(x=x("day", "day"), y=y("open", "open orders"), detail="fortnight:N"),
        bands.mark_area(color=BLUE, opacity=0.18).encode(
            x=x("day", "day"), y=y("q05", "open orders"), y2="q95"
        ),
        bands.mark_area(color=BLUE, opacity=0.3).encode(
            x=x("day", "day"), y=y("q25", "open orders"), y2="q75"
        ),
        bands.mark_line(color=BLUE).encode(x=x("day", "day"), y=y("q50", "open orders")),
    ).properties(
        width=640,
        height=260,
        title=titled(
            "Open orders, fortnights laid over each other",
            f"median, 25–75 % and 5–95 % of {len(history.wip)} fortnights; grey: the first {CURVES} of them",
        ),
    )
    return picture


def _lead_times(history: History) -> Picture:
    """Figure 23: densities of lead times."""
    edges = np.linspace(0.0, _LONGEST_H, _BINS + 1)
    groups = {"all": np.ones(len(history.lead_h), bool)} | {
        segment: history.segment == i for i, segment in enumerate(SEGMENTS)
    }
    rows = []
    for name, mine in groups.items():
        counts, _ = np.histogram(history.lead_h[mine], edges)
        shares = counts / (mine.sum() * (edges[1] - edges[0]))
        rows += [
            {"hours": float(middle), "density": float(share), "orders": name}
            for middle, share in zip((edges[:-1] + edges[1:]) / 2, shares, strict=True)
        ]
    colours = alt.Scale(domain=list(COLOURS), range=list(COLOURS.values()))
    picture: Picture = (
        base(rows)
        .mark_line(strokeWidth=1.8)
        .encode(
            x=x("hours", "lead time (h)"),
            y=y("density", "share of orders per hour"),
            color=alt.Color("orders:N", scale=colours, legend=alt.Legend(title=None, orient="top-right")),
        )
        .properties(
            width=640,
            height=260,
            title=titled("Lead times in the history", f"{len(history.lead_h):,} orders"),
        )
    )
    return picture
