"""pm4py's inductive miners within bounds: logs with hundreds of activities would take them hours.

Where no cut of a part of the log is found, IM tries to leave out each of its activities in turn and looks for
a cut again. That takes as many searches as there are activities, at each level of the recursion. Here work is
counted, and what would take too much of it is left out: so the same log always gives the same structure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pm4py.algo.discovery.inductive.dtypes.im_ds import IMDataStructureUVCL
from pm4py.algo.discovery.inductive.fall_through.activity_concurrent import ActivityConcurrentUVCL
from pm4py.algo.discovery.inductive.fall_through.factory import FallThroughFactory
from pm4py.algo.discovery.inductive.fall_through.flower import FlowerModelUVCL
from pm4py.algo.discovery.inductive.variants.im import IMUVCL
from pm4py.algo.discovery.inductive.variants.imf import IMFUVCL

CONCURRENT = 10_000_000
"""Work on leaving out activities in turn, for one structure: some seconds."""
CUTS = 30_000_000
"""Work on looking for cuts, for one structure."""


def work(log: IMDataStructureUVCL) -> int:
    """Of one search for a cut: from each activity along all pairs that follow each other, and over all
    events."""
    pairs = log.dfg.graph
    n = len({activity for pair in pairs for activity in pair})
    return n * (n + len(pairs)) + sum(map(len, log.data_structure))


class _Bounded:
    """Counts what the miner does."""

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        super().__init__(parameters)  # type: ignore[call-arg]
        self.left_out = False
        """Whether something was not looked for."""
        self._concurrent, self._cuts = CONCURRENT, CUTS

    def find_cut(self, obj: IMDataStructureUVCL, parameters: Any = None) -> Any:
        self._cuts -= work(obj)
        # Activities of which none follows another, as in any order of them, are always cut.
        if self._cuts < 0 and obj.dfg.graph:
            self.left_out = True
            return None
        return super().find_cut(obj, parameters)  # type: ignore[misc]

    def fall_through(self, obj: IMDataStructureUVCL, parameters: Any = None) -> Any:
        ways = FallThroughFactory.get_fall_throughs(obj, self.instance(), parameters)  # type: ignore[attr-defined]
        if self._cuts < 0:
            ways = [way for way in ways if way in (ways[0], FlowerModelUVCL)]
        for way in ways:
            if way is ActivityConcurrentUVCL:
                needed = len({a for trace in obj.data_structure for a in trace}) * work(obj)
                if needed > self._concurrent:
                    self.left_out = True
                    continue
                self._concurrent -= needed
            found = way.apply(obj, None, None, parameters)
            if found is not None:
                return found
        raise RuntimeError("pm4py's last resort, any order of the activities, was refused")


class BoundedIM(_Bounded, IMUVCL):  # type: ignore[misc]
    """IM."""


class BoundedIMf(_Bounded, IMFUVCL):  # type: ignore[misc]
    """IMf."""
