"""What perf says, read in each of its forms; what it cannot count is n/a with its reason and never zero."""

import pytest

from atunner.domains.llvm_ir.evidence.program_profile import derived
from atunner.domains.llvm_ir.evidence.readings import Readings, join, parse

NO_COUNTERS = """\
<not supported>,,cycles:u,0,100.00,,
<not supported>,,instructions:u,0,100.00,,
53.50,msec,task-clock:u,53503649,100.00,0.517,CPUs utilized
"""
NOT_COUNTED = "123456,,cycles:u,1000,100.00,,\n<not counted>,,LLC-loads:u,0,100.00,,\n"
MULTIPLEXED = """\
 Performance counter stats for './gemm':

       123,456,789      cycles:u                  #    2.99 GHz                      (85.11%)
       423,456,789      instructions:u            #    3.43  insn per cycle          (100.00%)
             53.27 msec task-clock:u              #    0.301 CPUs utilized

       0.177000000 seconds time elapsed

       0.053216000 seconds user
       0.000000000 seconds sys
"""
VENDOR = (
    "1000000,,cycles:u,1000,100.00,,\n0,,ls_dispatch.ld_dispatch:u,1000,100.00,,\n1e14,,ex_ret_ops:u,1000,100.00,,\n"
)
NONSENSE = "1000,,cycles:u,1,100.00,,\n0,,L1-dcache-load-misses:u,1,100.00,,\n9000,,branches:u,1,100.00,,\n"
JSON = """\
{"counter-value" : "<not supported>", "unit" : "", "event" : "cycles:u", "event-runtime" : 0, "pcnt-running" : 100.00}
{"counter-value" : "272.000000", "unit" : "", "event" : "page-faults", "event-runtime" : 5, "pcnt-running" : 100.00}
"""
GERMAN = "     1.234.567      cycles:u\n     0,250000000 seconds user\n"
KERNEL = "7000,,cycles:k,1,100.00,,\n1000,,cycles:u,1,100.00,,\n"


@pytest.mark.parametrize(
    ("text", "event", "words"),
    [
        (NO_COUNTERS, "cycles", "not supported"),
        (NOT_COUNTED, "LLC-loads", "not counted"),
        (MULTIPLEXED, "cycles", "85.11 %"),
        (VENDOR, "ls_dispatch.ld_dispatch", "vendor event"),
        (VENDOR, "ex_ret_ops", "vendor event"),
        (NONSENSE, "L1-dcache-load-misses", "read 0"),
        (NONSENSE, "branches", "more than 8 a cycle"),
        (JSON, "cycles", "not supported"),
    ],
)
def test_what_cannot_be_trusted_is_not_available_with_its_reason(text: str, event: str, words: str) -> None:
    found = parse(text)

    assert found.get(event) is None
    assert words in found.missing[event]


@pytest.mark.parametrize(
    ("text", "event", "value"),
    [
        (NO_COUNTERS, "task-clock", 0.0535),
        (MULTIPLEXED, "instructions", 423456789),
        (MULTIPLEXED, "user-time", 0.053216),
        (JSON, "page-faults", 272),
        (GERMAN, "cycles", 1234567),
        (GERMAN, "user-time", 0.25),
        (KERNEL, "cycles", 1000),
    ],
)
def test_what_was_counted_is_read(text: str, event: str, value: float) -> None:
    assert parse(text).get(event) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "no such program\n", "{not json\n", "# started on Sat\n", "a,b\n,,,,,\n"])
def test_text_that_is_no_count_gives_none(text: str) -> None:
    assert parse(text) == Readings()


def test_groups_of_two_runs_are_joined_and_a_figure_wins_over_none() -> None:
    found = join([parse("<not counted>,,cycles:u,0,0,,\n"), parse("500,,cycles:u,1,100.00,,\n")])

    assert found.get("cycles") == 500


def test_rates_need_both_their_counters() -> None:
    whole = parse(
        "1000,,cycles:u,1,100,,\n3000,,instructions:u,1,100,,\n500,,branches:u,1,100,,\n5,,branch-misses:u,1,100,,\n"
    )

    assert derived(whole) == {"instructions per cycle": 3.0, "branch misses (%)": 1.0}
    assert derived(parse(NO_COUNTERS)) == {}
