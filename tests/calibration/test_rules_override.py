"""Business rules that a person sets: they hold, are marked, and are compared with the log."""

from __future__ import annotations

import pytest

from calibration.calibrate import calibrate
from calibration.overrides import SetRouting, SetRules, apply_overrides
from calibration.rules_override import Observed, RuleByHand, observed_in
from calibration.settings import OrderSpec, Settings
from metagraph.blocks import Leaf, Parallel
from metagraph.errors import DataError
from metagraph.model import Metagraph
from metagraph.routing import MOST_RULES, Context, Level
from metagraph.validate import validate
from tests.calibration.test_rules import log
from tests.metagraph.strategies import plain_metagraph

DEAR = RuleByHand("amount > 5000 and region == 'North'", (("Audit", 0.9),))


@pytest.fixture(scope="module")
def made() -> tuple[Metagraph, Observed]:
    found = log(91, 2000, ruled=True)
    settings = Settings(use_rules=True, fast=True)
    twin = calibrate(found.snapshot, found.skeleton, found.replayed, settings, name="made", seed=0)
    return twin, observed_in(found.snapshot, found.replayed, OrderSpec(), twin)


def test_a_rule_set_by_hand_replaces_those_found(made: tuple[Metagraph, Observed]) -> None:
    twin, observed = made
    wanted = SetRules("x", (RuleByHand("age >= 60", (("Book", 1.0),)), DEAR))
    graph = apply_overrides(twin, [wanted], observed)
    routing = next(r for r in graph.routing if r.node == "x")
    before = next(r for r in twin.routing if r.node == "x")
    assert [(rule.when, rule.by_hand) for rule in routing.rules] == [("age >= 60", True), (DEAR.when, True)]
    assert routing.levels[0] == Level(rule=True)
    assert routing.weights(Context("", "", 1, (), "1")) == (0.0, 1.0, 0.0)
    audit, book, skip = routing.weights(Context("", "", 1, (), "2"))
    assert audit == 0.9
    assert book / skip == pytest.approx(before.overall().weights[1] / before.overall().weights[2])
    assert routing.weights(Context("", "", 1, ())) == before.overall().weights
    assert validate(graph) == ()


def test_the_log_is_asked_about_each_rule(made: tuple[Metagraph, Observed]) -> None:
    twin, observed = made
    wrong = RuleByHand("amount <= 5000", (("Audit", 0.8),))
    graph = apply_overrides(twin, [SetRules("x", (DEAR, wrong))], observed)
    (note,) = graph.overrides
    assert (note.target, note.field) == ("gateway x", "rules")
    assert note.value.startswith("amount > 5000 and region == 'North': Audit 0.9; ")
    n = int(observed("x", wrong.when).sum())
    assert note.contradiction.startswith(
        f"of n = {n} decisions for which amount <= 5000, Audit was taken in "
    )
    assert "North" not in note.contradiction, "what agrees with the log isn't flagged"


def test_a_rule_about_nobody_is_told(made: tuple[Metagraph, Observed]) -> None:
    twin, observed = made
    graph = apply_overrides(
        twin, [SetRules("x", (RuleByHand("colour == 'red'", (("Audit", 1.0),)),))], observed
    )
    said = graph.overrides[0].contradiction
    assert "simulated orders have no attribute colour" in said
    assert "no order for which colour == 'red' came here in the log" in said


def test_rules_can_be_taken_away_and_come_after_probabilities(made: tuple[Metagraph, Observed]) -> None:
    twin, observed = made
    none = apply_overrides(twin, [SetRules("x", ())], observed)
    routing = next(r for r in none.routing if r.node == "x")
    assert routing.rules == ()
    assert not any(level.rule for level in routing.levels)
    assert none.overrides[0].value == "none"
    both = apply_overrides(twin, [SetRules("x", (DEAR,)), SetRouting("x", (("Audit", 0.5),))], observed)
    routing = next(r for r in both.routing if r.node == "x")
    assert routing.weights(Context("", "", 1, ()))[0] == 0.5
    assert routing.weights(Context("", "", 1, (), "1"))[0] == 0.9
    assert validate(both) == ()


def test_so_many_rules_are_refused(made: tuple[Metagraph, Observed]) -> None:
    with pytest.raises(DataError, match=rf"{MOST_RULES + 1} rules; at most {MOST_RULES} can be told apart"):
        apply_overrides(made[0], [SetRules("x", (DEAR,) * (MOST_RULES + 1))])
    graph = apply_overrides(made[0], [SetRules("x", (DEAR,) * MOST_RULES)])
    assert len(next(r for r in graph.routing if r.node == "x").rules) == MOST_RULES


def test_branches_that_are_taken_together_have_no_single_probabilities() -> None:
    twin = plain_metagraph(Parallel("o", "o_end", (Leaf("a", "A"), Leaf("b", "B")), some=True))
    for spec in (SetRouting("o", (("A", 0.5),)), SetRules("o", (RuleByHand("x > 1", (("A", 0.5),)),))):
        with pytest.raises(DataError, match="its branches are taken several at once"):
            apply_overrides(twin, [spec])


@pytest.mark.parametrize(
    ("gateway", "rule", "told"),
    [
        ("nowhere", DEAR, "there is no gateway that chooses 'nowhere'"),
        ("x", RuleByHand("amount >", (("Audit", 1.0),)), r"gateway x, rule 1, position 1: .* can't be read"),
        (
            "x",
            RuleByHand("amount > 1", (("Bok", 1.0),)),
            r"gateway x, rule 1: there is no branch 'Bok'.* Book",
        ),
        ("x", RuleByHand("amount > 1", (("Book", 1.0), ("Audit", 0.5))), "rule 1: its weights sum to 1.5"),
    ],
)
def test_nonsense_is_refused(
    made: tuple[Metagraph, Observed], gateway: str, rule: RuleByHand, told: str
) -> None:
    with pytest.raises(DataError, match=told):
        apply_overrides(made[0], [SetRules(gateway, (rule,))], made[1])
