"""What benchmarks/historian.py measures: one function a unit, run in a process of its own.

A unit prepares, then yields once: what runs between its yields is measured. The last yield is the amount of
work done (events, rows, …).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import historian_data as data
from benchmarks.historian_data import MILLION

if TYPE_CHECKING:
    from eventlogs.live.inbox import RawEvent

XES_EVENTS, CSV_ROWS, MINED = MILLION, 5 * MILLION, 10 * MILLION
LIVE, BATCH = 200_000, 100
CASES, OPEN = MILLION, 20_000

Unit = Callable[[Path, Path], Generator[int, None, None]]
"""Called with the folder of the data and an empty one to work in."""


def xes_read(logs: Path, work: Path) -> Generator[int, None, None]:
    import duckdb

    from eventlogs.readers.read import read

    path = data.xes_log(logs, XES_EVENTS)
    with duckdb.connect(str(work / "x.duckdb")) as con:
        yield 0
        yield read(con, path).rows


def xes_import(logs: Path, work: Path) -> Generator[int, None, None]:
    yield from _import(data.xes_log(logs, XES_EVENTS), work)


def xes_pm4py(logs: Path, work: Path, variant: str = "iterparse") -> Generator[int, None, None]:
    import pm4py

    path = str(data.xes_log(logs, XES_EVENTS))
    yield 0
    yield len(pm4py.read_xes(path, variant=variant))


def xes_pm4py_regex(logs: Path, work: Path) -> Generator[int, None, None]:
    yield from xes_pm4py(logs, work, "chunk_regex")


def csv_read(logs: Path, work: Path) -> Generator[int, None, None]:
    import duckdb

    from eventlogs.readers.read import read

    path = data.csv_log(logs, CSV_ROWS)
    with duckdb.connect(str(work / "x.duckdb")) as con:
        yield 0
        yield read(con, path).rows


def csv_import(logs: Path, work: Path) -> Generator[int, None, None]:
    yield from _import(data.csv_log(logs, CSV_ROWS), work)


def csv_pandas(logs: Path, work: Path) -> Generator[int, None, None]:
    import pandas as pd

    path = data.csv_log(logs, CSV_ROWS)
    yield 0
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    for name in ("start_time", "end_time"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    yield len(frame)


def csv_pm4py(logs: Path, work: Path) -> Generator[int, None, None]:
    import pandas as pd
    import pm4py

    path = data.csv_log(logs, CSV_ROWS)
    yield 0
    frame = pd.read_csv(path)
    for name in ("start_time", "end_time"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    yield len(
        pm4py.format_dataframe(frame, case_id="case_id", activity_key="activity", timestamp_key="end_time")
    )


def _import(path: Path, work: Path) -> Generator[int, None, None]:
    from eventlogs.historian import Historian

    with Historian(work / "x.duckdb") as historian:
        yield 0
        yield historian.import_log(path, "log").rows_kept


def _mine(question: str) -> Unit:
    def unit(logs: Path, work: Path) -> Generator[int, None, None]:
        from eventlogs.historian import Historian

        with Historian(data.database(logs, MINED), read_only=True) as historian:
            yield 0
            historian.mine("big", question)
            yield MINED

    return unit


def _on_frame(function: Callable[[object], object], library: str) -> Unit:
    """A peer's function on the whole table; its library is loaded before."""

    def unit(logs: Path, work: Path) -> Generator[int, None, None]:
        import pandas as pd

        import_module(library)
        frame = pd.read_parquet(data.parquet_log(logs, MINED))
        yield 0
        function(frame)
        yield MINED

    return unit


def _pm4py_follows(frame: object) -> object:
    import pm4py

    return pm4py.discover_dfg(frame)


def _pm4py_variants(frame: object) -> object:
    import pm4py

    return pm4py.get_variants(frame)


def _pm4py_durations(frame: object) -> object:
    import pm4py

    return pm4py.get_service_time(frame)


def _pandas_follows(frame: object) -> object:
    import pandas as pd

    assert isinstance(frame, pd.DataFrame)
    frame = frame.sort_values(["case:concept:name", "time:timestamp"], kind="stable")
    cases = frame.groupby("case:concept:name", sort=False)
    after = cases["concept:name"].shift(-1)
    gap = cases["time:timestamp"].shift(-1) - frame["time:timestamp"]
    pairs = pd.DataFrame({"a": frame["concept:name"], "b": after, "s": gap.dt.total_seconds()}).dropna()
    return pairs.groupby(["a", "b"])["s"].agg(["count", "mean", "median", "min", "max"])


def _pandas_variants(frame: object) -> object:
    import pandas as pd

    assert isinstance(frame, pd.DataFrame)
    frame = frame.sort_values(["case:concept:name", "time:timestamp"], kind="stable")
    return frame.groupby("case:concept:name", sort=False)["concept:name"].agg(tuple).value_counts()


def _pandas_durations(frame: object) -> object:
    import pandas as pd

    assert isinstance(frame, pd.DataFrame)
    seconds = (frame["time:timestamp"] - frame["start_timestamp"]).dt.total_seconds()
    return seconds.groupby(frame["concept:name"]).describe(percentiles=[0.05, 0.25, 0.5, 0.75, 0.95])


def inbox_accept(logs: Path, work: Path) -> Generator[int, None, None]:
    from eventlogs.live.inbox import Inbox

    batches = _batches()
    with Inbox(work / "inbox.sqlite") as inbox:
        yield 0
        yield sum(inbox.accept(batch).accepted for batch in batches)


def inbox_to_duckdb(logs: Path, work: Path) -> Generator[int, None, None]:
    """The baseline: each batch goes into DuckDB, in a transaction of its own; a tenth of the events."""
    import duckdb

    batches = _batches()[: LIVE // BATCH // 10]
    with duckdb.connect(str(work / "x.duckdb")) as con:
        con.execute("CREATE TABLE inbox (source VARCHAR, id VARCHAR, body VARCHAR, PRIMARY KEY (source, id))")
        yield 0
        for batch in batches:
            con.execute("BEGIN")
            rows = [(event.source, event.event_id, event.body) for event in batch]
            con.executemany("INSERT OR IGNORE INTO inbox VALUES (?, ?, ?)", rows)
            con.execute("COMMIT")
        yield LIVE // 10


def drain(logs: Path, work: Path) -> Generator[int, None, None]:
    from eventlogs.historian import Historian
    from eventlogs.live.inbox import Inbox, inbox_path

    with Inbox(inbox_path(work / "x.duckdb")) as inbox:
        for batch in _batches():
            inbox.accept(batch)
    with Historian(work / "x.duckdb") as historian:
        yield 0
        applied = 0
        while (done := historian.drain()).read:
            applied += done.applied
        yield applied


def _batches() -> list[list[RawEvent]]:
    """Completions, in the order of time, of cases that take turns."""
    from eventlogs.live.inbox import RawEvent

    events = []
    for i in range(LIVE):
        case, step = (i // 800) * 100 + i % 100, i % 800 // 100
        body = {"id": str(i), "source": "erp", "case": f"c{case}", "activity": f"A{step}"}
        body |= {"resource": f"R{i % 60}", "lifecycle": "complete"}
        at = f"2026-03-{1 + i // 10_000:02}T{i % 10_000 // 417:02}:{i % 60:02}:00Z"
        events.append(RawEvent("erp", str(i), "live", json.dumps(body | {"time": at})))
    return [list(events[i : i + BATCH]) for i in range(0, LIVE, BATCH)]


def state(logs: Path, work: Path) -> Generator[int, None, None]:
    """The second answer: the first one fits the rule and keeps it at hand."""
    from eventlogs.historian import Historian

    with Historian(_many_cases(logs)) as historian:
        historian.state_at("many")
        yield 0
        yield historian.state_at("many").orders.num_rows


def state_from_scratch(logs: Path, work: Path) -> Generator[int, None, None]:
    """The baseline: the last event of every case and all executions of the open ones, from the events."""
    from eventlogs.historian import Historian

    with Historian(_many_cases(logs)) as historian:
        con = historian._con
        yield 0
        con.execute(
            "WITH ends AS (SELECT case_id, bool_or(end_us IS NULL) AS running FROM events GROUP BY case_id) "
            "SELECT * FROM events JOIN ends USING (case_id) WHERE running ORDER BY case_id, start_us"
        ).fetchall()
        yield OPEN


def _many_cases(logs: Path) -> Path:
    """A million cases, of which the last 20,000 have their last execution still running."""
    import duckdb

    from eventlogs.historian import Historian

    path = logs / "many.duckdb"
    if path.exists():
        return path
    table = logs / "many.csv"
    events = CASES * data.CASE_LENGTH
    last_open = events - OPEN * data.CASE_LENGTH
    duckdb.sql(
        f"COPY (SELECT case_id, activity, resource, start_time, CASE WHEN row_number() OVER () > {last_open} "
        f"AND row_number() OVER () % {data.CASE_LENGTH} = 0 THEN '' ELSE end_time END AS end_time FROM "
        f"({data.texts(events)})) TO '{table}' (HEADER)"
    )
    part = Path(f"{path}.part")
    part.unlink(missing_ok=True)
    with Historian(part) as historian:
        historian.import_log(table, "many")
    table.unlink()
    part.rename(path)
    return path


def prepare(logs: Path) -> None:
    """Make all data, so that making them counts for no unit."""
    data.xes_log(logs, XES_EVENTS)
    data.csv_log(logs, CSV_ROWS)
    data.database(logs, MINED)
    data.parquet_log(logs, MINED)
    _many_cases(logs)


UNITS: dict[str, Unit] = {
    "xes_read": xes_read,
    "xes_import": xes_import,
    "xes_pm4py": xes_pm4py,
    "xes_pm4py_regex": xes_pm4py_regex,
    "csv_read": csv_read,
    "csv_import": csv_import,
    "csv_pandas": csv_pandas,
    "csv_pm4py": csv_pm4py,
    "follows": _mine("follows"),
    "follows_pm4py": _on_frame(_pm4py_follows, "pm4py"),
    "follows_pandas": _on_frame(_pandas_follows, "pandas"),
    "variants": _mine("variants"),
    "variants_pm4py": _on_frame(_pm4py_variants, "pm4py"),
    "variants_pandas": _on_frame(_pandas_variants, "pandas"),
    "durations": _mine("durations"),
    "durations_pm4py": _on_frame(_pm4py_durations, "pm4py"),
    "durations_pandas": _on_frame(_pandas_durations, "pandas"),
    "inbox": inbox_accept,
    "inbox_duckdb": inbox_to_duckdb,
    "drain": drain,
    "state": state,
    "state_scratch": state_from_scratch,
}
