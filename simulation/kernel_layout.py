"""What the kernel's memory looks like: the world, and the records it leads to."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

MARGIN = 10_002
"""Items that one event may create at most: as many as an order has steps."""
GUIDE = 64
"""Pieces of [0, 1) for which a law's first level is remembered."""
_I, _L, _F = np.int32, np.int64, np.float64
NONE = -1

WORLD = np.dtype(
    [
        # The network; its tables are those of simulation.program.
        ("nodes", _L),
        ("targets", _L),
        ("outcomes", _L),
        ("task_queues", _L),
        ("durations", _L),
        ("delays", _L),
        ("laws", _L),
        ("us", _L),
        ("xs", _L),
        ("slopes", _L),
        ("tails", _L),
        ("guides", _L),  # per law GUIDE + 1 places at which to begin looking for a level
        ("seat_guides", _L),  # per queue and piece of [0, 1) the first seat that may be drawn
        ("levels", _L),
        ("rows", _L),
        ("cumulative", _L),
        ("queues", _L),
        ("queue_agents", _L),
        ("queue_weights", _L),
        ("queue_cumulative", _L),
        ("agents", _L),
        ("agent_queues", _L),
        ("agent_seats", _L),  # parallel to agent_queues: the agent's place in that queue
        ("presence", _L),
        ("policies", _L),
        ("clock_lines", _L),  # lines that agents of each clock serve, ascending
        ("queue_clocks", _L),  # clocks of each queue's agents, each once
        ("n_nodes", _L),
        ("n_queues", _L),
        ("n_agents", _L),
        ("n_clocks", _L),
        ("n_collectors", _L),  # the last clocks are theirs
        ("n_presence", _L),
        ("n_lines", _L),
        ("n_visits", _L),
        ("n_merges", _L),
        ("n_tasks", _L),
        ("n_ruled", _L),
        ("begin_node", _L),
        ("code_base", _L),
        ("span", _L),
        ("average", _L),  # 1: queues are ordered by the mean of scores
        ("needs_profit", _L),
        ("needs_rest", _L),
        ("contests", _L),  # 0: nothing is ever interrupted by something more urgent
        ("own_lines", _L),  # 1: line n_queues + agent holds what only this agent resumes
        # The orders.
        ("orders", _L),
        ("curves", _L),
        ("points", _L),  # 0: no order has a profit table
        ("points_first", _L),
        ("material", _L),  # 0: no order waits for anything
        ("designated", _L),
        ("ranks", _L),
        ("assigned", _L),
        ("ruled", _L),
        ("recorded", _L),  # 0: nothing is known beforehand of any order
        ("recorded_first", _L),
        ("releases", _L),
        ("n_releases", _L),
        # What changes.
        ("clocks", _L),
        ("paces", _L),
        ("items", _L),
        ("journeys", _L),
        ("visits", _L),
        ("merged", _L),
        ("slots", _L),  # by order: its journey
        ("events", _L),
        ("places", _L),
        ("lines", _L),
        ("crew", _L),
        ("idle_bits", _L),
        ("stack", _L),
        ("scratch", _L),
        ("slot_scratch", _L),
        ("line_scratch", _L),
        ("collectors", _L),
        ("started", _L),
        ("wait_s", _L),
        ("collected_s", _L),
        ("completed", _L),
        ("lost", _L),
        ("log", _L),
        ("keep_log", _L),
        # Room, and how much is taken.
        ("n_items", _L),  # slots
        ("fresh_item", _L),  # first slot never used
        ("free_item", _L),  # first of the chain of slots to use again
        ("used_items", _L),
        ("n_journeys", _L),
        ("fresh_journey", _L),
        ("free_journey", _L),
        ("open", _L),
        ("n_events", _L),
        ("n_log", _L),
        ("serial", _L),
        ("released", _L),
        ("shown", _L),  # comings and goings that are over
        ("executions", _L),
        ("most_executions", _L),
        ("most_open", _L),
        ("pause", _L),
        ("short", _L),  # something waits for a clock that isn't long enough
        ("failed_order", _L),
        ("failed_node", _L),
        ("mirrored", _L),
        ("key0", _L),
        ("key1", _L),
        # What a command is about.
        ("arg0", _L),
        ("arg1", _L),
        ("arg2", _L),
        ("arg3", _L),
        ("found_s", _F),
        ("begin_s", _F),
        ("now", _F),
        ("until", _F),
        ("reach", _F),  # all clocks are known up to here
        ("arg_s", _F),
        ("best_profit", _F),  # of the items among whom one is chosen
        ("best_importance", _F),
        ("first_release", _F),
        ("least_time", _F),
        ("least_work", _F),
        ("wip_s", _F),
        ("wip_since", _F),
        ("wip_most", _L),
    ]
)
ITEM = np.dtype(
    [
        ("order", _I),
        ("journey", _I),
        ("node", _I),
        ("visit", _I),
        ("status", _I),
        ("agent", _I),
        ("queue", _I),
        ("line", _I),
        ("again", _I),
        ("preemptions", _I),
        ("after", _I),
        ("child", _I),  # in its line: a pairing heap, or a chain
        ("sibling", _I),
        ("before", _I),
        ("mate_next", _I),  # among what its agent works on, in the order of beginning
        ("mate_before", _I),
        ("peer_next", _I),  # among the live items of its order, by serial
        ("peer_before", _I),
        ("leader", _I),  # FOLLOWING: the item that its batch goes by
        ("follow", _I),  # the first that follows it, the others are its siblings
        ("unknown", _I),  # its event lies beyond what its clock knows
        ("serial", _L),
        ("micros", _L),  # expected remaining work while it waits
        ("key", _F),
        ("place", _F),
        ("enabled", _F),
        ("ready", _F),
        ("start", _F),
        ("since", _F),
        ("done", _F),
        ("left", _F),
        ("finish", _F),
        ("profit", _F),
        ("rest", _F),  # expected remaining work while it waits, seconds
        ("halted", _F),  # when something more urgent interrupted it last
        ("scale", _F),  # its work over that of one order
    ]
)
GONE = 3
"""Status of a slot that is free, beside those of session.py."""
JOURNEY = np.dtype(
    [
        ("order", _I),
        ("cls", _I),
        ("segment", _I),
        ("tokens", _I),
        ("steps", _I),
        ("head", _I),
        ("tail", _I),
        ("open", _I),
        ("history", _L),
    ]
)
EVENT = np.dtype([("t", _F), ("code", _L), ("who", _L)])
LINE = np.dtype(
    [
        ("root", _I),
        ("tail", _I),
        ("waiting", _I),
        ("load", _I),
        ("idle", _I),  # agents with free capacity who are present
        ("present", _I),
        ("bits", _I),  # first word of its agents in idle_bits
        ("clock", _I),  # first of `clocks` in queue_clocks
        ("clocks", _I),
        ("left_out", _I),
        ("guide", _I),  # first of `parts` in seat_guides
        ("parts", _I),
        ("longest", _L),
        ("micros", _L),  # expected work of all that waits
        ("dry", _F),  # until then nobody idle is on shift
        ("calm", _F),  # until then all clocks that are off are awake
        ("waiting_s", _F),
        ("changed", _F),
    ]
)
"""Counts of a queue are kept at the queue's own line; of the line of an agent only root and tail are used."""
CREW = np.dtype(
    [
        ("room", _I),
        ("present", _I),
        ("k", _I),
        ("head", _I),
        ("tail", _I),
        ("finished", _L),
        ("preempted", _L),
        ("busy_s", _F),
    ]
)
CLOCK = np.dtype(
    [
        ("starts", _L),
        ("ends", _L),
        ("done", _L),
        ("n", _L),
        ("hint", _L),
        ("always", _I),
        ("over", _I),  # it has no more intervals than these, ever
        ("is_on", _I),
        ("awake", _I),
        ("line", _I),
        ("n_lines", _I),
        ("until", _F),
        ("reach", _F),
    ]
)
COLLECTOR = np.dtype(
    [
        ("node", _I),
        ("clock", _I),
        ("law", _I),
        ("simultaneous", _I),
        ("head", _I),  # items since when they are here: a chain of siblings
        ("tail", _I),
        ("n", _I),
        ("unknown", _I),  # when it is released lies beyond what its clock knows
        ("needed", _L),  # so many release it
        ("released", _L),
        ("wait_s", _F),
        ("per_item", _F),
    ]
)
PACE = np.dtype([("done", _L), ("speeds", _L), ("n", _L), ("begin", _L)])
LOG = np.dtype(
    [
        ("order", _I),
        ("node", _I),
        ("agent", _I),
        ("queue", _I),
        ("preemptions", _I),
        ("begun", _I),
        ("enabled_s", _F),
        ("ready_s", _F),
        ("start_s", _F),
        ("end_s", _F),
    ]
)


class Command(IntEnum):
    """What the entry is asked to do."""

    RUN = 0
    OPEN = 1
    CLOCKS = 2
    RESCHEDULE = 3
    ANNOUNCE = 4
    PEEK = 5
    BITS = 6


class Status(IntEnum):
    """Why it came back."""

    DONE = 0
    PAUSED = 1
    CLOCKS = 2
    ITEMS = 3
    JOURNEYS = 4
    ROWS = 5
    EXECUTIONS = 6
    OPEN_ORDERS = 7
    ENDLESS = 8
    REFUSED = 9
