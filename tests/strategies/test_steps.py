"""The steps that ship: each prompt shows the kernel and its parameters, and names what it asks for and nothing else."""

import re

import pytest
from fakes import device

from atunner.agents.briefing import Material, brief
from atunner.core.facts import OperatorFacts
from atunner.graphs.strategies.explicit import BROUGHT, NOTHING, SKIPPED, TuningStep, filled, next_step, shipped
from atunner.graphs.strategies.shipped_steps import SHIPPED

FACTS = OperatorFacts(
    operator="matmul", dtype="float32", settings=(), tensors={"a": (64, 64)}, flops=524288, min_bytes=49152
)
LANGUAGES = {"cuda": "k.cu", "opencl": "k.cl", "c": "k.c", "llvm_ir": "k.ll"}
STEPS = [(language, step) for language in LANGUAGES for step in shipped(language)]
ASKED = {
    "block_size": {"BLOCK_X", "BLOCK_Y"},
    "work_per_thread_x": {"WORK_X"},
    "work_per_thread_y": {"WORK_Y"},
    "unrolling": {"UNROLL"},
    "unroll": {"UNROLL"},
    "shared_memory": {"TILE_K"},
    "local_memory": {"TILE_K"},
    "padding": {"PAD"},
    "vector_loads": {"VECTOR"},
    "loop_order": set(),
    "cache_blocking": {"TILE_M", "TILE_N", "TILE_K"},
    "register_blocking": {"ROWS", "COLUMNS"},
    "packing": set(),
    "vectorise": {"WIDTH"},
    "hoist": set(),
}
OTHERS = {
    "cuda": ("__local", "barrier(", "OpenMP", "<WIDTH x"),
    "opencl": ("__shared__", "__syncthreads", "OpenMP", "<WIDTH x"),
    "c": ("__local", "__shared__", "warp", "<WIDTH x"),
    "llvm_ir": ("__local", "__shared__", "OpenMP", "warp"),
}
"""Words of other languages, which a step must not use."""


def material(language: str) -> Material:
    source = f"the {language} kernel, line by line"
    return Material(
        facts=FACTS, device=device(), provenance="measured", unit="us", source=source, file=LANGUAGES[language],
        parameters={"TILE": (4, 8)},
    )  # fmt: skip


def test_every_language_is_looked_at() -> None:
    assert set(SHIPPED) == set(LANGUAGES)
    assert {step.id for _, step in STEPS} == set(ASKED)


@pytest.mark.parametrize(("language", "step"), STEPS, ids=[f"{x}-{s.id}" for x, s in STEPS])
def test_a_step_shows_the_kernel_and_asks_for_its_own_names_only(language: str, step: TuningStep) -> None:
    order = filled(step, material(language))
    text = brief("coder", material(language), order).text
    names = set(re.findall(r"\b[A-Z][A-Z_]{2,}\b", step.prompt_template)) - {"CLK_LOCAL_MEM_FENCE"}

    assert f"the {language} kernel, line by line" in text
    assert text.endswith(f"## Now\n{order}\n")
    assert "the kernel given above" in order
    assert "TILE in [4, 8]" in order
    assert names == ASKED[step.id]
    assert not [word for word in OTHERS[language] if word in order]
    assert "{" not in order


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_steps_are_walked_in_the_order_of_need(language: str) -> None:
    steps, outcomes, walked = shipped(language), dict[str, str](), list[str]()
    while (step := next_step(steps, outcomes)) is not None:
        assert set(step.depends_on) <= set(walked)
        walked.append(step.id)
        outcomes[step.id] = BROUGHT
    assert walked
    assert set(walked) == {s.id for s in steps}


@pytest.mark.parametrize("language", LANGUAGES)
def test_dependants_of_what_brought_nothing_are_skipped(language: str) -> None:
    steps, outcomes = shipped(language), dict[str, str]()
    while (step := next_step(steps, outcomes)) is not None:
        outcomes[step.id] = NOTHING
    assert {outcomes[s.id] for s in steps if s.depends_on} <= {SKIPPED}
    assert {outcomes[s.id] for s in steps if not s.depends_on} == {NOTHING}
