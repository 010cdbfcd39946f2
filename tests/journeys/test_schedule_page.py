"""The page that plans: for the open orders of a log and for an instance, with the numbers of the command."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.pages import AS_OF, PATIENCE_MS, Site, screenshot, settle
from tests.journeys.test_commands import fine
from tests.twin import handmade
from tests.twin.plans import made_plan
from twin.json_out import dump, read
from twin.planned import Planned
from twin.planned_words import decided_text
from ui.page_schedule import INSTANCE, INSTANCES

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "example1.instance.json"
pytestmark = pytest.mark.timeout(600)


def test_open_orders_and_an_instance_are_planned(site: Site, page: Page) -> None:
    site.open(page, "schedule")
    expect(page.get_by_text("No plan yet")).to_be_visible()
    open_orders(page, site)
    instance(page, site)
    names_are_never_markup_and_dark_pages_show_everything(page, site)


def open_orders(page: Page, site: Site) -> None:
    page.get_by_role("combobox", name="What counts").click()
    page.get_by_role("option", name="profit", exact=True).click()
    settle(page)
    page.get_by_role("button", name="Plan", exact=True).click()
    expect(page.get_by_role("heading", name="What to work on next")).to_be_visible(timeout=PATIENCE_MS)
    place = site.place
    told = site.command(
        *("optimize", "--twin", place.twin("orders"), "--log", "orders"),
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


def instance(page: Page, site: Site) -> None:
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
    place = site.place
    shown = read(Planned, place.result(INSTANCES, "schedule").read_text(encoding="utf-8"))
    assert len(shown.explanations) == 1
    expect(page.get_by_text(shown.explanations[0].text[:60])).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Schedule (JSON)").click()
    plan = place.twins / "downloaded.json"
    plan.write_bytes(download.value.path().read_bytes())
    assert "8,810" in fine("simulate", EXAMPLE, "--schedule", plan)
    screenshot(page, "6-schedule-instance")


def names_are_never_markup_and_dark_pages_show_everything(page: Page, site: Site) -> None:
    plan = made_plan(40, (handmade.EVIL, "Bob"))
    site.place.result(INSTANCES, "schedule").write_text(
        dump(replace(plan, name=handmade.EVIL)), encoding="utf-8"
    )
    page.emulate_media(color_scheme="dark")
    site.open(page, "schedule")
    page.get_by_text(INSTANCE).click()
    expect(page.get_by_text("40 orders, profit 8,646")).to_be_visible()
    screenshot(page, "dark-6-schedule")
    assert page.locator("script:has-text('alert(1)')").count() == 0
