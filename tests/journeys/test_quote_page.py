"""The page Quote shows what the command says, and the page Forecast the load ahead."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from examples.order_to_cash import START, known_twin
from metagraph.json_io import save
from metagraph.model import Provenance
from tests.journeys.pages import PATIENCE_MS, app, browser, go_to, screenshot
from tests.journeys.test_commands import fine
from tests.twin.small import known_log
from twin.json_out import read
from twin.outlook import Quote
from ui.workspace import ChosenLog, Workspace

AS_OF = datetime(2026, 8, 10, 10, tzinfo=UTC)


@pytest.mark.timeout(600)
def test_a_quote_on_its_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Workspace(tmp_path)
    log = known_log(tmp_path / "orders.csv", (AS_OF - START) / timedelta(days=1))
    known = Provenance("orders", "", START, AS_OF, 0, 0, 0, 0, cycle_s=2 * 86400.0)
    place.choose("orders", ChosenLog(str(log), "orders", {}, None, "UTC", False))
    save(replace(known_twin(), provenance=known), place.twin("orders"))
    monkeypatch.chdir(tmp_path)
    fine("import", "take", log)
    with app(tmp_path) as address, browser() as page:
        page.goto(address)
        go_to(page, "Quote")
        page.get_by_label("Replications").fill("20")
        page.get_by_label("Replications").press("Enter")
        page.get_by_role("button", name="Quote", exact=True).click()
        expect(page.get_by_text("Kept with 80 %")).to_be_visible(timeout=PATIENCE_MS)
        shown = read(Quote, place.result("orders", "quote").read_text(encoding="utf-8"))
        expect(page.get_by_text(f"{shown.dates['80']:%a %d %b %H:%M}").first).to_be_visible()
        expect(page.get_by_text(shown.alternatives[0].text[5:40]).first).to_be_visible()
        screenshot(page, "quote")
        go_to(page, "5 Forecast")
        page.get_by_role("button", name="Forecast", exact=True).click()
        expect(page.get_by_text("Lost to lateness and lost sales")).to_be_visible(timeout=PATIENCE_MS)
        screenshot(page, "forecast-load")
    told = fine(
        *("quote", place.twin("orders"), "--log", "orders", "--as-of", AS_OF.isoformat()),
        *("--replications", "20", "--json"),
    )
    assert read(Quote, told) == shown
