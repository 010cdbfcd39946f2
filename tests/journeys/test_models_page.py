"""The page of versions: what is kept, promoted and compared there is what the commands tell."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from eventlogs.historian import Historian
from metagraph.json_io import to_json
from tests.journeys.pages import PATIENCE_MS, app, go_to, screenshot, settle
from tests.journeys.test_page import command
from tests.twin import handmade

pytestmark = pytest.mark.timeout(300)


def test_versions_are_promoted_and_compared(page: Page, tmp_path: Path) -> None:
    twin = handmade.twin()
    assert twin.arrivals is not None
    busier = replace(twin.arrivals, rates_per_h=tuple(2 * rate for rate in twin.arrivals.rates_per_h))
    with Historian(tmp_path / "tracetwin.duckdb") as historian:
        historian.save_model("made", to_json(twin), "by *hand*")
        historian.save_model("made", to_json(replace(twin, arrivals=busier)))
    with app(tmp_path) as address:
        page.goto(address)
        go_to(page, "Models")
        expect(page.get_by_text("A name alone means its champion.")).to_be_visible()
        page.get_by_role("button", name="Compare").click()
        expect(page.get_by_text("nothing between them is chance")).to_be_visible(timeout=PATIENCE_MS)
        expect(page.get_by_text("+100 %").first).to_be_visible()
        screenshot(page, "models")
        page.get_by_role("textbox", name="Why").fill("it knows more")
        page.get_by_role("button", name="Make it the champion").click()
        settle(page)
        kept = json.loads(command(tmp_path, "models", "list", "--json"))
        assert [(m["version"], m["state"], m["why"]) for m in kept] == [
            (1, "retired", "made@2 was promoted"),
            (2, "champion", "it knows more"),
        ]
        page.get_by_role("button", name="Roll the champion back").click()
        settle(page)
        kept = json.loads(command(tmp_path, "models", "list", "--json"))
        assert [m["state"] for m in kept] == ["champion", "rejected"]
        page.get_by_role("button", name="Roll the champion back").click()
        expect(page.get_by_text("there is none to go back to")).to_be_visible()
