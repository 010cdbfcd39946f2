"""What benchmarks/engines.py measures of Tracetwin: one function a unit, run in a process of its own.

A unit prepares its programs and loads the compiled engine; what it then runs is measured. It gives the task
executions it did, its CPU seconds, and figures of the simulated process by which peers are held against it.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, Literal

import numpy as np

from benchmarks import engines_models as models
from benchmarks.engines_peers import (
    EXAMPLE3_ORDERS,
    LOAN_ORDERS,
    ROOT,
    SEED,
    STATIONS,
    TANDEM_ORDERS,
    UTILISATION,
)
from benchmarks.peak import peak_mb
from metagraph.policies import PORTFOLIO, Policy
from simulation import engines
from simulation.program import Program
from simulation.run import Run
from simulation.session import Limits, Options

Row = dict[str, Any]
Unit = Callable[[Path, int], Row]
Name = Literal["kernel", "reference"]

P, PD = PORTFOLIO["P"], PORTFOLIO["PD"]
SHORTEST = Policy("highest profit, shortest queue", "JSQ", ("HP",), tie="back")
"""What the SimPy program does."""
FIFO = Policy("first come first", "JSQ", ("FIFO",), preemption=False)
KPIS = Options(log=False, limits=Limits(executions=10**9, open_orders=10**8))
LOGGED = replace(KPIS, log=True)
FEW, MANY = 10_000, 300_000
"""Orders of Example 3 for the reference and the kernel."""
AGREEING = 10
"""Replications that peers' results are held against."""


def measured(programs: Sequence[Program], engine: Name, seed: int, options: Options = KPIS) -> Row:
    """One replication of each program, after the engine has been loaded."""
    engines.run(program_of_example3(10), 0, options=options, engine=engine)
    runs: list[Run] = []
    cpu, wall = time.process_time(), time.perf_counter()
    executions = 0
    for replication, program in enumerate(programs):
        run = engines.run(program, seed, replication, options=options, engine=engine)
        executions += run.tally.executions
        if len(runs) < AGREEING:
            runs.append(run)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    peak = peak_mb()
    rows = [_figures(run) for run in runs]
    return {
        "executions": executions,
        "cpu_s": cpu,
        "wall_s": wall,
        "peak_mb": peak,
        **{name: fmean(row[name] for row in rows) for name in rows[0]},
        "spread": {name: stdev(row[name] for row in rows) for name in rows[0]} if len(rows) > 1 else {},
        "runs": len(rows),
    }


def _figures(run: Run) -> dict[str, float]:
    orders = run.program.orders.table
    done = ~np.isnan(run.completed_s)
    n = len(orders)
    found = {
        "cycle_s": float((run.completed_s - orders["release_s"])[done].mean()),
        "wip": run.tally.wip_s / (run.until_s - run.begin_s),
        "fulfilled": float(done.sum() / n),
        "preemptions": float(run.tally.preempted.sum() / n),
    }
    if orders["value"].any():
        found["profit"] = float(_profits(run)[done].sum() / n)
    return found


def _profits(run: Run) -> Any:
    """The profit curve once more, on arrays; lost orders yield nothing here."""
    orders, t, shares = run.program.orders.table, run.completed_s, run.program.network.policy[0]
    release, due, lost = orders["release_s"], orders["due_s"], orders["lost_s"]
    with np.errstate(invalid="ignore"):
        early = shares["early"] + (shares["due"] - shares["early"]) * (t - release) / (due - release)
        late = shares["late"] + (shares["final"] - shares["late"]) * (t - due) / (lost - due)
        return orders["value"] * np.where(t <= due, early, late)


def program_of_example3(n: int, policy: Policy = P, seed: int = SEED, **orders: Any) -> Program:
    return models.program(models.example3(), models.example3_orders(n, seed, **orders), policy)


def example3(policy: Policy, engine: Name, n: int, options: Options = KPIS) -> Unit:
    return lambda _work, repeat: measured([program_of_example3(n, policy)], engine, repeat + 1, options)


def example3_beside_simpy(_work: Path, repeat: int) -> Row:
    """The orders that the SimPy program gets, several times."""
    program = program_of_example3(EXAMPLE3_ORDERS, SHORTEST)
    return measured([program] * AGREEING, "kernel", repeat + 1)


def tandem(engine: Name, replications: int) -> Unit:
    def unit(_work: Path, repeat: int) -> Row:
        graph, seeds = models.tandem(STATIONS), range(repeat * replications, (repeat + 1) * replications)
        first = models.program(graph, models.poisson_orders(TANDEM_ORDERS, UTILISATION, 0), FIFO)
        programs = [
            models.exchanged(first, models.poisson_orders(TANDEM_ORDERS, UTILISATION, seed)) for seed in seeds
        ]
        return measured(programs, engine, repeat + 1)

    return unit


def loan(engine: Name, replications: int, options: Options = KPIS) -> Unit:
    def unit(_work: Path, repeat: int) -> Row:
        program = models.program(models.loan(), models.loan_orders(LOAN_ORDERS, SEED), FIFO)
        return measured([program] * replications, engine, repeat + 1, options)

    return unit


def loan_parquet(work: Path, repeat: int) -> Row:
    """Every execution written to a file, as Prosimos does with its CSV."""
    from simulation.replicate import replicate

    program = models.program(models.loan(), models.loan_orders(LOAN_ORDERS, SEED), FIFO)
    with tempfile.TemporaryDirectory(dir=work) as folder:
        log = Path(folder) / "log.parquet"
        replicate(program, 0, 1, backend="serial", log_to=log)
        cpu, wall = time.process_time(), time.perf_counter()
        made = replicate(program, repeat + 1, AGREEING, backend="serial", log_to=log)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    executions = sum(kpis.executions for kpis in made.values)
    cycles = [kpis.cycle_mean_s for kpis in made.values]
    measured = {"cpu_s": cpu, "wall_s": wall, "peak_mb": peak_mb()}
    return {"executions": executions, "cycle_s": fmean(cycles), **measured}


def replications(_work: Path, repeat: int) -> Row:
    """1,000 times 480 orders, with their KPIs."""
    from simulation.replicate import replicate

    program = program_of_example3(480, P)
    replicate(program, 0, 2)
    before, wall = _cpu_with_children(), time.perf_counter()
    made = replicate(program, repeat + 1, 1000)
    cpu, wall = _cpu_with_children() - before, time.perf_counter() - wall
    executions = sum(kpis.executions for kpis in made.values)
    return {"executions": executions, "cpu_s": cpu, "wall_s": wall, "backend": made.backend}


def memory(_work: Path, repeat: int) -> Row:
    """Ten million executions in one run."""
    return measured([program_of_example3(1_370_000, P)], "kernel", repeat + 1)


def memory_of_many(_work: Path, repeat: int) -> Row:
    """Ten million executions in many replications."""
    from simulation.replicate import replicate

    program = program_of_example3(480, P)
    replicate(program, 0, 2)
    cpu, wall = time.process_time(), time.perf_counter()
    made = replicate(program, repeat + 1, 2_800)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    executions = sum(kpis.executions for kpis in made.values)
    return {"executions": executions, "cpu_s": cpu, "wall_s": wall, "peak_mb": peak_mb()}


def scale_orders(n: int) -> Unit:
    copies = max(1, 200_000 // n)
    return lambda _work, repeat: {
        "x": n, **measured([program_of_example3(n, P)] * copies, "kernel", repeat + 1)
    }  # fmt: skip


def scale_agents(agents: int) -> Unit:
    """One pool with a common queue, 90 % utilised."""

    def unit(_work: Path, repeat: int) -> Row:
        orders = models.poisson_orders(500_000, 0.9 * agents, repeat)
        program = models.program(models.tandem(1, agents), orders, FIFO)
        return {"x": agents, **measured([program], "kernel", repeat + 1)}

    return unit


def scale_wip(burst: int, policy: Policy) -> Unit:
    """Orders that come in bursts and are never lost: on average a third of a burst is there."""

    def unit(_work: Path, repeat: int) -> Row:
        n = max(100_000 if policy is P else 20_000, 10 * burst)
        program = program_of_example3(n, policy, repeat, burst=burst, lost=False)
        row = measured([program], "kernel", repeat + 1)
        return {"x": row["wip"], **row}

    return unit


def first_call(_work: Path, _repeat: int) -> Row:
    """A new process that loads a twin and simulates 100 orders: CPU seconds from its start to its end."""
    _new_process(ROOT)
    return _new_process(ROOT)


def cold_call(work: Path, _repeat: int) -> Row:
    """The same in a checkout in which nothing was compiled before."""
    with tempfile.TemporaryDirectory(dir=work) as folder:
        for name in ("metagraph", "simulation", "benchmarks", "examples"):
            ignored = shutil.ignore_patterns("__pycache__", "*.csv")
            shutil.copytree(ROOT / name, Path(folder) / name, ignore=ignored)
        return _new_process(Path(folder))


def _new_process(checkout: Path) -> Row:
    before, wall = _cpu_with_children(), time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.engines_first"]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, cwd=checkout)
    cpu, wall = _cpu_with_children() - before, time.perf_counter() - wall
    return {"cpu_s": cpu, "wall_s": wall, **json.loads(ended.stdout.splitlines()[-1])}


def _cpu_with_children() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


UNITS: dict[str, Unit] = {
    "example3_P_kernel": example3(P, "kernel", MANY),
    "example3_P_kernel_log": example3(P, "kernel", MANY, LOGGED),
    "example3_PD_kernel": example3(PD, "kernel", MANY),
    "example3_P_reference": example3(P, "reference", FEW),
    "example3_PD_reference": example3(PD, "reference", FEW),
    "example3_beside_simpy": example3_beside_simpy,
    "tandem_kernel": tandem("kernel", AGREEING),
    "tandem_reference": tandem("reference", 1),
    "loan_kernel": loan("kernel", AGREEING),
    "loan_parquet": loan_parquet,
    "loan_reference": loan("reference", 2),
    "first_call": first_call,
    "cold_call": cold_call,
    "replications": replications,
    "memory": memory,
    "memory_of_many": memory_of_many,
    **{f"orders_{n}": scale_orders(n) for n in (10**3, 10**4, 10**5, 10**6, 10**7)},
    **{f"agents_{n}": scale_agents(n) for n in (10, 20, 50, 100, 200, 500)},
    **{f"wip_{n}": scale_wip(n, P) for n in (30, 300, 3_000, 30_000)},
    **{f"averages_{n}": scale_wip(n, PD) for n in (30, 300, 3_000)},
}
