"""A log's columns in Parquet."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from metagraph.distributions import Constant
from metagraph.errors import UsageError
from metagraph.orders import Order
from metagraph.policies import Policy
from simulation.lowering import lower
from simulation.parquet_log import COLUMNS, ParquetLog, batch_of
from simulation.reference import run
from simulation.session import Options
from tests.simulation.builders import ORIGIN, orders, process, row, station
from twin.frames import frame_with_outcomes

MINUTE = timedelta(minutes=1)
FORMATS = Path(__file__).parents[2] / "docs" / "formats.md"


def test_every_column_is_documented() -> None:
    section = FORMATS.read_text("utf-8").split("\n## Simulated logs\n")[1].split("\n## ")[0]
    assert [name for name in COLUMNS if f"`{name}`" not in section] == []


def test_every_column_of_a_run_that_is_known(tmp_path: Path) -> None:
    """Two orders of ten minutes each at once, one agent, looked at until minute 15."""
    log = run(lower(station(Constant(600.0)), orders([0.0, 0.0]), origin=ORIGIN), 0, until_s=900.0)
    with ParquetLog(tmp_path / "log.parquet") as file:
        file.write(batch_of(log, 0))
        file.write(batch_of(log, 1))
    table = pq.read_table(tmp_path / "log.parquet")
    assert tuple(table.column_names) == COLUMNS
    assert table.schema.field("start_time").type == pa.timestamp("ms", tz="UTC")
    wanted = [
        ("1", "A", "agent0", ORIGIN, ORIGIN, ORIGIN, ORIGIN + 10 * MINUTE, "q", 0, "completed"),
        ("2", "A", "agent0", ORIGIN, ORIGIN, ORIGIN + 10 * MINUTE, None, "q", 0, "open"),
    ]
    rows = [tuple(one.values()) for one in table.to_pylist()]
    assert rows == [(r, *one) for r in range(2) for one in wanted]


def test_an_order_that_was_lost_is_marked() -> None:
    given = [Order("kept", 0.0), Order("lost", 0.0, lost_s=90.0)]
    log = run(lower(station(Constant(60.0)), given, origin=ORIGIN), 0)
    rows = [(row["case_id"], row["outcome"]) for row in batch_of(log, 0).to_pylist()]
    assert rows == [("kept", "completed"), ("lost", "lost")]
    assert frame_with_outcomes(log)["outcome"].tolist() == ["completed", "lost"]


def test_rows_go_by_their_start() -> None:
    """The third of three that come together is due first."""
    given = [Order(str(i), 0.0, due_s=due) for i, due in enumerate((1.0, 9.0, 5.0))]
    program = lower(station(Constant(60.0)), given, origin=ORIGIN, policy=Policy(priorities=("SDD",)))
    log = run(program, 0)
    rows = batch_of(log, 0).to_pylist()
    assert [row["case_id"] for row in rows] == ["0", "2", "1"]
    assert [(row["case_id"], row["start_time"]) for row in rows] == [(r[0], r[3]) for r in log.rows()]


def test_attributes_of_orders_have_columns_unless_their_names_are_taken(tmp_path: Path) -> None:
    given = [Order("1", 0.0, attributes={"region": "north", "Resource": "x"}), Order("2", 0.0)]
    log = run(lower(station(Constant(60.0)), given, origin=ORIGIN), 0)
    with ParquetLog(tmp_path / "log.parquet") as file:
        file.write(batch_of(log, 0))
    table = pq.read_table(tmp_path / "log.parquet")
    assert tuple(table.column_names) == (*COLUMNS, "region")
    assert table["region"].to_pylist() == ["north", ""]
    frame = frame_with_outcomes(log)
    assert frame["region"].tolist() == ["north", ""]
    assert "Resource" not in frame


def test_nobody_and_nothing(tmp_path: Path) -> None:
    log = run(lower(process(row("a"), Constant(1.5)), orders([0.25]), origin=ORIGIN), 0)
    one = batch_of(log, 0).to_pylist()[0]
    assert (one["resource"], one["queue"]) == ("", "")
    assert one["end_time"] == ORIGIN + timedelta(seconds=1.75)
    none = run(lower(process(row("a"), Constant(1.5)), (), origin=ORIGIN), 0)
    with ParquetLog(tmp_path / "log.parquet") as file:
        file.write(batch_of(none, 0))
    assert pq.read_table(tmp_path / "log.parquet").num_rows == 0


def test_without_a_log_there_is_none() -> None:
    program = lower(station(Constant(600.0)), orders([0.0]), origin=ORIGIN)
    with pytest.raises(UsageError, match="kept no log"):
        batch_of(run(program, 0, options=Options(log=False)), 0)
