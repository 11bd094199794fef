"""The winner in one line: what it has beyond the usual."""

import pytest

from atunner.core.candidate import Params
from atunner.domains.llvm_ir import flags
from atunner.domains.llvm_ir.templates import told

NUMBERS: Params = {
    "build": "strict",
    "pages": "huge",
    "everywhere": "register_block",
    "work_12": "as it is",
    "everywhere_register_block_rows": 4,
    "everywhere_strip_rows_rows": 8,
    "work_12_register_block_rows": 2,
}


@pytest.mark.parametrize(
    ("family", "params", "text"),
    [
        ("nests", NUMBERS, "pages huge, everywhere register_block, rows 4"),
        (
            "nests",
            {**NUMBERS, "everywhere": "as it is", "work_12": "register_block", "pages": "usual", "build": "512"},
            "build 512, work_12 register_block, rows 2",
        ),
        ("flags", {**flags.strict(), "width": "512"}, "width 512"),
        ("flags", flags.strict(), "strict native"),
        ("blocked", {"BLOCK": 32}, "BLOCK 32"),
    ],
)
def test_a_point_is_told_by_what_it_changes(family: str, params: Params, text: str) -> None:
    assert told(family, params) == text
