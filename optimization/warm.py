"""`python -m optimization.warm`: compile the search now, so that nobody waits for it later."""

from __future__ import annotations

import shutil

import numpy as np

from optimization.compiled import folder, ready
from optimization.generation import Generator, Priorities
from optimization.grid import Grid
from optimization.problem import Problem


def warm() -> bool:
    """Compile what isn't yet, and drop what older sources left; whether there was anything to compile."""
    missing = not ready()
    problem = Problem(Grid(0.0, 1.0, 1), (), (), (), ())
    Generator(problem).plan(Priorities(np.zeros(0)))
    here = folder()
    if here.is_dir():
        for other in here.parent.iterdir():
            if other != here and other.is_dir():
                shutil.rmtree(other, ignore_errors=True)
    return missing


if __name__ == "__main__":
    warm()
