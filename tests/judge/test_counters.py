"""Hardware counters: what perf says on a machine that has them, recorded; and what is said where there are none."""

import sys
from pathlib import Path

import pytest

from atunner.core.errors import ToolError
from atunner.domains.kernels.backends.c import CBackend
from atunner.domains.kernels.backends.c_profile import counted, profile
from atunner.domains.kernels.feed import Feed
from atunner.domains.kernels.oracle import Oracle
from atunner.domains.kernels.selftest import corpus
from atunner.domains.kernels.selftest.problems import ROW_SUM
from atunner.domains.kernels.timing import TimingPlan

RECORDED = """# started on Sat Nov 21 06:00:00 2026

4000000,,cycles:u,1000000,100.00,,
10000000,,instructions:u,1000000,100.00,2.50,insn per cycle
8000,,cache-references:u,800000,80.00,,
<not supported>,,cache-misses:u,0,100.00,,
<not counted>,,branch-misses:u,0,0.00,,
"""
PERF = """#!{python}
# Counts what is recorded, and only between the orders to begin and to end.
import os, re, signal, sys
orders, answers = map(int, re.search(r"fd:(\\d+),(\\d+)", " ".join(sys.argv)).groups())
seen = []
def stop(*_):
    with open(sys.argv[sys.argv.index("-o") + 1], "w") as out:
        out.write({text!r} if seen == [b"enable", b"disable"] else "")
    os._exit(0)
signal.signal(signal.SIGINT, stop)
while word := os.read(orders, 64).strip():
    seen.append(word)
    os.write(answers, b"ack\\n")
signal.pause()
"""
PROBLEM = ROW_SUM.problem((12, 20), {}, "float32")
NAIVE = next(e for e in corpus("honest") if e.name == "naive")


def test_events_are_told_for_one_call() -> None:
    assert counted(RECORDED, 100) == {"cycles": 40000.0, "instructions": 100000.0, "cache-references": 80.0}


def test_where_nothing_is_counted_that_is_said() -> None:
    with pytest.raises(ToolError, match="does not offer them"):
        counted("<not supported>,,cycles:u,0,100.00,,\n", 100)


def test_perf_is_told_when_to_begin_and_to_end(backend: CBackend, tmp_path: Path) -> None:
    perf = tmp_path / "perf"
    perf.write_text(PERF.replace("{python}", sys.executable).replace("{text!r}", repr(RECORDED)))
    perf.chmod(0o755)
    plan = TimingPlan()
    with backend.session(backend.build(PROBLEM, NAIVE.candidate), Feed(Oracle(ROW_SUM), PROBLEM, 1), plan) as session:
        counters = profile(session, str(perf)).counters

    assert counters is not None
    assert counters.source == "perf"
    assert counters.values["instructions"] / counters.values["cycles"] == pytest.approx(2.5, rel=1e-12)
    assert counters.values["cpu_us"] >= 0


@pytest.mark.parametrize("perf", ["/bin/false", "no-such-perf"])
def test_without_perf_user_time_is_told_and_why(perf: str, backend: CBackend) -> None:
    built = backend.build(PROBLEM, NAIVE.candidate)
    with backend.session(built, Feed(Oracle(ROW_SUM), PROBLEM, 1), TimingPlan()) as session:
        counters = profile(session, perf).counters

    assert counters is not None
    assert counters.source == "user time only"
    assert counters.notes[0].startswith("no hardware counters: ")
