"""Batches in words."""

from dataclasses import replace

import pytest

from metagraph.batches import Batch
from metagraph.distributions import Constant, Empirical, Fitted
from tests.twin import handmade
from twin.batch_words import batch_text
from twin.report import render

TOLD = [
    (
        Batch("simultaneous", Fitted(Constant(5.0)), 7200.0, per_item=0.25),
        "simultaneous: done together when 5 are there, at the latest after 2 h; each further one adds 25 % "
        "of its own time",
    ),
    (Batch("sequential", wait_s=1800.0), "sequential: done one after the other after 30 min"),
    (
        Batch("sequential", Fitted(Empirical((2.0, 4.0))), times=(57600.0,), executions=1200, batches=400),
        "sequential: done one after the other when on average 3 are there, Monday at 16:00 (UTC) (1,200 "
        "executions in 400 batches)",
    ),
    (
        Batch("simultaneous", times=tuple(d * 86400.0 + 57630 for d in range(7)), time_zone="Europe/Vienna"),
        "simultaneous: done together every day at 16:00:30 (Europe/Vienna)",
    ),
]


@pytest.mark.parametrize(("batch", "told"), TOLD)
def test_a_batch_is_told(batch: Batch, told: str) -> None:
    assert batch_text(batch) == told


def test_the_report_has_batches_only_where_there_are_some() -> None:
    model = handmade.twin()
    assert "Batches in the model" not in render(model)
    task = model.tasks()[0]
    collected = replace(task, preemptible=False, batch=TOLD[1][0])
    nodes = tuple(collected if node is task else node for node in model.nodes)
    assert TOLD[1][1] in render(replace(model, nodes=nodes))
