"""OR-Tools CP-SAT on the benchmark's problems, in an environment of its own.

It is told the problem on the grid as JSON and gives back a plan, which is checked and valued like ours.
benchmarks/peers/scheduler.lock is made from scheduler.in by
`uv pip compile --universal --generate-hashes --no-annotate --no-header --python-version 3.11`.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.engines_peers import ROOT, environment, surroundings
from optimization.problem import NOBODY, Mode, Plan, Problem
from optimization.settings import SolveOptions

LOCK = ROOT / "benchmarks" / "peers" / "scheduler.lock"


def prepare(work: Path) -> None:
    """The peer's environment."""
    environment(work, LOCK)


def told(problem: Problem, options: SolveOptions) -> dict[str, Any]:
    """The problem for peers. Raises ValueError for what they aren't told: calendars that make the length of
    work depend on its beginning, delays, prices, costs of interruptions, and several levels."""
    level = problem.levels[0]
    if len(problem.levels) > 1 or level.per_preemption or problem.most_preempted is not None:
        raise ValueError("peers know one objective, without interruptions in it")
    if any(op.lag is not None for op in problem.ops) or any(pool.price for pool in problem.pools):
        raise ValueError("peers know neither delays nor prices")
    return {
        "periods": problem.grid.periods,
        "pools": [pool.capacity.tolist() for pool in problem.pools],
        "ops": [
            {
                "job": op.job,
                "preds": list(op.preds),
                "ready": op.ready,
                "modes": [{"pool": mode.pool, "length": length(mode, problem)} for mode in op.modes],
            }
            for op in problem.ops
        ],
        "jobs": [
            {"sinks": list(job.sinks), "floor": job.floor, "worth": worth.tolist()}
            for job, worth in zip(problem.jobs, level.worth, strict=True)
        ],
        "time_limit_s": options.time_limit_s,
        "gap": options.gap,
        "threads": options.threads,
        "seed": options.seed,
    }


def length(mode: Mode, problem: Problem) -> int:
    """Points of work, the same whenever it begins."""
    points = np.arange(len(mode.ends))
    lengths = np.unique((mode.ends - points)[mode.ends < problem.grid.never])
    if len(lengths) != 1 or mode.ends[0] >= problem.grid.never:
        raise ValueError("peers know no calendars")
    return int(lengths[0])


def cpsat(problem: Problem, options: SolveOptions, work: Path) -> dict[str, Any]:
    """What the peer printed, with its plan as one of ours (`plan`, None if it found none)."""
    command = [str(environment(work, LOCK)), "-m", "benchmarks.peers.scheduler_cpsat"]
    env = {**surroundings(work), "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        command,
        input=json.dumps(told(problem, options)),
        capture_output=True,
        text=True,
        cwd=work,
        env=env,
        check=False,
    )
    if ended.returncode:
        return {"failed": (ended.stderr.strip().splitlines() or ["it was ended"])[-1][:300]}
    row: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    if row["plan"] is not None:
        start, mode = np.array(row["plan"], np.int64).T
        row["plan"] = Plan(start, np.where(start < 0, NOBODY, mode))
    return row
