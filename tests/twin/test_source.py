"""From what the user names to logs and twins."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from calibration.overrides import Rename, apply_overrides
from eventlogs.historian import Historian
from examples.order_to_cash import START, known_twin
from metagraph.errors import DataError, TwinError, UsageError
from metagraph.json_io import save, to_json
from metagraph.model import ClosingFact, Ending
from tests.twin.small import known_log
from twin.forecasting import ForecastRequest, forecast_command
from twin.progress import Progress
from twin.renames import closing_in_log_words, renames
from twin.requests import log_request
from twin.source import LogRequest, instant, read_ids, read_log, read_twin


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    known_log(folder / "orders.csv", 9)
    with Historian(folder / "db") as historian:
        historian.import_log(folder / "orders.csv")
    return folder


def request(place: Path, **options: object) -> LogRequest:
    return LogRequest("orders", str(place / "db"), **options)  # type: ignore[arg-type]


def test_a_log_is_a_path_or_a_name(place: Path) -> None:
    by_path = read_log(LogRequest(str(place / "orders.csv"), str(place / "db")))
    by_name = read_log(request(place))
    assert by_path.snapshot.content_hash == by_name.snapshot.content_hash
    assert by_path.open_rule == by_name.open_rule
    with pytest.raises(DataError, match=r"neither a file nor a log in .*; imported logs: orders;"):
        read_log(LogRequest("order", str(place / "db")))


def test_until_uses_only_what_was_known_then(place: Path) -> None:
    early = START + timedelta(days=4)
    known = read_log(request(place, until=early)).snapshot
    whole = read_log(request(place)).snapshot
    assert 0 < known.n_cases < whole.n_cases
    assert known.origin + timedelta(seconds=known.until_s) == early
    assert max(known.start_s) <= known.until_s
    assert not (known.end_s > known.until_s).any()


def test_listed_cases_are_open_and_no_others(place: Path) -> None:
    listed = place / "open.txt"
    listed.write_text("\ufeffSO-10003\n\n  SO-10001  \n", encoding="utf-8")
    found = read_log(request(place, open_file=listed))
    assert {c for c, o in zip(found.snapshot.cases, found.snapshot.is_open, strict=True) if o} == {
        "SO-10001",
        "SO-10003",
    }
    assert found.open_rule == "2 open orders, as listed in open.txt"
    assert not read_log(request(place, all_closed=True)).snapshot.is_open.any()


def test_a_rule_learnt_before_is_used(place: Path) -> None:
    never = ClosingFact({}, 0.5, 1e9, {}, ())
    found = read_log(request(place, closing=never))
    assert found.closing == never
    assert found.snapshot.is_open.all()
    assert "(no activity)" in found.open_rule
    at_once = ClosingFact(
        {"Create Order": 1.0}, 0.5, 1e9, {}, (Ending(("Create Order", "Credit Check"), 1.0),)
    )
    rule = read_log(request(place, closing=at_once)).open_rule
    assert "the last activity is one of Create Order, Create Order > Credit Check, or after" in rule
    alone = ClosingFact({"Create Order": 1.0}, 0.5, 86400.0, {"Ship": 9e4}, ())
    rule = read_log(request(place, closing=alone)).open_rule
    assert "the last activity is Create Order, or after 1.0 days without an event, more or less after" in rule


def test_a_renamed_activity_closes_cases_under_the_logs_name(place: Path) -> None:
    """The rule of a twin whose last activity was renamed still finds the same open cases."""
    from dataclasses import replace

    source = read_log(request(place))
    twin = replace(known_twin(), closing=source.closing)
    renamed = apply_overrides(twin, [Rename("Goods Issue", "Ship"), Rename("Create Invoice", "Bill")])
    assert renames(renamed) == {"Goods Issue": "Ship", "Create Invoice": "Bill"}
    assert renamed.closing != source.closing
    translated = closing_in_log_words(renamed)
    assert translated == source.closing
    again = read_log(request(place, closing=translated))
    assert list(again.snapshot.is_open) == list(source.snapshot.is_open)
    assert 0 < again.snapshot.is_open.sum() < again.snapshot.n_cases
    assert closing_in_log_words(known_twin()) is None
    last = source.snapshot.origin + timedelta(seconds=source.snapshot.until_s)
    wanted = ForecastRequest(last, replications=1, plain=True)
    by_name = [forecast_command(t, request(place), wanted, Progress()) for t in (twin, renamed)]
    assert {o.case_id for o in by_name[0].orders} == {o.case_id for o in by_name[1].orders}
    only = ClosingFact({"Create Order": 1.0}, 0.5, 1e9)
    strict = apply_overrides(replace(twin, closing=only), [Rename("Create Order", "Accept")])
    assert len(forecast_command(strict, request(place), wanted, Progress()).orders) > len(by_name[0].orders)


def test_ids_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"none.txt can't be read \(No such file or directory\); give a text file"
    ):
        read_ids(tmp_path / "none.txt")
    (tmp_path / "ids").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="it is no UTF-8 text"):
        read_ids(tmp_path / "ids")


def test_a_twin_is_a_path_or_a_name_and_version(tmp_path: Path) -> None:
    twin = known_twin()
    save(twin, tmp_path / "t.json")
    db = str(tmp_path / "db")
    assert read_twin(str(tmp_path / "t.json"), db) == twin
    with Historian(db) as historian:
        for _ in range(2):
            historian.save_model("orders", to_json(twin))
    assert read_twin("orders", db) == read_twin("orders@2", db) == twin
    for name in ("order", "orders@3", "orders@x", "@1"):
        with pytest.raises(DataError, match="it holds: orders@1, orders@2"):
            read_twin(name, db)
    with pytest.raises(DataError, match="no such twin file, and no database"):
        read_twin("orders", str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2024-03-01T09:00:00Z", 9),
        ("2024-03-01T09:00", 9),
        (" 2024-03-01T09:00:00+02:00 ", 7),
        ("2024-03-01", 0),
    ],
)
def test_instants_are_utc_unless_they_say_otherwise(text: str, hour: int) -> None:
    assert instant(text, "--start") == datetime(2024, 3, 1, hour, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "soon", "2024-13-01", "0001-01-01", "9999-12-31T23:00:00Z"])
def test_texts_that_are_no_instant_name_the_option(text: str) -> None:
    with pytest.raises(UsageError, match="--as-of") as caught:
        instant(text, "--as-of")
    assert isinstance(caught.value, TwinError)
    assert caught.value.exit_code == 2


def test_a_configuration_that_says_nothing_of_the_log_leaves_it_read_as_before(tmp_path: Path) -> None:
    config = tmp_path / "twin.toml"
    for text, as_before in (("[orders]\nvalue = 'x'\n", True), ("[log]\ntime_zone = 'UTC'\n", False)):
        config.write_text(text, encoding="utf-8")
        assert log_request("orders.csv", "db", config=config).as_before == as_before
