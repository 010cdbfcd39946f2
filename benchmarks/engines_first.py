"""What a new process needs before its first result: prints CPU seconds, step by step.

python -m benchmarks.engines_first
"""

from __future__ import annotations

import json
import sys
import time

steps = {"python": time.process_time()}


def _step(name: str) -> None:
    steps[name] = time.process_time() - sum(steps.values())


def main() -> None:
    import numpy as np

    _step("import numpy")
    from datetime import UTC, datetime
    from pathlib import Path

    from metagraph.json_io import load
    from metagraph.policies import PORTFOLIO
    from simulation.arrivals import draw_orders
    from simulation.lowering import lower

    _step("import metagraph and lowering")
    path = Path(__file__).resolve().parent.parent / "examples" / "example3.twin.json"
    twin = load(path)
    _step("load the twin")
    origin = datetime(2026, 1, 5, tzinfo=UTC)
    orders = draw_orders(twin, origin, origin=origin, seed=1, replication=0, cases=100)
    program = lower(twin, orders, origin=origin, policy=PORTFOLIO["P"])
    _step("draw orders and lower")
    from simulation import kernel

    _step("import the kernel")
    kernel.compile_all()
    _step("load the compiled code")
    run = kernel.run(program, 1)
    _step("run")
    kernel.run(program, 2)
    _step("run again")
    assert np.isfinite(run.until_s)
    sys.stdout.write(json.dumps({"steps": steps, "executions": run.tally.executions}) + "\n")


if __name__ == "__main__":
    main()
