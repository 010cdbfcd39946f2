"""What an import maps to orders is what a twin knows of them, unless twin.toml says otherwise."""

from dataclasses import replace
from pathlib import Path

import pytest

from calibration.order_model import fit_orders
from calibration.settings import OrderSpec, Promise, Rule, Settings
from twin.build import with_mapped_columns
from twin.source import LogRequest, LogSource, read_log

HEAD = "case_id,activity,resource,start_time,end_time,kind,who,until,worth"
ROWS = (
    '1,A,x,2024-03-04T08:00Z,2024-03-04T09:00Z,fast,gold,31.03.2024 12:00,"1.234,50 €"',
    '1,B,x,2024-03-04T09:00Z,2024-03-04T10:00Z,fast,gold,31.03.2024 12:00,"1.234,50 €"',
    "2,A,x,2024-03-05T08:00Z,2024-03-05T09:00Z,slow,,01.04.2024,900",
)
MAPPING = {"class": "kind", "segment": "who", "due": "until", "value": "worth"}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> LogSource:
    folder: Path = tmp_path_factory.mktemp("mapped")
    (folder / "log.csv").write_text("\n".join((HEAD, *ROWS)), encoding="utf-8")
    request = LogRequest(str(folder / "log.csv"), str(folder / "db"), MAPPING, time_zone="Europe/Berlin")
    return read_log(request)


def test_mapped_columns_are_taken_and_read(source: LogSource) -> None:
    assert source.snapshot.attributes["until"] == ("2024-03-31T10:00:00Z", "2024-03-31T22:00:00Z")
    assert source.snapshot.attributes["worth"] == ("1234.50", "900")
    orders = with_mapped_columns(Settings(), source).orders
    assert (orders.class_column, orders.segment_column) == ("kind", "who")
    assert (orders.due_column, orders.value_column) == ("until", "worth")
    model = fit_orders(source.snapshot, orders)
    assert [(c.cls, c.segment) for c in model.classes] == [("fast", "gold"), ("slow", "")]


def test_what_twin_toml_says_wins(source: LogSource) -> None:
    given = OrderSpec(
        class_column="who",
        segment_rules=(Rule("all", ()),),
        promises=(Promise(None, None, None, None, 3600.0, None),),
    )
    orders = with_mapped_columns(replace(Settings(), orders=given), source).orders
    assert (orders.class_column, orders.segment_column, orders.due_column) == ("who", None, None)
    assert orders.value_column == "worth"


def test_without_a_map_nothing_is_assumed(source: LogSource) -> None:
    bare = replace(source, report=replace(source.report, mapping={"case": "case_id"}))
    assert with_mapped_columns(Settings(), bare) == Settings()
