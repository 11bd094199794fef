"""Memory shared with run workers: copied round the caches, used again only where nobody else can reach it."""

from pathlib import Path

import numpy as np
import pytest

from atunner.core.program import Problem
from atunner.domains.kernels.backends import Case, Job
from atunner.domains.kernels.backends.c import CBackend, Options
from atunner.domains.kernels.oracle import Draw, Oracle, Truth
from atunner.domains.kernels.selftest import Entry, corpus
from atunner.domains.kernels.selftest.problems import ROW_SUM, SWISH
from atunner.tools.runner.bulk import LEAST_BYTES, Bulk
from atunner.tools.runner.memory import Arenas
from atunner.tools.sandbox import Chain, Layer

RNG = np.random.default_rng(11)
SHAPE = (12, 20)
LOOKS_ROUND = """
    const unsigned char *from = (const unsigned char *)(((unsigned long)x & ~4095ul) + 262144);
    long found = 0;
    for (long i = 0; i + 8 <= 3 << 20; i++)
        found += *(const volatile unsigned long *)(from + i) == 0x5ec3e75ec3e75ec3ul;
    y[0] = found;
"""


@pytest.mark.parametrize("offset", [0, 4, 60, 64])
@pytest.mark.parametrize("extra", [-1, 0, 1, 100_003])
def test_a_bulk_copy_is_a_copy_and_touches_nothing_else(cache: Path, offset: int, extra: int) -> None:
    bulk, size = Bulk.native(cache), LEAST_BYTES + extra
    source = RNG.integers(0, 256, size + 7, dtype=np.uint8)
    room = np.zeros(size + 256, np.uint8)
    bulk.copy(room[offset : offset + size], source[7:])

    assert (room[offset : offset + size] == source[7:]).all()
    assert not room[:offset].any()
    assert not room[offset + size :].any()

    bulk.fill(room[offset : offset + size], 0xFF)

    assert (room[offset : offset + size] == 0xFF).all()
    assert not room[:offset].any()
    assert not room[offset + size :].any()


def test_a_copy_that_converts_is_left_to_numpy(cache: Path) -> None:
    room = np.zeros(LEAST_BYTES, np.float64)
    Bulk.native(cache).copy(room, np.arange(LEAST_BYTES, dtype=np.float32))

    assert (room == np.arange(LEAST_BYTES)).all()


def test_an_arena_is_wiped_before_its_next_worker() -> None:
    arenas = Arenas()
    first = arenas.take(5000)
    first.memory[:5000] = 7
    arenas.give(first, alone=True)
    again = arenas.take(3000)

    assert again is first
    assert not (again.memory[:5000] == 7).any()


def test_an_arena_that_somebody_may_still_reach_is_not_used_again() -> None:
    arenas = Arenas()
    first = arenas.take(5000)
    arenas.give(first, alone=False)

    assert arenas.take(5000) is not first


@pytest.mark.parametrize(("layers", "kept"), [((Layer.RLIMITS,), False), ((Layer.RLIMITS, Layer.SECCOMP), True)])
def test_a_chain_that_lets_processes_stay_gets_fresh_memory(
    layers: tuple[Layer, ...], kept: bool, cache: Path, backend: CBackend
) -> None:
    if not set(layers) <= set(backend.chain.layers):
        pytest.skip("this machine lacks the layer")
    weak = CBackend(cache, Options(sandbox="none", chain=Chain(layers=layers)))

    assert weak.setup().leaves_nothing is kept


def test_no_candidate_reads_what_another_left(cache: Path, backend: CBackend) -> None:
    problem = ROW_SUM.problem((500, 2000), {}, "float32")
    truth = Oracle(ROW_SUM).truth(problem, Draw(number=0))
    case = Case({**truth.inputs, "x": np.full(problem.buffers[0].shape, 0, np.float32)})
    case.inputs["x"].reshape(-1).view(np.uint64)[:] = 0x5EC3E75EC3E75EC3
    naive = next(e for e in corpus("honest") if e.name == "naive").candidate
    small = ROW_SUM.problem((500, 1), {}, "float32")
    curious = Entry(name="curious", category="memory", body=LOOKS_ROUND, gate=False).candidate
    backend.run_cases([Job(backend.build(problem, naive), [case], "leaves")])
    ran = backend.run_cases(
        [
            Job(backend.build(small, curious), [Case(Oracle(ROW_SUM).truth(small, Draw(number=0)).inputs)], "looks"),
            Job(backend.build(problem, naive), [Case(truth.inputs, 1), Case(truth.inputs, 0)], "lies where it looks"),
        ]
    )

    assert ran[0][0].outputs["y"][0] == 0


def truths(problem: Problem) -> Truth:
    return Oracle(SWISH).truth(problem, Draw(number=0))


@pytest.mark.parametrize("share", [0.1, 0.45, 0.55, 0.95, 1.05, 3.0, float("nan"), float("inf")])
def test_the_quick_look_and_the_exact_one_agree(share: float) -> None:
    """An error of this share of the tolerance in one place is in bounds by both, or by neither."""
    truth = truths(SWISH.problem((40, 50), {}, "float32"))
    reference, tolerance = truth.reference["x"], truth.tolerance["x"]
    got = reference.astype(np.float32)
    place = np.unravel_index(int(np.argmax(np.abs(reference))), reference.shape)
    got[place] = reference[place] + share * tolerance[place]
    low, high = truth.bounds["x"]
    held = truth.held({"x": got})

    assert (held.mismatch is None) == bool(((got >= low) & (got <= high)).all())
    if held.mismatch is None:
        assert held.error == pytest.approx(share, abs=0.1)
    else:
        assert held.mismatch.place == tuple(int(i) for i in place)
