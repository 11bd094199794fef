import pytest

from atunner.core.errors import ToolError
from atunner.tools.compute_sanitizer import findings

OUTSIDE = """========= COMPUTE-SANITIZER
========= Invalid __global__ write of size 4 bytes
=========     at tile(const float *, float *)+0x1a0 in kernel.cu:12
=========     by thread (31,0,0) in block (3,0,0)
=========     Access at 0x7f2a00000200 is out of bounds
=========     and is 1 bytes after the nearest allocation at 0x7f2a00000000 of size 512 bytes
=========     Saved host backtrace up to driver entry point at kernel launch time
=========         Host Frame: cuLaunchKernel [0x2c1a3b]
=========
========= Program hit CUDA_ERROR_LAUNCH_FAILED (error 719) due to "unspecified launch failure" on CUDA API call.
=========     Saved host backtrace up to driver entry point at error
=========
========= ERROR SUMMARY: 2 errors
"""
RACE = """========= COMPUTE-SANITIZER
========= Error: Race reported between Write access at tile(float *)+0x80 in kernel.cu:7
=========     and Read access at tile(float *)+0xc0 in kernel.cu:9 [128 hazards]
=========
========= RACECHECK SUMMARY: 1 hazard displayed (1 error, 0 warnings)
"""


def test_a_bad_write_is_told_with_its_place() -> None:
    found = findings("memcheck", OUTSIDE)

    assert len(found) == 2
    assert str(found[0]) == (
        "memcheck: Invalid __global__ write of size 4 bytes (at tile(const float *, float *)+0x1a0 in kernel.cu:12; "
        "by thread (31,0,0) in block (3,0,0); Access at 0x7f2a00000200 is out of bounds)"
    )


def test_a_race_is_told_with_both_lines() -> None:
    (found,) = findings("racecheck", RACE)

    assert "kernel.cu:7" in found.text
    assert "kernel.cu:9" in found.where[0]


@pytest.mark.parametrize(
    ("tool", "summary"),
    [
        ("memcheck", "ERROR SUMMARY: 0 errors"),
        ("racecheck", "RACECHECK SUMMARY: 0 hazards displayed (0 errors, 0 warnings)"),
    ],
)
def test_a_clean_run_has_no_findings(tool: str, summary: str) -> None:
    text = f"right: yes\n========= COMPUTE-SANITIZER\n========= {summary}\n"

    assert findings(tool, text) == ()


def test_errors_without_details_are_errors() -> None:
    (found,) = findings("initcheck", "========= COMPUTE-SANITIZER\n========= ERROR SUMMARY: 3 errors\n")

    assert found.text == "3 errors, with no details"


@pytest.mark.parametrize(
    ("text", "says"), [("", "printed nothing"), ("========= Internal Sanitizer Error: device busy\n", "device busy")]
)
def test_no_summary_is_no_verdict(text: str, says: str) -> None:
    with pytest.raises(ToolError, match=says):
        findings("memcheck", text)
