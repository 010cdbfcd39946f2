"""Logs from a twin are the same on any engine; which one it takes depends on how much there is to do."""

from datetime import timedelta

import pytest

from examples.order_to_cash import START, known_twin
from metagraph.policies import PORTFOLIO
from twin.frames import frame_of_run
from twin.simulate import simulate


@pytest.mark.parametrize("policy", ["PDS", "F3"])
def test_a_log_is_the_same_on_both_engines(policy: str) -> None:
    start = START + timedelta(hours=2)
    logs = [
        simulate(
            known_twin(),
            start=start,
            cases=40,
            seed=2,
            replication=1,
            policy=PORTFOLIO[policy],
            engine=engine,
        )
        for engine in ("reference", "kernel")
    ]
    assert [log.engine for log in logs] == ["reference", "kernel"]
    first, second = map(frame_of_run, logs)
    assert first.equals(second)
    assert first["case_id"].nunique() == 40
