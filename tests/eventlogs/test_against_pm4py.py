"""pm4py as an oracle, on public logs."""

import contextlib
import io
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from eventlogs.historian import Historian
from tests.eventlogs.logs import HEADER, frozen


@pytest.fixture(scope="module")
def pm4py() -> Any:
    with contextlib.redirect_stdout(io.StringIO()):
        return pytest.importorskip("pm4py")


def frame(path: Path) -> pd.DataFrame:
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    for column in ("start_time", "end_time"):
        table[column] = pd.to_datetime(table[column], utc=True)
    return table.rename(
        columns=dict(
            zip(
                HEADER,
                ["case:concept:name", "concept:name", "org:resource", "start_timestamp", "time:timestamp"],
                strict=True,
            )
        )
    )


def test_variants_are_equal(pm4py: Any, public_logs: Path) -> None:
    file = public_logs / "accuracy" / "logs" / "P2P_train.csv.gz"
    with Historian(":memory:") as historian:
        historian.import_log(file, "log")
        found = dict(historian.variants("log", open_cases=()))
    table = frame(file).sort_values(["case:concept:name", "time:timestamp", "start_timestamp"], kind="stable")
    assert found == pm4py.get_variants(table)


@pytest.mark.filterwarnings("ignore")
def test_xes_written_by_pm4py_is_read_as_pm4py_reads_it(
    pm4py: Any, public_logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = public_logs / "accuracy" / "logs" / "LoanApp_test.csv.gz"
    table = frame(source)
    table["case:amount"] = table["case:concept:name"].astype(int) / 2
    file = tmp_path / "log.xes.gz"
    pm4py.write_xes(table, str(file), case_id_key="case:concept:name")
    file = file if file.exists() else Path(f"{file}.gz")
    oracle = pm4py.read_xes(str(file)).sort_values(
        ["case:concept:name", "time:timestamp", "start_timestamp"], kind="stable"
    )
    snapshot = frozen(file)
    amounts = dict(zip(oracle["case:concept:name"], oracle["case:amount"].astype(float), strict=True))
    assert {
        c: float(a or "nan") for c, a in zip(snapshot.cases, snapshot.attributes["case:amount"], strict=True)
    } == amounts
    ours = pd.DataFrame(
        {
            "case:concept:name": [snapshot.cases[i] for i in snapshot.case_of_row()],
            "concept:name": [snapshot.activities[i] for i in snapshot.activity],
            "org:resource": [snapshot.resources[i] for i in snapshot.resource],
            "start_timestamp": pd.Timestamp(snapshot.origin) + pd.to_timedelta(snapshot.start_s, unit="s"),
            "time:timestamp": pd.Timestamp(snapshot.origin) + pd.to_timedelta(snapshot.end_s, unit="s"),
        }
    ).sort_values(["case:concept:name", "time:timestamp", "start_timestamp"], kind="stable")
    for column in ours.columns:
        left, right = ours[column].reset_index(drop=True), oracle[column].reset_index(drop=True)
        if column.endswith("timestamp"):
            assert (left.dt.round("ms") == right.dt.round("ms")).all()
        else:
            assert left.tolist() == right.astype(str).tolist()
