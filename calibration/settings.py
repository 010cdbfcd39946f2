"""What a calibration can be told: which parts of the model to use, and what the log's columns mean."""

from __future__ import annotations

from dataclasses import dataclass, field

from metagraph.errors import UsageError
from metagraph.orders import ProfitShape

FADING = "fading"
ARRIVAL_MODELS = ("weekly", FADING, "recent", "trend")
"""All models of arrivals, the simplest first."""

EACH, RARE_MERGED, ROLES = "each agent by itself", "rare agents merged", "roles as pools"
RESOURCE_MODELS = (EACH, RARE_MERGED, ROLES)
"""Whom the agents of the model stand for."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A class or segment for the orders whose case attributes all have these values; the first rule wins."""

    result: str
    when: tuple[tuple[str, str], ...]
    """(column, value) pairs that must all hold."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What orders of a class and segment (None: of all) are worth and promise, where no column says so.

    The most specific promise that names a field wins: class and segment, class, segment, all.
    """

    cls: str | None = None
    segment: str | None = None
    value: float | None = None
    due_working_days: int | None = None
    """Due at the end of the n-th working day after release."""
    due_after_s: float | None = None
    """Or: due this long after release, wall-clock."""
    lost_after_s: float | None = None
    """The sale is lost this long after release."""


@dataclass(frozen=True, slots=True)
class OrderSpec:
    """What the analyst says of orders; the empty spec makes all orders alike, with no dates and no money."""

    class_column: str | None = None
    segment_column: str | None = None
    class_rules: tuple[Rule, ...] = ()
    """Used where there is no column, or the case has no value in it."""
    segment_rules: tuple[Rule, ...] = ()
    value_column: str | None = None
    """Money."""
    due_column: str | None = None
    """Instants as ISO 8601 text (UTC where no zone is given)."""
    lost_column: str | None = None
    promises: tuple[Promise, ...] = ()
    cancelled: tuple[str, ...] = ()
    """Activities that mean the customer gave up: patience is fitted from the time until them."""
    profit: ProfitShape | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """One way to calibrate. Two calibrations with equal settings on the same log are equal."""

    history: int = 3
    """Routing looks at up to this many of the order's last completed activities."""
    visits: bool = True
    """Routing may also depend on how often the order has been at the gateway."""
    min_context: int = 5
    """A routing row needs at least this many decisions; the row without context needs none."""
    use_delay: bool = True
    """Waiting that neither shifts nor work in hand explain becomes a delay before the task."""
    use_pace: bool = False
    """Delays run at the pace at which work begins in each hour of the week; else by the wall clock."""
    own_hours: bool = False
    """Delays before a task that needs nobody run at the pace at which that task begins: no calendar says that
    suppliers answer in office hours and that a system pays at night."""
    use_timeouts: bool = False
    """Delays are counted from the order's release before tasks that the log shows to wait for an age of the
    order; see `calibration/timeouts.py`."""
    use_contention: bool = True
    """Agents work on a few orders at once and others wait for them; without it nobody ever waits for anybody
    and all of the waiting (off shift excepted, if calendars are used) is delay."""
    use_calendars: bool = True
    """Work is done in the weekly hours of its agent; without it agents work around the clock."""
    drawn_shifts: bool = False
    """Agents come and go as on a day drawn from their past, where the log tells when they were away: at least
    two executions on a day of presence, and twelve days. Their work and delays are measured by the days on
    which they were there. All others keep the same hours every week."""
    extra_hours: bool = False
    """Agents with the same hours every week are now and then there outside of them, too, as often as the log
    shows."""
    changed_hours: bool = False
    """Agents whose shift or weekdays changed have those since then; else hours over the whole window."""
    turnover: bool = False
    """Agents who left are given no more work, and those who came count from their first day."""
    resources: str = EACH
    """Whom agents stand for: one person each; with those of a role who were seen too rarely to tell anything
    of each merged into one; or one agent a role, who works on as much at once as its people did."""
    apart: tuple[str, ...] = ()
    """People who are never merged, as something is said of them by hand."""
    use_batching: bool = False
    """Work that the log collects before it is done is collected."""
    use_priorities: bool = False
    """Queues take work in the order that the log shows; else first come, first served."""
    use_rules: bool = False
    """Gateways also look at the orders' attributes, by rules that can be read and changed."""
    use_inclusive: bool = False
    """Parallel branches whose skips depend on each other are chosen together; else each for itself."""
    arrivals: str = "weekly"
    """Which model of arrivals; see `calibration/arrivals.py`."""
    pooled: bool = True
    """Sparse cells of the duration tables borrow from their neighbours; else they take over their law."""
    arrivals_corrected: bool | None = None
    """Whether cases that were unfinished at the end are missing from the log, so that arrivals seem to fade;
    None: judged from the log."""
    weighted: bool = True
    """Where such cases are missing, cases count the more the likelier they would have been left out."""
    half_life_weeks: float | None = None
    """Arrivals this long ago count half in the model 'fading', and days from which those of agents are drawn;
    None: judged from the log, without that model."""
    window_share: float = 1.0
    """Only this last share of the cases is used, except where it says too little (see `Window`)."""
    time_zone: str = "UTC"
    """IANA zone in which weeks and hours are read."""
    holidays: str | None = None
    """Country whose public holidays are to come, by its two-letter code; "none": no country's; None: judged
    from the days on which hardly anybody worked."""
    ks_limit: float = 0.1
    """A parametric family may differ from the data by this Kolmogorov-Smirnov distance at most."""
    fast: bool = False
    """Durations as empirical quantile functions straight away: for candidates that are only compared."""
    orders: OrderSpec = field(default_factory=OrderSpec)

    def __post_init__(self) -> None:
        if not 0 < self.window_share <= 1:
            raise ValueError(f"window_share is {self.window_share}; expected a share above 0, at most 1")
        if self.history < 0 or self.min_context < 1:
            raise ValueError("history must be 0 or more and min_context 1 or more")
        if self.arrivals not in ARRIVAL_MODELS:
            raise UsageError(f"arrivals is {self.arrivals!r}; expected one of: {'; '.join(ARRIVAL_MODELS)}")
        if self.resources not in RESOURCE_MODELS:
            raise UsageError(
                f"resources is {self.resources!r}; expected one of: {'; '.join(RESOURCE_MODELS)}"
            )
        if self.arrivals == FADING and self.half_life_weeks is None:
            raise UsageError(f"arrivals is {FADING!r} without half_life_weeks: say how fast the past fades")
