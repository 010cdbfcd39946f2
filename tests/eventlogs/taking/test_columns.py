import pytest

from eventlogs.taking.columns import guess_mapping, parse_map, settle_mapping
from metagraph.errors import DataError, UsageError


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (
            ["case_id", "activity", "resource", "start_time", "end_time"],
            {"case": 0, "activity": 1, "resource": 2, "start": 3, "end": 4},
        ),
        (
            ["case:concept:name", "concept:name", "org:resource", "time:timestamp", "lifecycle:transition"],
            {"case": 0, "activity": 1, "resource": 2, "end": 3, "lifecycle": 4},
        ),
        (["Case ID", "Activity", "Complete Timestamp"], {"case": 0, "activity": 1, "end": 2}),
        (
            ["ORDER-ID", "Task", "Agent", "Start", "End"],
            {"case": 0, "activity": 1, "resource": 2, "start": 3, "end": 4},
        ),
        (["event", "timestamp", "caseid", "org:group"], {"activity": 0, "end": 1, "case": 2, "resource": 3}),
        *(
            (names.split(), {"case": 0, "activity": 1, "resource": 2, "start": 3, "end": 4})
            for names in (
                "Auftragsnummer Tätigkeit Bearbeiter Beginn Ende",
                "numéro_de_commande étape utilisateur date_de_début DATE_DE_FIN",
                "Numero-Pedido actividad recurso inicio fin",
                "ordernummer activiteit medewerker begintijd eindtijd",
            )
        ),
        (
            ["order", "step", "Assigned to", "begin", "finish"],
            {"case": 0, "activity": 1, "resource": 2, "start": 3, "end": 4},
        ),
        (
            ["Order No", "Operation", "Machine", "Start", "Finish"],
            {"case": 0, "activity": 1, "resource": 2, "start": 3, "end": 4},
        ),
        (["Machine", "Worker", "Case No", "Task"], {"resource": 1, "case": 2, "activity": 3}),
        (["start_timestamp", "time:timestamp", "case", "name"], {"start": 0, "end": 1, "case": 2}),
    ],
)
def test_common_names_are_recognised(columns: list[str], expected: dict[str, int]) -> None:
    assert guess_mapping(columns).columns == {role: columns[i] for role, i in expected.items()}


def test_two_columns_for_one_role_lower_the_confidence() -> None:
    guess = guess_mapping(["case_id", "activity", "end_time", "user", "resource"])
    assert guess.columns["resource"] == "resource"
    assert guess.confidence["resource"] < guess.confidence["case"] == 1


def test_a_map_names_columns_with_commas_and_spaces() -> None:
    text = "case=Order, no,activity = What, timestamp=When,resource="
    assert parse_map(text) == {"case": "Order, no", "activity": "What", "timestamp": "When", "resource": ""}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("case=a,colour=b", "unknown key 'colour'"),
        ("case=a,case=b", "'case' twice"),
        ("just words", "not of the form"),
        ("x,case=a", "not of the form"),
        ("timestamp=a,end=b", "timestamp beside start or end"),
    ],
)
def test_a_map_that_cannot_be_meant_is_refused(text: str, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        parse_map(text)


def test_a_given_mapping_wins_and_the_rest_is_guessed() -> None:
    columns = ["Ticket", "activity", "who", "user", "start", "end"]
    mapping, confidence = settle_mapping("f", columns, {"case": "ticket", "resource": "who"})
    assert (mapping.case, mapping.resource, mapping.start, mapping.end) == ("Ticket", "who", "start", "end")
    assert confidence["case"] == 1
    mapping, _ = settle_mapping("f", columns, {"case": "Ticket", "timestamp": "end", "resource": ""})
    assert (mapping.start, mapping.end, mapping.resource) == (None, "end", None)


def test_a_missing_column_is_named_with_those_found_and_a_suggestion() -> None:
    with pytest.raises(DataError) as caught:
        settle_mapping("log.csv", ["Case Nr", "activity", "end_time"])
    assert str(caught.value) == (
        "log.csv: no column recognised as case among 'Case Nr', 'activity', 'end_time'; "
        "say which with --map case=Case Nr and, if the file tells them, resource=COLUMN,start=COLUMN"
    )
    with pytest.raises(DataError) as caught:
        settle_mapping("log.csv", ["Nr", "activity", "end_time"], {"start": "", "resource": ""})
    assert str(caught.value).endswith("say which with --map case=COLUMN")
    with pytest.raises(
        DataError, match=r"--map activity=Step names no column of the file, which has 'a', 'b'"
    ):
        settle_mapping("log.csv", ["a", "b"], {"activity": "Step"})


def test_a_word_in_a_name_is_never_taken_without_being_confirmed() -> None:
    columns = ["case_id", "activity", "end_time", "start station"]
    assert guess_mapping(columns).columns["start"] == "start station"
    assert settle_mapping("f", columns)[0].start is None


@pytest.mark.parametrize("role", ["case", "activity"])
def test_a_column_of_instants_is_no_case_and_no_activity(role: str) -> None:
    columns = ["case_id", "activity", "resource", "start_time", "end_time"]
    with pytest.raises(
        DataError, match=f"--map {role}=start_time names a column of instants; give the column"
    ):
        settle_mapping("log.csv", columns, {role: "start_time"})
