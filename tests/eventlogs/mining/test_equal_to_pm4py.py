"""Counts, times and filters equal pm4py's: on the public logs, to the last one, and on the bundled example.

pm4py ships no logs with its package. It knows one time of an event, so that its order, its variants and its
filters of events go by the end; where a log has starts, its graph goes by them. Filters of whole cases see
both instants of an execution here, so the oracle gets a row for each. At one instant both keep the order of
the file (P2P and ConsultaDataMining have thousands of ties).
"""

import contextlib
import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from eventlogs.historian import Historian
from eventlogs.mining.filters import LogFilter, Window

CASE, ACTIVITY, RESOURCE = "case:concept:name", "concept:name", "org:resource"
START, END = "start_timestamp", "time:timestamp"
PUBLIC = [
    *(f"accuracy/logs/{name}_train" for name in ("BPIC12W", "ConsultaDataMining", "LoanApp", "P2P")),
    *(f"forecast/logs/{name}" for name in ("ConsultaDataMining", "LoanApp", "P2P")),
]
EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "order_to_cash.csv"
pytestmark = pytest.mark.filterwarnings("ignore")


class Both:
    """One log as the historian has it and as pm4py does."""

    def __init__(self, pm4py: Any, file: Path) -> None:
        self.pm4py = pm4py
        self.historian = Historian(":memory:")
        self.historian.import_log(file, "log")
        table = pd.read_csv(file, dtype=str, keep_default_na=False)
        for column in ("start_time", "end_time"):
            table[column] = pd.to_datetime(table[column], utc=True, format="ISO8601")
        self.frame = table.rename(
            columns={
                **{"case_id": CASE, "activity": ACTIVITY, "resource": RESOURCE},
                **{"start_time": START, "end_time": END, "segment": "case:segment"},
            }
        )
        self.frame["row"] = np.arange(len(table))

    def mine(self, what: str, by: str = "", *filters: LogFilter) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.historian.mine("log", what, filters, by).to_pylist()
        return found

    def formatted(self, frame: pd.DataFrame) -> pd.DataFrame:
        """As pm4py wants it."""
        made: pd.DataFrame = self.pm4py.format_dataframe(frame)
        return made

    def by_end(self) -> pd.DataFrame:
        """Each execution at its end, without its start."""
        return self.formatted(self.frame.drop(columns=START))

    def by_start(self) -> pd.DataFrame:
        return self.formatted(self.frame.copy())

    def marks(self) -> pd.DataFrame:
        """A row for the start and a row for the end of each execution."""
        starts = self.frame.drop(columns=END).rename(columns={START: END})
        both = pd.concat([starts, self.frame.drop(columns=START)])
        return self.formatted(both)

    def left(self, wanted: LogFilter) -> tuple[int, list[str]]:
        """How many executions a filter leaves, and the ids of their cases."""
        found = self.mine("cases", "", wanted)
        return sum(row["executions"] for row in found), sorted(row["case_id"] for row in found)

    def kept(self, frame: pd.DataFrame) -> tuple[int, list[str]]:
        """The same of what pm4py leaves."""
        return frame["row"].nunique(), sorted(frame[CASE].unique())


@pytest.fixture(scope="module", params=[*PUBLIC, "example"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    with contextlib.redirect_stdout(io.StringIO()):
        pm4py = pytest.importorskip("pm4py")
    if request.param == "example":
        file = completed(EXAMPLE, tmp_path_factory.mktemp("example") / "example.csv")
    else:
        file = request.getfixturevalue("public_logs") / f"{request.param}.csv.gz"
    made = Both(pm4py, file)
    yield made
    made.historian.close()


def completed(source: Path, target: Path) -> Path:
    """The log without what is running: pm4py has no word for an execution without an end."""
    with source.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["end_time"]]
    with target.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return target


def pairs(rows: list[dict[str, Any]], value: str = "count") -> dict[tuple[str, str], Any]:
    return {(row["activity"], row["next_activity"]): row[value] for row in rows}


def test_directly_follows(both: Both) -> None:
    for by, frame in (("end", both.by_end()), ("start", both.by_start())):
        graph, _, _ = both.pm4py.discover_dfg(frame)
        assert pairs(both.mine("follows", by)) == graph


def test_times_between(both: Both) -> None:
    from pm4py.algo.discovery.dfg.adapters.pandas.df_statistics import get_dfg_graph

    by_end, _, _ = both.pm4py.discover_performance_dfg(both.by_end())
    by_start, _, _ = both.pm4py.discover_performance_dfg(both.by_start())
    options = {"measure": "performance", "perf_aggregation_key": "all", "start_timestamp_key": START}
    for rows, graph, name in (
        (both.mine("follows", "end"), by_end, "end_to_end"),
        (both.mine("follows", "start"), by_start, "end_to_start"),
        (both.mine("waits", "transition"), get_dfg_graph(both.by_start(), **options), "wait"),
    ):
        assert len(rows) == len(graph)
        for key in ("mean", "median", "min", "max"):
            theirs = {pair: times[key] for pair, times in graph.items()}
            assert pairs(rows, f"{key}_{name}_s") == pytest.approx(theirs, rel=1e-12, abs=1e-6)


def test_variants_starts_and_ends(both: Both) -> None:
    frame = both.by_end()
    ours = {tuple(row["activities"]): row["cases"] for row in both.mine("variants")}
    assert ours == both.pm4py.get_variants(frame)
    assert {r["activity"]: r["cases"] for r in both.mine("starts")} == both.pm4py.get_start_activities(frame)
    assert {r["activity"]: r["cases"] for r in both.mine("ends")} == both.pm4py.get_end_activities(frame)


def test_durations_rework_arrivals_and_cycle_times(both: Both) -> None:
    frame, durations = both.by_start(), both.mine("durations")
    for theirs, ours in (("mean",) * 2, ("median",) * 2, ("min",) * 2, ("max",) * 2, ("sum", "total")):
        times = both.pm4py.get_service_time(
            frame, aggregation_measure=theirs, start_timestamp_key=START, timestamp_key=END
        )
        found = {row["activity"]: row[f"{ours}_duration_s"] for row in durations}
        assert found == pytest.approx(times, rel=1e-12, abs=1e-6)
    again = both.pm4py.get_rework_cases_per_activity(frame)
    assert {r["activity"]: r["reworked_cases"] for r in both.mine("rework") if r["repeats"]} == again
    [whole] = both.mine("summary")
    marks = both.marks()
    assert whole["mean_arrival_gap_s"] == pytest.approx(both.pm4py.get_case_arrival_average(marks))
    lengths = both.pm4py.get_all_case_durations(marks)
    assert sorted(row["cycle_s"] for row in both.mine("cases")) == pytest.approx(sorted(lengths))


def test_handovers(both: Both) -> None:
    theirs = both.pm4py.discover_handover_of_work_network(both.by_end()).connections
    rows = both.mine("handovers")
    total = sum(row["count"] for row in rows)
    ours = {(row["resource"] or "", row["next_resource"] or ""): row["count"] for row in rows}
    assert ours == {pair: round(share * total) for pair, share in theirs.items() if share}


def test_time_windows(both: Both) -> None:
    instants = pd.concat([both.frame[START], both.frame[END]]).dt.floor("s").sort_values()
    low, high = (instants.iloc[int(len(instants) * share)].to_pydatetime() for share in (0.3, 0.7))
    modes: dict[Window, str] = {
        "contained": "traces_contained",
        "intersecting": "traces_intersecting",
        "events": "events",
    }
    modes |= {"started": "traces_starting_in", "ended": "traces_completing_in"}
    stamps = [instant.strftime("%Y-%m-%d %H:%M:%S") for instant in (low, high)]
    for window, mode in modes.items():
        frame = both.by_end() if window == "events" else both.marks()
        theirs = both.kept(both.pm4py.filter_time_range(frame, *stamps, mode=mode))
        wanted = LogFilter(after=low, before=high, window=window)
        assert both.left(wanted) == theirs, window
        assert 0 < theirs[0] < len(both.frame)


def test_filters_of_names(both: Both) -> None:
    pm4py, frame = both.pm4py, both.by_end()
    activities = sorted(both.frame[ACTIVITY].unique())
    some = tuple(activities[::3])
    resources = tuple(sorted(set(both.frame[RESOURCE]) - {""})[::4])
    values = pm4py.filter_event_attribute_values
    for theirs, wanted in (
        (values(frame, ACTIVITY, set(some), level="case"), LogFilter(with_activities=some)),
        (
            values(frame, ACTIVITY, {some[0]}, level="case", retain=False),
            LogFilter(without_activities=some[:1]),
        ),
        (values(frame, ACTIVITY, set(some), level="event"), LogFilter(activities=some)),
        (values(frame, RESOURCE, set(resources), level="case"), LogFilter(with_resources=resources)),
        (values(frame, RESOURCE, set(resources), level="event"), LogFilter(resources=resources)),
        (pm4py.filter_start_activities(frame, set(some)), LogFilter(starts=some)),
        (pm4py.filter_end_activities(frame, set(activities[1::2])), LogFilter(ends=tuple(activities[1::2]))),
    ):
        assert both.left(wanted) == both.kept(theirs), wanted
    for activity in activities:
        theirs = both.kept(pm4py.filter_activities_rework(frame, activity, 2))
        assert both.left(LogFilter(rework=(activity,))) == theirs
    for one, other in list(pairs(both.mine("follows")))[:8]:
        theirs = both.kept(pm4py.filter_directly_follows_relation(frame, [(one, other)]))
        assert both.left(LogFilter(path=(one, other))) == theirs
    if "case:segment" in frame:
        theirs = both.kept(pm4py.filter_trace_attribute_values(frame, "case:segment", {"standard"}))
        assert both.left(LogFilter(case_attributes={"segment": ("standard",)})) == theirs


def test_filters_of_variants_and_cycle_times(both: Both) -> None:
    pm4py, frame, marks = both.pm4py, both.by_end(), both.marks()
    counts = [row["cases"] for row in both.mine("variants")] + [0]
    # Among equally frequent variants pm4py takes the last by name.
    clear = [k for k in range(1, min(len(counts), 60)) if counts[k - 1] > counts[k]]
    for k in (clear[0], clear[-1]):
        theirs = both.kept(pm4py.filter_variants_top_k(frame, k))
        assert both.left(LogFilter(top_variants=k)) == theirs
    share = counts[len(clear) // 2] / sum(counts) * 0.999
    theirs = both.kept(pm4py.filter_variants_by_coverage_percentage(frame, share))
    assert both.left(LogFilter(min_variant_share=share)) == theirs
    low, high = np.quantile(pm4py.get_all_case_durations(marks), [0.2, 0.6]).round()
    theirs = both.kept(pm4py.filter_case_performance(marks, low, high))
    assert both.left(LogFilter(min_cycle_s=float(low), max_cycle_s=float(high))) == theirs
