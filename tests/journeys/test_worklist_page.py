"""Worklists and bottlenecks: the commands, and the pages with their numbers."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from examples.order_to_cash import START, known_twin
from metagraph.json_io import save
from metagraph.model import Provenance
from tests.journeys.pages import PATIENCE_MS, app, browser, go_to, screenshot
from tests.journeys.test_commands import fine, tracetwin
from tests.twin.small import known_log
from twin.bottleneck_words import best_text, read_found
from twin.json_out import read
from twin.worklists import Worklist
from ui.workspace import ChosenLog, Workspace

AS_OF = datetime(2026, 8, 10, 10, tzinfo=UTC)
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace with the known twin and ten days of its log."""
    home = tmp_path_factory.mktemp("home")
    found = Workspace(home)
    log = known_log(home / "orders.csv", (AS_OF - START) / timedelta(days=1))
    known = Provenance("orders", "", START, AS_OF, 0, 0, 0, 0, cycle_s=2 * 86400.0)
    found.choose("orders", ChosenLog(str(log), "orders", {}, None, "UTC", False))
    save(replace(known_twin(), provenance=known), found.twin("orders"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        fine("import", "take", log)
        yield found


def test_a_plan_ranks_the_lists_of_one_role(place: Workspace) -> None:
    asked = (
        *("worklist", place.twin("orders"), "--log", "orders", "--as-of", AS_OF.isoformat()),
        *("--agent", "Credit", "--replications", "20"),
    )
    told = read(Worklist, fine(*asked, "--policy", "milp", "--time-limit", "1", "--json", "--out", "w.csv"))
    assert [agent.role for agent in told.agents] == ["Credit", "Credit"]
    with Path("w.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == sum(len(agent.rows) for agent in told.agents) > 0
    ranked = [row for agent in told.agents for row in agent.standing("waiting")]
    assert all(" in the plan: " in row.reason for row in ranked)
    assert any("of the best one on its grid" in note for note in told.notes)
    text = fine(*asked, "--policy", "rule:value", "--chart", "w.svg")
    assert "Priya Raman (on shift until Mon 08-10" in text
    assert "<svg" in Path("w.svg").read_text(encoding="utf-8")
    for wrong, sentence in (
        (("--agent", "Nobody"), "--agent Nobody: neither an agent nor a role; there are "),
        (("--policy", "SOONEST"), "--policy SOONEST: unknown"),
        (("--soon", "never"), "--soon never"),
    ):
        said = tracetwin(*asked, *wrong)
        assert said.code == 2
        assert sentence in said.err


def test_bottlenecks_without_a_log_say_so_and_refuse_what_only_a_log_has(place: Workspace) -> None:
    asked = ("bottlenecks", place.twin("orders"), "--weeks", "1", "--replications", "2", "--most", "1")
    told = json.loads(fine(*asked, "--json"))
    assert [side["source"] for side in told["sides"]] == ["twin"]
    assert any("no log was given" in note for note in told["notes"])
    said = tracetwin(*asked, "--until", "2026-08-01")
    assert (said.code, "name it with --log" in said.err) == (2, True)


def test_the_pages_show_what_the_commands_say(place: Workspace) -> None:
    with app(place.home) as address, browser() as page:
        page.goto(address)
        go_to(page, "Worklist")
        expect(page.get_by_text("No worklist yet")).to_be_visible()
        page.get_by_role("button", name="Rank").click()
        expect(page.get_by_role("button", name="Worklists (CSV)")).to_be_visible(timeout=PATIENCE_MS)
        lists = read(Worklist, place.result("orders", "worklist").read_text(encoding="utf-8"))
        assert lists.as_of == AS_OF
        with page.expect_download() as download:
            page.get_by_role("button", name="Worklists (CSV)").click()
        rows = download.value.path().read_text(encoding="utf-8").splitlines()
        assert len(rows) == 1 + sum(len(agent.rows) for agent in lists.agents)
        screenshot(page, "worklist")
        go_to(page, "Bottlenecks")
        page.get_by_role("spinbutton", name="Weeks").fill("1")
        page.get_by_role("spinbutton", name="Runs of each change").fill("3")
        page.get_by_role("spinbutton", name="Tried at most").fill("2")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Look for bottlenecks").click()
        expect(page.get_by_role("button", name="All figures (CSV)")).to_be_visible(timeout=PATIENCE_MS)
        found = read_found(place.result("orders", "bottlenecks").read_text(encoding="utf-8"))
        assert (found.replications, len(found.hours), len(found.tasks)) == (3, 2, 2)
        expect(page.get_by_text(found.sentence)).to_be_visible()
        expect(page.get_by_text(best_text(found))).to_be_visible()
        screenshot(page, "bottlenecks")
