"""twin.toml: read, checked with a sentence for every fault, turned into what build takes, and written by the
page (see docs/configuration.md)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from metagraph.errors import DataError
from twin.calendar_text import parse_hours
from twin.config_sections import (
    ApprovalSection,
    DurationOverride,
    OrdersSection,
    OverridesSection,
    TwinConfig,
)
from twin.files import write_whole
from twin.toml_checked import Path_, checked, read_text
from twin.toml_checked import known_keys as keys_of
from twin.toml_text import line_ending, replace_section, table_text

if TYPE_CHECKING:
    from calibration.overrides import OverrideSpec
    from calibration.settings import OrderSpec, Settings
    from metagraph.distributions import Constant, Parametric
    from metagraph.model import Approval

_WHAT = "the configuration"


def load_config(path: Path | str) -> TwinConfig:
    """Read a twin.toml.

    Raises DataError naming file, line and key for a file that can't be read, isn't TOML, has an unknown key
    or a value that can't be meant.
    """
    return _checked(read_text(Path(path), _WHAT), str(path))


def settings(config: TwinConfig) -> Settings:
    """What calibration is told."""
    from calibration.settings import ARRIVAL_MODELS, FADING, Settings

    build = config.build
    return Settings(
        history=build.history,
        min_context=build.min_context,
        ks_limit=build.ks_limit,
        arrivals_corrected=build.arrivals_corrected,
        arrivals=ARRIVAL_MODELS[0] if build.half_life_weeks is None else FADING,
        half_life_weeks=build.half_life_weeks,
        time_zone=build.time_zone or config.log.time_zone,
        holidays=build.holidays,
        orders=order_spec(config.orders),
        apart=_named_people(config.overrides),
    )


def _named_people(overrides: OverridesSection) -> tuple[str, ...]:
    """Whom something is said of by hand."""
    of_tasks = (name for said in overrides.activity.values() for name in said.agents or ())
    return tuple(sorted({*overrides.agent, *of_tasks}))


def order_spec(orders: OrdersSection) -> OrderSpec:
    """What calibration is told of orders; percentages become shares, hours seconds."""
    from calibration.settings import OrderSpec, Promise, Rule
    from metagraph.orders import ProfitShape

    shape = orders.profit
    return OrderSpec(
        class_column=orders.cls,
        segment_column=orders.segment,
        class_rules=tuple(Rule(kind.name, tuple(kind.when.items())) for kind in orders.classes),
        segment_rules=tuple(Rule(kind.name, tuple(kind.when.items())) for kind in orders.segments),
        value_column=orders.value,
        due_column=orders.due,
        lost_column=orders.lost,
        promises=tuple(
            Promise(
                p.cls,
                p.segment,
                p.value,
                p.due_working_days,
                _seconds(p.due_after_h),
                _seconds(p.lost_after_h),
            )
            for p in orders.promises
        ),
        cancelled=orders.cancelled or (),
        profit=None if shape is None else ProfitShape(*(percent / 100 for _, percent in shape)),
    )


def override_specs(overrides: OverridesSection) -> tuple[OverrideSpec, ...]:
    """What calibration is told to apply by hand; minutes become seconds."""
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

    specs: list[OverrideSpec] = []
    for activity, said in overrides.activity.items():
        if said.agents is not None:
            specs.append(SetAgents(activity, said.agents))
        if said.duration is not None:
            specs.append(SetDuration(activity, *_law_or_mean(said.duration)))
        if said.preemptible is not None:
            specs.append(SetPreemptible(activity, said.preemptible))
        if said.drop:
            specs.append(Drop(activity))
        if said.rename is not None:
            specs.append(Rename(activity, said.rename))
    specs += [
        SetHours(agent, parse_hours(said.calendar))
        for agent, said in overrides.agent.items()
        if said.calendar is not None
    ]
    specs += [SetRouting(gateway, tuple(w.items())) for gateway, w in overrides.routing.items()]
    specs += [
        SetRules(gateway, tuple(RuleByHand(rule.when, tuple(rule.to.items())) for rule in said.rules))
        for gateway, said in overrides.gateway.items()
        if said.rules is not None
    ]
    return tuple(specs)


def _law_or_mean(said: DurationOverride) -> tuple[Constant | Parametric | None, float | None]:
    """A law in seconds, or a mean in seconds."""
    from metagraph.distributions import Constant, Parametric

    if said.constant_min is not None:
        return Constant(said.constant_min * 60), None
    if said.family is not None:
        return Parametric(said.family, said.params or ()), None
    return None, (said.mean_min or 0.0) * 60


def approvals(config: TwinConfig) -> tuple[Approval, ...]:
    """Who approved the model, when."""
    from metagraph.model import Approval

    return tuple(Approval(a.who, a.when, a.note) for a in config.approvals)


def write_overrides(path: Path | str, overrides: OverridesSection) -> None:
    """Replace the [overrides] tables of a twin.toml (made if it isn't there); all else stays byte for byte.

    Raises DataError, leaving the file as it was, if it has faults or holds overrides that aren't in tables of
    their own.
    """
    path = Path(path)
    tables = "\n".join(_override_tables(overrides))
    before = read_text(path, _WHAT) if path.exists() else ""
    after = replace_section(before, "overrides", tables)
    wanted = _checked(before, str(path)).model_copy(update={"overrides": overrides})
    if not _reads_as(after, wanted):
        raise DataError(
            f"{path}: the [overrides] can't be replaced without touching the rest of the file; "
            'give each its own table, such as [overrides.activity."Credit Check"]'
        )
    _write(path, after)


def approve(path: Path | str, who: str, when: datetime, note: str = "") -> None:
    """Add an [[approvals]] entry at the end of a twin.toml (made if it isn't there).

    Raises DataError if the file has faults, nobody is named, or `when` has no time zone.
    """
    path = Path(path)
    before = read_text(path, _WHAT) if path.exists() else ""
    old = _checked(before, str(path))
    if not who.strip() or when.tzinfo is None:
        raise DataError(f"{path}: an approval needs a name and an instant with a time zone")
    made = ApprovalSection(who=who, when=when, note=note)
    gap = "" if not before else "\n" if before.endswith("\n") else "\n\n"
    entry = made.model_dump(exclude_defaults=True)
    added = gap + table_text(("approvals",), entry, repeated=True)
    after = before + added.replace("\n", line_ending(before))
    if not _reads_as(after, old.model_copy(update={"approvals": (*old.approvals, made)})):
        raise DataError(f"{path}: an approval can't be added; write the others as [[approvals]] tables, too")
    _write(path, after)


def _write(path: Path, text: str) -> None:
    def fill(beside: Path) -> None:
        beside.write_bytes(text.encode())

    write_whole(path, fill)


def _reads_as(text: str, wanted: TwinConfig) -> bool:
    try:
        return _checked(text, "") == wanted
    except DataError:
        return False


def _override_tables(overrides: OverridesSection) -> Iterator[str]:
    kinds = overrides.model_dump(exclude_none=True, exclude_defaults=True)
    for kind, entries in kinds.items():
        for name, values in entries.items():
            yield table_text(("overrides", kind, name), values)


def _seconds(hours: float | None) -> float | None:
    return None if hours is None else hours * 3600


def _checked(text: str, source: str) -> TwinConfig:
    return checked(text, source, TwinConfig)


def known_keys(path: Path_ = ()) -> tuple[str, ...]:
    """The keys of the table at a path; list positions are passed over, any name stands for a named entry."""
    return keys_of(TwinConfig, path)
