"""The process page and the build page tell what the report and the commands tell, in a real browser."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from metagraph.json_io import save
from metagraph.model import Candidate, Choice, Metagraph
from tests.journeys.pages import Site, go_to, metric, screenshot, settle
from tests.twin import handmade
from twin.choices import REFERENCE, margins_text
from twin.time_spent import modelled, summary, time_spent, to_csv
from twin.words import span
from ui.workspace import ChosenLog

pytestmark = pytest.mark.timeout(300)
CHOICE = Choice(
    "batching",
    (
        Candidate("no batches", {"NGD": 0.2, "CTDD": 8.0, "total": -0.2}, True),
        Candidate("batches", {"NGD": 0.2, "CTDD": 9.0, "total": -0.1}, False),
        Candidate("<b>none</b>", {}, False, "nothing is *collected* in the log"),
        Candidate("last period copied", {"NGD": 0.3, "CTDD": 9.0, "total": 0.0}, False, REFERENCE),
    ),
    "'no batches' has the lowest score, -0.200",
)


def twin() -> Metagraph:
    made = handmade.twin()
    assert made.provenance is not None
    return replace(made, provenance=replace(made.provenance, choices=(CHOICE,)))


def test_pages_tell_where_the_time_goes_what_it_rests_on_and_why_it_was_chosen(
    site: Site, page: Page, tmp_path: Path
) -> None:
    model = twin()
    site.place.choose("handmade", ChosenLog("/nowhere.csv", "handmade", {}, None, "UTC", False))
    save(model, site.place.twin("handmade"))
    site.open(page, "process", "handmade")
    time_goes(page, site, tmp_path / "time.csv", model)
    a_task(page, model)
    rests(page)
    go_to(page, "2 Build")
    chosen(page)


def time_goes(page: Page, site: Site, out: Path, model: Metagraph) -> None:
    times = time_spent(model)
    expect(page.get_by_text(summary(times))).to_be_visible()
    expect(page.get_by_text(modelled(model))).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Where the time goes (CSV)").click()
    told = download.value.path().read_text(encoding="utf-8")
    assert told == to_csv(times)
    site.command("waits", site.place.twin("handmade"), "--out", out)
    assert told == out.read_text(encoding="utf-8")
    assert [row["task"] for row in csv.DictReader(io.StringIO(told))] == [time.task for time in times]
    screenshot(page, "3-process-time")


def a_task(page: Page, model: Metagraph) -> None:
    task = next(task for task in model.tasks() if task.label == "Ship")
    assert task.waits is not None
    page.locator(f'g.task[data-node="{task.id}"]').click()
    expect(page.get_by_role("heading", name="Ship", exact=True)).to_be_visible()
    page.get_by_role("tab", name="Waiting").click()
    assert metric(page, "Waiting") == span(task.waits.waiting_s)
    assert metric(page, "Others went first") == span(task.waits.prioritised_s)
    expect(page.get_by_text(f"busy with: {handmade.EVIL} 50 min, Ship 25 min.")).to_be_visible()
    expect(page.get_by_text("rests on little")).to_have_count(0)
    page.locator('g.task[data-node="t2"]').click()
    expect(page.get_by_text("Only 12 executions")).to_be_visible()
    assert page.locator("g.task .few").count() == 1


def rests(page: Page) -> None:
    page.get_by_role("tab", name="What it rests on").click()
    expect(page.get_by_role("heading", name="Parameters that rest on little")).to_be_visible()
    expect(page.get_by_text("98 % of cases replayed without a deviation")).to_be_visible()
    screenshot(page, "3-process-rests")


def chosen(page: Page) -> None:
    expect(page.get_by_role("heading", name="Chosen by simulating the last part of the log")).to_be_visible()
    expect(page.get_by_text(margins_text())).to_be_visible()
    page.get_by_text("Batching: no batches").click()
    settle(page)
    expect(page.get_by_text(CHOICE.reason)).to_be_visible()
    expect(page.get_by_text("<b>none</b>: nothing is *collected* in the log")).to_be_visible()
    assert page.get_by_test_id("stVegaLiteChart").count() == 1
    screenshot(page, "2-build-choices")
