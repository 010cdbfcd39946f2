"""The page that tries policies on the past, with the numbers of the command."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.pages import PATIENCE_MS, Site, screenshot
from twin.backtest_results import read_backtest

pytestmark = pytest.mark.timeout(600)


def test_policies_are_tried_on_a_page(site: Site, page: Page) -> None:
    site.open(page, "policies")
    expect(page.get_by_text("Nothing was tried yet")).to_be_visible()
    page.get_by_role("spinbutton", name="Days a period").fill("2")
    page.get_by_role("spinbutton", name="Periods").fill("2")
    page.get_by_role("spinbutton", name="Runs a period").fill("1")
    page.get_by_text("Take the twin as it is").click()
    page.get_by_role("button", name="Try them").click()
    expect(page.get_by_text("Over 2 periods").first).to_be_visible(timeout=PATIENCE_MS)
    screenshot(page, "policies")
    shown = read_backtest(site.place.result("orders", "policies").read_text(encoding="utf-8"))
    told = site.command(
        *("backtest", "policies", site.place.twin("orders"), "--log", "orders", "--policies", "P,D,S"),
        *("--as-is", "--period", "2d", "--periods", "2", "--replications", "1"),
    )
    assert read_backtest(told).differences == shown.differences
