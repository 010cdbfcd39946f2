"""A loan office in Prosimos.

    python -m benchmarks.peers.loan_prosimos loan.bpmn loan.json arrivals.json START SEED [LOG]

START is the instant of the first second; with LOG every execution is written there as CSV.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
from prosimos.simulation_engine import run_simulation  # type: ignore[import-not-found]

from benchmarks.peers._measured import measured


def simulated(
    model: str, parameters: str, releases_s: list[float], start: str, log: str | None
) -> dict[str, Any]:
    done = run_simulation(
        model,
        parameters,
        len(releases_s),
        log_out_path=log,
        starting_at=start,
        fixed_arrival_times=releases_s,
    )
    traces = done.log_info.trace_list
    cycle = sum((trace.completed_at - trace.started_at).total_seconds() for trace in traces) / len(traces)
    return {"executions": done.executed_events, "orders": len(traces), "cycle_s": cycle}


def main() -> None:
    model, parameters, arrivals, start, seed, *log = sys.argv[1:]
    random.seed(int(seed))
    # scipy draws from the global generator there.
    np.random.seed(int(seed))  # noqa: NPY002
    releases_s = json.loads(Path(arrivals).read_text(encoding="utf-8"))
    measured("prosimos", lambda: simulated(model, parameters, releases_s, start, log[0] if log else None))


if __name__ == "__main__":
    main()
