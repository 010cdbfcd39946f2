"""The page Log in a real browser: pictures of an imported log, before and after a filter."""

import pytest
from playwright.sync_api import Page, expect

from eventlogs.mining.filters import LogFilter
from eventlogs.owner.opening import open_historian
from tests.journeys.pages import Site, metric, screenshot, settle

pytestmark = pytest.mark.timeout(600)
SECTIONS = {
    "Flow": 3,
    "Variants": 1,
    "Activities": 2,
    "Resources": 2,
}
"""How many pictures each has."""


def test_a_log_in_pictures(site: Site, page: Page) -> None:
    with open_historian(site.place.db) as historian:
        wanted = LogFilter(with_activities=("Correct Order",))
        whole, left = (
            historian.mine("orders", "summary", filters).to_pylist()[0] for filters in ((), (wanted,))
        )
    assert 0 < left["cases"] < whole["cases"]
    site.open(page, "log")
    expect(page.get_by_text("Arrivals and completions")).to_be_attached()
    assert metric(page, "Cases") == f"{whole['cases']:,}"
    for section, pictures in SECTIONS.items():
        page.get_by_test_id("stButtonGroup").get_by_text(section, exact=True).click()
        settle(page)
        expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(pictures)
        screenshot(page, f"log-{section}")
    keep_corrected(page)
    assert metric(page, "Cases") == f"{left['cases']:,}"
    assert metric(page, "Executions") == f"{left['executions']:,}"


def keep_corrected(page: Page) -> None:
    page.get_by_text("Which part of the log").click()
    settle(page)
    activities = page.get_by_role("combobox", name="with at least one of these activities")
    activities.fill("Correct Order")
    activities.press("Enter")
    settle(page)
