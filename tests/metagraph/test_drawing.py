"""The SVG is well-formed whatever the labels are, and carries what the page needs."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metagraph.blocks import Block, Choice, Empty, Leaf, Parallel, Sequence
from metagraph.captions import human_time, percent, rule_text, shortened, text_width, wrapped
from metagraph.drawing import draw_svg
from metagraph.errors import DataError
from metagraph.model import Metagraph
from metagraph.nodes import DurationTable, Gateway, Task
from metagraph.routing import BusinessRule
from tests.metagraph.strategies import metagraphs, plain_metagraph

SVG = "{http://www.w3.org/2000/svg}"
BLOCK = Sequence((Leaf("a", "Create Order"), Choice("x", "x_end", (Leaf("b", "Clear Hold"), Empty()))))
SMALL = plain_metagraph(BLOCK, {"x": (0.12, 0.88)}, 754.0)


def groups(svg: str, kind: str) -> list[ET.Element]:
    """Elements of a class."""
    return [e for e in ET.fromstring(svg).iter() if kind in e.get("class", "").split()]


def texts(element: ET.Element) -> list[str]:
    return [found.text or "" for found in element.iter(f"{SVG}text")]


def test_tasks_carry_their_id_their_label_and_their_mean_work() -> None:
    a, b = groups(draw_svg(SMALL), "task")
    assert a.get("data-node") == "a"
    assert texts(a) == ["Create Order", "13 min, n = 1"]
    assert a.findtext(f"{SVG}title") == "Create Order: mean work 13 min (n = 1)"
    assert b.get("data-node") == "b"


def test_what_rests_on_few_observations_is_marked() -> None:
    def with_n(n: int) -> Metagraph:
        rows = {r.node: tuple(replace(row, n=n) for row in r.rows) for r in SMALL.routing}
        return replace(
            SMALL,
            nodes=tuple(
                replace(t, durations=of_n(t.durations, n)) if isinstance(t, Task) else t for t in SMALL.nodes
            ),
            routing=tuple(replace(r, rows=rows[r.node]) for r in SMALL.routing),
        )

    def of_n(table: DurationTable, n: int) -> DurationTable:
        return DurationTable(tuple(replace(r, fitted=replace(r.fitted, n=n)) for r in table.rows))

    few, enough = draw_svg(with_n(29)), draw_svg(with_n(30))
    assert (len(groups(few, "few")), len(groups(enough, "few"))) == (4, 0), "two times and two shares"
    assert (few.count('class="time few"'), enough.count('class="time few"')) == (2, 0)
    assert "13 min, n = 29" in few
    assert "29 decisions seen" in few


def test_probabilities_stand_at_chosen_flows_and_make_them_thick() -> None:
    svg = draw_svg(SMALL)
    assert [texts(pill) for pill in groups(svg, "pill")] == [["12%"], ["88%"]]
    thick = {}
    for flow in groups(svg, "flow"):
        path = flow.find(f"{SVG}path")
        assert path is not None
        thick[flow.get("data-source"), flow.get("data-target")] = float(path.get("stroke-width", "0"))
    assert thick["x", "x_end"] > 2 * thick["x", "b"]


def test_what_is_selected_and_badged_shows() -> None:
    svg = draw_svg(SMALL, selected="b", badges={"a": "14", "nobody": "3"})
    assert [g.get("data-node") for g in groups(svg, "selected")] == ["b"]
    assert [texts(badge) for badge in groups(svg, "badge")] == [["14"]]
    assert [g.get("data-node") for g in groups(draw_svg(SMALL, selected="x"), "selected")] == ["x"]


def test_colours_are_plain_first_and_variables_only_for_readers_that_know_them() -> None:
    plain, dark = draw_svg(SMALL), draw_svg(SMALL, dark=True)
    for svg in (plain, dark):
        before, after = re.split(r"@supports", svg.split("</style>")[0])
        assert "var(" not in before
        assert "var(--metagraph-box,#" in after
    assert ".metagraph.light" in plain
    assert ".metagraph.dark" in dark
    assert set(re.findall("#[0-9a-f]{6}", plain)) != set(re.findall("#[0-9a-f]{6}", dark))


def test_other_readers_than_browsers_can_paint_it() -> None:
    vl_convert = pytest.importorskip("vl_convert")
    assert vl_convert.svg_to_png(draw_svg(SMALL)).startswith(b"\x89PNG")


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(metagraphs(), st.text(max_size=20), st.booleans())
def test_it_is_well_formed_whatever_the_texts_are(metagraph: Metagraph, badge: str, dark: bool) -> None:
    badges = {task.id: badge for task in metagraph.tasks()}
    svg = draw_svg(metagraph, dark=dark, badges=badges)
    assert len(groups(svg, "task")) == len(metagraph.tasks())
    assert len(groups(svg, "gateway")) == len(metagraph.gateways())
    assert len(groups(svg, "flow")) == len(metagraph.flows)


def test_a_label_is_text_and_never_markup() -> None:
    nasty: Block = Leaf('"><script>', '<script>alert("&amp;")</script>\x00')
    svg = draw_svg(plain_metagraph(nasty))
    assert "<script" not in svg
    (task,) = groups(svg, "task")
    assert task.get("data-node") == '"><script>'
    assert (task.findtext(f"{SVG}title") or "").startswith('<script>alert("&amp;")</script>\ufffd: mean work')


def test_graphs_that_are_no_blocks_are_refused() -> None:
    nodes = tuple(Gateway("x_end", "and_merge") if n.id == "x_end" else n for n in SMALL.nodes)
    with pytest.raises(DataError, match="xor_split x has branches"):
        draw_svg(replace(SMALL, nodes=nodes))


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.0, "0 s"), (0.25, "0.25 s"), (45.0, "45 s"), (59.9, "1 min"), (90.0, "1.5 min"), (754.0, "13 min"),
        (3600.0, "1 h"), (12240.0, "3.4 h"), (86400.0, "1 d"), (172800.0, "2 d"), (1e7, "116 d"),
        (float("inf"), "∞"), (float("nan"), "?"),
    ],
)  # fmt: skip
def test_durations_are_told_in_human_units(seconds: float, told: str) -> None:
    assert human_time(seconds) == told


@pytest.mark.parametrize(
    ("share", "told"),
    [
        (0.0, "0%"), (1e-9, "<0.1%"), (0.004, "0.4%"), (0.01, "1%"), (0.124, "12%"), (0.994, "99%"),
        (0.996, "99.6%"), (0.99999, ">99.9%"), (1.0, "100%"),
    ],
)  # fmt: skip
def test_probabilities_never_round_to_nothing_or_all(share: float, told: str) -> None:
    assert percent(share) == told


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80), st.floats(4, 20), st.integers(1, 3))
def test_wrapping_keeps_to_the_width_and_loses_nothing_it_does_not_mark(
    label: str, width: float, most: int
) -> None:
    lines = wrapped(label, width, most)
    assert 1 <= len(lines) <= most
    assert all(text_width(line) <= width for line in lines)
    letters, kept = "".join(label.split()), "".join("".join(lines).split())
    assert kept == letters or (kept.endswith("…") and letters.startswith(kept[:-1]))


def test_labels_break_where_a_reader_would() -> None:
    assert wrapped("Clear Credit Hold", 10.0, 3) == ("Clear Credit", "Hold")
    assert wrapped("W_Completeren_aanvraag", 10.0, 3) == ("W_Completeren_", "aanvraag")
    assert wrapped("CreatePurchaseOrder", 9.0, 3) == ("Create", "PurchaseOrder")
    assert shortened("Nabellen", 4.0) == "Nabe…"


def test_a_joint_choice_has_its_sign_and_the_shares_of_its_branches() -> None:
    drawn = draw_svg(plain_metagraph(Parallel("o", "o_end", (Leaf("a", "A"), Leaf("b", "B")), some=True)))
    circles = [n for n in ET.fromstring(drawn).iter(f"{SVG}path") if "A5 5" in n.get("d", "")]
    assert len(circles) == 2
    pills = [n.text for n in ET.fromstring(drawn).iter(f"{SVG}text") if "%" in (n.text or "")]
    assert pills == ["75%", "50%"], "a alone in a quarter, both in half of the cases, none in the rest"


def test_rules_are_told_at_their_gateway() -> None:
    plain = plain_metagraph(Choice("x", "x_end", (Leaf("a", "A"), Empty())))
    rules = (BusinessRule("amount > 5000", 40), BusinessRule("region == '<North>'", by_hand=True))
    drawn = draw_svg(replace(plain, routing=tuple(replace(r, rules=rules) for r in plain.routing)))
    title = next(node.text for node in ET.fromstring(drawn).iter() if node.text and "Rule" in node.text)
    assert title == "Rule: amount > 5,000 (n = 40)\nRule: region = '<North>' (set by hand)"


@pytest.mark.parametrize(
    ("when", "text"),
    [
        ("amount > 5000 and region == 'North'", "amount > 5,000 and region = 'North'"),
        ("attr('kind of order') != '5000'", "kind of order is not '5000'"),
        ("1000 < amount <= 25000.5", "1,000 < amount ≤ 25,000.5"),
    ],
)
def test_rules_are_written_for_people(when: str, text: str) -> None:
    assert rule_text(when) == text
