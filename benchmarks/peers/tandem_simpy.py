"""Tandem queues in SimPy.

python tandem_simpy.py STATIONS UTILISATION ORDERS SEED
"""

from __future__ import annotations

import random
import sys
from collections.abc import Generator
from typing import Any

import simpy

from benchmarks.peers._measured import measured


def tandem(stations: int, utilisation: float, orders: int, seed: int) -> dict[str, Any]:
    """Work takes 1 on average, exponential; orders come in a Poisson stream."""
    env = simpy.Environment()
    draw = random.Random(seed).expovariate
    servers = [simpy.Resource(env) for _ in range(stations)]
    total = 0.0

    def order() -> Generator[simpy.Event, Any, None]:
        nonlocal total
        begun = env.now
        for server in servers:
            with server.request() as request:
                yield request
                yield env.timeout(draw(1.0))
        total += env.now - begun

    def arrivals() -> Generator[simpy.Event, Any, None]:
        for _ in range(orders):
            yield env.timeout(draw(utilisation))
            env.process(order())

    env.process(arrivals())
    env.run()
    return {"executions": stations * orders, "orders": orders, "cycle_s": total / orders}


def main() -> None:
    stations, utilisation, orders, seed = sys.argv[1:]
    measured("simpy", lambda: tandem(int(stations), float(utilisation), int(orders), int(seed)))


if __name__ == "__main__":
    main()
