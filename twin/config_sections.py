"""The tables of twin.toml, one class each (see docs/configuration.md)."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, Strict, model_validator

from twin.calendar_text import parse_hours


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no IANA time zone such as 'Europe/Berlin'") from error
    return name


def _holidays(code: str) -> str:
    if code == "none":
        return code
    import holidays

    if len(code) != 2 or code not in holidays.list_supported_countries():
        raise ValueError(
            f"{code!r} is no country whose public holidays are known; expected the two capital letters of "
            "its ISO 3166 code, such as 'AT' for Austria, or 'none'"
        )
    return code


def _hours(text: str) -> str:
    parse_hours(text)
    return text


Name = Annotated[str, Field(min_length=1)]
Zone = Annotated[str, AfterValidator(_zone)]
Holidays = Annotated[str, AfterValidator(_holidays)]
Hours = Annotated[str, AfterValidator(_hours)]
Share = Annotated[float, Field(ge=0, le=1)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Names = Annotated[tuple[Name, ...], Strict(False), Field(min_length=1)]
EventRole = Literal["case", "activity", "resource", "start", "end", "timestamp", "lifecycle", "instance"]
CaseRole = Literal["class", "segment", "due", "value"]


class Section(BaseModel):
    """A table of the file: unknown keys are refused, nothing is converted silently."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class LogSection(Section):
    """[log]: how the log is read."""

    time_zone: Zone = "UTC"
    time_format: Name | None = None
    bad_rows: Literal["refuse", "quarantine"] = "refuse"
    map: dict[EventRole | CaseRole, str] = Field(default_factory=dict)


class BuildSection(Section):
    """[build]: how the twin is built."""

    seed: Annotated[int, Field(ge=0)] = 0
    noises: Annotated[tuple[Share, ...], Strict(False), Field(min_length=1)] = (0.0, 0.2, 0.4)
    time_zone: Zone | None = None
    history: Annotated[int, Field(ge=0, le=5)] = 3
    min_context: Annotated[int, Field(ge=1)] = 5
    ks_limit: Share = 0.1
    arrivals_corrected: bool | None = None
    half_life_weeks: Positive | None = None
    holidays: Holidays | None = None


class ProfitSection(Section):
    """[orders.profit]: the paper's Figure 1 in percent of the order's value."""

    early: Number = 100.0
    due: Number = 100.0
    late: Number = 90.0
    final: Number = 0.0
    lost: Number = 0.0

    @model_validator(mode="after")
    def _falling_percentages(self) -> Self:
        if not self.due >= self.late >= self.final >= self.lost:
            raise ValueError("profit must not rise after the due date: due >= late >= final >= lost")
        if 0 < abs(self.early) <= 1.5 or 0 < abs(self.due) <= 1.5:
            raise ValueError("profits are percentages of the order's value: write 90 for 90 %")
        return self


class Kind(Section):
    """[[orders.classes]] or [[orders.segments]]: a name for the cases whose columns have these values."""

    name: Name
    when: Annotated[dict[Name, str], Field(min_length=1)]


class PromiseSection(Section):
    """What holds for orders of a class and segment, where no column says so."""

    cls: Name | None = Field(default=None, alias="class")
    segment: Name | None = None
    value: NotNegative | None = None
    due_working_days: Annotated[int, Field(ge=0)] | None = None
    due_after_h: Positive | None = None
    lost_after_h: Positive | None = None

    @model_validator(mode="after")
    def _one_due_rule(self) -> Self:
        if self.due_working_days is not None and self.due_after_h is not None:
            raise ValueError("give due_working_days or due_after_h, not both")
        return self


class OrdersSection(Section):
    """[orders]: columns of the log, then rules for what no column says."""

    cls: Name | None = Field(default=None, alias="class")
    segment: Name | None = None
    value: Name | None = None
    due: Name | None = None
    lost: Name | None = None
    cancelled: Names | None = None
    classes: Annotated[tuple[Kind, ...], Strict(False)] = ()
    segments: Annotated[tuple[Kind, ...], Strict(False)] = ()
    promises: Annotated[tuple[PromiseSection, ...], Strict(False)] = ()
    profit: ProfitSection | None = None


class ApprovalSection(Section):
    """[[approvals]]: who looked at the model and let it be used."""

    who: Name
    when: AwareDatetime
    note: str = ""


class DurationOverride(Section):
    """A task's working time: one of constant, mean (the fitted shape is scaled), or a scipy family."""

    constant_min: NotNegative | None = None
    mean_min: Positive | None = None
    family: Name | None = None
    params: Annotated[tuple[Number, ...], Strict(False)] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = (self.constant_min, self.mean_min, self.family)
        if sum(way is not None for way in ways) != 1 or (self.family is None) != (self.params is None):
            raise ValueError("give one of constant_min, mean_min, or family with params (scipy's, seconds)")
        return self


class ActivityOverride(Section):
    """[overrides.activity."NAME"]"""

    rename: Name | None = None
    drop: bool = False
    agents: Names | None = None
    duration: DurationOverride | None = None
    preemptible: bool | None = None


class AgentOverride(Section):
    """[overrides.agent."NAME"]"""

    calendar: Hours | None = None


class RuleOverride(Section):
    """A business rule: the orders that it is about, and where they go."""

    when: Name
    to: dict[Name, Share]


class GatewayOverride(Section):
    """[overrides.gateway."NAME"]"""

    rules: Annotated[tuple[RuleOverride, ...], Strict(False)] | None = None


class OverridesSection(Section):
    """[overrides]: what the analyst knows better; applied after every calibration."""

    activity: dict[Name, ActivityOverride] = Field(default_factory=dict)
    agent: dict[Name, AgentOverride] = Field(default_factory=dict)
    gateway: dict[Name, GatewayOverride] = Field(default_factory=dict)
    routing: dict[Name, dict[Name, Share]] = Field(default_factory=dict)
    """Gateway -> the task, gateway or flow that a branch leads to -> its probability."""


class TwinConfig(Section):
    """The whole file."""

    log: LogSection = Field(default_factory=LogSection)
    build: BuildSection = Field(default_factory=BuildSection)
    orders: OrdersSection = Field(default_factory=OrdersSection)
    overrides: OverridesSection = Field(default_factory=OverridesSection)
    approvals: Annotated[tuple[ApprovalSection, ...], Strict(False)] = ()
