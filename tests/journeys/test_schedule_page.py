"""The page that plans: for the open orders of a log and for an instance, with the numbers of the command."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from examples.order_to_cash import START, known_twin
from metagraph.json_io import save
from metagraph.model import Provenance
from tests.journeys.pages import PATIENCE_MS, app, browser, go_to, screenshot, settle
from tests.journeys.test_commands import fine
from tests.journeys.test_page import command
from tests.twin import handmade
from tests.twin.plans import made_plan
from tests.twin.small import known_log
from twin.json_out import dump, read
from twin.planned import Planned
from twin.planned_words import decided_text
from ui.page_schedule import INSTANCE, INSTANCES
from ui.workspace import ChosenLog, Workspace

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "example1.instance.json"
AS_OF = datetime(2026, 8, 10, 10, tzinfo=UTC)
pytestmark = pytest.mark.timeout(600)


def test_open_orders_and_an_instance_are_planned(tmp_path: Path) -> None:
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
        go_to(page, "6 Schedule")
        expect(page.get_by_text("No plan yet")).to_be_visible()
        open_orders(page, place)
        instance(page, place)


def open_orders(page: Page, place: Workspace) -> None:
    page.get_by_role("combobox", name="What counts").click()
    page.get_by_role("option", name="profit", exact=True).click()
    settle(page)
    page.get_by_role("button", name="Plan", exact=True).click()
    expect(page.get_by_role("heading", name="What to work on next")).to_be_visible(timeout=PATIENCE_MS)
    told = command(
        *(place.home, "optimize", "--twin", str(place.twin("orders")), "--log", "orders"),
        *("--as-of", AS_OF.isoformat(), "--objective", "profit"),
    )
    there = read(Planned, told)
    shown = read(Planned, place.result("orders", "schedule").read_text(encoding="utf-8"))
    assert (shown.orders, shown.work, shown.notes) == (there.orders, there.work, there.notes)
    assert len(shown.orders) > 5
    expect(page.get_by_text(decided_text(shown))).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Schedule (CSV)").click()
    rows = download.value.path().read_text(encoding="utf-8").splitlines()
    assert len(rows) == 1 + len(shown.work)
    screenshot(page, "6-schedule")


def instance(page: Page, place: Workspace) -> None:
    page.get_by_text(INSTANCE).click()
    expect(page.get_by_role("button", name="Plan", exact=True)).to_be_disabled()
    page.locator("input[type=file]").first.set_input_files(EXAMPLE)
    page.get_by_role("textbox", name="Grid").fill("1h")
    page.get_by_role("spinbutton", name="Gap, %").fill("0")
    page.get_by_text("Horizon, work under way, reasons, scenarios").click()
    page.get_by_role("textbox", name="Why these are where they are").fill("5")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Plan", exact=True).click()
    expect(page.get_by_text("5 orders, profit 8,810, 80 % on time (1 late).")).to_be_visible(
        timeout=PATIENCE_MS
    )
    shown = read(Planned, place.result(INSTANCES, "schedule").read_text(encoding="utf-8"))
    assert len(shown.explanations) == 1
    expect(page.get_by_text(shown.explanations[0].text[:60])).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Schedule (JSON)").click()
    plan = place.twins / "downloaded.json"
    plan.write_bytes(download.value.path().read_bytes())
    assert "8,810" in fine("simulate", EXAMPLE, "--schedule", plan)
    screenshot(page, "6-schedule-instance")


def test_names_are_never_markup_and_dark_pages_show_everything(tmp_path: Path) -> None:
    place = Workspace(tmp_path)
    place.twins.mkdir()
    plan = made_plan(40, (handmade.EVIL, "Bob"))
    place.result(INSTANCES, "schedule").write_text(dump(replace(plan, name=handmade.EVIL)), encoding="utf-8")
    with app(tmp_path) as address, browser(dark=True) as page:
        page.goto(address)
        go_to(page, "6 Schedule")
        page.get_by_text(INSTANCE).click()
        expect(page.get_by_text("40 orders, profit 8,646")).to_be_visible()
        screenshot(page, "dark-6-schedule")
        assert page.locator("script:has-text('alert(1)')").count() == 0
