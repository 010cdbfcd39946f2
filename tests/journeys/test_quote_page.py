"""The page Quote shows what the command says, and the page Forecast the load ahead."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.pages import AS_OF, PATIENCE_MS, Site, go_to, screenshot
from twin.json_out import read
from twin.outlook import Quote


@pytest.mark.timeout(600)
def test_a_quote_on_its_page(site: Site, page: Page) -> None:
    site.open(page, "quote")
    page.get_by_label("Replications").fill("20")
    page.get_by_label("Replications").press("Enter")
    page.get_by_role("button", name="Quote", exact=True).click()
    expect(page.get_by_text("Kept with 80 %")).to_be_visible(timeout=PATIENCE_MS)
    shown = read(Quote, site.place.result("orders", "quote").read_text(encoding="utf-8"))
    expect(page.get_by_text(f"{shown.dates['80']:%a %d %b %H:%M}").first).to_be_visible()
    expect(page.get_by_text(shown.alternatives[0].text[5:40]).first).to_be_visible()
    expect(page.get_by_text("; the other open orders").first).to_be_visible()
    screenshot(page, "quote")
    go_to(page, "5 Forecast")
    page.get_by_role("spinbutton", name="Replications").fill("50")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Forecast", exact=True).click()
    expect(page.get_by_text("Lost to lateness and lost sales")).to_be_visible(timeout=PATIENCE_MS)
    screenshot(page, "forecast-load")
    told = site.command(
        *("quote", site.place.twin("orders"), "--log", "orders", "--as-of", AS_OF.isoformat()),
        *("--replications", "20"),
    )
    assert read(Quote, told) == shown
