"""Which column of a log is the case, the activity, the resource, the times, and what describes the case."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from metagraph.errors import DataError, UsageError

ROLES = ("case", "activity", "resource", "start", "end", "lifecycle", "instance")
CASE_ROLES = ("class", "segment", "due", "value")
"""What a column can say of the case; kept as its attributes."""
MAP_KEYS = (*ROLES, *CASE_ROLES, "timestamp")
CASE_PREFIX = "case:"
"""XES convention: a column that starts with it belongs to the case, not to the event."""

_SURE = 1.0
_SHARED = 0.8
_WORD = 0.5

# Best known name first, English before others; compared lower-case, without punctuation and accents.
_NAMES: Mapping[str, str] = {
    "case": """case_id, case:concept:name, case, case number, case no, case key, trace id, trace, order id,
        order number, order no, order nr, order, process instance, instance id, ticket id, incident id,
        application id, request id, loan id, claim id, ticket, incident, Auftragsnummer, Auftragsnr,
        Auftrags-ID, Auftrag, Bestellnummer, Fallnummer, Fall-ID, Fall, numéro de commande, no commande,
        commande, numéro de dossier, dossier, cas, número de pedido, número pedido, pedido, expediente, caso,
        ordernummer, bestelnummer, dossiernummer, zaaknummer, zaak""",
    "activity": """activity, activity name, concept:name, activity id, task, task name, event name, event,
        event type, step, operation, action, Tätigkeit, Taetigkeit, Aktivität, Aktivitaet, Arbeitsschritt,
        Arbeitsgang, Prozessschritt, Schritt, Aufgabe, activité, tâche, étape, actividad, tarea, etapa,
        activiteit, taak, stap, bewerking, handeling""",
    "resource": """resource, org:resource, resource id, resource name, user, user id, user name, agent,
        employee, performer, originator, actor, operator, worker, assignee, assigned to, handled by, done by,
        performed by, executed by, staff, who, machine, workstation, work centre, work center, org:group,
        org:role, Maschine, Arbeitsplatz, Bearbeiter,
        Bearbeiterin, Sachbearbeiter, Mitarbeiter, Ressource, Benutzer, utilisateur, opérateur, employé,
        intervenant, recurso, usuario, operador, empleado, responsable, medewerker, behandelaar,
        gebruiker, uitvoerder""",
    "start": """start_time, start_timestamp, start, start date, started, started at, begin, begin time,
        time:start, Beginn, Startzeit, Startzeitpunkt, Startdatum, Anfang, début, date de début, date
        début, heure de début, inicio, fecha de inicio, fecha inicio, hora de inicio, comienzo, starttijd,
        begintijd, begindatum""",
    "end": """end_time, end_timestamp, complete_timestamp, completion time, complete time, finish time,
        end, complete, finish, end date, ended, ended at, completed at, finished at, time:timestamp,
        timestamp, event time, event timestamp, time, date, datetime, Ende, Endzeit, Endzeitpunkt,
        Enddatum, Abschluss, fin, date de fin, date fin, heure de fin, fecha de fin, fecha fin, hora de
        fin, einde, eindtijd, einddatum, Zeitstempel, Zeitpunkt, horodatage, marca de tiempo, tijdstempel,
        tijdstip""",
    "lifecycle": "lifecycle:transition, lifecycle, transition, lifecycle transition",
    "instance": "concept:instance, lifecycle:instance, activity instance, activity instance id",
    "class": """class, order class, case class, case type, order type, product class, product type,
        category, product""",
    "segment": "segment, customer segment, customer group, customer type, region, priority",
    "due": """due date, due, due time, deadline, promised date, promise date, requested date, requested
        delivery date, Liefertermin, Fälligkeit, fällig am, date d'échéance, échéance, fecha de entrega,
        vencimiento, leverdatum, vervaldatum""",
    "value": """value, order value, case value, net value, total value, amount, total amount, total,
        price, request amount, requested amount, Auftragswert, Betrag, Wert, montant, valeur, importe,
        valor, bedrag, waarde""",
}
_WORDS: Mapping[str, frozenset[str]] = {
    "case": frozenset({"case"}),
    "activity": frozenset({"activity", "task"}),
    "resource": frozenset({"resource", "agent", "user"}),
    "start": frozenset({"start", "begin"}),
    "end": frozenset({"end", "complete", "finish", "timestamp"}),
}
"""A name with such a word is only a suggestion, never taken without being confirmed."""


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """The log's column for each role; None where the log has none."""

    case: str
    activity: str
    resource: str | None = None
    start: str | None = None
    end: str | None = None
    lifecycle: str | None = None
    instance: str | None = None
    of_case: Mapping[str, str] = field(default_factory=dict)
    """Column of each of CASE_ROLES that the log has."""

    def by_role(self) -> dict[str, str]:
        """The column of every role that has one."""
        events = {role: name for role in ROLES if (name := getattr(self, role)) is not None}
        return events | dict(self.of_case)

    def used(self) -> frozenset[str]:
        """The columns that tell events."""
        return frozenset(name for role, name in self.by_role().items() if role in ROLES)

    def times(self) -> tuple[str, ...]:
        """The time columns, start first."""
        return tuple(name for name in (self.start, self.end) if name)


@dataclass(frozen=True, slots=True)
class CandidateMapping:
    """A guess to be confirmed: the column of each role found, and how sure the guess is (0 to 1)."""

    columns: Mapping[str, str]
    confidence: Mapping[str, float]

    def missing(self) -> tuple[str, ...]:
        """Roles without which the log can't be read."""
        lacking = [role for role in ("case", "activity") if role not in self.columns]
        if not {"start", "end"} & set(self.columns):
            lacking.append("end")
        return tuple(lacking)


def parse_map(text: str) -> dict[str, str]:
    """Read `case=…,activity=…[,resource=…,start=…,end=…|timestamp=…,class=…]`; empty means "no such column".

    Column names may hold commas and spaces. Raises UsageError on an unknown or repeated key.
    """
    parts = re.split(r"(?:^|,)\s*(\w+)\s*=", text.strip())
    if parts[0].strip() or len(parts) < 3:
        raise UsageError(f"--map {text!r} is not of the form case=COLUMN,activity=COLUMN,…")
    found: dict[str, str] = {}
    for key, value in zip(parts[1::2], parts[2::2], strict=True):
        if key not in MAP_KEYS:
            raise UsageError(f"--map has the unknown key {key!r}; the keys are {', '.join(MAP_KEYS)}")
        if key in found:
            raise UsageError(f"--map names {key!r} twice; give each key once")
        found[key] = value.strip()
    if "timestamp" in found and {"start", "end"} & set(found):
        raise UsageError(
            "--map gives timestamp beside start or end; use timestamp alone for a log with one time"
        )
    return found


def guess_mapping(columns: Sequence[str], given: Mapping[str, str] | None = None) -> CandidateMapping:
    """Guess each role's column from common names, after what `given` (as from `parse_map`) fixes."""
    fixed = dict(given or {})
    if "timestamp" in fixed:
        fixed |= {"start": "", "end": fixed.pop("timestamp")}
    chosen = {role: _find(name, columns) or name for role, name in fixed.items() if name}
    confidence = dict.fromkeys(chosen, _SURE)
    free = [column for column in columns if column not in chosen.values()]
    for role in (role for role in ROLES if role not in fixed):
        for column, sureness in _matches(role, free)[:1]:
            chosen[role], confidence[role] = column, sureness
            free.remove(column)
    for role in (role for role in _WORDS if role not in fixed and role not in chosen):
        for column in [c for c in free if _WORDS[role] & _words(c)][:1]:
            chosen[role], confidence[role] = column, _WORD
            free.remove(column)
    # They change the model, so that even a well-known name is but a suggestion.
    for role in (role for role in CASE_ROLES if role not in fixed):
        for column, _ in _matches(role, free)[:1]:
            chosen[role], confidence[role] = column, _WORD
    return CandidateMapping(chosen, confidence)


def settle_mapping(
    source: str, columns: Sequence[str], given: Mapping[str, str] | None = None
) -> tuple[ColumnMapping, Mapping[str, float]]:
    """The mapping to read `source` with, and its confidence per role.

    Raises DataError naming the columns found when a given column is absent, a needed role has none, or a
    column that is known by its name to hold instants is given as the case or the activity.
    """
    found = ", ".join(repr(column) for column in columns)
    for key, name in (given or {}).items():
        if name and _find(name, columns) is None:
            raise DataError(f"{source}: --map {key}={name} names no column of the file, which has {found}")
        if key in ("case", "activity") and (_matches("start", [name]) or _matches("end", [name])):
            raise DataError(
                f"{source}: --map {key}={name} names a column of instants; give the column that tells which "
                f"{'case' if key == 'case' else 'activity'} a row is of, of {found}"
            )
    candidate = guess_mapping(columns, given)
    sure = {role: name for role, name in candidate.columns.items() if candidate.confidence[role] > _WORD}
    if missing := CandidateMapping(sure, candidate.confidence).missing():
        pairs = ",".join(f"{role}={candidate.columns.get(role, 'COLUMN')}" for role in missing)
        untold = {"resource", "start"} - sure.keys() - (given or {}).keys()
        if "timestamp" in (given or {}):
            untold -= {"start"}
        others = ",".join(f"{role}={candidate.columns.get(role, 'COLUMN')}" for role in sorted(untold))
        raise DataError(
            f"{source}: no column recognised as {' or '.join(missing)} among {found}; say which with --map "
            f"{pairs}" + f" and, if the file tells them, {others}" * bool(others)
        )
    events = {role: name for role, name in sure.items() if role in ROLES}
    of_case = {role: name for role, name in sure.items() if role in CASE_ROLES}
    return ColumnMapping(**events, of_case=of_case), {role: candidate.confidence[role] for role in sure}


def _find(name: str, columns: Sequence[str]) -> str | None:
    if name in columns:
        return name
    return next((column for column in columns if column.strip().lower() == name.strip().lower()), None)


def _key(name: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return re.sub(r"[\W_]", "", plain).lower()


def _words(name: str) -> set[str]:
    bare = name.removeprefix(CASE_PREFIX)
    return set(re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", bare).lower()))


def _matches(role: str, columns: Sequence[str]) -> list[tuple[str, float]]:
    ranks = {_key(name): rank for rank, name in enumerate(_NAMES[role].split(","))}
    hits = sorted((ranks[_key(c)], i, c) for i, c in enumerate(columns) if _key(c) in ranks)
    return [(column, _SURE if len(hits) == 1 else _SHARED) for _, _, column in hits]
