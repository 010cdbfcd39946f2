"""Records behind addresses: item_of(w.items, 3) is the item in slot 3."""

from __future__ import annotations

from simulation import program
from simulation.kernel_jit import records
from simulation.kernel_layout import CLOCK, COLLECTOR, CREW, EVENT, ITEM, JOURNEY, LINE, LOG, PACE

node_of = records(program.NODE)
law_of = records(program.LAW)
level_of = records(program.LEVEL)
row_of = records(program.ROW)
queue_of = records(program.QUEUE)
agent_of = records(program.AGENT)
presence_of = records(program.PRESENCE)
policy_of = records(program.POLICY)
order_of = records(program.ORDER)
recorded_of = records(program.RECORDED)
item_of = records(ITEM)
journey_of = records(JOURNEY)
event_of = records(EVENT)
line_of = records(LINE)
crew_of = records(CREW)
clock_of = records(CLOCK)
collector_of = records(COLLECTOR)
pace_of = records(PACE)
log_of = records(LOG)
