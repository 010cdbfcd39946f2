"""What each check is called, and what a twin makes of what it found: true of discovery/ and calibration/."""

from __future__ import annotations

from collections.abc import Mapping

from eventlogs.quality.found import Found

NEEDS_NOBODY = 0.5
"""calibration/agents.py: a task with a larger share of executions without a resource needs nobody."""
BUSY = 0.95
"""calibration/agents.py: capacity is this quantile of the items in hand."""
ENOUGH = 30
"""calibration/window.py: executions from which a law is fitted."""
_NAMED = 5

TITLES: Mapping[str, tuple[str, str]] = {
    "end_before_start": ("End before start", "rows"),
    "unusable": ("Rows that can't be read", "rows"),
    "duplicates": ("Duplicates", "executions"),
    "missing_resources": ("No resource", "executions"),
    "instant": ("Took no time", "executions"),
    "overlaps": ("Resource at work on several at once", "executions"),
    "batches": ("Batches: many ended at the very same instant", "executions"),
    "out_of_order": ("Out of order in the file", "executions"),
    "future": ("After the import", "executions"),
    "midnight": ("Exactly at midnight", "stamps"),
    "whole_hours": ("Exactly on the hour", "stamps"),
    "zone_jumps": ("Hours of the day jump", "jumps"),
    "begun_before": ("Begun before the log", "cases"),
    "unfinished": ("Unfinished at the log's end", "cases"),
    "long_cases": ("Far longer than the others", "cases"),
    "seen_once": ("Activities seen once", "activities"),
}
"""Key -> title and what is counted, in the order in which they are shown."""

_SET_ASIDE = (
    "Set aside, so no part of the twin: 'tracetwin import quarantined' writes them to a file, and 'tracetwin "
    "import mend' takes them back once corrected."
)
_CONSEQUENCES: Mapping[str, str] = {
    "end_before_start": _SET_ASIDE,
    "unusable": _SET_ASIDE,
    "duplicates": (
        "Kept: each one counts as work done once more, in the flow, in durations and in load. If they are "
        "copies, remove them from the file and take it anew."
    ),
    "instant": "Kept: a task takes no time as often as was seen; such work keeps nobody busy.",
    "overlaps": (
        f"Taken as several items in hand at once: an agent's capacity is what it had in hand at most in "
        f"{BUSY:.0%} of the time in which it worked at all."
    ),
    "batches": (
        "Kept as they stand. A build also tries a twin that collects such work into batches ('show' says "
        "what it chose); in a twin that doesn't, members that last make their agent's capacity larger, and "
        "the wait for the batch is part of the delay before the task."
    ),
    "out_of_order": "No harm: executions are ordered by their times; the file's order only breaks ties.",
    "future": (
        "Kept: the log counts as recorded up to its last instant, so other cases look idle since and are "
        "taken to be over. Correct these times, or give --until."
    ),
    "midnight": (
        "Taken as they stand: durations and waits that begin or end there may be off by a day, and calendars "
        "may show work at midnight. If these are dates without a time, give the times."
    ),
    "whole_hours": (
        "Taken as they stand: if they were rounded, durations and waits are known to the hour only, and "
        "short tasks seem to take no time or an hour."
    ),
    "zone_jumps": (
        "Taken as they stand: calendars and arrivals would mix the hours before and after. If a zone or "
        "summer time is behind it, give the zone: --tz for stamps without one, and time_zone under [log] in "
        "twin.toml for the hours that people work."
    ),
    "begun_before": (
        "Kept: each counts as arriving at its first event seen, and what it began with as a way to begin. A "
        "build also tries only the later part of the log, and takes it if it simulates better."
    ),
    "unfinished": (
        "Open by the rule that is learned from the log: left out when the structure is mined, kept for times "
        "(what still runs counts as lasting longer), and continued by forecasts. --open names them by hand."
    ),
    "long_cases": "Kept: their waits are among those that the twin draws from.",
    "seen_once": (
        f"Tasks of the twin as any other; with fewer than {ENOUGH} executions, a task's own few times are "
        "all that is known of its duration, and the twin says so."
    ),
}
_SINGLE = (
    "The log has one time per event: tasks take no time, and all time between events is delay before them."
)


def consequence(key: str, found: Found, single_timestamp: bool) -> str:
    """What the twin does about a finding."""
    if key == "instant" and single_timestamp:
        return _SINGLE
    if key != "missing_resources":
        return _CONSEQUENCES[key]
    nobody = ", ".join(found.names[:_NAMED]) + (" …" if len(found.names) > _NAMED else "")
    alone = f" (here: {nobody})" if found.names else " (none here)"
    return (
        "Such work lasts by the wall clock, as no calendar is known for it. A task that lacks the resource "
        f"in more than {NEEDS_NOBODY:.0%} of its executions needs nobody{alone}; others are done by those "
        "seen at them."
    )
