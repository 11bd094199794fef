"""What a device can do, each figure with its source."""

from pydantic import Field

from atunner.core.value import Value


class Fact(Value):
    """One number of a device. source: data sheet, white paper, or "read live"."""

    value: float
    unit: str
    source: str
    note: str = ""


class Device(Value):
    """A processor from the knowledge base, or the host read live.

    kind: gpu or cpu. arch: sm_80, gfx90a, x86-64-v4. facts: by the names that `Device.get` documents in
    `knowledge_base/data/devices`: sm_count, clock_mhz, dram_gbs, l2_bytes, fp32_tflops, tf32_tflops,
    fp16_tflops, shared_per_sm, shared_per_block_optin, registers_per_sm, max_threads_per_sm, max_blocks_per_sm,
    max_warps_per_sm, memory_bytes; for a CPU cores, simd_bits, fma_units, l1d_bytes, l2_bytes, l3_bytes.
    """

    name: str
    vendor: str
    kind: str
    arch: str
    aliases: tuple[str, ...] = ()
    facts: dict[str, Fact] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def get(self, name: str) -> float:
        """The value of a fact.

        Raises:
            KeyError: the knowledge base has no such figure for this device.
        """
        return self.facts[name].value
