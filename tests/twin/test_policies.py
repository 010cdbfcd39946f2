"""Policies by the names that people give them."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from metagraph.errors import UsageError
from metagraph.policies import PORTFOLIO, Policy
from metagraph.schedule import Schedule
from twin.policies import Wanted, policy_of

CODE = """
class Longest:
    def priority(self, item, now_s):
        return -item.expected_s

longest = Longest()

from metagraph.policies import Policy

plain = Policy("plain", preemption=False)

class Picky:
    def __init__(self, wish):
        self.wish = wish

number = 3

class Gone:
    def __init__(self):
        raise SystemExit
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with a module of policies."""
    (tmp_path / "of_mine.py").write_text(CODE, encoding="utf-8")
    (tmp_path / "of_mine_broken.py").write_text("1 / 0", encoding="utf-8")
    (tmp_path / "of_mine_exit.py").write_text("import sys\nsys.exit(0)", encoding="utf-8")
    (tmp_path / "of_mine_needy.py").write_text("import of_nobody", encoding="utf-8")
    path = list(sys.path)
    yield tmp_path
    sys.path[:] = path
    for name in ("of_mine", "of_mine_broken", "of_mine_exit", "of_mine_needy"):
        sys.modules.pop(name, None)


def test_the_papers_names_are_the_papers_policies() -> None:
    for name, policy in PORTFOLIO.items():
        assert policy_of(Wanted(name), Path()) == policy
        assert policy_of(Wanted(name.lower()), Path()) == policy


def test_a_rule_alone_joins_the_shortest_queue() -> None:
    assert policy_of(Wanted("SERPT"), Path()) == Policy("SERPT", "JSQ", ("SERPT",))
    assert policy_of(Wanted(), Path()) == Policy(), "each queue keeps its own"


def test_options_change_what_a_policy_says_and_nothing_else() -> None:
    found = policy_of(Wanted("PD", assignment="JAQ", preemption=False, max_preemptions=0), Path())
    assert found == Policy("PD", "JAQ", ("HP", "SDD"), preemption=False, tie="back", max_preemptions=0)
    found = policy_of(Wanted(tie="back", resume_penalty_s=90.0, same_agent=True), Path())
    assert found == Policy(tie="back", resume_penalty_s=90.0, same_agent=True)


def test_an_expression_orders_by_its_value() -> None:
    found = policy_of(Wanted("rule: value / 2"), Path())
    assert (found.priorities, found.rule) == (("RULE",), "value / 2")


def test_a_schedule_orders_by_its_ranks() -> None:
    schedule = Schedule(())
    found = policy_of(Wanted(schedule=schedule, preemption=False), Path())
    assert (found.priorities, found.schedule, found.preemption) == (("RANK",), schedule, False)


def test_objects_and_classes_are_loaded_from_the_folder(folder: Path) -> None:
    assert type(policy_of(Wanted("of_mine:longest"), folder)).__name__ == "Longest"
    assert type(policy_of(Wanted("of_mine:Longest"), folder)).__name__ == "Longest"
    assert policy_of(Wanted("of_mine:plain"), folder) == Policy("plain", preemption=False)
    assert policy_of(Wanted("of_mine:plain", tie="back"), folder) == Policy(
        "plain", preemption=False, tie="back"
    )


FAULTS = {
    "no name of a module": (Wanted(":x"), "--policy :x: expected module:object, both of them named"),
    "no name of an object": (Wanted("of_mine:"), "expected module:object, both of them named"),
    "unknown": (Wanted("LAST"), "--policy LAST: unknown; take one of own, P, D, S"),
    "empty expression": (Wanted("rule:"), "expected an expression on orders"),
    "no module": (Wanted("of_none:x"), "no module 'of_none' in .* or among those installed"),
    "no object": (Wanted("of_mine:x"), "of_mine has no 'x'; it has .*longest"),
    "no policy": (Wanted("of_mine:number"), r"number is no policy: it has no method priority\(item, now_s\)"),
    "needs arguments": (Wanted("of_mine:Picky"), r"Picky\(\) fails without arguments: TypeError"),
    "broken": (
        Wanted("of_mine_broken:x"),
        r"of_mine_broken can't be imported: ZeroDivisionError.* \(of_mine_broken.py, line 1\)",
    ),
    "leaves": (
        Wanted("of_mine_exit:x"),
        r"of_mine_exit can't be imported: SystemExit: 0 \(of_mine_exit.py, line 2\)",
    ),
    "leaves when made": (
        Wanted("of_mine:Gone"),
        r"Gone\(\) fails without arguments: SystemExit \(of_mine.py, line \d+\)",
    ),
    "needy": (Wanted("of_mine_needy:x"), "of_mine_needy needs the module 'of_nobody', which isn't there"),
    "two orders": (Wanted("PD", schedule=Schedule(())), "--policy PD and --schedule both say"),
    "options of code": (Wanted("of_mine:longest", tie="back"), "is written in Python, and its `base` says"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_cant_be_meant_is_named(fault: str, folder: Path) -> None:
    wanted, said = FAULTS[fault]
    with pytest.raises(UsageError, match=said):
        policy_of(wanted, folder)
