"""The page that holds forecasts against the past, with the numbers of the command."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.pages import PATIENCE_MS, Site, screenshot
from twin.backtest_forecast_result import ForecastBacktest
from twin.json_out import read
from ui.workspace import ChosenLog

pytestmark = pytest.mark.timeout(600)


def test_forecasts_are_held_against_the_past_on_a_page(site: Site, page: Page, tmp_path: Path) -> None:
    place = site.place
    config = tmp_path / "quick.toml"
    config.write_text("[build]\nnoises = [0.0]\n", encoding="utf-8")
    place.choose("built", ChosenLog(str(place.home / "orders.csv"), "orders", {}, None, "UTC", False))
    site.command("build", "orders", "--twin", place.twin("built"), "--config", config)
    site.open(page, "backtest", "built")
    expect(page.get_by_text("Nothing was compared yet")).to_be_visible()
    page.get_by_role("spinbutton", name="Instants").fill("1")
    page.get_by_role("spinbutton", name="Replications").fill("20")
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_text("intervals meant to hold 90 %").first).to_be_visible(timeout=PATIENCE_MS)
    screenshot(page, "backtest")
    shown = read(ForecastBacktest, place.result("built", "backtest").read_text(encoding="utf-8"))
    told = read(
        ForecastBacktest,
        site.command(
            *("backtest", "forecasts", place.twin("built"), "--log", "orders", "--origins", "1"),
            *("--replications", "20", "--no-boosting"),
        ),
    )
    assert told.forecasters == shown.forecasters
    assert told.wip == shown.wip
