"""The compiled engine by itself: what it refuses, how it grows and is kept; see test_equality.py too."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from metagraph.blocks import Empty, Leaf, Loop
from metagraph.distributions import Constant
from metagraph.errors import DataError, UsageError
from metagraph.model import Metagraph
from metagraph.policies import Policy
from simulation import clock_arrays, kernel, kernel_code, kernel_memory, reference
from simulation.kernel_address import INTERPRETED
from simulation.kernel_layout import CLOCK, CREW, EVENT, ITEM, JOURNEY, LINE, LOG, PACE, WORLD
from simulation.lowering import lower
from simulation.program import Program
from simulation.session import Options
from simulation.streams import Stream
from tests.simulation.builders import ORIGIN, expon, orders, process, station, tandem
from tests.simulation.equality import facts, first_difference

ROOT = Path(__file__).resolve().parents[2]


def program(model: Metagraph, n: int = 200, gap: float = 1.0, policy: Policy | None = None) -> Program:
    gaps = np.random.default_rng(n).exponential(gap, n)
    return lower(model, orders(np.cumsum(gaps).tolist()), origin=ORIGIN, policy=policy)


def same(one: Any, other: Any) -> str:
    return first_difference(facts(one), facts(other))


def test_random_numbers_are_those_of_streams() -> None:
    counters = [(0, 0, 0, 0), (1, 2, 3, 4), (2**31 - 1, 5, 70000, 19), (12, 2**32 - 2, 1, 13)]
    for seed, replication in ((0, 0), (7, 3), (2**32 - 1, 12345)):
        stream = Stream(seed, replication)
        k0, k1 = stream.keys[0]
        for counter in counters:
            assert (kernel_code.bits(k0, k1, *counter) + 0.5) * 2.0**-52 == stream.uniform(*counter)


@pytest.mark.parametrize("dtype", [WORLD, ITEM, JOURNEY, EVENT, LINE, CREW, CLOCK, PACE, LOG])
def test_no_field_is_hidden_by_an_attribute_of_records(dtype: np.dtype[Any]) -> None:
    assert [name for name in dtype.names or () if hasattr(np.void, name)] == []


def test_what_it_does_not_run_is_named() -> None:
    plain = program(station(expon(1.0)))
    assert kernel.refusal(plain) == ""
    custom = replace(plain, network=replace(plain.network, custom=object()))
    assert kernel.refusal(custom) == "a policy written in Python"
    with pytest.raises(UsageError, match=r"a policy written in Python.*choose engine auto or reference"):
        kernel.run(custom, 1)
    with pytest.raises(UsageError, match="queue's length"):
        kernel.session(plain, 1, 0, Options(paths=True))


def test_one_server_takes_one_after_the_other() -> None:
    found = kernel.run(lower(station(Constant(3.0)), orders([0.0, 1.0, 10.0]), origin=ORIGIN), 1)
    assert found.completed_s.tolist() == [3.0, 6.0, 13.0]
    assert found.executions.start_s.tolist() == [0.0, 3.0, 10.0]
    assert found.tally.waiting_s.tolist() == [2.0]
    assert found.tally.longest.tolist() == [1]
    assert found.stopped == "end"


def test_memory_that_is_short_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = program(tandem(expon(1.0), 3), 700, 0.01)
    wanted = reference.run(crowd, 5)
    grown: list[str] = []
    grow = kernel_memory.Memory.grow

    def counted(memory: kernel_memory.Memory, name: str) -> None:
        grown.append(name)
        grow(memory, name)

    monkeypatch.setattr(kernel_memory.Memory, "grow", counted)
    monkeypatch.setattr(kernel_memory, "MORE", 2)
    monkeypatch.setattr(kernel, "ROWS", 0)
    monkeypatch.setattr(kernel, "MOST_ROWS", 0)
    going = kernel.session(crowd, 5)
    going.run_to(inf)
    assert same(wanted, going.result()) == ""
    assert set(grown) == {"items", "journeys", "log"}


def test_clocks_that_are_short_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    office = program(station(expon(7200.0), 2, calendar="office"), 300, 1000.0)
    wanted = reference.run(office, 5)
    monkeypatch.setattr(kernel, "AHEAD_S", 3600.0)
    asked: list[float] = []
    realised = clock_arrays.realised

    def counted(*args: Any) -> Any:
        asked.append(args[-1])
        return realised(*args)

    monkeypatch.setattr(kernel, "realised", counted)
    assert same(wanted, kernel.run(office, 5)) == ""
    assert len(asked) > 2


def test_runs_use_a_threads_arrays_again_and_leave_results_alone() -> None:
    small, large = program(station(expon(0.9)), 50), program(tandem(expon(0.9)), 300)
    first = kernel.run(small, 1)
    before = {name: np.copy(value) for name, value in facts(first).items() if isinstance(value, np.ndarray)}
    for seed in range(3):
        kernel.run(large, seed)
    assert all(np.array_equal(value, facts(first)[name], equal_nan=True) for name, value in before.items())
    assert same(first, kernel.run(small, 1)) == ""


def test_a_fork_goes_on_as_the_whole_run_does() -> None:
    busy = program(tandem(expon(0.9)), 300)
    whole = kernel.session(busy, 3)
    whole.run_to(inf)
    session = kernel.session(busy, 3)
    forks = []
    for t in (10.0, 50.0, 111.0, 250.0):
        session.run_to(t)
        forks.append(session.fork())
    session.run_to(inf)
    for fork in forks:
        fork.run_to(inf)
        assert same(whole.result(), fork.result()) == ""
    assert same(whole.result(), session.result()) == ""


def test_snapshots_are_the_references() -> None:
    model = tandem(expon(3000.0), 4, servers=2, calendar="office")
    office = program(model, 100, 1500.0)
    ours, theirs = kernel.session(office, 3), reference.session(office, 3)
    for t in (0.0, 40000.0, 90000.5, 200000.0, 1e9):
        assert ours.run_to(t) == theirs.run_to(t)
        assert same(theirs.snapshot(), ours.snapshot()) == ""


def test_a_loop_that_is_never_left_is_an_error() -> None:
    model = process(Loop("l", "e", Leaf("a", "A"), (Empty(),)), Constant(1.0), weights={"e": [1.0, 0.0]})
    with pytest.raises(DataError, match="order 1 passed 10000 nodes"):
        kernel.run(program(model, 1), 1)


def test_ends_before_now_and_schedules_of_other_shapes_are_refused() -> None:
    session = kernel.session(program(station(expon(1.0))), 1)
    session.run_to(20.0)
    with pytest.raises(UsageError, match="the run is at 20 s"):
        session.result(10.0)
    with pytest.raises(UsageError, match="give the run a policy with RANK"):
        session.reschedule(np.zeros((200, 1)), np.zeros((200, 1), np.int32))
    with pytest.raises(DataError, match="isn't there"):
        session.announce(199, 1, 30.0)


def test_machine_code_is_named_by_all_that_it_is_made_of() -> None:
    kernel.compile_all()
    assert kernel.compiled()
    assert INTERPRETED or (kernel_code.folder() / "kernel.o").is_file()
    made_of = {path.name for path in kernel_code.sources()}
    compiled = {
        path.name
        for path in (ROOT / "simulation").glob("*.py")
        if re.search("^@(leaf|part)$", path.read_text(), re.M)
    }
    assert compiled <= made_of
    assert {"kernel_layout.py", "kernel_records.py", "kernel_jit.py"} <= made_of


def test_running_needs_no_compiler_once_there_is_code() -> None:
    kernel.compile_all()
    script = (
        "import sys\n"
        "from simulation import kernel\n"
        "from simulation.lowering import lower\n"
        "from tests.simulation.builders import ORIGIN, expon, orders, station\n"
        "kernel.run(lower(station(expon(0.9)), orders([0.0, 1.0]), origin=ORIGIN), 1)\n"
        "print(sorted({'numba', 'simulation.kernel_loop'} & set(sys.modules)))"
    )
    assert output(script) == "[]"


def output(script: str, **more: str) -> str:
    """What a Python process of its own prints."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), **more}
    found = subprocess.run(
        [sys.executable, "-c", script], env=env, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
    return found.stdout.strip()


def test_the_same_source_runs_interpreted() -> None:
    script = (
        "from tests.simulation.test_kernel import *\n"
        "busy = program(tandem(expon(0.9), 3), 40, policy=Policy('PS', 'JFQ', ('HP', 'SERPT')))\n"
        "assert INTERPRETED and kernel.compiled()\n"
        "print(same(reference.run(busy, 2), kernel.run(busy, 2)) or 'equal')"
    )
    assert output(script, NUMBA_DISABLE_JIT="1") == "equal"
