"""Very many random programs through both engines, by hand: `python -m tests.simulation.equality_run 20000`.

What the same code has done is not done again: it can be stopped and gone on with. Each finished block
appends a row to build/equality.csv: version of the code, first and last program, how many differ.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import time
from collections.abc import Iterable
from pathlib import Path

from tests.simulation.equality import difference
from tests.simulation.programs import Seeded, case

ROOT = Path(__file__).parents[2]
ROWS = ROOT / "build" / "equality.csv"
COLUMNS = ("version", "first", "last", "differ", "cpu_s")
BLOCK = 250


def version() -> str:
    """Of all code that the result depends on."""
    digest = hashlib.sha256()
    for folder in ("metagraph", "simulation", "tests/simulation"):
        for path in sorted((ROOT / folder).glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def done(code: str) -> set[int]:
    """First programs of the blocks that this code has finished."""
    if not ROWS.exists():
        return set()
    with ROWS.open(encoding="utf-8", newline="") as rows:
        return {int(row["first"]) for row in csv.DictReader(rows) if row["version"] == code}


def differing(numbers: Iterable[int]) -> int:
    """How many of the programs differ; each is printed."""
    found = 0
    for number in numbers:
        try:
            says = difference(case(Seeded(number)))
        except Exception as error:
            says = f"{type(error).__name__}: {error}"
        if says:
            found += 1
            print(f"program {number}: {says[:600]}", flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("programs", type=int)
    parser.add_argument("--part", type=int, default=0, help="of several processes, this one (from 0)")
    parser.add_argument("--parts", type=int, default=1, help="how many processes share the work")
    said = parser.parse_args()
    code = version()
    finished = done(code)
    ROWS.parent.mkdir(exist_ok=True)
    for first in range(said.part * BLOCK, said.programs, BLOCK * said.parts):
        if first in finished:
            continue
        last, begun = min(first + BLOCK, said.programs) - 1, time.process_time()
        found = differing(range(first, last + 1))
        row = (code, first, last, found, round(time.process_time() - begun, 1))
        new = not ROWS.exists()
        with ROWS.open("a", encoding="utf-8", newline="") as rows:
            csv.writer(rows).writerows([COLUMNS, row] if new else [row])
        print(f"programs {first} to {last}: {found} differ, {row[-1]} CPU s", flush=True)


if __name__ == "__main__":
    main()
