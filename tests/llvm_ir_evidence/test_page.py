"""The page of a run on a C program: plots, evidence of both builds, and a diff of the user's own lines."""

import re

from llvm_ir_evidence.runs import record

from atunner.core.candidate import Candidate
from atunner.core.profile import Counters, Profile
from atunner.reports import ir_page, plots
from atunner.reports.html import page
from atunner.reports.ir import kernel, with_profiles
from atunner.reports.palette import PRINTED

PREPROCESSED = (
    '# 1 "program.c"\n# 1 "/usr/include/stdio.h" 1 3\nextern int puts(const char *);\n# 2 "program.c" 2\nint x;\n'
)


def test_the_page_has_the_plots_the_evidence_and_the_diff() -> None:
    text = page(record())

    assert all(title in text for title in ("Before and after", "Cache misses", "Lines of IR", "IR opcodes"))
    assert "What was kept" in text
    assert "hot function: kernel, 99 % by 100 samples" in text
    assert "int best;" in text


def test_a_page_of_another_domain_has_none_of_it() -> None:
    other = record().model_copy(update={"task": record().task.model_copy(update={"domain": "kernels"})})

    assert not any(plots.drawn(other, name, PRINTED) for name in plots.PLOTS if name.startswith("ir_"))
    assert "What was kept" not in page(other)


def test_where_nothing_was_counted_the_plot_says_so() -> None:
    drawn = plots.drawn(record(unit="us"), "ir_cache", PRINTED)

    assert drawn is not None
    assert "n/a: no counters" in drawn[0].axes[0].texts[0].get_text()
    assert drawn[1] == "Cache misses could not be counted."


def test_profiles_taken_after_the_run_stand_in_the_record() -> None:
    before = Profile(counters=Counters(source="perf", values={"cache-misses": 900.0}), notes=("slow",))
    after = Profile(counters=Counters(source="perf", values={"cache-misses": 100.0}), notes=("fast",))

    found = with_profiles(record(), before, after)
    figures = kernel(found)

    assert (figures.original.cache_misses, figures.optimised.cache_misses) == (900.0, 100.0)
    assert [one.points for one in ir_page.evidence(found)] == [("slow",), ("fast",)]


def test_a_diff_leaves_out_what_the_source_includes() -> None:
    assert ir_page.own_source(PREPROCESSED) == "int x;\n"
    assert ir_page.own_source("int x;\n") == "int x;\n"


def test_a_build_that_differs_by_its_recipe_has_a_diff_too() -> None:
    run = record()
    assert run.baseline is not None
    flags = run.baseline.candidate.files | {"build.json": '{"flags": ["-march=native"]}'}

    assert "-march=native" in ir_page.shown(run, Candidate(files=flags))
    assert re.search(r"int base;\n", ir_page.shown(run, Candidate(files=flags)))
