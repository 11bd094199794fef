"""What the gate says of times, on a machine that changes its speed."""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from atunner.core.candidate import Candidate
from atunner.core.errors import Wrong
from atunner.domains.llvm_ir.gate import Tried, Variant, gains_alike, works_when_timed

BASE, MINE = Path("base"), Path("mine")


@dataclass
class Machine:
    """Milliseconds of a run with its result and of one without, by program. At preflight the base took 15 and 10."""

    took: dict[Path, tuple[float, float]]
    asked: list[Path] = field(default_factory=list)
    reference: Any = field(default_factory=lambda: SimpleNamespace(dump_ms=15.0, cpu_ms=10.0))
    baseline: Any = None

    def built(self, candidate: Any) -> Path:
        return BASE

    def both_ms(self, program: Path, runs: int) -> tuple[float, float]:
        self.asked.append(program)
        return self.took[program]


def looked(machine: Any) -> Any:
    return works_when_timed(machine, MINE)


def test_a_program_that_prints_as_fast_as_before_costs_one_look() -> None:
    machine = Machine({MINE: (9.0, 4.0)})

    assert looked(machine).passed
    assert machine.asked == [MINE]


def test_printing_may_have_become_slower_for_every_program() -> None:
    machine = Machine({MINE: (27.0, 10.0), BASE: (26.0, 11.0)})

    assert looked(machine).detail == "printing costs 17 ms"
    assert machine.asked == [MINE, BASE, MINE]


def test_work_that_is_left_out_stays_refused_where_printing_costs_what_it_did() -> None:
    machine = Machine({MINE: (27.0, 10.0), BASE: (15.2, 10.1)})

    with pytest.raises(Wrong, match="works less when its result is not asked for: 10 ms, 27 ms with it"):
        looked(machine)
    assert machine.asked == [MINE, BASE, MINE, BASE, MINE]


@dataclass
class Bench:
    """Milliseconds of a printing run: first those at the gate's first look, then those of its turns."""

    took: dict[str, tuple[float, ...]]
    known: tuple[float, float]
    asked: list[str] = field(default_factory=list)
    baseline: str = "base"

    @property
    def reference(self) -> Any:
        return SimpleNamespace(dump_ms=self.known[0], change_ms=(self.known[1],))

    def varied(self, number: int) -> str:
        return "varied base"

    def built(self, candidate: str) -> Path:
        return Path(candidate)

    def printed_ms(self, program: Path) -> float:
        name = program.parent.name or program.name
        times = self.took[name]
        self.asked.append(name)
        return times[min(self.asked.count(name), len(times)) - 1]


def timed_alike(bench: Bench, name: str = "other numbers") -> None:
    tried = Tried(Variant(0, name, Candidate(files={}, family="search")), Path("mine varied"))
    gains_alike(bench, tried, MINE)  # type: ignore[arg-type]


def test_a_rewrite_that_gains_with_both_numbers_costs_one_look() -> None:
    bench = Bench({"mine": (10.0,), "mine varied": (11.0,)}, known=(20.0, 20.0))

    timed_alike(bench)
    assert bench.asked == ["mine", "mine varied"]


def test_a_loud_moment_at_preflight_does_not_refuse_an_honest_rewrite() -> None:
    took = {"mine": (16.0,), "mine varied": (15.5,), "base": (33.0, 22.0), "varied base": (22.0, 22.0)}
    bench = Bench(took, known=(27.0, 15.9))

    timed_alike(bench)
    assert bench.asked == ["mine", "mine varied", *["mine", "mine varied", "base", "varied base"] * 4]


def test_a_rewrite_that_knows_the_given_numbers_is_refused_however_often_it_is_timed() -> None:
    took = {"mine": (2.0,), "mine varied": (20.0,), "base": (20.0,), "varied base": (20.0,)}
    bench = Bench(took, known=(20.0, 20.0))

    with pytest.raises(Wrong, match=r"10\.00 times as fast with the given numbers, 1\.00 times with others"):
        timed_alike(bench)
    assert bench.asked.count("base") == 12


def test_smaller_sizes_say_nothing_of_speed() -> None:
    bench = Bench({}, known=(20.0, 20.0))

    timed_alike(bench, "smaller sizes")
    assert bench.asked == []
