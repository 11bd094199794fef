"""The roofline of the run's device, and where the operator stands under it."""

from atunner.core.record import RunRecord
from atunner.core.roofline import ceilings
from atunner.core.value import Value

BOUND_BY = "every tensor moved once at DRAM bandwidth, or all FLOPs at the dense fp32 peak"


class Roofline(Value):
    """Ceilings in FLOP/s and byte/s; intensity in FLOP/byte at minimal traffic (Williams, Waterman, Patterson 2009)."""

    peak: float
    bandwidth: float
    flops: float
    min_bytes: float

    @property
    def ridge(self) -> float:
        """The intensity at which both ceilings meet."""
        return self.peak / self.bandwidth

    @property
    def intensity(self) -> float:
        """The operator's own."""
        return self.flops / self.min_bytes

    @property
    def bound_us(self) -> float:
        """No implementation that starts in DRAM takes less."""
        return max(self.flops / self.peak, self.min_bytes / self.bandwidth) * 1e6

    def ceiling(self, intensity: float) -> float:
        """FLOP/s that the device can reach at this intensity."""
        return min(self.peak, intensity * self.bandwidth)


def roofline(record: RunRecord) -> Roofline | None:
    """None where the record lacks the operator's facts or the device's ceilings."""
    facts, device = record.facts, record.device
    if facts is None or not facts.counted or device is None or not {"fp32_tflops", "dram_gbs"} <= device.facts.keys():
        return None
    roofs = ceilings(device)
    return Roofline(
        peak=roofs.tflops * 1e12,
        bandwidth=roofs.gbs * 1e9,
        flops=facts.flops,
        min_bytes=facts.min_bytes,
    )
