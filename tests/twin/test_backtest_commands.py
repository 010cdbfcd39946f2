"""Trying policies and scenarios on the past, from files to files."""

from __future__ import annotations

from dataclasses import replace

import pytest

from examples.order_to_cash import known_twin
from metagraph.errors import DataError, UsageError
from metagraph.json_io import save
from tests.twin.small import known_log
from twin.backtest_commands import TryRequest, policies_command, scenario_command
from twin.backtest_results import BacktestOptions, read_backtest
from twin.json_out import dump
from twin.kept_backtests import backtests_of, kept_backtest
from twin.progress import Progress
from twin.source import LogRequest


@pytest.fixture(scope="module")
def wanted(tmp_path_factory: pytest.TempPathFactory) -> TryRequest:
    folder = tmp_path_factory.mktemp("tried")
    save(known_twin(), folder / "twin.json")
    log = known_log(folder / "log.csv", 35)
    return TryRequest(
        twin=str(folder / "twin.json"),
        log=LogRequest(str(log), db=str(folder / "log.duckdb")),
        policies=("D", "rules:Promised"),
        rules=("value",),
        period="5d",
        options=BacktestOptions(periods=2, replications=1, workers=1),
        as_is=True,
        out=folder / "tried.csv",
        chart=folder / "tried.svg",
        folder=folder,
    )


def test_policies_of_all_kinds_are_tried(wanted: TryRequest) -> None:
    (wanted.folder / "rules.py").write_text(
        "class Promised:\n    def priority(self, item, now_s):\n        return item.order.due_s or now_s\n"
    )
    found = policies_command(wanted, Progress())
    assert {one.policy for one in found.ranking} == {"own", "D", "rules:Promised", "rule:value"}
    assert found.objective == "profit"
    assert wanted.out is not None
    assert wanted.chart is not None
    rows = wanted.out.read_text().splitlines()
    assert len(rows) == 1 + 2 * 4
    assert "<svg" in wanted.chart.read_text()
    assert dump(read_backtest(dump(found))) == dump(found)
    again = policies_command(replace(wanted, out=None, chart=None), Progress())
    assert dump(again) == dump(found)
    first, second = backtests_of(wanted.log.db)[-2:]
    assert dump(kept_backtest(wanted.log.db, second.number)) == dump(found)
    assert (first.kind, first.log, first.twin) == ("policies", "log", wanted.twin)
    assert first.asked["rules"] == ["value"]
    assert (first.content_hash, first.twin_hash) == (second.content_hash, second.twin_hash)
    with pytest.raises(DataError, match="there is no backtest 999"):
        kept_backtest(wanted.log.db, 999)


def test_a_scenario_is_tried_with_the_same_orders_and_work(wanted: TryRequest) -> None:
    scenario = wanted.folder / "quicker.toml"
    scenario.write_text('name = "quicker"\n[[duration]]\nfactor = 0.5\n[[arrivals]]\nfactor = 2.0\n')
    found = scenario_command(replace(wanted, out=None, chart=None), scenario, Progress())
    quicker = found.differences["quicker"]
    assert quicker["lead_h"].mean < 0
    assert quicker["wip"].mean < 0
    assert any("arrivals" in note for note in found.notes)
    assert any("no cost is subtracted" in note for note in found.notes)
    assert "cost" not in quicker
    agent = known_twin().agents[0].id
    scenario.write_text(
        'name = "quicker"\n[[duration]]\nfactor = 0.5\nfrom = "5d"\n'
        f'[[cost]]\nagents = ["{agent}"]\nper_h = 10\n[[hire]]\nlike = "{agent}"\ncost_per_h = 30\n'
    )
    found = scenario_command(replace(wanted, out=None, chart=None), scenario, Progress())
    assert found.objective == "net"
    for period in found.periods:
        own, other = period.figures["own"], period.figures["quicker"]
        assert other["cost"] == pytest.approx(4 * own["cost"])
        assert own["net"] == pytest.approx(own["profit"] - own["cost"])
    lead = [[period.figures[name]["lead_h"] for name in ("own", "quicker")] for period in found.periods]
    assert lead[1][0] - lead[1][1] > lead[0][0] - lead[0][1]


def test_plans_made_again_and_again_are_tried(wanted: TryRequest) -> None:
    options = replace(wanted.options, periods=1)
    planning = replace(wanted.planning, every_s=2 * 86400.0, time_limit_s=1.0, gap=1.0)
    tried = replace(
        wanted,
        policies=("milp",),
        rules=(),
        period="1d",
        options=options,
        planning=planning,
        out=None,
        chart=None,
    )
    found = policies_command(tried, Progress())
    assert set(found.differences) == {"milp"}


def test_what_names_nothing_is_refused(wanted: TryRequest) -> None:
    with pytest.raises(UsageError, match="names nothing beside"):
        policies_command(replace(wanted, policies=("own",), rules=()), Progress())
    with pytest.raises(DataError, match="take it as it is with --as-is"):
        policies_command(replace(wanted, policies=("D",), as_is=False), Progress())
    with pytest.raises(UsageError, match="--policies XYZ: unknown"):
        policies_command(replace(wanted, policies=("XYZ",)), Progress())
    with pytest.raises(UsageError, match="--own XYZ: unknown"):
        policies_command(replace(wanted, own="XYZ"), Progress())
    with pytest.raises(UsageError, match=r"2 periods of 500 days are 1000 days, and the log has only 3\d"):
        policies_command(replace(wanted, policies=("D",), period="500d"), Progress())
