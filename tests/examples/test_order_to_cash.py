"""The bundled log is what the bundled script makes, and it is the log that it claims to be."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import pytest

from examples.order_to_cash import COLUMNS, CUT, FOLDER, ROLES, WORK, known_twin, log_text
from metagraph.json_io import load
from metagraph.validate import validate
from twin.config import load_config, order_spec

Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def rows() -> Rows:
    with (FOLDER / "order_to_cash.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_script_makes_the_log_and_the_twin() -> None:
    twin = known_twin()
    assert load(FOLDER / "order_to_cash.twin.json") == twin
    assert (FOLDER / "order_to_cash.csv").read_bytes().decode() == log_text(twin)


def test_the_twin_has_no_fault() -> None:
    assert validate(known_twin()) == ()


def test_the_log_is_of_the_promised_size(rows: Rows) -> None:
    assert tuple(rows[0]) == COLUMNS
    assert 600 <= len({row["case_id"] for row in rows}) <= 1000
    assert (FOLDER / "order_to_cash.csv").stat().st_size < 1_500_000
    assert {row["activity"] for row in rows} == set(WORK)
    assert {row["resource"] for row in rows} == {name for _, people in ROLES.values() for name in people}


def test_orders_are_open_at_the_cut_and_nothing_is_known_after_it(rows: Rows) -> None:
    cut = CUT.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert all(row["start_time"] <= cut and row["end_time"] <= cut for row in rows)
    done: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        done[row["case_id"]] |= {row["activity"]} if row["end_time"] else set()
    unfinished = [case for case, tasks in done.items() if not {"Create Invoice", "Goods Issue"} <= tasks]
    assert len(unfinished) >= 20
    assert sum(row["end_time"] == "" for row in rows) >= 5


def test_the_configuration_names_columns_of_the_log() -> None:
    spec = order_spec(load_config(Path(FOLDER, "order_to_cash.toml")).orders)
    assert {spec.segment_column, spec.value_column, spec.due_column} <= set(COLUMNS)
    assert spec.profit == known_twin().orders.profit
