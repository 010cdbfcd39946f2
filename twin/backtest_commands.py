"""What `tracetwin backtest policies` and `backtest scenario` do: contenders in, a ranking on the past out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from metagraph.errors import DataError, UsageError
from metagraph.model import Metagraph
from twin.as_of import seconds
from twin.backtest_policies import TwinAt, backtest, refitted_to, starts_of
from twin.backtest_results import BacktestOptions, PolicyBacktest
from twin.backtest_runs import BETTER, Contender
from twin.files import check_picture_name, check_writable, write_frame
from twin.planned_policy import MILP, Planning, rescheduling
from twin.policies import OWN, Wanted, policy_of
from twin.progress import Progress
from twin.renames import closing_in_log_words
from twin.source import LogRequest, instant, read_log, read_twin
from twin.spans import seconds_of

if TYPE_CHECKING:
    import pandas as pd

    from eventlogs.snapshot import Snapshot
    from twin.scenario_sections import Scenario

TRIED = ("P", "D", "S", "F1", "PD", "PS", "PDS")
"""Policies that are tried where none are named."""


@dataclass(frozen=True, slots=True)
class TryRequest:
    """What to try on which past."""

    twin: str
    log: LogRequest
    own: str = OWN
    """What is in force: a policy as --policies names them."""
    policies: tuple[str, ...] = TRIED
    rules: tuple[str, ...] = ()
    """Expressions on orders."""
    since: str = ""
    period: str = "7d"
    options: BacktestOptions = field(default_factory=BacktestOptions)
    planning: Planning = field(default_factory=Planning)
    as_is: bool = False
    """Take the twin as it is in every period, instead of fitting it to what was known."""
    out: Path | None = None
    chart: Path | None = None
    folder: Path = field(default_factory=Path.cwd)
    """Where policies written in Python are looked for."""


def policies_command(wanted: TryRequest, progress: Progress) -> PolicyBacktest:
    """Try policies on the past, and write what was asked for.

    Raises UsageError and DataError for what can't be tried, read or written.
    """
    names = [*wanted.policies, *(f"rule:{rule}" for rule in wanted.rules)]
    names = [name for name in dict.fromkeys(names) if name.upper() != wanted.own.upper()]
    if not names:
        raise UsageError("--policies names nothing beside what is in force: name others, or give a --rule")

    def contenders(log: Snapshot) -> Sequence[Contender]:
        own = _contender(wanted.own, wanted, "--own")
        option = {f"rule:{rule}": "--rule" for rule in wanted.rules}
        return [own, *(_contender(name, wanted, option.get(name, "--policies")) for name in names)]

    return _tried(wanted, contenders, progress)


def scenario_command(wanted: TryRequest, scenario: Path, progress: Progress) -> PolicyBacktest:
    """Try an edited process on the past, beside the process as it was; the same orders, ways and work.

    Raises UsageError and DataError as `policies_command`, and for what is no scenario.
    """
    from twin.edits import edited
    from twin.scenario import load_scenario

    said = load_scenario(scenario)

    def contenders(log: Snapshot) -> Sequence[Contender]:
        options = _options(wanted, log)
        begin = log.origin + timedelta(seconds=starts_of(log, options)[0])

        def edit(metagraph: Metagraph) -> Metagraph:
            return edited(metagraph, said, begin, Wanted(policy=wanted.own)).metagraph

        model = read_twin(wanted.twin, wanted.log.db)
        whole = edited(model, said, begin, Wanted(policy=wanted.own))
        if len(whole.phases) > 1:
            raise UsageError(
                f"{scenario}: a backtest tries a change that holds in all its periods; take 'from' and "
                "'until' out of all tables but [[hire]], [[lose]] and [[absence]]"
            )
        policy = whole.wanted(Wanted(policy=wanted.own))
        other = Contender(said.name, policy_of(policy, wanted.folder), edit=edit)
        return [_contender(wanted.own, wanted, "--own"), other]

    found = _tried(wanted, contenders, progress)
    return replace(found, notes=(*found.notes, *_limits(said)))


def _limits(scenario: Scenario) -> Iterator[str]:
    """What a replay doesn't show of a scenario."""
    if scenario.arrivals:
        yield "orders come as they came: what the scenario says of arrivals changes nothing here"
    if scenario.routing:
        yield "at gateways that the scenario changes, ways are drawn by its weights and not as they were"
    yield "what the scenario costs (wages, hiring, what is invested) isn't subtracted from its profit"


def _tried(
    wanted: TryRequest, contenders: Callable[[Snapshot], Sequence[Contender]], progress: Progress
) -> PolicyBacktest:
    check_writable(wanted.out, wanted.chart)
    check_picture_name(wanted.chart)
    if wanted.out is not None and not wanted.out.name.endswith((".csv", ".csv.gz")):
        raise UsageError(f"--out {wanted.out}: expected a name that ends in .csv")
    model = read_twin(wanted.twin, wanted.log.db)
    request = replace(wanted.log, closing=closing_in_log_words(model))
    log = read_log(request, tell=progress.part(0.0, 0.05).tell).snapshot
    options = _options(wanted, log)
    found = backtest(log, contenders(log), _twin_at(model, wanted), options, progress.part(0.05, 0.98))
    found = replace(found, notes=(*found.notes, *_seen(model, log, options, wanted)))
    if wanted.out:
        write_frame(wanted.out, frame(found))
    if wanted.chart:
        from twin.backtest_charts import backtest_chart
        from twin.drawing_tools import write_picture

        write_picture(wanted.chart, backtest_chart(found))
    return found


def _twin_at(model: Metagraph, wanted: TryRequest) -> TwinAt:
    if wanted.as_is:
        return lambda known: model
    if model.provenance is None or model.provenance.record is None:
        raise DataError(
            f"{model.name} doesn't say how it was built, so it can't be fitted to what was known in each "
            "period: build it anew from its log, or take it as it is with --as-is"
        )
    return refitted_to(model)


def _options(wanted: TryRequest, log: Snapshot) -> BacktestOptions:
    since_s = seconds(log, instant(wanted.since, "--since")) if wanted.since else None
    return replace(wanted.options, period_s=seconds_of(wanted.period, "--period"), since_s=since_s)


def _seen(model: Metagraph, log: Snapshot, options: BacktestOptions, wanted: TryRequest) -> tuple[str, ...]:
    """What the twin can't have known in the past."""
    known = model.provenance
    if known is None or seconds(log, known.until) <= starts_of(log, options)[0]:
        return ()
    until = f"{known.until:%Y-%m-%d}"
    if wanted.as_is:
        return (f"the twin was fitted to a log up to {until}, with it to what happened in the periods",)
    return (
        f"the twin's choices (its structure's recipe, what kinds of laws it has) were made on a log up to "
        f"{until}; its figures in each period are of what was known by then",
    )


def _contender(name: str, wanted: TryRequest, option: str) -> Contender:
    if name.lower() != MILP:
        return Contender(name, policy_of(Wanted(policy=name), wanted.folder, option))
    how = rescheduling(wanted.planning)
    return Contender(MILP, how.policy(), how)


def frame(found: PolicyBacktest) -> pd.DataFrame:
    """A row a period and contender."""
    import pandas as pd

    sign = BETTER[found.objective]
    return pd.DataFrame(
        [
            {
                "start": period.start,
                "end": period.end,
                "policy": name,
                **figures,
                "gain": sign * (figures[found.objective] - period.figures[found.own][found.objective]),
                "orders": period.orders,
                "advice": period.advice.call,
                "advised": period.advice.policy,
                "replay_error_h": period.error_h,
            }
            for period in found.periods
            for name, figures in period.figures.items()
        ]
    )
