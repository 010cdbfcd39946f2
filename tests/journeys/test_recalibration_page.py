"""The page Recalibration: what was found, the question, and its answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from eventlogs.historian import Historian
from eventlogs.owner.opening import open_historian
from tests.journeys.pages import PATIENCE_MS, app, go_to, screenshot
from tests.twin.test_recalibrate import made, run
from twin import gate
from ui.workspace import ChosenLog, Workspace

pytestmark = pytest.mark.timeout(600)


def test_a_challenger_is_promoted_on_the_page(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "SEEDS", 4)
    monkeypatch.setattr(gate, "FORECAST_CUTS", 1)
    monkeypatch.setattr(gate, "FORECAST_REPLICATIONS", 20)
    db = made(tmp_path, "changed").rename(tmp_path / "tracetwin.duckdb")
    (tmp_path / "x.duckdb.snapshots").rename(tmp_path / "tracetwin.duckdb.snapshots")
    place = Workspace(tmp_path)
    place.choose("orders", ChosenLog(str(tmp_path / "orders.csv"), "orders", {}, None, "UTC", False))
    with Historian(db) as historian:
        place.twin("orders").write_text(historian.load_model("orders"), encoding="utf-8")
    found = run(db)
    assert found.drift is not None
    with app(tmp_path) as address:
        page.goto(address)
        go_to(page, "Recalibration")
        expect(page.get_by_text("Champion: version 1, which all pages show.")).to_be_visible()
        expect(page.get_by_role("heading", name="Is orders@2 to be the champion?")).to_be_visible()
        expect(
            page.get_by_text(f"{found.drift.tests} tests compare {found.drift.cases} orders")
        ).to_be_visible()
        expect(page.get_by_text(found.gates[0].reason).first).to_be_visible()
        screenshot(page, "recalibration")
        page.get_by_role("button", name="Promote", exact=True).click()
        expect(page.get_by_text("Champion: version 2, while the other pages show")).to_be_visible(
            timeout=PATIENCE_MS
        )
        page.get_by_role("button", name="Show the champion on all pages").click()
        expect(page.get_by_text("Champion: version 2, which all pages show.")).to_be_visible()
        page.get_by_role("button", name="Recalibrate", exact=True).click()
        expect(page.get_by_text("Nothing new: the log holds nothing")).to_be_visible(timeout=PATIENCE_MS)
        expect(page.get_by_role("heading", name="History")).to_be_visible()
    with open_historian(db, read_only=True) as historian:
        assert historian.find_model("orders").version == 2
        assert place.twin("orders").read_text(encoding="utf-8") == historian.load_model("orders")
