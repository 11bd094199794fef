"""Planted edits of five kinds: none is accepted, and each is refused by the step meant for it."""

from collections import Counter

import pytest
from support import need

from atunner.core.task import Task
from atunner.domains.llvm_ir.domain import LlvmIr
from atunner.domains.llvm_ir.selftest import KERNELS, BadEdit, Planting, corpus, tried
from atunner.settings import Settings
from atunner.wiring import HOST, domain_config

HANGS = "compiler hang"
WANTED = (
    "wrong IR", "undefined behaviour", "constant answer", "out of bounds", "signature change",
    "reordered floating point", "volatile dropped", HANGS, "inline asm", "new external call", "new global",
    "faked on the given input only", "time tricks", "exit early",
)  # fmt: skip


@pytest.fixture(scope="module")
def domain(tmp_path_factory: pytest.TempPathFactory) -> LlvmIr:
    cache = tmp_path_factory.mktemp("corpus")
    return LlvmIr(domain_config(Settings(cache=cache), Task(domain="llvm_ir", name="corpus", target=HOST)))


@pytest.fixture(scope="module")
def plantings(domain: LlvmIr) -> dict[str, Planting]:
    need("clang-19")
    return {kernel: Planting(domain, kernel, "clang-19") for kernel in KERNELS}


def refused_otherwise(domain: LlvmIr, clang: str, edits: tuple[BadEdit, ...]) -> list[str]:
    need(clang)
    rows = list(tried(domain, clang, edits))
    assert len(rows) == len(edits)
    return [f"{r.name}: expected {r.expected}, got {r.status}: {r.feedback[:200]}" for r in rows if not r.good]


def test_the_corpus_is_broad() -> None:
    edits = corpus()
    kinds = Counter(edit.kind for edit in edits)

    assert len(edits) >= 40
    assert set(kinds) == {"flags", "pipeline", "metadata", "ir-function", "source-function"}
    assert len({edit.name for edit in edits}) == len(edits)
    assert set(WANTED) <= {edit.category for edit in edits}


@pytest.mark.parametrize("kernel", KERNELS)
def test_no_planted_edit_is_accepted(kernel: str, domain: LlvmIr) -> None:
    edits = tuple(edit for edit in corpus() if edit.kernel == kernel and edit.category != HANGS)

    assert refused_otherwise(domain, "clang-19", edits) == []


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("clang", ["clang-14", "clang-19"])
def test_no_planted_edit_is_accepted_by_any_clang(clang: str, domain: LlvmIr) -> None:
    assert refused_otherwise(domain, clang, corpus()) == []


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_kernels_themselves_are_accepted(kernel: str, plantings: dict[str, Planting]) -> None:
    """What refuses everything would pass the tests above."""
    unchanged = BadEdit(name="as it is", kernel=kernel, kind="flags", category="none", status="ok")

    trial = plantings[kernel].judged(unchanged)

    assert trial.status == "ok", trial.feedback


@pytest.mark.parametrize(
    ("kernel", "function"),
    [
        (
            "product",
            "void product(double alpha, double beta) { for (int i = 0; i < N; i++) { for (int j = 0; j < N; j++) "
            "c[i][j] *= beta; for (int k = 0; k < N; k++) { double f = alpha * a[i][k]; for (int j = 0; j < N; j++) "
            "c[i][j] += f * b[k][j]; } } }",
        ),
        (
            "tally",
            "void tally(const int *from, int length, unsigned *into) { unsigned own[16] = {0}; for (int i = 0; "
            "i < length; i++) { unsigned h = (unsigned)from[i] * 2654435761u; h ^= h >> 15; own[h & 15] += h >> 24; } "
            "memcpy(into, own, sizeof own); }",
        ),
        (
            "smooth",
            "void smooth(const double *in, double *out, int n) { int i = 0; for (; i + 4 <= n; i += 4) { double s[4] = "
            "{0}; for (int t = 0; t < TAPS; t++) for (int u = 0; u < 4; u++) s[u] += in[i + u + t] * weights[t]; "
            "memcpy(out + i, s, sizeof s); } for (; i < n; i++) { double s = 0; for (int t = 0; t < TAPS; t++) s += "
            "in[i + t] * weights[t]; out[i] = s; } }",
        ),
    ],
)
def test_honest_rewrites_are_accepted(kernel: str, function: str, plantings: dict[str, Planting]) -> None:
    """The same sums in the same order, by rows, in locals and by fours."""
    edit = BadEdit(
        name="honest", kernel=kernel, kind="source-function", category="none", status="ok", function=function
    )

    trial = plantings[kernel].judged(edit)

    assert trial.status == "ok", trial.feedback
