"""What planning tells of what it was given."""

from __future__ import annotations

import json
from pathlib import Path

from twin.planning import of_instance


def test_fields_that_no_order_has_are_told(tmp_path: Path) -> None:
    order = {"id": "1", "value": 10, "T_r": 0, "T_due": 5}
    path = tmp_path / "instance.json"
    path.write_text(json.dumps({"tasks": {"pack": {"agents": ["Joe"], "h": 1}}, "orders": [order]}))
    (note,) = of_instance(path).notes
    assert '"T_due" of one order is no field of orders' in note
    order["T_d"] = order.pop("T_due")
    path.write_text(json.dumps({"tasks": {"pack": {"agents": ["Joe"], "h": 1}}, "orders": [order]}))
    assert of_instance(path).notes == ()
