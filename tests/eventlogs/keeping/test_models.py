"""What becomes of the versions of a twin: one champion a name, and a history that tells every change."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventlogs.historian import Historian
from metagraph.errors import DataError
from tests.eventlogs.keeping.old_files import version_one
from tests.eventlogs.logs import T0


@pytest.fixture
def historian() -> Iterator[Historian]:
    with Historian(":memory:") as found:
        yield found


def states(historian: Historian, name: str = "t") -> list[str]:
    return [info.state for info in historian.list_models() if info.name == name]


def three(historian: Historian) -> Historian:
    historian.save_model("t", "{1}", "from a log", "Ada")
    historian.save_model("t", "{2}")
    historian.save_model("t", "{3}", challenger=True)
    return historian


def test_the_first_version_stays_champion_until_another_is_promoted(historian: Historian) -> None:
    three(historian)
    assert states(historian) == ["champion", "built", "challenger"]
    assert historian.find_model("t").version == 1
    historian.promote_model("t@3", "Bob", "it forecasts better")
    assert states(historian) == ["retired", "built", "champion"]
    assert [(c.version, c.action, c.state, c.who, c.why) for c in historian.model_history("t")] == [
        (1, "built", "champion", "Ada", "the first version of its name"),
        (2, "built", "built", "", ""),
        (3, "built", "challenger", "", ""),
        (1, "retired", "retired", "Bob", "t@3 was promoted"),
        (3, "promoted", "champion", "Bob", "it forecasts better"),
    ]


def test_rolling_back_goes_one_champion_back_each_time(historian: Historian) -> None:
    three(historian)
    historian.promote_model("t@2")
    historian.promote_model("t@3")
    historian.promote_model("t@1")
    assert historian.rollback_model("t", "Cy", "orders came late").version == 3
    assert historian.rollback_model("t").version == 2
    assert historian.rollback_model("t").version == 1
    assert states(historian) == ["champion", "rejected", "rejected"]
    with pytest.raises(DataError, match="t@1 is the first champion of its name: there is none to go back to"):
        historian.rollback_model("t")


def test_a_champion_that_nothing_was_compared_with_is_not_replaced(historian: Historian) -> None:
    three(historian)
    historian.promote_model("t@2", instead_of=1)
    with pytest.raises(DataError, match=r"t@3 was to take the place of t@1, but the champion is t@2 by now"):
        historian.promote_model("t@3", instead_of=1)
    assert states(historian) == ["retired", "champion", "challenger"]


def test_the_champion_is_only_replaced(historian: Historian) -> None:
    three(historian)
    assert (
        historian.set_model_state("t@3", "rejected", "Ada", "it forgets Sundays").why == "it forgets Sundays"
    )
    with pytest.raises(DataError, match="t@1 is the champion and can't be rejected: promote another"):
        historian.set_model_state("t@1", "rejected")
    with pytest.raises(DataError, match="t@2 becomes champion by being promoted"):
        historian.set_model_state("t@2", "champion")
    with pytest.raises(DataError, match="t@1 is the champion already"):
        historian.promote_model("t@1")
    with pytest.raises(DataError, match="there is no twin 'u'"):
        historian.model_history("u")
    with pytest.raises(DataError, match="name the twin alone, without a version: t"):
        historian.rollback_model("t@1")


ACTIONS = st.lists(
    st.tuples(st.sampled_from(["promote", "rollback", "challenger", "rejected"]), st.integers(1, 3))
)


@settings(max_examples=25, deadline=None)
@given(ACTIONS)
def test_a_name_has_one_champion_whatever_is_done(actions: list[tuple[str, int]]) -> None:
    with Historian(":memory:") as historian:
        three(historian)
        for action, version in actions:
            before = states(historian)
            try:
                if action == "promote":
                    historian.promote_model(f"t@{version}")
                elif action == "rollback":
                    historian.rollback_model("t")
                else:
                    historian.set_model_state(
                        f"t@{version}", "rejected" if action == "rejected" else "challenger"
                    )
            except DataError:
                assert states(historian) == before
            assert states(historian).count("champion") == 1
        told = historian.model_history("t")
        last = {change.version: change.state for change in told}
        assert [last[version] for version in (1, 2, 3)] == states(historian)
        assert [historian.load_model(f"t@{v}") for v in (1, 2, 3)] == ["{1}", "{2}", "{3}"]


def test_states_of_an_older_file_are_told_from_its_approvals(tmp_path: Path) -> None:
    file = version_one(tmp_path / "old.duckdb")
    with duckdb.connect(str(file)) as con:
        rows = [("u", 1, False, None, None), ("u", 2, True, "Ada", T0), ("u", 3, False, None, None)]
        for name, version, champion, who, when in rows:
            told = [name, version, T0, "{}", "", champion, who, when]
            con.execute("INSERT INTO models VALUES (?, ?, ?, ?, ?, ?, ?, ?)", told)
    with Historian(file) as historian:
        assert [(m.reference, m.state, m.who, m.why) for m in historian.list_models()] == [
            ("t@1", "champion", "", "the first version of its name"),
            ("u@1", "retired", "Ada", "u@2 was promoted"),
            ("u@2", "champion", "Ada", ""),
            ("u@3", "built", "", ""),
        ]
        assert [(c.version, c.action, c.state) for c in historian.model_history("u")] == [
            (1, "built", "champion"),
            (2, "built", "built"),
            (3, "built", "built"),
            (2, "promoted", "champion"),
            (1, "retired", "retired"),
        ]
        assert historian.list_models()[0].created_at == T0
        assert historian.rollback_model("u").version == 1
        assert historian.promote_model("u@3").champion
