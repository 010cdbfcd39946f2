"""The benchmark's snapshots: the numbers of orders they say, processes that hold, the same on every run."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.scheduler_instances import Variant, crews, process, snapshot
from metagraph.check_state import state_faults
from metagraph.instances import read_instance, write_instance
from metagraph.validate import validate

VARIANTS: tuple[Variant, ...] = ("plain", "balanced", "heterogeneous")


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("n", [10, 60])
def test_so_many_orders_are_open(n: int, variant: Variant) -> None:
    found = snapshot(n, seed=3, variant=variant)
    assert found.state is not None
    assert len(found.state.orders) == n
    assert not validate(found.metagraph)
    assert not list(state_faults(found.state, found.metagraph))
    assert found.start_s == found.state.at_s == max(o.order.release_s for o in found.state.orders)
    assert any(p.started_s is not None for o in found.state.orders for p in o.positions), "work is under way"
    assert snapshot(n, seed=3, variant=variant) == found
    assert snapshot(n, seed=4, variant=variant) != found


def test_a_snapshot_is_an_instance_that_can_be_written(tmp_path: Path) -> None:
    found = snapshot(10, seed=1)
    write_instance(found, tmp_path / "snapshot.json")
    again = read_instance(tmp_path / "snapshot.json")
    assert again.metagraph == found.metagraph
    assert again.state is not None
    assert found.state is not None
    assert [o.order.id for o in again.state.orders] == [o.order.id for o in found.state.orders]
    assert again.state.at_s == pytest.approx(found.state.at_s, abs=1e-5)


def test_agents_of_the_balanced_variant_are_loaded_alike() -> None:
    assert {crew.minutes / sum(crew.paces.values()) for crew in crews("balanced").values()} == {15.0}


def test_agents_of_the_heterogeneous_variant_differ_in_speed_and_can_do_as_much_together() -> None:
    ours, papers = crews("heterogeneous"), crews("plain")
    for node, crew in ours.items():
        assert len(set(crew.paces.values())) == len(crew.paces)
        before = papers[node]
        assert crew.minutes / sum(crew.paces.values()) == before.minutes / sum(before.paces.values())
    table = next(task for task in process("heterogeneous").tasks() if task.id == "reserve").durations
    means = [table.lookup("B", None, agent).law.mean() / 60 for agent in ("Inventory 1", "Inventory 2")]
    assert means == pytest.approx([28 / 1.2, 28 / 0.8])
