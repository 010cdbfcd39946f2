"""The page What if: a scenario is written, compared and shown with the numbers of the command."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from examples.order_to_cash import START, known_twin
from metagraph.json_io import save
from metagraph.model import Provenance
from tests.journeys.pages import PATIENCE_MS, app, browser, go_to, screenshot, settle
from tests.journeys.test_page import command
from tests.twin.small import known_log
from twin.json_out import read
from twin.whatif_found import WhatIf
from ui.page_whatif import ASKED
from ui.workspace import ChosenLog, Workspace

AS_OF = datetime(2026, 8, 10, 10, tzinfo=UTC)
pytestmark = pytest.mark.timeout(600)


def test_a_scenario_is_compared(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    place = Workspace(home)
    log = known_log(tmp_path / "orders.csv", (AS_OF - START) / timedelta(days=1))
    known = Provenance("orders", "", START, AS_OF, 0, 0, 0, 0)
    place.choose("orders", ChosenLog(str(log), "orders", {}, None, "UTC", False))
    save(replace(known_twin(), provenance=known), place.twin("orders"))
    command(home, "import", "take", str(log))
    with app(home) as address, browser() as page:
        page.goto(address)
        go_to(page, "What if")
        expect(page.get_by_text("No comparison yet")).to_be_visible()
        asked = page.get_by_role("textbox", name=ASKED)
        expect(asked).to_have_value(re.compile(r"\[\[hire\]\]"))
        asked.fill('[[lose]]\nagents = ["nobody"]\n')
        asked.press("Control+Enter")
        settle(page)
        page.get_by_role("button", name="Compare", exact=True).click()
        expect(page.get_by_text("there is no agent 'nobody'")).to_be_visible()
        asked.fill('name = "twice"\n[[arrivals]]\nfactor = 2\n')
        asked.press("Control+Enter")
        settle(page)
        page.get_by_role("button", name="Compare", exact=True).click()
        expect(page.get_by_role("heading", name="twice")).to_be_visible(timeout=PATIENCE_MS)
        expect(page.get_by_text("The difference is real")).to_be_visible()
        screenshot(page, "whatif")
    scenario = tmp_path / "twice.toml"
    scenario.write_text('name = "twice"\n[[arrivals]]\nfactor = 2\n')
    told = command(
        *(home, "whatif", str(place.twin("orders")), str(scenario), "--log", "orders"),
        *("--as-of", AS_OF.isoformat(), "--horizon", "14d", "--replications", "50"),
    )
    there = read(WhatIf, told)
    shown = read(WhatIf, place.result("orders", "whatif").read_text(encoding="utf-8"))
    assert repr(shown) == repr(there)
