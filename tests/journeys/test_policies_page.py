"""The page that tries policies on the past, with the numbers of the command."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from examples.order_to_cash import known_twin
from metagraph.json_io import save
from tests.journeys.pages import PATIENCE_MS, app, browser, go_to, screenshot
from tests.journeys.test_commands import fine
from tests.twin.small import known_log
from twin.backtest_results import read_backtest
from ui.workspace import ChosenLog, Workspace

pytestmark = pytest.mark.timeout(600)


def test_policies_are_tried_on_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Workspace(tmp_path)
    log = known_log(tmp_path / "orders.csv", 35)
    place.choose("orders", ChosenLog(str(log), "orders", {}, None, "UTC", False))
    save(known_twin(), place.twin("orders"))
    monkeypatch.chdir(tmp_path)
    fine("import", "take", log)
    with app(tmp_path) as address, browser() as page:
        page.goto(address)
        go_to(page, "Policies on the past")
        expect(page.get_by_text("Nothing was tried yet")).to_be_visible()
        page.get_by_role("spinbutton", name="Periods").fill("2")
        page.get_by_role("spinbutton", name="Runs a period").fill("1")
        page.get_by_text("Take the twin as it is").click()
        page.get_by_role("button", name="Try them").click()
        expect(page.get_by_text("Over 2 periods").first).to_be_visible(timeout=PATIENCE_MS)
        screenshot(page, "policies")
    shown = read_backtest(place.result("orders", "policies").read_text(encoding="utf-8"))
    asked = (
        "backtest",
        "policies",
        place.twin("orders"),
        "--log",
        "orders",
        "--policies",
        "P,D,S",
        "--as-is",
    )
    told = read_backtest(fine(*asked, "--periods", "2", "--replications", "1", "--json"))
    assert told.differences == shown.differences
