"""The open orders as a table, from a small log that is written out here."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow.csv
import pytest

from metagraph.errors import UsageError
from twin.open_orders import of_longest_wait, rows_of, state_command
from twin.progress import Progress
from twin.requests import log_request

LOG = """case_id,activity,resource,start_time,end_time,segment
2,Check,Ann,2024-03-04T09:00:00Z,2024-03-04T09:20:00Z,small
3,Check,Bob,2024-03-04T09:40:00Z,,small
3,Pack,,2024-03-04T09:50:00Z,,small
"""
BEFORE = "".join(
    f"old {i},Check,Ann,2024-03-01T08:{i:02}:00Z,2024-03-01T08:{i:02}:30Z,big\n"
    f"old {i},Ship,Bob,2024-03-01T10:{i:02}:00Z,2024-03-01T10:{i:02}:30Z,big\n"
    for i in range(40)
)
AT = datetime(2024, 3, 4, 10, tzinfo=UTC)


def test_what_waits_and_what_is_in_progress(tmp_path: Path) -> None:
    log, out = tmp_path / "orders.csv", tmp_path / "open.csv"
    log.write_text(LOG + BEFORE)
    request = log_request(str(log), str(tmp_path / "x.duckdb"), until=AT)
    found = state_command(request, None, out, Progress(lambda step, share: None))
    rows = {row["case"]: row for row in rows_of(found)}
    assert set(rows) == {"2", "3"}, "the old ones ended with Ship"
    assert (rows["2"]["done"], rows["2"]["waiting_s"], rows["2"]["in_progress"]) == (["Check"], 2400.0, [])
    assert (rows["3"]["in_progress"], rows["3"]["resources"]) == (["Check", "Pack"], ["Bob", None])
    assert (rows["3"]["elapsed_s"], rows["3"]["waiting_since"]) == ([1200.0, 600.0], None)
    assert rows["3"]["attributes"] == {"segment": "small"}
    assert [order.case for order in of_longest_wait(list(found.cases()), found.at)] == ["2", "3"]
    written = pyarrow.csv.read_csv(out).to_pylist()
    assert [(row["case"], row["in_progress"], row["resources"]) for row in written] == [
        (2, "", ""),
        (3, "Check > Pack", "Bob > –"),
    ]


def test_a_file_of_another_kind_is_refused_first(tmp_path: Path) -> None:
    request = log_request("no such log.csv", str(tmp_path / "x.duckdb"))
    with pytest.raises(UsageError, match=r"expected a name that ends in \.csv"):
        state_command(request, None, tmp_path / "open.xlsx", Progress(lambda step, share: None))
