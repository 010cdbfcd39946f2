"""Tandem queues in salabim, without its monitors and traces.

python tandem_salabim.py STATIONS UTILISATION ORDERS SEED
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from typing import Any

import salabim as sim  # type: ignore[import-not-found]

from benchmarks.peers._measured import measured


def tandem(stations: int, utilisation: float, orders: int, seed: int) -> dict[str, Any]:
    """Work takes 1 on average, exponential; orders come in a Poisson stream."""
    sim.yieldless(False)
    env = sim.Environment(trace=False, random_seed=seed)
    draw = random.Random(seed).expovariate
    servers = [sim.Resource(f"server {i}", monitor=False) for i in range(stations)]
    total = 0.0

    class Order(sim.Component):  # type: ignore[misc]
        def process(self) -> Iterator[Any]:
            nonlocal total
            begun = env.now()
            for server in servers:
                yield self.request(server)
                yield self.hold(draw(1.0))
                self.release(server)
            total += env.now() - begun

    class Arrivals(sim.Component):  # type: ignore[misc]
        def process(self) -> Iterator[Any]:
            for _ in range(orders):
                yield self.hold(draw(utilisation))
                Order("", mode=None)

    Arrivals()
    env.run()
    return {"executions": stations * orders, "orders": orders, "cycle_s": total / orders}


def main() -> None:
    stations, utilisation, orders, seed = sys.argv[1:]
    measured("salabim", lambda: tandem(int(stations), float(utilisation), int(orders), int(seed)))


if __name__ == "__main__":
    main()
