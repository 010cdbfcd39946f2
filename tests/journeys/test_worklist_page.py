"""Worklists and bottlenecks: the commands, and the pages with their numbers."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.pages import AS_OF, PATIENCE_MS, Site, go_to, screenshot
from tests.journeys.test_commands import fine, tracetwin
from twin.bottleneck_words import best_text, read_found
from twin.json_out import read
from twin.worklists import Worklist

pytestmark = pytest.mark.timeout(600)


def test_a_plan_ranks_the_lists_of_one_role(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = (
        *("worklist", site.place.twin("orders"), "--log", "orders", "--as-of", AS_OF.isoformat()),
        *("--agent", "Credit", "--replications", "20", "--db", site.place.db),
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


def test_bottlenecks_without_a_log_say_so_and_refuse_what_only_a_log_has(site: Site) -> None:
    asked = (
        *("bottlenecks", site.place.twin("orders"), "--weeks", "1", "--replications", "2", "--most", "1"),
        *("--db", site.place.db),
    )
    told = json.loads(fine(*asked, "--json"))
    assert [side["source"] for side in told["sides"]] == ["twin"]
    assert any("no log was given" in note for note in told["notes"])
    said = tracetwin(*asked, "--until", "2026-08-01")
    assert (said.code, "name it with --log" in said.err) == (2, True)


def test_the_pages_show_what_the_commands_say(site: Site, page: Page) -> None:
    place = site.place
    site.open(page, "worklist")
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
