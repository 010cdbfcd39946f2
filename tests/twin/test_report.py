"""The report stands alone, says everything the model assumes, and never takes log text for markup."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metagraph.agents import UNLIMITED, Agent
from metagraph.blocks import Leaf, Parallel
from metagraph.distributions import Fitted, Parametric
from metagraph.errors import DataError
from metagraph.model import Ending
from metagraph.paces import Pace
from metagraph.routing import BusinessRule
from tests.metagraph.strategies import plain_metagraph
from tests.twin import handmade
from twin.model_words import NO_CONGESTION, PACED
from twin.report import render, write_report
from twin.scarce import scarce
from twin.validation import METRICS
from twin.verdict import compare, metric_verdicts, verdict
from twin.words import ways_text

VOID = {"meta", "br", "link", "img", "input", "hr"}


class Page(HTMLParser):
    """Collects what a browser would see; fails on tags that don't match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [v or "" for k, v in attrs if k in ("src", "href", "xlink:href", "action")]
        assert [k for k, _ in attrs if k.startswith("on")] == []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


@pytest.fixture(scope="module")
def full() -> str:
    return render(
        handmade.twin(),
        validation=handmade.validation(),
        forecast=handmade.forecast(),
        quote=handmade.quote(),
    )


def test_report_needs_nothing_from_elsewhere(full: str) -> None:
    page = Page(full)
    assert page.tags.isdisjoint({"script", "link", "img", "iframe", "object", "foreignobject"})
    assert [link for link in page.links if not link.startswith("#")] == []
    assert re.findall(r"@import|url\((?!['\"]?#)", full) == []


def test_business_rules_are_shown() -> None:
    twin = handmade.twin()
    first = twin.routing[0]
    rules = (BusinessRule("amount > 5000", 40, note="found"), BusinessRule("a == '<b>'", by_hand=True))
    text = Page(render(replace(twin, routing=(replace(first, rules=rules), *twin.routing[1:])))).text
    assert "Business rules" in text
    assert "amount > 5,000" in text
    assert "a = '<b>'" in text
    assert "set by hand" in text
    assert "Business rules" not in Page(render(twin)).text


def test_roles_are_told_with_the_people_behind_merged_agents() -> None:
    twin = handmade.twin()
    hours = twin.agents[0].calendar
    crew = Agent("Clerk: rarely seen", hours, role="Clerk", members=("<b>bob", "eve"))
    text = Page(render(replace(twin, agents=(Agent("ann", hours, role="Clerk"), crew, *twin.agents)))).text
    assert "Clerk 3 ann; Clerk: rarely seen, which stands for <b>bob, eve" in text


def test_ways_that_are_taken_together_are_told_together() -> None:
    twin = plain_metagraph(Parallel("o", "o_end", (Leaf("a", "Pack"), Leaf("b", "Bill")), some=True))
    told = ways_text(twin, twin.routing[0], twin.routing[0].overall().weights, 0)
    assert told == [("Pack with Bill", "50 %"), ("Pack", "25 %"), ("none of them", "25 %")]


def test_text_from_the_log_stays_text(full: str) -> None:
    assert handmade.EVIL in Page(full).text
    assert "<b>now" not in full


def test_every_assumption_is_said(full: str) -> None:
    twin, text = handmade.twin(), Page(full).text
    assert twin.provenance is not None
    said = [part for d in twin.provenance.defaults for part in (d.where, d.missing, d.assumed)]
    said += [o.contradiction for o in twin.overrides] + [a.who for a in twin.approvals]
    said += [c.name for choice in twin.provenance.choices for c in choice.candidates]
    said += [choice.reason for choice in twin.provenance.choices] + [*twin.provenance.facts.values()]
    assert [part for part in said if part not in text] == []


def test_fallbacks_are_found_wherever_a_distribution_stands() -> None:
    twin = handmade.twin()
    noted = replace(twin.tasks()[1].durations.default, note="few rows: pooled")
    delay = twin.tasks()[1].delay
    assert delay is not None
    task = replace(
        twin.tasks()[1], delay=replace(delay, default=noted, after={"Create Order": noted, "Ship": noted})
    )
    nodes = tuple(task if node.id == task.id else node for node in twin.nodes)
    found = [f for f in scarce(replace(twin, nodes=nodes)) if f.note]
    assert [f.where for f in found] == [
        f"delay before {handmade.EVIL}",
        f"delay before {handmade.EVIL} after Create Order",
        f"delay before {handmade.EVIL} after Ship",
    ]


def test_numbers_of_the_forecast_and_the_quote_are_there(full: str) -> None:
    text = Page(full).text
    forecast, quote = handmade.forecast(), handmade.quote()
    medians = [f"{order.quantiles[9]:%Y-%m-%d %H:%M}" for order in forecast.orders]
    assert [m for m in medians if m not in text] == []
    assert [d for d in quote.dates.values() if f"{d:%Y-%m-%d %H:%M}" not in text] == []


def test_without_due_dates_nothing_is_said_of_lateness(full: str) -> None:
    forecast = handmade.forecast()
    dateless = tuple(replace(order, due=None, late_probability=None) for order in forecast.orders)
    text = Page(render(handmade.twin(), forecast=replace(forecast, orders=dateless))).text
    assert "Late with" in Page(full).text
    assert "Late with" not in text


def test_missing_parts_are_left_out() -> None:
    bare = replace(
        handmade.twin(), provenance=None, arrivals=None, closing=None, routing=(), overrides=(), approvals=()
    )
    text = Page(render(bare)).text
    assert "Not measured yet" in text
    assert "Forecast" not in text
    assert "Quote" not in text


def test_a_graph_that_cannot_be_drawn_still_has_a_report() -> None:
    tangled = replace(handmade.twin(), flows=handmade.twin().flows[:-2])
    assert "can't be drawn" in Page(render(tangled)).text


def test_a_report_is_whole_or_absent(tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    write_report(target, handmade.twin())
    assert target.read_text(encoding="utf-8").endswith("</html>")
    assert [*tmp_path.iterdir()] == [target]
    with pytest.raises(DataError, match="absent"):
        write_report(tmp_path / "absent" / "report.html", handmade.twin())


@pytest.mark.parametrize(
    ("ours", "says"), [(1.0, "beats"), (2.0, "does not beat"), (1.5, "about as real as")]
)
def test_verdict(ours: float, says: str) -> None:
    assert says in verdict(handmade.validation(ours=ours))


def test_a_narrow_lead_is_called_narrow() -> None:
    copied = {m: (0.5 if m == "NGD" else 1.0,) for m in METRICS}
    ours = {m: (1.0, 1.0) if m != "CTDD" else (0.5, 0.5) for m in METRICS}
    narrow = replace(handmade.validation(), distances=ours, references={"last period copied": copied})
    assert "about as real as" in verdict(narrow)
    ahead = replace(narrow, references={"last period copied": dict.fromkeys(METRICS, (1.0,))})
    assert "a little more real than" in verdict(ahead)
    assert "better on 1 of 6 distances (CTDD), not told apart on 5" in verdict(ahead)


def test_a_twin_beats_the_copy_only_with_two_thirds_and_one_exception() -> None:
    def told(better: int, worse: int) -> str:
        ours = [0.5] * better + [2.0] * worse + [1.0] * (6 - better - worse)
        measured = {m: (value,) for m, value in zip(METRICS, ours, strict=True)}
        copied = {"last period copied": dict.fromkeys(METRICS, (1.0,))}
        return verdict(replace(handmade.validation(), distances=measured, references=copied))

    assert ["beats" in told(*counts) for counts in ((4, 0), (4, 1), (3, 0), (4, 2))] == [
        True,
        True,
        False,
        False,
    ]
    assert "On 100 test cases" in told(4, 0)


def test_the_report_says_which_twin_was_measured() -> None:
    held_out = replace(handmade.validation(), log="orders", held_out=True)
    text = Page(render(handmade.twin(), validation=held_out)).text
    assert "Measured on the last fifth of orders (100 cases" in text
    assert "Distance to the last fifth of orders" in text
    assert "A second twin simulated them" in text
    plain = Page(render(handmade.twin(), validation=handmade.validation())).text
    assert "Measured on orders_test.csv (100 cases" in plain
    assert "second twin" not in plain


@pytest.mark.parametrize(
    ("cut", "said"),
    [
        ("none", "No case counts as missing at the end (if unfinished ones are"),
        ("instant", "Orders unfinished at the log's end are left out of both."),
        ("unknown", "can't be told from it"),
    ],
)
def test_the_report_says_how_the_log_s_end_was_read(cut: str, said: str) -> None:
    validation = replace(handmade.validation(), cut=cut)
    assert said in Page(render(handmade.twin(), validation=validation)).text


def test_paces_gaps_endings_and_missing_congestion_are_said(full: str) -> None:
    twin = handmade.twin()
    assert twin.arrivals is not None
    assert twin.closing is not None
    task = twin.tasks()[1]
    assert task.delay is not None
    paced = replace(task, delay=replace(task.delay, pace="work"))
    rich = replace(
        twin,
        nodes=tuple(paced if node.id == task.id else node for node in twin.nodes),
        paces=(Pace("work", (0.0, 2.0) * 84),),
        agents=tuple(replace(agent, capacity=UNLIMITED) for agent in twin.agents),
        arrivals=replace(twin.arrivals, gap=Fitted(Parametric("gamma", (4.0, 0.0, 0.25)), 400, "all")),
        closing=replace(
            twin.closing, idle_after_s={"Ship": 7200.0}, endings=(Ending(("Invoice", "Ship"), 0.98),)
        ),
    )
    said = (
        NO_CONGESTION,
        PACED,
        "gaps vary by 50 % of their mean",
        "Invoice → Ship 98 %",
        "2 h after Ship",
    )
    text = Page(render(rich)).text
    assert [part for part in said if part not in text] == []
    assert [part for part in said if part in Page(full).text] == []


def test_no_copy_no_verdict() -> None:
    alone = replace(handmade.validation(), references={})
    assert "Nothing to compare" in verdict(alone)
    assert {m.against_copy for m in metric_verdicts(alone)} == {None}
    assert "Nothing to compare" in Page(render(handmade.twin(), validation=alone)).text


values = st.lists(st.floats(0, 1e6), min_size=1, max_size=12)


@given(values, values)
def test_comparing_the_other_way_round_turns_the_sign(ours: list[float], theirs: list[float]) -> None:
    assert compare(ours, theirs) == -compare(theirs, ours)
    assert compare(ours, ours) == 0
