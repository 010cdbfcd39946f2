"""Example 4 of Perez, Wassick and Grossmann: a loader is lost, and none, one or two new ones are hired.

    python -m examples.paper.example4 [--instances 5] [--simulations 30] [--work build/example4]

Two days of the process of Example 3, then five more in which one of two loaders is lost: left so, replaced
after two days, or replaced by two. The approaches are scenario files (examples/paper/example4_scenarios), as
`tracetwin whatif` takes them. A JSON line is appended for each case and instance of orders, with the code's
version: a run that is ended, however, goes on. docs/example4.md and its picture are written at the end.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.keeping import append, rows_of, version
from examples.paper.example4_units import AFTER_H, CASES, Unit, key_of, run_unit

ROOT = Path(__file__).resolve().parent.parent.parent


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what isn't there yet, and write the page."""
    asked = _asked(arguments)
    asked.work.mkdir(parents=True, exist_ok=True)
    path = asked.work / "rows.jsonl"
    units = [
        Unit(case, instance, asked.simulations, asked.after_h)
        for case in CASES
        for instance in range(asked.instances)
        if case.name in asked.cases
    ]
    code = version(ROOT)
    done = {key_of(row) for row in rows_of(path) if not asked.fresh or row["version"] == code}
    for unit in units if not asked.page_only else ():
        if unit.key not in done:
            row = run_unit(unit)
            append(path, {"version": code, **row})
            print(f"{row['case']}, instance {row['instance']}: {row['cpu_s']:.1f} CPU s", file=sys.stderr)
    from examples.paper.example4_page import write

    wanted = {unit.key: None for unit in units}
    newest = {key_of(row): row for row in rows_of(path)}
    print(write([newest[key] for key in wanted if key in newest], asked.docs))


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--instances", type=int, default=5, help="of orders")
    options.add_argument("--simulations", type=int, default=30, help="of each instance")
    options.add_argument("--after-h", type=float, default=AFTER_H, help="hours from the disturbance on")
    options.add_argument("--cases", nargs="+", default=[case.name for case in CASES], metavar="CASE")
    options.add_argument("--work", type=Path, default=ROOT / "build" / "example4", help="where rows are kept")
    options.add_argument("--docs", type=Path, default=ROOT / "docs", help="where the page is written")
    options.add_argument("--fresh", action="store_true", help="run again what another version ran")
    options.add_argument("--page-only", action="store_true", help="only write the page")
    return options.parse_args(arguments)


if __name__ == "__main__":
    main()
