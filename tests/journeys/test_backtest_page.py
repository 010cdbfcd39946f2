"""The page that holds forecasts against the past, with the numbers of the command."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.journeys.pages import PATIENCE_MS, app, browser, go_to, screenshot
from tests.journeys.test_commands import fine
from tests.twin.small import known_log
from twin.backtest_forecast_result import ForecastBacktest
from twin.json_out import read
from ui.workspace import ChosenLog, Workspace

pytestmark = pytest.mark.timeout(600)


def test_forecasts_are_held_against_the_past_on_a_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Workspace(tmp_path)
    log = known_log(tmp_path / "orders.csv", 12)
    place.choose("orders", ChosenLog(str(log), "orders", {}, None, "UTC", False))
    config = tmp_path / "quick.toml"
    config.write_text("[build]\nnoises = [0.0]\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    fine("build", log, "--twin", place.twin("orders"), "--config", config)
    with app(tmp_path) as address, browser() as page:
        page.goto(address)
        go_to(page, "Forecasts on the past")
        expect(page.get_by_text("Nothing was compared yet")).to_be_visible()
        page.get_by_role("spinbutton", name="Instants").fill("2")
        page.get_by_role("spinbutton", name="Replications").fill("20")
        page.get_by_role("button", name="Compare").click()
        expect(page.get_by_text("intervals meant to hold 90 %").first).to_be_visible(timeout=PATIENCE_MS)
        screenshot(page, "backtest")
    shown = read(ForecastBacktest, place.result("orders", "backtest").read_text(encoding="utf-8"))
    asked = ("backtest", "forecasts", place.twin("orders"), "--log", "orders", "--origins", "2")
    told = read(ForecastBacktest, fine(*asked, "--replications", "20", "--no-boosting", "--json"))
    assert told.forecasters == shown.forecasters
    assert told.wip == shown.wip
