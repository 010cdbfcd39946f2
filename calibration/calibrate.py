"""From a log's columns, a structure and its replay to a metagraph."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

import numpy as np

from calibration.agents import InHand, Resources, fit_resources, in_hand
from calibration.arrivals import arrival_defaults, fit_arrivals
from calibration.batch_work import with_batches
from calibration.batches import fit_batches
from calibration.breakdown import break_down
from calibration.class_mix import with_hours
from calibration.crews import merged
from calibration.drift import changes
from calibration.drift import facts as drift_facts
from calibration.due_days import due_defaults, due_facts
from calibration.duration_rows import Groups
from calibration.durations import Durations, fit_durations
from calibration.features import Feature, features_of
from calibration.inclusion import EndOfLog, judge_end
from calibration.local_time import local_time
from calibration.order_model import due_dates, fit_orders, group_cases, order_defaults
from calibration.priorities import Known, Priorities, fit_priorities
from calibration.routing import fit_routing
from calibration.settings import Settings
from calibration.unnamed import attribute
from calibration.waits import Waits, fit_waits
from calibration.window import Window, open_window
from discovery.inclusive import Joined, joined
from discovery.replayed import Replayed
from eventlogs.bounds import case_bounds
from eventlogs.snapshot import Snapshot
from metagraph.blocks import Skeleton, any_order
from metagraph.blocks import skeleton as shape_of
from metagraph.model import Default, Metagraph, Provenance
from metagraph.nodes import End, Start, Task, WaitBreakdown
from metagraph.orders import OrderModel

_T = TypeVar("_T")
NOBODY_WAITS = Default(
    "busy people",
    "what they explain of the waiting (models without them simulated the last part of the log better)",
    "waiting is drawn from the past and not caused by busy people: what more orders or fewer people would do "
    "can't be told from this twin",
)
LIBRARIES = ("fitter", "numpy", "pm4py", "scipy")


def calibrate(
    snapshot: Snapshot, skeleton: Skeleton, replayed: Replayed, settings: Settings, *, name: str, seed: int
) -> Metagraph:
    """The metagraph of this structure with parameters from this log.

    `replayed` must come from the same snapshot and structure. The provenance holds the log's facts and every
    default; choices, closing rule and overrides are the caller's. The same input gives the same metagraph.
    Raises DataError where the settings name a column or activity that the log doesn't have.
    """
    return Calibrator(snapshot).calibrate(skeleton, replayed, settings, name=name, seed=seed)


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """What doesn't depend on the structure: who works, and how long."""

    groups: Groups
    resources: Resources
    durations: Durations


class Calibrator:
    """Calibrates many candidates on one log; what two of them have in common is computed once."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._memory: dict[tuple[Hashable, ...], object] = {}

    def calibrate(
        self, skeleton: Skeleton, replayed: Replayed, settings: Settings, *, name: str, seed: int
    ) -> Metagraph:
        """As the function of the same name."""
        snapshot, s = self._snapshot, settings
        if s.use_inclusive:
            given = skeleton.block, replayed
            found = self._once(("inclusive", replayed), lambda: joined(*given))
            skeleton, replayed = shape_of(found.block), found.replayed
        missing = s.weighted and judge_end(snapshot, s.arrivals_corrected).cut
        unnamed = self._once(("unnamed",), lambda: attribute(snapshot))
        window = self._once(
            ("window", s.window_share, missing, s.resources, s.apart),
            lambda: merged(open_window(snapshot, s.window_share, missing, unnamed), s.resources, s.apart),
        )
        days = (s.holidays, *((s.half_life_weeks,) if s.drawn_shifts else ()))
        used = (
            missing,
            s.window_share,
            s.resources,
            s.apart,
            s.use_contention,
            s.use_calendars,
            s.use_batching,
        )
        who = (*used, s.extra_hours, s.turnover, s.changed_hours, s.time_zone, s.orders, days)
        laws = (s.ks_limit, s.fast, s.pooled)
        held = self._once(
            ("in hand", s.use_batching, window.snapshot), lambda: in_hand(window.snapshot, s.use_batching)
        )
        people = self._once(("people", who, laws), lambda: _people(window, settings, held))
        batches = self._once(
            ("batches", who, replayed), lambda: fit_batches(window, replayed, people.resources, settings)
        )
        waits = self._once(
            ("waits", who, s.use_delay, s.use_pace, s.own_hours, s.use_timeouts, replayed),
            lambda: fit_waits(window, replayed, people.resources, settings, batches.release_s),
        )
        when = (s.arrivals, s.time_zone, s.arrivals_corrected, s.half_life_weeks, s.holidays)
        went = self._once(
            ("breakdown", s.fast, who, replayed),
            lambda: {} if s.fast else break_down(snapshot, replayed, settings, unnamed),
        )
        arrivals, end = self._once(("arrivals", when), lambda: fit_arrivals(snapshot, settings))
        drifted = self._once(
            ("changes", s.fast, s.time_zone, s.arrivals_corrected, s.holidays),
            lambda: {} if s.fast else drift_facts(changes(snapshot, settings)),
        )
        first: Priorities | None = None
        if s.use_priorities and s.use_contention:
            first = self._once(
                ("priorities", who, laws, s.use_delay, s.use_pace, s.own_hours, s.use_timeouts, replayed),
                lambda: _priorities(window, replayed, people, waits, settings),
            )
        orders = self._once(("orders", s.orders, s.time_zone), lambda: _orders(snapshot, s, people.groups))
        nameless = self._once(("nameless", s.orders), lambda: order_defaults(snapshot, s.orders))
        features: tuple[Feature, ...] = ()
        if s.use_rules:
            features = self._once(("features", s.orders), lambda: features_of(snapshot, s.orders))
        if first is not None and first.rule:
            orders = replace(orders, rule=first.rule)
        routing, unreached = fit_routing(window, replayed, skeleton, people.groups, settings, features)
        tasks, unseen = _tasks(skeleton, people, waits, went)
        tasks = with_batches(tasks, batches, window, people.resources, settings)
        few = arrival_defaults(snapshot, arrivals)
        free = () if settings.use_contention else (NOBODY_WAITS,)
        defaults = (
            *free,
            *_loose(skeleton),
            *people.resources.defaults,
            *people.durations.defaults,
            *unseen,
            *unreached,
            *few,
            *nameless,
            *due_defaults(orders),
        )
        facts = {**people.resources.facts, **people.durations.facts, **waits.facts, **drifted}
        facts |= {**(first.facts if first else {}), **due_facts(orders)}
        return Metagraph(
            name=name,
            nodes=(Start("start"), *tasks, *skeleton.gateways, End("end")),
            flows=skeleton.flows,
            routing=routing,
            agents=people.resources.agents,
            queues=first.queues if first else people.resources.queues,
            calendars=people.resources.calendars,
            paces=waits.paces,
            arrivals=arrivals,
            orders=orders,
            provenance=_provenance(window, settings, end, facts, defaults, seed),
        )

    def forget(self, replayed: Replayed) -> None:
        """Let go of what was found by means of a replay, and so of the replay."""
        gone: set[object] = {replayed}
        joint = self._memory.get(("inclusive", replayed))
        gone |= {joint.replayed} if isinstance(joint, Joined) else set()
        self._memory = {key: found for key, found in self._memory.items() if gone.isdisjoint(key)}

    def _once(self, key: tuple[Hashable, ...], make: Callable[[], _T]) -> _T:
        if key not in self._memory:
            self._memory[key] = make()
        return self._memory[key]  # type: ignore[return-value]


def _people(window: Window, settings: Settings, held: InHand) -> People:
    groups = group_cases(window.snapshot, settings.orders)
    resources = fit_resources(window, settings, held)
    return People(groups, resources, fit_durations(window, resources, groups, settings))


def _orders(snapshot: Snapshot, settings: Settings, groups: Groups) -> OrderModel:
    found = fit_orders(snapshot, settings.orders, groups, settings.time_zone)
    local = local_time(snapshot.origin, 0.0, snapshot.until_s, settings.time_zone)
    return replace(found, classes=with_hours(found.classes, snapshot, groups, local))


def _priorities(
    window: Window, replayed: Replayed, people: People, waits: Waits, settings: Settings
) -> Priorities:
    snapshot, spec = window.snapshot, settings.orders
    known = Known(
        snapshot,
        replayed,
        people.groups,
        features_of(snapshot, spec),
        due_dates(snapshot, spec),
        people.durations.tables,
    )
    return fit_priorities(window, known, people.resources, waits)


def _loose(skeleton: Skeleton) -> list[Default]:
    """Said where most of the process is one loop of its tasks, in whose drawing there is nothing to read."""
    free = any_order(skeleton.block)
    if free <= len(skeleton.tasks) / 2:
        return []
    return [
        Default(
            "control flow",
            f"an order that {free} of {len(skeleton.tasks)} tasks keep",
            "any may follow any other; the last activities say which, the drawing doesn't",
        )
    ]


def _tasks(
    skeleton: Skeleton, people: People, waits: Waits, went: Mapping[str, WaitBreakdown]
) -> tuple[list[Task], list[Default]]:
    """A task for every label of the structure, with what is known of its activity."""
    tasks: list[Task] = []
    defaults: list[Default] = []
    for node, label in skeleton.tasks:
        durations = people.durations.tables.get(label)
        if durations is None:
            durations = people.durations.fallback
            assumed = durations.default.note or "the work of all tasks"
            defaults.append(Default(f"duration of {label}", "it was never seen to end", assumed))
        queue = people.resources.queue_of.get(label)
        tasks.append(
            Task(
                node,
                label,
                durations,
                queues=(queue,) if queue else (),
                delay=waits.delays.get(label),
                waits=went.get(label),
            )
        )
    return tasks, defaults


def _provenance(
    window: Window,
    settings: Settings,
    end: EndOfLog,
    found: Mapping[str, str],
    defaults: tuple[Default, ...],
    seed: int,
) -> Provenance:
    snapshot = window.snapshot
    facts = {
        "time zone": settings.time_zone,
        "end of log": end.words,
        "arrivals": "corrected for cases left out at the end" if end.cut else "as seen",
        **found,
    }
    if window.first_case:
        facts["window"] = f"the last {snapshot.n_cases - window.first_case} of {snapshot.n_cases} cases"
    if window.widened:
        facts["seen too rarely in the window"] = f"{', '.join(window.widened)}: the whole log was used"
    if snapshot.single_timestamp:
        facts["timestamps"] = "one per event: tasks take no time and all time is delay before them"
    first = float(np.min(snapshot.start_s, initial=snapshot.until_s))
    return Provenance(
        log=snapshot.name,
        content_hash=snapshot.content_hash,
        first_event=snapshot.origin + timedelta(seconds=first),
        until=snapshot.origin + timedelta(seconds=snapshot.until_s),
        cases=snapshot.n_cases,
        events=snapshot.n_events,
        open_cases=int(snapshot.is_open.sum()),
        seed=seed,
        defaults=defaults,
        facts=facts,
        libraries={name: importlib.metadata.version(name) for name in LIBRARIES},
        cycle_s=_cycle_seconds(snapshot),
        unfinished_missing=end.cut,
    )


def _cycle_seconds(snapshot: Snapshot) -> float | None:
    if not snapshot.n_events:
        return None
    first, _ = case_bounds(snapshot)
    ends = np.where(np.isnan(snapshot.end_s), snapshot.until_s, snapshot.end_s)
    last = np.maximum.reduceat(np.maximum(ends, snapshot.start_s), snapshot.offsets[:-1])
    return round(float((last - first).mean()), 3)
