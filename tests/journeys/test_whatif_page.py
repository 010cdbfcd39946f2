"""The page What if: a scenario is written, compared and shown with the numbers of the command."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.pages import AS_OF, PATIENCE_MS, Site, screenshot, settle
from twin.json_out import read
from twin.whatif_found import WhatIf
from ui.page_whatif import ASKED

pytestmark = pytest.mark.timeout(600)


def test_a_scenario_is_compared(site: Site, page: Page, tmp_path: Path) -> None:
    site.open(page, "whatif")
    expect(page.get_by_text("No comparison yet")).to_be_visible()
    asked = page.get_by_role("textbox", name=ASKED)
    expect(asked).to_have_value(re.compile(r"\[\[hire\]\]"))
    page.get_by_role("spinbutton", name="Days compared").fill("5")
    page.get_by_role("spinbutton", name="Replications").fill("20")
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
    expect(page.get_by_text("The difference is real").first).to_be_visible()
    screenshot(page, "whatif")
    scenario = tmp_path / "twice.toml"
    scenario.write_text('name = "twice"\n[[arrivals]]\nfactor = 2\n')
    told = site.command(
        *("whatif", site.place.twin("orders"), scenario, "--log", "orders"),
        *("--as-of", AS_OF.isoformat(), "--horizon", "5d", "--replications", "20"),
    )
    shown = read(WhatIf, site.place.result("orders", "whatif").read_text(encoding="utf-8"))
    assert repr(shown) == repr(read(WhatIf, told))
