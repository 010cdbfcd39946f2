"""The page of versions: what is kept, promoted and compared there is what the commands tell."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from eventlogs.owner.opening import open_historian
from metagraph.json_io import to_json
from tests.journeys.pages import PATIENCE_MS, Site, choose, screenshot, settle
from tests.twin import handmade

pytestmark = pytest.mark.timeout(300)


def test_versions_are_promoted_and_compared(site: Site, page: Page) -> None:
    twin = handmade.twin()
    assert twin.arrivals is not None
    busier = replace(twin.arrivals, rates_per_h=tuple(2 * rate for rate in twin.arrivals.rates_per_h))
    with open_historian(site.place.db) as historian:
        historian.save_model("another", to_json(twin))
        historian.save_model("made", to_json(twin), "by *hand*")
        historian.save_model("made", to_json(replace(twin, arrivals=busier)))

    def kept() -> list[dict[str, object]]:
        return [model for model in json.loads(site.command("models", "list")) if model["name"] == "made"]

    page.goto(f"{site.address}/models")
    expect(page.get_by_text("A name alone means its champion.")).to_be_visible()
    settle(page)
    choose(page, "Name", "made")
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_text("nothing between them is chance")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("+100 %").first).to_be_visible()
    screenshot(page, "models")
    page.get_by_role("textbox", name="Why").fill("it knows more")
    page.get_by_role("button", name="Make it the champion").click()
    settle(page)
    assert [(m["version"], m["state"], m["why"]) for m in kept()] == [
        (1, "retired", "made@2 was promoted"),
        (2, "champion", "it knows more"),
    ]
    page.get_by_role("button", name="Roll the champion back").click()
    settle(page)
    assert [m["state"] for m in kept()] == ["champion", "rejected"]
    page.get_by_role("button", name="Roll the champion back").click()
    expect(page.get_by_text("there is none to go back to")).to_be_visible()
