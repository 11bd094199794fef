"""What the gate says of a program that works less when it is timed, on a machine that changes its speed."""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from atunner.core.errors import Wrong
from atunner.domains.llvm_ir.gate import works_when_timed

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
