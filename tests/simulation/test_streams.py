"""Philox against the published vectors, and what its uniform numbers promise."""

from importlib import import_module

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metagraph.distributions import Parametric
from metagraph.errors import UsageError
from simulation.kernel_code import bits as philox
from simulation.lowering import lower
from simulation.session import Options
from simulation.streams import REDRAW, Purpose, Stream
from tests.simulation.builders import ORIGIN, orders, process, row

ONES = 0xFFFFFFFF
known_answers = pytest.mark.parametrize(
    ("key", "counter", "words"),
    [
        ((0, 0), (0, 0, 0, 0), "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ((ONES, ONES), (ONES, ONES, ONES, ONES), "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (
            (0xA4093822, 0x299F31D0),
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)


@known_answers
def test_known_answers_of_random123(
    key: tuple[int, int], counter: tuple[int, int, int, int], words: str
) -> None:
    assert " ".join(f"{word:08x}" for word in Stream(*key).words(*counter)) == words


@known_answers
def test_known_answers_in_the_kernel(
    key: tuple[int, int], counter: tuple[int, int, int, int], words: str
) -> None:
    """Of the four words it takes the first 52 bits."""
    assert f"{philox(*key, *counter):013x}" == words.replace(" ", "")[:13]


word = st.integers(0, ONES)


@given(st.tuples(word, word), st.tuples(word, word, word, word))
def test_both_make_the_same_bits(key: tuple[int, int], counter: tuple[int, int, int, int]) -> None:
    c0, c1, _, _ = Stream(*key).words(*counter)
    assert philox(*key, *counter) == c0 << 20 | c1 >> 12


counters = st.tuples(
    st.integers(0, 10**6), st.integers(0, 500), st.integers(0, 10**4), st.sampled_from(list(Purpose))
)


@given(st.integers(0, ONES), st.integers(0, 1000), counters)
def test_a_number_depends_on_key_and_counter_alone(
    seed: int, replication: int, counter: tuple[int, int, int, Purpose]
) -> None:
    stream = Stream(seed, replication)
    first = stream.uniform(*counter)
    stream.uniform(1, 2, 3, 4)
    assert stream.uniform(*counter) == first == Stream(seed, replication).uniform(*counter)
    assert 0.0 < first < 1.0


@given(st.integers(0, ONES), st.integers(0, 500), counters)
def test_antithetic_replications_mirror_the_one_before(
    seed: int, pair: int, counter: tuple[int, int, int, Purpose]
) -> None:
    first, mirrored = (Stream(seed, 2 * pair + k, antithetic=True).uniform(*counter) for k in (0, 1))
    assert first == Stream(seed, 2 * pair).uniform(*counter)
    assert mirrored == 1.0 - first


@pytest.mark.parametrize("name", ["reference", "kernel"])
def test_antithetic_runs_draw_what_is_left_of_a_uniform_law(name: str) -> None:
    """Of a uniform law between 0 and 100 s: what two runs draw for one execution are 100 s together."""
    engine = import_module(f"simulation.{name}")
    model = process(row("a", "b"), Parametric("uniform", (0.0, 100.0)))
    program = lower(model, orders([0.0] * 50), origin=ORIGIN)
    for pair in range(3):
        runs = [engine.run(program, 9, 2 * pair + k, None, Options(antithetic=True)) for k in (0, 1)]
        logs = [run.executions for run in runs]
        work = [(log.end_s - log.start_s)[np.lexsort((log.node, log.order))] for log in logs]
        assert np.allclose(work[0] + work[1], 100.0)
        assert work[0].std() > 20.0


def test_the_extreme_words_stay_inside_the_open_interval() -> None:
    class Fixed(Stream):
        word = 0

        def words(self, *_: int) -> tuple[int, int, int, int]:
            return (self.word,) * 4

    low, high = Fixed(0), Fixed(0)
    high.word = ONES
    assert 0.0 < low.uniform(0, 0, 0, 0) < 2.0**-51
    assert 1.0 - 2.0**-51 < high.uniform(0, 0, 0, 0) < 1.0


def test_numbers_are_uniform_and_neighbours_unrelated() -> None:
    """Kolmogorov-Smirnov and correlation at 99.9 % over 20,000 draws."""
    u = np.array([Stream(7).uniform(order, 3, 1, Purpose.WORK) for order in range(20_000)])
    v = np.array([Stream(7).uniform(order, 3, 2, Purpose.WORK) for order in range(20_000)])
    steps = np.arange(1, len(u) + 1) / len(u)
    assert np.abs(np.sort(u) - steps).max() < 1.95 / np.sqrt(len(u))
    assert abs(np.corrcoef(u, v)[0, 1]) < 3.29 / np.sqrt(len(u))
    assert abs(np.corrcoef(u[1:], u[:-1])[0, 1]) < 3.29 / np.sqrt(len(u))


def test_purposes_leave_room_for_redraws() -> None:
    assert max(Purpose) < REDRAW


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_outside_its_range_is_refused(seed: int) -> None:
    with pytest.raises(UsageError, match="whole number from 0 to 4294967295"):
        Stream(seed)
