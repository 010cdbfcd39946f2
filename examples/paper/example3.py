"""Example 3 of Perez, Wassick and Grossmann: heuristics against optimization as an event in the simulation.

    python -m examples.paper.example3 [--replications 30] [--workers 2] [--work build/example3]

47 orders in 24 hours under durations that vary by 10, 30 and 90 %; nine heuristics, and a MILP on a 15-minute
grid that is solved whenever an order arrives, with a rolling and with a shrinking horizon. A JSON line is
appended for each method and day, with the code's version: a run that is ended, however, goes on. The page
docs/example3.md and its pictures are written from what is there, at the end or with --page-only.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from pathlib import Path

from benchmarks.keeping import append, rows_of, version
from examples.paper.example3_day import NETWORKS
from examples.paper.example3_units import CASES, FINE, HEURISTICS, METHODS, MILPS, Row, Unit, key_of, run_unit

ROOT = Path(__file__).resolve().parent.parent.parent


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what isn't there yet, and write the page."""
    asked = _asked(arguments)
    asked.work.mkdir(parents=True, exist_ok=True)
    path = asked.work / "rows.jsonl"
    if not asked.page_only:
        code = version(ROOT)
        done = {key_of(row) for row in rows_of(path) if not asked.fresh or row["version"] == code}
        todo = [unit for unit in units(asked) if unit.key not in done]
        print(f"{len(todo)} to run, {len(done)} there", file=sys.stderr)
        for row in _run(todo, asked.workers):
            append(path, {"version": code, **row})
            print(_line(row), file=sys.stderr)
    from examples.paper.example3_page import write

    rows = [row for row in rows_of(path) if row["hours"] == asked.hours]
    print(write(rows, asked.docs))


def units(asked: argparse.Namespace) -> list[Unit]:
    """All that is run: heuristics first, which take milliseconds; then the others, the quicker network first,
    day by day, so that a part of them says something of all cases."""
    cases = [case for case in CASES if case.name in asked.cases]
    days = [(r, case) for r in range(asked.replications) for case in cases]
    return [
        Unit(case, r, method, network, asked.hours)
        for some in (HEURISTICS, MILPS)
        for network in asked.networks
        for r, case in days
        for method in some
        if method in asked.methods
    ]


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--replications", type=int, default=30, help="days of each case")
    options.add_argument("--workers", type=int, default=1, help="processes")
    options.add_argument("--work", type=Path, default=ROOT / "build" / "example3", help="where rows are kept")
    options.add_argument("--docs", type=Path, default=ROOT / "docs", help="where the page is written")
    options.add_argument("--hours", type=float, default=24.0, help="of a day")
    options.add_argument("--cases", nargs="+", default=[case.name for case in CASES], metavar="CASE")
    options.add_argument("--methods", nargs="+", default=METHODS, choices=(*METHODS, FINE), metavar="METHOD")
    options.add_argument("--networks", nargs="+", default=list(NETWORKS), choices=list(NETWORKS))
    options.add_argument(
        "--fresh", action="store_true", help="run again what another version of the code ran"
    )
    options.add_argument("--page-only", action="store_true", help="only write the page")
    return options.parse_args(arguments)


def _run(todo: Sequence[Unit], workers: int) -> Iterator[Row]:
    """Rows as they come."""
    if workers == 1 or not todo:
        yield from map(run_unit, todo)
        return
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _follow, (os.getpid(),))
    try:
        rest = iter(todo)
        under_way: set[Future[Row]] = set()
        for unit in rest:
            under_way.add(pool.submit(run_unit, unit))
            if len(under_way) > workers:
                yield from _over(under_way)
        while under_way:
            yield from _over(under_way)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _over(under_way: set[Future[Row]]) -> Iterator[Row]:
    """Those that have ended; they are taken out."""
    ended, _ = wait(under_way, return_when=FIRST_COMPLETED)
    for one in ended:
        under_way.remove(one)
        yield one.result()


def _follow(parent: int) -> None:
    """In a process of the pool: end when the one that started it is gone, however it was ended."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _line(row: Row) -> str:
    return (
        f"{row['network']:8} {row['replication']:2} {row['case']:16} {row['method']:20} "
        f"profit {row['profit_k']:5.1f} k, on time {row['on_time']:4.1f} %, "
        f"{row['preemptions']} interruptions, {row['cpu_s']:.1f} CPU s"
    )


if __name__ == "__main__":
    main()
