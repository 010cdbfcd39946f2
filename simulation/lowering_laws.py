"""Laws of a metagraph by number."""

from __future__ import annotations

import numpy as np

from metagraph.distributions import Fitted
from metagraph.errors import DataError
from metagraph.nodes import Task
from simulation.program import LAW, Floats, Records
from simulation.tables import Table, tabulate


class Laws:
    """Tables by number, each once."""

    def __init__(self) -> None:
        self.tables: list[Table] = []
        self._numbers: dict[int, int] = {}

    def number(self, fitted: Fitted) -> int:
        """The number of a law."""
        table = tabulate(fitted.law)
        if id(table) not in self._numbers:
            self._numbers[id(table)] = len(self.tables)
            self.tables.append(table)
        return self._numbers[id(table)]

    def time(self, fitted: Fitted, task: Task) -> int:
        """The number of a duration's or delay's law. Raises DataError if it can be below 0."""
        number = self.number(fitted)
        least = self.tables[number].xs[0]
        if not least >= 0.0:
            raise DataError(f"task {task.id!r} has a time of {least:g} s: durations and delays start at 0")
        return number

    def records(self) -> tuple[Records, Floats]:
        """LAW of each, and the levels, values, slopes and tails of all."""
        laws = np.zeros(len(self.tables), LAW)
        first = 0
        for i, table in enumerate(self.tables):
            laws[i] = (first, len(table.us), table.fixed, table.mean)
            first += len(table.us)
        grids = [table.grid for table in self.tables]
        return laws, np.concatenate(grids, axis=1) if grids else np.zeros((4, 0))
