"""The roofline says which roof an operator is under, and where that is not sure it says so."""

import pytest
from reports.records import measured

from atunner.core.device import Fact
from atunner.core.record import RunRecord
from atunner.reports.roof import SEEN, SPAN, Roofline, roofline

SHEET, PROBE = "a data sheet", "measured here, gcc"


def under(peak_tflops: float, source: str) -> Roofline:
    """The run's roofline on a device of 100 GB/s."""
    record: RunRecord = measured()
    assert record.device is not None
    facts = {
        "fp32_tflops": Fact(value=peak_tflops, unit="TFLOP/s", source=source),
        "dram_gbs": Fact(value=100.0, unit="GB/s", source=SHEET),
    }
    found = roofline(record.model_copy(update={"device": record.device.model_copy(update={"facts": facts})}))
    assert found is not None
    return found


@pytest.mark.parametrize(("peak", "side"), [(0.1, "compute"), (10.0, "memory")])
def test_far_from_the_ridge_a_probe_is_enough(peak: float, side: str) -> None:
    sheet, probe = under(peak, SHEET), under(peak, PROBE)

    assert (sheet.side, probe.side) == (side, side)
    assert "uncertain" in probe.words
    assert f"factor of {SEEN:g} apart" in probe.words
    assert "uncertain" not in sheet.words


def test_what_is_left_open_covers_what_was_seen() -> None:
    assert SPAN**2 >= SEEN


def test_near_the_ridge_a_probe_does_not_decide() -> None:
    sheet, probe = under(1.0, SHEET), under(1.0, PROBE)

    assert sheet.side in ("memory", "compute")
    assert (probe.side, "either may be its roof" in probe.words) == ("", True)
    assert probe.ridge_low * SPAN == pytest.approx(probe.ridge) == pytest.approx(probe.ridge_high / SPAN)
