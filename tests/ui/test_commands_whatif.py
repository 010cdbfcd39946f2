"""The command `whatif`: its exit codes, its sentences and its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from examples.by_hand import tandem
from metagraph.json_io import save
from tests.journeys.test_commands import tracetwin


@pytest.fixture
def twin(tmp_path: Path) -> Path:
    path = tmp_path / "tandem.json"
    save(tandem(), path)
    return path


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "more.toml"
    path.write_text(text)
    return path


def test_a_comparison_is_told_and_written(tmp_path: Path, twin: Path) -> None:
    scenario = written(tmp_path, "[[arrivals]]\nfactor = 1.5\n")
    out = tmp_path / "figures.csv"
    said = tracetwin(
        *("whatif", twin, scenario, "--horizon", "2d", "--replications", "8", "--workers", "1"),
        *("--out", out, "--db", tmp_path / "t.duckdb"),
    )
    assert said.code == 0
    told = " ".join(said.out.split())
    assert "orders: 2,016 arrive in an ordinary week → 3,024 (150 %)" in told
    assert "The difference is real: orders completed" in told
    assert "more beside the baseline" in told
    rows = out.read_text().splitlines()
    assert rows[0].startswith('"scenario","figure","in_words","baseline_mean"')
    assert any(row.startswith('"more","orders",') for row in rows)


@pytest.mark.parametrize(
    ("text", "more", "code", "says"),
    [
        ("[[arrival]]\nfactor = 2", (), 3, "has no key 'arrival'; did you mean 'arrivals'?"),
        ("[[arrivals]]\nfactor = 1", (), 3, "it changes nothing: a factor of 1"),
        ("[[arrivals]]\nfactor = 2", ("--log", "orders.csv"), 2, "--log and --as-of go together"),
        ("[[arrivals]]\nfactor = 2", ("--horizon", "soon"), 2, "--horizon soon: expected a time above 0"),
        ("[[arrivals]]\nfactor = 2", ("--chart", "x.txt"), 2, "--chart x.txt: expected a name that ends in"),
    ],
)
def test_what_can_not_be_compared_is_refused_in_a_sentence(
    tmp_path: Path, twin: Path, text: str, more: tuple[str, ...], code: int, says: str
) -> None:
    said = tracetwin("whatif", twin, written(tmp_path, text), *more, "--db", tmp_path / "t.duckdb")
    assert said.code == code
    assert says in said.err
    assert not said.out
