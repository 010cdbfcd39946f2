"""What Perez, Wassick and Grossmann printed of Example 3 (Tables A1 to A5): 10, 30 and 90 %."""

from __future__ import annotations

from collections.abc import Mapping

Printed = Mapping[str, tuple[float, float, float]]

PROFIT_K: Printed = {
    "P": (27.3, 27.0, 17.3),
    "D": (27.7, 26.3, 11.4),
    "S": (28.0, 25.8, 18.0),
    "F1": (27.4, 25.7, 15.8),
    "F2": (24.3, 23.1, 14.7),
    "F3": (21.6, 20.9, 12.8),
    "PD": (29.2, 28.4, 13.4),
    "PS": (29.1, 27.6, 17.8),
    "PDS": (29.0, 27.7, 17.1),
    "Rolling MILP": (30.3, 29.6, 19.5),
    "Shrinking MILP": (33.6, 31.6, 21.8),
}
"""Table A1, thousands."""
RATIO: Printed = {
    "P": (0.90, 0.91, 0.91),
    "D": (0.91, 0.89, 0.59),
    "S": (0.93, 0.87, 0.94),
    "F1": (0.91, 0.87, 0.83),
    "F2": (0.80, 0.78, 0.77),
    "F3": (0.71, 0.71, 0.67),
    "PD": (0.97, 0.96, 0.70),
    "PS": (0.96, 0.93, 0.94),
    "PDS": (0.96, 0.94, 0.90),
    "Rolling MILP": (1.00, 1.00, 1.00),
    "Shrinking MILP": (1.11, 1.07, 1.14),
}
"""Table A2."""
ON_TIME: Printed = {
    "P": (45.5, 45.3, 29.0),
    "D": (37.3, 33.3, 10.3),
    "S": (47.2, 43.0, 29.9),
    "F1": (40.8, 38.9, 24.3),
    "F2": (37.4, 34.8, 21.6),
    "F3": (32.1, 31.4, 18.3),
    "PD": (48.1, 45.2, 14.4),
    "PS": (50.3, 47.4, 29.6),
    "PDS": (47.4, 45.9, 27.1),
    "Rolling MILP": (55.6, 53.5, 33.6),
    "Shrinking MILP": (63.8, 58.9, 37.7),
}
"""Table A3, % of all orders."""
TOTAL: Printed = {
    "P": (58.5, 57.6, 36.6),
    "D": (69.8, 68.2, 34.6),
    "S": (63.5, 59.9, 42.5),
    "F1": (66.0, 62.2, 38.9),
    "F2": (59.3, 56.8, 37.0),
    "F3": (53.6, 52.0, 32.8),
    "PD": (66.5, 65.2, 35.4),
    "PS": (63.8, 61.0, 40.7),
    "PDS": (66.0, 62.9, 40.6),
    "Rolling MILP": (67.2, 65.7, 44.0),
    "Shrinking MILP": (71.4, 67.5, 48.9),
}
"""Table A3, % of all orders."""
PREEMPTIONS: Printed = {
    "P": (89, 81, 66),
    "D": (67, 62, 27),
    "S": (105, 115, 90),
    "F1": (0, 0, 0),
    "F2": (0, 0, 0),
    "F3": (0, 0, 0),
    "PD": (82, 80, 54),
    "PS": (135, 130, 107),
    "PDS": (147, 138, 105),
    "Rolling MILP": (150, 135, 99),
    "Shrinking MILP": (135, 103, 86),
}
"""Table A4."""
BY_TASK: Mapping[str, tuple[float, ...]] = {
    "P": (21.3, 12.4, 10.6, 9.6, 10.1, 4.4, 5.8, 4.6),
    "D": (14.5, 8.6, 7.7, 6.8, 6.3, 2.6, 4.4, 4.4),
    "PD": (15.5, 10.3, 8.2, 7.8, 9.4, 6.0, 7.7, 7.3),
}
"""Table A5, by task as `examples.by_hand.TASKS` has them."""
PLANNED_K = (40.2, 37.9, 27.6)
"""Section 4.3: profit of the Rolling MILP with its final schedule, thousands."""
