"""What the commands show of distances."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.validation import METRICS
from twin.words import mean_span
from ui.console import MOST_ROWS, as_json, more, say, show_table

if TYPE_CHECKING:
    from twin.validation import Validation


def show_validation(result: Validation, json_wanted: bool) -> None:
    """Distances, with references beside them."""
    if json_wanted:
        as_json(result)
        return
    from twin.far_off import far_off_text
    from twin.verdict import spread, verdict

    rows = [
        (metric, METRICS[metric], spread(values), *(spread(r[metric]) for r in result.references.values()))
        for metric, values in result.distances.items()
    ]
    show_table(
        f"Distance to {result.log} ({result.cases} cases, {result.runs} simulated logs; lower is better)",
        ("", "distance of", "twin", *result.references),
        rows,
        (0, 1),
    )
    say(verdict(result))
    if worst := far_off_text(result):
        say(worst)
    if result.engine:
        say(f"Simulated by the {result.engine} engine.")
    tasks = [
        (
            *(t.activity, f"{t.observed_per_case:.2f}", f"{t.simulated_per_case:.2f}"),
            mean_span(t.observed_work_s, t.observed_work_half_s),
            mean_span(t.simulated_work_s, t.simulated_work_half_s),
            mean_span(t.observed_wait_s, t.observed_wait_half_s),
            mean_span(t.simulated_wait_s, t.simulated_wait_half_s),
        )
        for t in result.tasks[:MOST_ROWS]
    ]
    columns = ("task", "per case", "twin's", "from start to end", "twin's", "gap before", "twin's")
    show_table("Per task, off-shift hours included (means, with 95 % intervals)", columns, tasks)
    more(len(result.tasks))
