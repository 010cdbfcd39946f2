"""From an uploaded log to a forecast in a real browser, with the numbers that the commands print."""

import csv
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from metagraph.json_io import load, save
from metagraph.model import Metagraph
from tests.journeys.pages import PATIENCE_MS, Site, app, go_to, metric, screenshot, settle
from tests.journeys.test_commands import fine
from tests.twin import handmade
from twin.far_off import far_off_text
from twin.json_out import dump, read
from twin.outlook import Forecast
from twin.validation import Validation
from twin.verdict import metric_verdicts, verdict
from twin.words import law_name, mean_text
from ui.page_forecast import HORIZONS_H
from ui.workspace import ChosenLog

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "order_to_cash.csv"
pytestmark = pytest.mark.timeout(900)


def cut_log(folder: Path) -> tuple[Path, Path]:
    """The example up to its 1,200th row as known at that instant, and the cases that start after it."""
    with EXAMPLE.open(encoding="utf-8", newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["start_time"])
    cut = rows[1200]["start_time"]
    early = [row | {"end_time": row["end_time"] * (row["end_time"] <= cut)} for row in rows[:1200]]
    known = {row["case_id"] for row in early}
    late = [row for row in rows[1200:2400] if row["case_id"] not in known and row["end_time"]]
    for name, part in (("orders.csv", early), ("later.csv", late)):
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, list(part[0]))
            table.writeheader()
            table.writerows(part)
    return folder / "orders.csv", folder / "later.csv"


def command(home: Path, *arguments: str | Path) -> str:
    """What a command prints as JSON, run beside the app on the same database."""
    return fine(*arguments, "--db", home / "tracetwin.duckdb", "--json")


def test_from_a_log_to_a_forecast(page: Page, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    log, later = cut_log(tmp_path)
    with app(home) as address:
        page.goto(address)
        upload(page, log)
        build(page)
        model = load(home / "twins" / "orders.json")
        look_at_the_process(page, model)
        validate(page, home, later)
        forecast(page, home, model)


def upload(page: Page, log: Path) -> None:
    expect(page.get_by_role("heading", name="Upload an event log")).to_be_visible()
    go_to(page, "4 Validation")
    expect(page.get_by_text("There is no twin on these pages yet.")).to_be_visible()
    page.get_by_role("button", name="Upload a log").click()
    first = log.with_name("first.csv")
    first.write_text(log.read_text(encoding="utf-8"), encoding="utf-8")
    file = page.locator("input[type=file]").first
    file.set_input_files(first)
    expect(page.get_by_text("1,200 rows read: 1,200 kept")).to_be_visible()
    page.get_by_role("button", name="Try the bundled example").click()
    expect(page.get_by_text("with the settings of order_to_cash.toml")).to_be_visible()
    expect(page.get_by_text("6,785 rows read: 6,785 kept")).to_be_visible()
    file.set_input_files(log)
    expect(page.get_by_text("1,200 rows read: 1,200 kept")).to_be_visible()
    settle(page)
    expect(page.get_by_text("recognised by its name")).to_have_count(5)
    page.get_by_role("combobox", name="Resource").click()
    page.get_by_role("option", name="(none)").click()
    expect(page.get_by_text("no such column")).to_be_visible()
    page.get_by_role("combobox", name="Resource").click()
    page.get_by_role("option", name="resource", exact=True).click()
    expect(page.get_by_text("1,200 rows read: 1,200 kept")).to_be_visible()
    screenshot(page, "1-upload")
    page.get_by_role("button", name="Take this log").click()
    expect(page.get_by_role("heading", name="How good it is as evidence")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("1,200 rows read = 1,200 kept + 0 ignored + 0 quarantined")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("The import of orders.csv as log 'orders' was undone")).to_be_visible()
    page.get_by_role("button", name="Take this log").click()
    expect(page.get_by_text("it is current again, nothing was read")).to_be_attached(timeout=PATIENCE_MS)
    screenshot(page, "1-upload-taken")
    page.get_by_role("button", name="Use this log").click()


def build(page: Page) -> None:
    expect(page.get_by_role("heading", name="Build the twin")).to_be_visible()
    for ends in ("Cancel", None):
        page.get_by_role("button", name="Build the twin").click()
        expect(page.get_by_text("Building:")).to_be_visible()
        if ends:
            page.get_by_role("button", name=ends).click()
            expect(page.get_by_text("Building was stopped; nothing was changed.")).to_be_visible()
    expect(page.get_by_role("button", name="Look at the process")).to_be_visible(timeout=PATIENCE_MS)
    screenshot(page, "2-build")


def look_at_the_process(page: Page, model: Metagraph) -> None:
    assert model.provenance is not None
    assert metric(page, "Cases") == f"{model.provenance.cases:,}"
    assert metric(page, "Open orders") == f"{model.provenance.open_cases:,}"
    page.get_by_role("button", name="Look at the process").click()
    for task in model.tasks():
        expect(page.locator(f'g.task[data-node="{task.id}"]')).to_be_visible()
    screenshot(page, "3-process")
    task = next(task for task in model.tasks() if task.label == "Credit Check")
    charts = page.get_by_test_id("stVegaLiteChart")
    before = charts.count()
    page.locator(f'g.task[data-node="{task.id}"]').click()
    expect(page.get_by_role("heading", name="Credit Check", exact=True)).to_be_visible()
    settle(page)
    assert metric(page, "Executions") == f"{task.durations.default.n:,}"
    assert metric(page, "Mean work") == mean_text(task.durations.default)
    assert metric(page, "Law") == law_name(task.durations.default.law)
    assert charts.count() >= before + 2
    screenshot(page, "3-process-task")
    override(page)


def override(page: Page) -> None:
    page.get_by_role("tab", name="What you know better").click()
    page.get_by_role("textbox", name="Another name").fill("Check credit")
    page.get_by_role("button", name="Save").first.click()
    expect(page.get_by_text("Saved. It takes effect with the next build.")).to_be_visible()
    expect(page.get_by_text("activity Credit Check: rename Check credit")).to_be_visible()
    page.get_by_role("tab", name="Approval").click()
    page.get_by_role("textbox", name="Your name").fill("Dora")
    page.get_by_role("button", name="Approve this model").click()
    expect(page.get_by_text("Dora, 20")).to_be_visible()


def validate(page: Page, home: Path, later: Path) -> None:
    go_to(page, "4 Validation")
    page.get_by_text("another log").click()
    page.get_by_role("textbox", name="… or its path, or its name in the database").fill(str(later))
    page.keyboard.press("Enter")
    page.get_by_role("spinbutton", name="Simulated logs").fill("3")
    page.keyboard.press("Enter")
    settle(page)
    page.get_by_role("button", name="Validate").click()
    expect(page.get_by_role("button", name="Make the report")).to_be_visible(timeout=PATIENCE_MS)
    twin = str(home / "twins" / "orders.json")
    said = command(home, "validate", twin, "--log", str(later), "--train", "orders", "--runs", "3")
    measured = read(Validation, said)
    shown = read(Validation, (home / "twins" / "orders.validation.json").read_text(encoding="utf-8"))
    assert shown == measured
    expect(page.get_by_text(verdict(measured))).to_be_visible()
    expect(page.get_by_text(far_off_text(measured))).to_be_visible()
    for line in metric_verdicts(measured):
        expect(page.get_by_text(line.sentence)).to_be_visible()
    page.get_by_role("button", name="Make the report").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Report (HTML)").click(timeout=PATIENCE_MS)
    assert verdict(measured) in download.value.path().read_text(encoding="utf-8")
    screenshot(page, "4-validation")


def forecast(page: Page, home: Path, model: Metagraph) -> None:
    assert model.provenance is not None
    go_to(page, "5 Forecast")
    page.get_by_role("button", name="Forecast", exact=True).click()
    csv_button = page.get_by_role("button", name="Forecast (CSV)")
    expect(csv_button).to_be_visible(timeout=PATIENCE_MS)
    out = home / "command.csv"
    said = command(
        *(home, "forecast", str(home / "twins" / "orders.json"), "--log", "orders", "--out", str(out)),
        *("--as-of", model.provenance.until.isoformat(), "--horizons-h", HORIZONS_H),
    )
    foreseen = read(Forecast, said)
    shown = read(Forecast, (home / "twins" / "orders.forecast.json").read_text(encoding="utf-8"))
    assert shown == foreseen
    assert len(foreseen.orders) > 0
    expect(page.get_by_text(f"{len(foreseen.orders):,} open orders as of")).to_be_visible()
    with page.expect_download() as download:
        csv_button.click()
    assert download.value.path().read_bytes() == out.read_bytes()
    screenshot(page, "5-forecast")


def test_log_text_is_never_markup_and_dark_pages_show_everything(site: Site, page: Page) -> None:
    place = site.place
    place.choose("evil", ChosenLog("/nowhere.csv", "evil", {}, None, "UTC", False))
    save(handmade.twin(), place.twin("evil"))
    place.result("evil", "validation").write_text(dump(handmade.validation()), encoding="utf-8")
    place.result("evil", "forecast").write_text(dump(handmade.forecast()), encoding="utf-8")
    page.emulate_media(color_scheme="dark")
    site.open(page, "process", "evil")
    page.locator('g.task[data-node="t2"]').click()
    expect(page.get_by_role("heading", name=handmade.EVIL)).to_be_visible()
    page.get_by_role("tab", name="What you know better").click()
    expect(page.get_by_text("the log says 5.1 h over 400 executions")).to_be_attached()
    screenshot(page, "dark-3-process")
    go_to(page, "4 Validation")
    expect(page.get_by_text(verdict(handmade.validation()))).to_be_visible()
    screenshot(page, "dark-4-validation")
    go_to(page, "5 Forecast")
    expect(page.get_by_text("8 open orders as of")).to_be_visible()
    screenshot(page, "dark-5-forecast")
    assert page.locator("script:has-text('alert(1)')").count() == 0
