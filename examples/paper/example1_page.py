"""The page and the Gantt charts of Example 1."""

from __future__ import annotations

from pathlib import Path

from examples.paper.example1 import (
    BEST,
    HORIZON_H,
    LOTS,
    PUBLISHED,
    Example1,
    Row,
    all_sequences,
    departures,
    row_of,
)
from examples.paper.gantt import gantt
from examples.paper.pages import PAPER, table, wrapped
from examples.paper.small_network import HOUR, Outcome, example1


def page(found: Example1) -> str:
    """docs/example1.md."""
    parts = (_head(), _table1(found), _lots(found), _optimum(found), _gantt(found), _sizes(found))
    return wrapped("\n".join(parts))


def _head() -> str:
    orders = example1().orders
    rows = [
        (o.id, f"{o.value or 0:,.0f}", f"{(o.due_s or 0) / HOUR:g}", f"{(o.lost_s or 0) / HOUR:g}")
        for o in orders
    ]
    return f"""# Example 1: what a schedule is worth

Made by `python -m examples.paper.example1`. {PAPER}, section 4.1: one customer service representative
creates orders (1 h each), two plants A and B produce (3 h), one carrier ships (2 h). All five orders are
there at hour 0; the horizon is {HORIZON_H} h, the grid 1 h. The instance is
`examples/example1.instance.json`:

    tracetwin optimize examples/example1.instance.json --out schedule.json
    tracetwin schedule check examples/example1.instance.json schedule.json

{table(("order", "value", "due, h", "lost after, h"), rows)}
Figure 10 with the profit curves is missing in
our copy of the paper. One curve gives every total of its Table 1 to the dollar: the value until the due
date, 10 % less right after it, then linearly to 81 % of the value at hour 14.
"""


def _cells(found: Outcome) -> list[str]:
    """When orders are done; bold: after the due date."""
    cells = []
    for order, t in zip(example1().orders, found.done_h, strict=True):
        late = t is not None and order.due_s is not None and t * HOUR > order.due_s
        text = "lost" if t is None else f"{t:g}"
        cells.append(f"**{text}**" if late else text)
    return cells


def _table1(found: Example1) -> str:
    head = ("", *(o.id for o in example1().orders), "profit", "paper's", "on time", "fulfilled")
    named = {**found.heuristics, **{f"MILP, {name} formulation": plan for name, plan in found.plans.items()}}
    rows = []
    for name, mine in named.items():
        theirs = PUBLISHED["MILP" if name.startswith("MILP") else name].profit
        figures = (f"{mine.profit:,.0f}", f"{theirs:,}", f"{mine.on_time:.0%}", f"{mine.fulfilled:.0%}")
        rows.append((name, *_cells(mine), *figures))
    wrong = departures(found)
    verdict = (
        "Every date and total of the heuristics is the paper's." if not wrong else "; ".join(wrong) + "."
    )
    return f"""## Table 1

Hours at which orders are fulfilled; bold: late. The heuristics run in the simulator, with strict
preemption; what is interrupted goes behind its equals. Averaged priorities compare each order with the best
in the same queue.

{table(head, rows)}
{verdict} The optimum isn't the only one, so its dates may differ from the paper's, but neither
profit nor share on time.
"""


def _lots(found: Example1) -> str:
    parts = []
    for name, draws in found.draws.items():
        n = sum(draws.values())
        rows = [
            (
                _hours(row),
                f"{row.profit:,}",
                f"{times / n:.1%}",
                "the paper's" if row == PUBLISHED[name] else "",
            )
            for row, times in sorted(draws.items(), key=lambda item: (-item[0].profit, item[0].done_h))
        ]
        mean = sum(row.profit * times for row, times in draws.items()) / n
        text = table((f"{name}: hours of orders 1 to 5", "profit", "of the seeds", ""), rows)
        parts.append(f"{text}\nOn average {name} yields {mean:,.0f}.\n")
    return (
        f"""## F2 and F3 draw lots

Both may send an order to either plant (F2 where both have as much to do, F3 always), and the paper shows
one draw of each. Over {sum(found.draws[LOTS[0]].values()):,} seeds:

{"".join(f"{part}" + chr(10) for part in parts)}""".rstrip()
        + "\n"
    )


def _optimum(found: Example1) -> str:
    every = all_sequences()
    best = max(row.profit for row in every)
    ways = [row for row in every if row.profit == best]
    least, heuristic = min(row.profit for row in every), max(m.profit for m in found.heuristics.values())
    proven = "; ".join(
        f"{s.formulation} formulation {s.objective:,.0f}, bound {s.bound:,.0f} ({s.status})"
        for s in found.sizes
    )
    by = {f"found by the {name} formulation": row_of(plan) for name, plan in found.plans.items()}
    by = {"the paper's": PUBLISHED["MILP"], **by}
    rows = [
        (_hours(row), ", ".join(who for who, mine in by.items() if mine.done_h == row.done_h)) for row in ways
    ]
    return f"""## The optimum

Proven: {proven}. Independently: the carrier can finish an order every 2 h from hour 6 on, so a schedule is
a way to give the slots 6, 8, 10, 12, 14 to the five orders; of the {sum(every.values())} ways {len(ways)}
yield {best:,}, and none yields more; the worst yields {least:,}. The best heuristic ({BEST} and PDS)
yields {heuristic:,.0f}, {1 - heuristic / best:.1%} less than could be had.

{table(("optimal: hours of orders 1 to 5", ""), rows, left=2)}"""


def _hours(row: Row) -> str:
    return " ".join("lost" if t is None else f"{t:g}" for t in row.done_h)


def _late(found: Outcome) -> str:
    """The orders that come too late, in words."""
    late = [
        order.id
        for order, t in zip(example1().orders, found.done_h, strict=True)
        if t is None or (order.due_s is not None and t * HOUR > order.due_s)
    ]
    return f"order {late[0]}" if len(late) == 1 else f"orders {', '.join(late[:-1])} and {late[-1]}"


def _gantt(found: Example1) -> str:
    return f"""## Figure 11

![Gantt charts of heuristic {BEST} and of the optimum](example1-gantt.svg)

{BEST} ships order 5 first, which is worth most but would also be in time six hours later; then
{_late(found.heuristics[BEST])} are late. The optimum drawn here (by the step formulation) gives up
{_late(found.plans["step"])} alone.
"""


def _sizes(found: Example1) -> str:
    rows = [
        (f"{s.formulation}", f"{s.binaries:,}", f"{s.continuous:,}", f"{s.rows:,}", f"{s.cpu_s:.2f}")
        for s in found.sizes
    ]
    rows.append(("the paper says", "710", "35", "1,885", "0.20"))
    return f"""## Model sizes

{table(("formulation", "binaries", "continuous", "constraints", "CPU s, building included"), rows)}
The
paper's 710 binaries are, for each of 5 orders: 4 triggers (two for the plants) at 15 points, 4 states at
the points 0 to 15, 15 deliveries, and whether it is on time, late, or lost; the 35 continuous ones are 7
for each order's profit. Equations (1), (2), (6)–(9), (11) and (12) have 60 + 300 + 5 + 5 + 5 + 75 + 15 + 20
= 485 rows. The paper's count of 1,885 is 1,400 more; the only equations left are the domains (14)–(25),
which are no rows of ours but bounds and types of columns. The paper doesn't say how it counts them. The CPU
time of the paper is on another machine and with another solver.
"""


def write(found: Example1, out: Path) -> None:
    """The page and its picture."""
    from twin.drawing_tools import write_picture

    out.mkdir(parents=True, exist_ok=True)
    due_h = {o.id: (o.due_s or 0.0) / HOUR for o in example1().orders}
    charts = {f"Heuristic {BEST}": found.best, "Optimum": found.optimum}
    write_picture(out / "example1-gantt.svg", gantt(charts, due_h))
    (out / "example1.md").write_text(page(found), encoding="utf-8")
