"""The page and the curves of Example 2."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean, median
from typing import Any

import altair as alt

from examples.paper.example2 import HORIZON_H, orders_of
from examples.paper.pages import PAPER, Mean, mean_of, table, wrapped
from examples.paper.small_network import HEURISTICS, assigned, outcome, simulated
from metagraph.orders import Order, ProfitShape
from metagraph.policies import PORTFOLIO, Policy

Rows = Sequence[Mapping[str, Any]]
APPROACHES = ("MILP", *HEURISTICS)
DRAWN = {"MILP": "#3b82a8", "PD": "#d97b3c", "P": "#6a9a5b", "D": "#8a6fae", "S": "#8a97a3"}
"""What Figure 12 shows; the others are close to one of these."""
SHOWN = (1, 3, 5, 7, 10, 15, 20, 30, 40)
PROFIT, ON_TIME, FULFILLED = 0, 1, 2


def write(rows: Rows, out: Path) -> None:
    """docs/example2.md and its picture."""
    from twin.drawing_tools import write_picture

    out.mkdir(parents=True, exist_ok=True)
    write_picture(out / "example2-curves.svg", _curves(rows))
    (out / "example2.md").write_text(page(rows), encoding="utf-8")


def page(rows: Rows) -> str:
    """docs/example2.md."""
    parts = (_head, _figure, _oracle, _ratios, _rest, _falls, _foot)
    return wrapped("\n".join(part(rows) for part in parts))


def values(rows: Rows, approach: str, n: int, figure: int) -> list[float]:
    """By seed."""
    return [row["figures"][approach][figure] for row in rows if row["n"] == n]


def _numbers(rows: Rows) -> list[int]:
    return sorted({row["n"] for row in rows})


def _seeds(rows: Rows) -> list[int]:
    return sorted({row["seed"] for row in rows})


def _head(rows: Rows) -> str:
    return f"""# Example 2: the more orders there are, the more a schedule is worth

Made by `python -m examples.paper.example2`. {PAPER}, section 4.2: the network of [Example 1](example1.md)
with {_numbers(rows)[0]} to {_numbers(rows)[-1]} orders, all there at hour 0, and a horizon of {HORIZON_H:g}
h. Due dates are drawn uniformly from hour 6 to 20, lost-sale dates from the due date to hour 20, values
from 0 to 1000; there is no early incentive, 10 % is lost at the due date, an additional 10 % (to 81 % of
the value, as in Example 1) by the lost-sale date, and all of it after that. The paper shows one draw; here
are {len(_seeds(rows))}. In each the orders are added one by one. Heuristics run in the simulator; the MILP
is solved to optimality on a grid of 1 h.
"""


def _figure(rows: Rows) -> str:
    shown = [n for n in SHOWN if n in _numbers(rows)]

    def cells(approach: str, figure: int, form: Callable[[Mean], str]) -> tuple[str, ...]:
        return (approach, *(form(mean_of(values(rows, approach, n, figure))) for n in shown))

    head = ("", *(f"{n}" for n in shown))
    profit = [cells(a, PROFIT, lambda m: f"{m.mean:,.0f} ± {m.half:,.0f}") for a in APPROACHES]
    on_time = [cells(a, ON_TIME, lambda m: f"{m.mean:.0%} ± {100 * m.half:.0f}") for a in APPROACHES]
    return f"""## Figure 12

![Profit and share on time over the number of orders](example2-curves.svg)

Profit by the number of orders (mean over the draws ± half its 95 % interval):

{table(head, profit)}
Share of all orders fulfilled on time, the interval in points:

{table(head, on_time)}"""


def _oracle(rows: Rows) -> str:
    optimal = sum(row["status"] == "optimal" for row in rows)
    cpu = [row["cpu_s"] for row in rows]
    return f"""## Is it the optimum?

All orders take the same time, and the carrier, who takes 2 h, is slower than what comes before: the k-th
order can't be fulfilled before hour 6 + 2(k − 1), and any order can be the k-th. So the best schedule is
the best assignment of orders to the hours 6, 8, …, 20, which `scipy.optimize.linear_sum_assignment` finds
by an algorithm of its own. The MILP's profit and its bound equal the assignment's on **{len(rows):,} of
{len(rows):,}** instances (relative difference below 1e-6; the run ends otherwise); status optimal on
{optimal:,}. One took {median(cpu):.2f} CPU s (median; {max(cpu):.2f} at most), building included.
"""


def _ratios(rows: Rows) -> str:
    last = _numbers(rows)[-1]
    best = values(rows, "MILP", last, PROFIT)
    told = []
    for name in HEURISTICS:
        own = values(rows, name, last, PROFIT)
        ratios = [b / o for b, o in zip(best, own, strict=True) if o > 0]
        if ratios:
            m = mean_of(ratios)
            spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
            told.append((name, f"{m.mean:.2f} ± {m.half:.2f}", f"{sum(best) / sum(own):.2f}", spread))
    pd = [b / o for b, o in zip(best, values(rows, "PD", last, PROFIT), strict=True) if o > 0]
    first = [
        max(HEURISTICS, key=lambda name: row["figures"][name][PROFIT]) for row in rows if row["n"] == last
    ]
    winners = ", ".join(f"{name} in {first.count(name)}" for name in HEURISTICS if name in first)
    head = (f"at {last} orders", "mean of the ratios", "ratio of the means", "of single draws")
    return f"""## MILP by heuristic

{table(head, told)}
The paper's draw has a MILP about 1.4 times as good as PD, its best heuristic. Ours has
1.4 or more in {sum(r >= 1.4 for r in pd)} of {len(pd)} draws. The best heuristic at {last} orders is
{winners} of the draws: where most orders can't be done anyway, going by profit alone beats going by profit
and due date, since soon due orders of little value take slots from others.

What the ratio of MILP to PD at {last} orders hangs on, on the same draws:

{_sensitivity(_seeds(rows), last)}"""


Change = tuple[str, ProfitShape | None, Callable[[Policy], Policy], Callable[[Order], Order]]


def _sensitivity(seeds: Sequence[int], n: int) -> str:
    """The ratio under what the paper's text may also mean."""
    same: Callable[[Any], Any] = lambda one: one
    changes: tuple[Change, ...] = (
        ("as above", None, same, same),
        ("80 % instead of 81 % at the lost-sale date", ProfitShape(final=0.8), same, same),
        ("nothing is interrupted", None, lambda policy: replace(policy, preemption=False), same),
        ("lost orders stay in the queues", None, same, lambda order: replace(order, lost_s=None)),
    )
    told = []
    for what, shape, of_policy, of_order in changes:
        ratios = []
        for seed in seeds:
            orders = [replace(order, profit=shape) for order in orders_of(seed, n)]
            ended = simulated([of_order(o) for o in orders], of_policy(PORTFOLIO["PD"]), seed, HORIZON_H)
            own = outcome(orders, ended.completed_s.tolist()).profit
            ratios.append(assigned(orders, HORIZON_H).profit / own if own > 0 else float("nan"))
        m = mean_of([ratio for ratio in ratios if ratio == ratio])
        told.append((what, f"{m.mean:.2f} ± {m.half:.2f}"))
    return table(("PD in the simulator", "MILP / PD"), told)


def _rest(rows: Rows) -> str:
    """How many orders each approach can still fulfil all of."""
    numbers, seeds = _numbers(rows), _seeds(rows)
    papers = {"MILP": "7", **dict.fromkeys(("S", "F1", "F2", "F3"), "3")}
    told = []
    for name in APPROACHES:
        by_seed = []
        for seed in seeds:
            mine = {row["n"]: row["figures"][name][FULFILLED] for row in rows if row["seed"] == seed}
            lost = [n for n in numbers if mine[n] < 1]
            by_seed.append((lost[0] if lost else numbers[-1] + 1) - 1)
        spread = f"{min(by_seed)} to {max(by_seed)}"
        told.append((name, f"{mean(by_seed):.1f}", spread, papers.get(name, "5 or 6")))
    head = ("", "all fulfilled up to (mean)", "of single draws", "the paper's draw")
    return f"""## Up to how many orders none is lost

{table(head, told)}"""


def _falls(rows: Rows) -> str:
    """How often one order more makes the profit smaller."""
    told = []
    for name in APPROACHES:
        falls, steps, depth = 0, 0, 0.0
        for seed in _seeds(rows):
            mine = {row["n"]: row["figures"][name][PROFIT] for row in rows if row["seed"] == seed}
            for n, profit in mine.items():
                if n + 1 in mine:
                    steps += 1
                    less = profit - mine[n + 1]
                    falls += less > 1e-6
                    depth = max(depth, less)
        if steps:
            told.append((name, f"{falls / steps:.0%}", f"{depth:,.0f}"))
    if not told:
        return ""
    return f"""## One order more, and less profit

As the paper says: under a heuristic a new order may go before others and then be lost, or make others late.
An optimum can leave it out.

{table(("", "of the steps from n to n + 1 orders", "greatest loss"), told)}"""


def _foot(rows: Rows) -> str:
    return f"Code: {', '.join(sorted({row['version'] for row in rows}))}.\n"


def _curves(rows: Rows) -> alt.VConcatChart:
    """Profit above share on time, with 95 % bands."""
    from twin.drawing_tools import base

    points = []
    for name in DRAWN:
        for n in _numbers(rows):
            profit, on_time = (mean_of(values(rows, name, n, figure)) for figure in (PROFIT, ON_TIME))
            points += [
                {"n": n, "by": name, "what": what, "mean": k * m.mean, "low": k * m.low, "high": k * m.high}
                for what, k, m in (("profit", 1.0, profit), ("on time", 100.0, on_time))
            ]
    colour = alt.Color(
        "by",
        type="nominal",
        title=None,
        scale=alt.Scale(domain=[*DRAWN], range=[*DRAWN.values()]),
        legend=alt.Legend(symbolType="stroke", symbolOpacity=1),
    )
    x = alt.X("n", type="quantitative", title="orders", scale=alt.Scale(nice=False))
    panels = []
    for what, title in (("profit", "profit, money"), ("on time", "fulfilled on time, % of all orders")):
        mine = base([point for point in points if point["what"] == what])
        band = mine.mark_area(opacity=0.16).encode(
            x=x, y=alt.Y("low", type="quantitative", title=title), y2="high", color=colour
        )
        line = mine.mark_line(strokeWidth=2).encode(x=x, y=alt.Y("mean", type="quantitative"), color=colour)
        panels.append(alt.layer(band, line).properties(width=560, height=240))
    return alt.vconcat(*panels, spacing=18)
