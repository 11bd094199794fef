"""Occupancy is NVIDIA's own figure, and the next cliff is really one step away."""

import re
from pathlib import Path

import pytest
from occupancy_oracle import cases, compiler, expected, header
from support import need

from atunner.core.errors import UserError
from atunner.core.occupancy import Block, limits, occupancy


def test_occupancy_equals_the_vendors_calculator(tmp_path: Path) -> None:
    need("g++", compiler() is not None)
    need("cuda_occupancy.h", header() is not None)
    made = cases(3000, seed=7)

    ours = [occupancy(arch, block).blocks for arch, block in made]

    assert ours == expected(made, tmp_path)


@pytest.mark.parametrize(
    ("block", "limiter"),
    [
        (Block(threads=256, registers=128), "registers"),
        (Block(threads=256, registers=32, shared=60_000), "shared_memory"),
        (Block(threads=1024, registers=16), "warps"),
        (Block(threads=32, registers=16), "blocks"),
    ],
)
def test_the_limiter_is_named(block: Block, limiter: str) -> None:
    assert occupancy("sm_80", block).limiter == limiter


def test_fewer_registers_are_the_cliff_when_registers_limit() -> None:
    block = Block(threads=256, registers=72)
    now = occupancy("sm_80", block)
    needed = int(re.findall(r"^\d+", now.next_cliff)[0])

    assert occupancy("sm_80", block.model_copy(update={"registers": needed})).blocks == now.blocks + 1
    assert occupancy("sm_80", block.model_copy(update={"registers": needed + 1})).blocks == now.blocks


def test_less_shared_memory_is_the_cliff_when_it_limits() -> None:
    block = Block(threads=128, registers=32, shared=50_000)
    now = occupancy("sm_86", block)
    needed = int(re.findall(r"^\d+", now.next_cliff)[0])

    assert occupancy("sm_86", block.model_copy(update={"shared": needed})).blocks == now.blocks + 1
    assert occupancy("sm_86", block.model_copy(update={"shared": needed + 128})).blocks == now.blocks


@pytest.mark.parametrize("block", [Block(threads=1025, registers=1), Block(threads=32, registers=1, shared=200_000)])
def test_a_block_over_the_limits_has_no_occupancy(block: Block) -> None:
    assert occupancy("sm_80", block).blocks == 0


def test_an_architecture_suffix_changes_no_limit() -> None:
    assert limits("sm_90a") == limits("sm_90")


@pytest.mark.parametrize("arch", ["sm_12", "volta"])
def test_an_unknown_architecture_is_the_users_error(arch: str) -> None:
    with pytest.raises(UserError, match="sm_80"):
        limits(arch)
