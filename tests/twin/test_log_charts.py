"""Pictures of a log: drawn from what the historian answers, few marks, units on the axes."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventlogs.historian import Historian
from twin import log_charts as charts
from twin.drawing_tools import Picture, to_svg

MAY = datetime(2024, 5, 3, tzinfo=UTC)
EVIL = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def historian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Historian]:
    file = tmp_path_factory.mktemp("log") / "log.csv"
    lines = ["case_id,activity,resource,start_time,end_time"]
    for case in range(1200):
        for step in range(3 + case % 5):
            at = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=case, minutes=30 * step)
            name = EVIL if step == 1 else f"step {(case * step) % 40}"
            end = "" if case > 1195 else (at + timedelta(minutes=20)).isoformat()
            lines.append(f"{case},{name},{'' if step == 2 else f'agent {case % 60}'},{at.isoformat()},{end}")
    file.write_text("\n".join(lines), encoding="utf-8")
    with Historian(":memory:") as made:
        made.import_log(file, "log")
        yield made


def ask(historian: Historian, what: str, by: str = "") -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = historian.mine("log", what, by=by).to_pylist()
    return rows


def drawn(historian: Historian) -> dict[str, Picture]:
    variants = ask(historian, "variants")
    throughput = ask(historian, "throughput", "day")
    return {
        "cases per day": charts.throughput_chart(throughput, "day"),
        "cases": charts.wip_chart(throughput, "day"),
        "case, by arrival": charts.dotted_chart(ask(historian, "dotted"), 1200),
        "share (cases)": charts.variants_chart(variants, len(variants)),
        "duration, min": charts.durations_chart(ask(historian, "durations")),
        "directly followed by": charts.follows_chart(ask(historian, "follows")),
        "next resource": charts.handovers_chart(ask(historian, "handovers")),
        "hour of the day, UTC": charts.workload_chart(ask(historian, "workload", "hour_of_week"), "UTC"),
    }


def test_every_picture_is_drawn_with_its_axes_and_few_marks(historian: Historian) -> None:
    for title, chart in drawn(historian).items():
        svg = to_svg(chart)
        assert title in svg
        assert "<script" not in svg
        marks = sum(len(rows) for rows in _values(json.loads(chart.to_json())))
        assert 0 < marks <= 5_000, title


def _values(spec: Any) -> Iterator[list[Any]]:
    if isinstance(spec, dict):
        if isinstance(spec.get("data"), dict) and "values" in spec["data"]:
            yield spec["data"]["values"]
        for key, value in spec.items():
            if key != "data":
                yield from _values(value)
    elif isinstance(spec, list):
        for value in spec:
            yield from _values(value)


def test_a_log_of_next_to_nothing_is_drawn(tmp_path: Path) -> None:
    file = tmp_path / "log.csv"
    file.write_text("case_id,activity,timestamp\n1,A,2024-01-01T00:00:00Z\n", encoding="utf-8")
    with Historian(":memory:") as historian:
        historian.import_log(file, "log")
        rows = ask(historian, "throughput", "hour")
        for chart in (
            *(charts.throughput_chart(rows, "hour"), charts.wip_chart(rows, "hour")),
            charts.variants_chart(ask(historian, "variants"), 1),
            charts.dotted_chart(ask(historian, "dotted"), 1),
            charts.durations_chart(ask(historian, "durations")),
            charts.follows_chart(ask(historian, "follows")),
            charts.handovers_chart(ask(historian, "handovers")),
            charts.workload_chart(ask(historian, "workload", "hour_of_week"), "UTC"),
        ):
            assert to_svg(chart).startswith("<svg")


@pytest.mark.parametrize(("days", "period"), [(3, "hour"), (17, "day"), (500, "week"), (5000, "month")])
def test_the_period_of_a_picture_suits_its_span(days: int, period: str) -> None:
    first = datetime(2024, 1, 1, tzinfo=UTC)
    assert charts.period_for(first, first + timedelta(days=days)) == period


def test_months_are_said_with_their_year() -> None:
    rows = [
        {
            "case_id": str(i),
            "place": i,
            "activity": "A",
            "resource": None,
            "start": MAY + timedelta(days=20 * i),
        }
        for i in range(100)
    ]
    said = re.findall(r"<tspan[^>]*>([^<]*)</tspan>|>([^<]+)</text>", to_svg(charts.dotted_chart(rows, 100)))
    texts = [first or second for first, second in said]
    assert "July" in texts or "October" in texts or "April" in texts
    assert {"2024", "2029"} <= set(texts)


@given(st.lists(st.integers(0, 10_000), min_size=20, max_size=150), st.integers(0, 3))
def test_only_what_lies_far_from_all_others_makes_a_picture_crowded(hours: list[int], far: int) -> None:
    """One date in a far year is told of, and none of a log without."""
    near = [MAY + timedelta(hours=hour) for hour in (0, 10_000, *hours)]
    starts = [*near, *[MAY + timedelta(days=365 * 20)] * min(far, 1)]
    most = charts.crowded([{"start": start} for start in starts], min(starts), max(starts))
    if not far:
        assert most is None or (max(near) - min(near)) > charts.FAR * (most[1] - most[0])
    else:
        assert most is not None
        assert most[1] <= max(near)
