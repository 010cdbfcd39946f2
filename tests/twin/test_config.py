"""twin.toml: what it says, the sentence for each fault, and edits that touch nothing else."""

from __future__ import annotations

import os
import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.overrides import (
    Drop,
    Rename,
    SetAgents,
    SetDuration,
    SetHours,
    SetPreemptible,
    SetRouting,
    SetRules,
)
from calibration.rules_override import RuleByHand
from calibration.settings import Promise, Rule
from metagraph.calendars import Calendar
from metagraph.distributions import Constant, Parametric
from metagraph.errors import DataError
from twin.calendar_text import parse_hours
from twin.config import (
    approvals,
    approve,
    known_keys,
    load_config,
    order_spec,
    override_specs,
    settings,
    write_overrides,
)
from twin.config_sections import (
    ActivityOverride,
    AgentOverride,
    DurationOverride,
    GatewayOverride,
    OverridesSection,
    RuleOverride,
)
from twin.toml_text import line_of, replace_section, table_text, value_text
from twin.words import hours_text

ROOT = Path(__file__).parents[2]
FULL = """\
# The twin of our order desk
[log]
time_zone = "Europe/Berlin"
map = { case = "Order No.", activity = "Step" }

[build]
noises = [0, 0.3]

[orders]
class = "line"
due = "due_date"
cancelled = ["Cancel Order"]

[orders.profit]
late = 80
final = 30

[[orders.segments]]
name = "key account"
when = { customer = "ACME" }

[[orders.promises]]
segment = "key account"
due_working_days = 5
lost_after_h = 240

# what Jo told us
[overrides.agent."Ann B."]
calendar = "Mon-Fri 08:00-16:00"  # part time

# signed
[[approvals]]
who = "Jo"
when = 2026-11-02T09:00:00Z
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "twin.toml"


def test_the_file_becomes_what_calibration_takes(path: Path) -> None:
    path.write_text(FULL)
    config = load_config(path)
    chosen = settings(config)
    assert chosen.time_zone == "Europe/Berlin"
    assert config.build.noises == (0.0, 0.3)
    spec = order_spec(config.orders)
    assert spec == chosen.orders
    assert (spec.class_column, spec.due_column, spec.cancelled) == ("line", "due_date", ("Cancel Order",))
    assert spec.segment_rules == (Rule("key account", (("customer", "ACME"),)),)
    assert spec.promises == (Promise(segment="key account", due_working_days=5, lost_after_s=864000.0),)
    assert spec.profit is not None
    assert (spec.profit.due, spec.profit.late, spec.profit.final) == (1.0, 0.8, 0.3)
    assert approvals(config)[0].who == "Jo"


def test_people_named_by_hand_stay_by_themselves(path: Path) -> None:
    task, hours = '[overrides.activity."Ship"]\nagents = ["Bob", "Ann"]\n', 'calendar = "Mon 08:00-12:00"\n'
    path.write_text(f'{task}[overrides.agent."Eve"]\n{hours}')
    assert settings(load_config(path)).apart == ("Ann", "Bob", "Eve")


def test_an_empty_file_changes_nothing(path: Path) -> None:
    from calibration.settings import Settings

    path.write_text("")
    assert settings(load_config(path)) == Settings()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[build]\nnoise = 0.2", r"twin.toml, line 2: \[build\] has no key 'noise'; did you mean 'noises'\?"),
        ("\n[biuld]\nseed = 1", r"twin.toml, line 2: the file has no key 'biuld'; did you mean 'build'\?"),
        ("[build]\nseed = 'x'", r"line 2: build.seed is \"x\": expected a valid integer"),
        ("[build]\nnoises = [0.2, 20]", r"line 2: build.noises\[2\] is 20: expected less than or equal to 1"),
        *(
            (f"[build]\nholidays = '{code}'", f"twin.toml, line 2: build.holidays: '{code}' is no .* as 'AT'")
            for code in ("XX", "Austria", "at", "AUT")
        ),
        ("[log]\ntime_zone = 'Berlin'", r"line 2: log.time_zone: 'Berlin' is no IANA time zone"),
        (
            "[[orders.promises]]\nsegment = 'a'\n[[orders.promises]]\nsegmnt = 'a'",
            r"line 4: \[orders.promises\[2\]\] has no key 'segmnt'; did you mean 'segment'\?",
        ),
        ("[[orders.classes]]\nname = 'a'", r"line 1: \[orders.classes\[1\]\] lacks the key 'when'"),
        ("[orders.profit]\ndue = 0.9\nlate = 0", r"line 1: orders.profit: .* write 90 for 90 %"),
        ("[orders.profit]\nlate = 110", "must not rise after the due date"),
        ("[overrides.agent.Ann]\ncalendar = 'Mon-Fri 8-16'", r"line 2: overrides.agent.Ann.calendar: '8-16'"),
        ("[overrides.activity.X]\nduration = { mean_min = 1, constant_min = 1 }", "line 2: .* give one of"),
        ("[overrides.routing.xor1]\nX = 1.2", r"line 2: overrides.routing.xor1.X is 1.2"),
        ("[[approvals]]\nwho = 'me'\nwhen = 2026-01-01T10:00:00", r"line 3: approvals\[1\].when"),
        ("[log\n", r"twin.toml: not valid TOML: .*line 1.*; mend that line"),
    ],
)
def test_every_fault_has_its_sentence(path: Path, text: str, sentence: str) -> None:
    path.write_text(text)
    with pytest.raises(DataError, match=sentence) as raised:
        load_config(path)
    assert "\n" not in str(raised.value)


def test_all_faults_are_told_at_once(path: Path) -> None:
    path.write_text("[build]\nnoise = 1\n[log]\nmapp = {}\n")
    with pytest.raises(DataError, match=r"'noise'.*'mapp'"):
        load_config(path)


def test_a_missing_or_binary_file(path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        load_config(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="UTF-8"):
        load_config(path)


def test_a_pipe_is_refused_as_its_content_comes_only_once(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(DataError, match=r"no regular file.*save the configuration in a file"):
        load_config(path)
    with pytest.raises(DataError, match="no regular file"):
        load_config(path.parent)


def test_a_windows_editor_may_have_written_it(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf[build]\r\nseed = 3\r\n")
    approve(path, "Jo", datetime(2026, 11, 2, tzinfo=UTC))
    assert load_config(path).build.seed == 3
    assert path.read_bytes().startswith(b"\xef\xbb\xbf[build]\r\nseed = 3\r\n\r\n[[approvals]]\r\n")


OVERRIDES = OverridesSection(
    activity={
        'Check "credit"': ActivityOverride(
            rename="Credit Check", agents=("Ann B.", "Zoë"), duration=DurationOverride(mean_min=10.0)
        ),
        "Old step": ActivityOverride(drop=True, preemptible=False),
    },
    agent={"Ann B.": AgentOverride(calendar="Mon–Thu 08:00–12:00, 13:00–16:30")},
    gateway={"xor1": GatewayOverride(rules=(RuleOverride(when="a == 'b \"c\"'", to={"Credit Check": 1.0}),))},
    routing={"xor1": {"Credit Check": 0.2}},
)


def test_overrides_are_replaced_and_all_else_stays(path: Path) -> None:
    path.write_text(FULL)
    write_overrides(path, OVERRIDES)
    assert load_config(path).overrides == OVERRIDES
    head, tail = FULL.split("[overrides", 1)[0], FULL[FULL.index("# signed") :]
    text = path.read_text()
    assert text.startswith(head)
    assert text.endswith(tail)
    write_overrides(path, OVERRIDES)
    assert path.read_text() == text
    write_overrides(path, OverridesSection())
    assert path.read_text() == head + tail


def test_overrides_become_what_calibration_applies() -> None:
    said = {
        "activity": {
            "A": {"drop": True, "rename": "B", "agents": ["Ann"], "preemptible": False},
            "C": {"duration": {"constant_min": 2}},
            "D": {"duration": {"mean_min": 2.5}},
            "E": {"duration": {"family": "expon", "params": [0, 60]}},
        },
        "agent": {"Ann": {"calendar": "Mon 08:00-09:00"}},
        "routing": {"xor1": {"A": 0.2}},
        "gateway": {"xor1": {"rules": [{"when": "amount > 5", "to": {"A": 0.9}}]}, "xor2": {"rules": []}},
    }
    assert override_specs(OverridesSection.model_validate(said)) == (
        SetAgents("A", ("Ann",)),
        SetPreemptible("A", False),
        Drop("A"),
        Rename("A", "B"),
        SetDuration("C", law=Constant(120.0)),
        SetDuration("D", mean_s=150.0),
        SetDuration("E", law=Parametric("expon", (0.0, 60.0))),
        SetHours("Ann", ((28800.0, 32400.0),)),
        SetRouting("xor1", (("A", 0.2),)),
        SetRules("xor1", (RuleByHand("amount > 5", (("A", 0.9),)),)),
        SetRules("xor2", ()),
    )


def test_overrides_can_begin_a_file(path: Path) -> None:
    write_overrides(path, OVERRIDES)
    assert load_config(path).overrides == OVERRIDES
    assert list(path.parent.iterdir()) == [path]


def test_overrides_that_are_no_tables_are_left_alone(path: Path) -> None:
    text = 'overrides.agent.Ann.calendar = "Mon-Fri 08:00-16:00"\n'
    path.write_text(text)
    with pytest.raises(DataError, match="its own table"):
        write_overrides(path, OVERRIDES)
    assert path.read_text() == text


def test_approvals_are_added(path: Path) -> None:
    path.write_text(FULL)
    approve(path, "Maria", datetime(2026, 11, 3, 8, 30, tzinfo=UTC), "after the audit")
    assert path.read_text().startswith(FULL)
    last = approvals(load_config(path))[-1]
    assert (last.who, last.when, last.note) == (
        "Maria",
        datetime(2026, 11, 3, 8, 30, tzinfo=UTC),
        "after the audit",
    )
    for who, when in (("", datetime(2026, 1, 1, tzinfo=UTC)), ("Jo", datetime(2026, 1, 1))):  # noqa: DTZ001
        with pytest.raises(DataError, match="a name and an instant with a time zone"):
            approve(path, who, when)


@given(
    st.dictionaries(
        st.text(),
        st.text()
        | st.integers(-(2**60), 2**60)
        | st.booleans()
        | st.lists(st.floats(allow_nan=False, allow_infinity=False)),
    )
)
def test_what_is_written_reads_the_same(values: dict[str, object]) -> None:
    assert tomllib.loads(table_text(("a b", "c"), values)) == {"a b": {"c": values}}
    assert tomllib.loads(f"x = {value_text(values)}") == {"x": values}


def test_lines_are_found_in_quoted_and_repeated_tables() -> None:
    text = '[a."b.c"]\nd = 1\n\n[[e]]\nf = 1\n[[e]]\nf = 2\n[[e]]\nf = 3'
    assert line_of(text, ("a", "b.c", "d")) == 2
    assert line_of(text, ("e", 1, "f")) == 7
    assert line_of(text, ("e", 1, "missing")) == 6
    assert line_of(text, ("z",)) is None


def test_text_that_only_looks_like_a_section_is_not_lost(path: Path) -> None:
    text = 'x = """\n[overrides]\n"""\n[y]\n'
    assert replace_section(text, "overrides", "") != text, "the text alone can't tell"
    path.write_text('[[approvals]]\nwho = """\n[overrides]\n"""\nwhen = 2026-01-01T00:00:00Z\n')
    before = path.read_text()
    with pytest.raises(DataError):
        write_overrides(path, OVERRIDES)
    assert path.read_text() == before


def minute_spans() -> st.SearchStrategy[tuple[tuple[float, float], ...]]:
    cuts = st.lists(st.integers(0, 7 * 1440), min_size=2, max_size=12, unique=True).map(sorted)
    return cuts.map(
        lambda c: tuple((60.0 * a, 60.0 * b) for a, b in zip(c[::2], c[1::2], strict=False))
    ).filter(bool)


@given(minute_spans())
def test_hours_are_read_as_they_are_written(hours: tuple[tuple[float, float], ...]) -> None:
    assert parse_hours(hours_text(Calendar("c", hours))) == hours


def test_hours_may_pass_midnight() -> None:
    assert parse_hours("Sun 22:00-06:00") == ((0.0, 6 * 3600.0), (6 * 86400 + 22 * 3600.0, 7 * 86400.0))
    assert parse_hours("Fri-Mon 10:00-11:00")[0] == (36000.0, 39600.0)
    assert parse_hours("always") == Calendar("c").hours


def every_key(path: tuple[str, ...] = ()) -> set[str]:
    """All keys of the file, wherever they stand."""
    keys = set(known_keys(path))
    named = {"overrides": ("activity", "agent", "routing", "gateway")}
    for key in sorted(keys):
        inside = (*path, key)
        keys |= every_key(inside)
        if path and key in named.get(path[-1], ()):
            keys |= every_key((*inside, "NAME"))
    return keys


def test_every_key_is_documented() -> None:
    document = (ROOT / "docs" / "configuration.md").read_text()
    code = " ".join(re.findall(r"`[^`\n]+`", re.sub(r"```.*?```", "", document, flags=re.DOTALL)))
    keys = every_key()
    assert {"noises", "due_working_days", "mean_min", "who", "calendar", "lost"} <= keys
    missing = [key for key in sorted(keys) if not re.search(rf"\b{key}\b", code)]
    assert not missing, f"docs/configuration.md doesn't explain {missing}"


def test_the_documented_example_is_valid(path: Path) -> None:
    document = (ROOT / "docs" / "configuration.md").read_text()
    blocks = re.findall(r"```toml\n(.*?)```", document, re.DOTALL)
    assert blocks
    for block in blocks:
        path.write_text(block)
        load_config(path)
