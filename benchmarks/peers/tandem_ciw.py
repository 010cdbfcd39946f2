"""Tandem queues in Ciw.

python tandem_ciw.py STATIONS UTILISATION ORDERS SEED
"""

from __future__ import annotations

import sys
from typing import Any

import ciw  # type: ignore[import-not-found]

from benchmarks.peers._measured import measured


def tandem(stations: int, utilisation: float, orders: int, seed: int) -> dict[str, Any]:
    """Work takes 1 on average, exponential; orders come in a Poisson stream, until so many are done."""
    ciw.seed(seed)
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(rate=utilisation)] + [None] * (stations - 1),
        service_distributions=[ciw.dists.Exponential(rate=1.0)] * stations,
        routing=[[float(j == i + 1) for j in range(stations)] for i in range(stations)],
        number_of_servers=[1] * stations,
    )
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_customers(orders, method="Finish")
    records = [person.data_records for person in simulation.nodes[-1].all_individuals]
    total = sum(own[-1].exit_date - own[0].arrival_date for own in records)
    return {"executions": sum(map(len, records)), "orders": len(records), "cycle_s": total / len(records)}


def main() -> None:
    stations, utilisation, orders, seed = sys.argv[1:]
    measured("ciw", lambda: tandem(int(stations), float(utilisation), int(orders), int(seed)))


if __name__ == "__main__":
    main()
