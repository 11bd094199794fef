import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atunner.core.errors import Wrong
from atunner.domains.llvm_ir.outputs import compare, worst
from atunner.domains.llvm_ir.program import Level


def outputs(folder: Path, reference: str, candidate: str) -> tuple[Path, Path]:
    (folder / "a").write_text(reference)
    (folder / "b").write_text(candidate)
    return folder / "a", folder / "b"


def test_equal_bytes_are_equal_at_every_level(tmp_path: Path) -> None:
    files = outputs(tmp_path, "0x1p+0 nan\n", "0x1p+0 nan\n")

    assert all("equal" in compare(*files, level) for level in Level)


def test_one_bit_is_wrong_at_exact_and_within_the_tolerance_else(tmp_path: Path) -> None:
    files = outputs(tmp_path, "0x1.0000000000000p+0 0x1p-3", "0x1.0000000000001p+0 0x1p-3")

    with pytest.raises(Wrong, match=r"at byte 16: expected '0x1.0000000000000p\+0"):
        compare(*files, Level.EXACT)
    assert "worst error 2.22e-16" in compare(*files, Level.TOLERANCE)


@pytest.mark.parametrize(
    ("reference", "candidate"),
    [
        ("1 2 3", "1 2"),
        ("1 2 3", "1 2 nan"),
        ("x 1 2", "y 1 2"),
        ("1 2", "1 2 3"),
        ("0 0", "0 1"),
        ("1 inf", "1 2"),
        ("0x1p+0", "0x1..2p+0"),
        ("0x1p+0", "0x1p+99999"),
        ("0x1..2 1", "0x1..2 2"),
        ("", "0x."),
        ("big 1000000\nsmall 0x1p-2", "big 1000000\nsmall 0x1p-3"),
    ],
)
def test_no_tolerance_excuses_another_form_or_a_wrong_small_array(
    tmp_path: Path, reference: str, candidate: str
) -> None:
    with pytest.raises(Wrong):
        compare(*outputs(tmp_path, reference, candidate), Level.FAST)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1))
def test_a_result_is_as_near_as_its_largest_error(values: list[float]) -> None:
    largest = max(abs(v) for v in values)
    text = " ".join(v.hex() for v in values)
    other = " ".join((v + largest * 1e-4).hex() for v in values)
    found = worst(text, other)

    assert worst(text, text) == 0.0
    assert found == 0.0 if largest == 0 else math.isclose(found, 1e-4, rel_tol=1e-6) or found < 1.1e-4
