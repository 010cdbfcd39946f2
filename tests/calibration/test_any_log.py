"""Whatever the log, the calibration is a valid metagraph or a refusal in one sentence."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.calibrate import calibrate
from calibration.settings import ARRIVAL_MODELS, RESOURCE_MODELS, Settings
from discovery.free_order import flower
from metagraph.json_io import from_json, to_json
from metagraph.validate import validate
from tests.calibration.builders import HOUR, Row, known, snapshot

instants = st.integers(0, 400).map(lambda h: h * HOUR / 4)


@st.composite
def a_row(draw: st.DrawFn) -> Row:
    start = draw(instants)
    lasting = draw(st.sampled_from([0.0, 0.0, 0.001, 60.0, 9 * HOUR, 30 * HOUR]))
    end = draw(st.sampled_from([start + lasting] * 5 + [None]))
    case, activity = draw(st.sampled_from("123456789")), draw(st.sampled_from(["A", "B", "Ö ", "NA"]))
    return case, activity, draw(st.sampled_from(["ann", "bob", " ö", None, None])), start, end


logs = st.lists(a_row(), min_size=1, max_size=60)
chosen_settings = st.builds(
    Settings,
    history=st.integers(0, 3),
    min_context=st.integers(1, 5),
    use_delay=st.booleans(),
    use_contention=st.booleans(),
    use_calendars=st.booleans(),
    use_pace=st.booleans(),
    own_hours=st.booleans(),
    drawn_shifts=st.booleans(),
    extra_hours=st.booleans(),
    turnover=st.booleans(),
    changed_hours=st.booleans(),
    use_batching=st.booleans(),
    use_priorities=st.booleans(),
    use_rules=st.booleans(),
    use_inclusive=st.booleans(),
    resources=st.sampled_from(RESOURCE_MODELS),
    arrivals=st.sampled_from(ARRIVAL_MODELS),
    pooled=st.booleans(),
    weighted=st.booleans(),
    holidays=st.sampled_from([None, "none", "AT"]),
    arrivals_corrected=st.sampled_from([None, True, False]),
    half_life_weeks=st.just(1.0),
    window_share=st.sampled_from([1.0, 0.5, 0.1]),
    time_zone=st.sampled_from(["UTC", "America/New_York", "Asia/Kathmandu"]),
    fast=st.sampled_from([True, True, False]),
)


kinds = st.dictionaries(st.sampled_from("123456789"), st.sampled_from(["1", "2.5", "x", "y"]))


@settings(deadline=None)
@given(logs, chosen_settings, st.sets(st.sampled_from("123456789")), kinds)
def test_any_small_log_calibrates(
    rows: list[Row], chosen: Settings, open_cases: set[str], kind: dict[str, str]
) -> None:
    running = {case for case, _, _, _, end in rows if end is None}
    log = snapshot(rows, open_cases=running | open_cases, attributes={"kind": kind})
    made = known(log, flower(log.activities))
    graph = calibrate(log, made.skeleton, made.replayed, chosen, name="made", seed=0)
    assert validate(graph) == ()
    assert from_json(to_json(graph), "made") == graph
    assert {t.label for t in graph.tasks()} == set(log.activities)
