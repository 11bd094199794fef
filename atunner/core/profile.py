"""What is known of a built candidate: static facts of machine code, or counters of a run."""

from pydantic import Field

from atunner.core.value import Value


class Occupancy(Value):
    """Resident warps per multiprocessor. limiter: registers, shared_memory, blocks or warps (threads).

    next_cliff: what change gives one more resident block, in words ("" when there is none).
    """

    blocks: int
    warps: int
    fraction: float
    limiter: str
    next_cliff: str = ""


class StaticFacts(Value):
    """Facts read from machine code for one architecture; sizes in bytes.

    spill_bytes: register spills, told apart from local_array_bytes (dynamically indexed local arrays).
    mix: instructions a thread executes by class (ffma, fp32, int, ldg, stg, lds, sts, bar, shfl, mufu, tensor,
    control, other), loop bodies weighted by trip count where known. widths: bits -> number of global accesses.
    traffic: bytes a thread asks for by space (global_load, global_store, shared_load, shared_store, local), weighted
    likewise. flops, tensor_flops: FLOPs a thread executes, outside and on tensor cores (a warp's share).
    unknown_loops: loops counted once because their trip count is not in the code.
    """

    arch: str
    kernel: str
    registers: int
    static_shared: int = 0
    dynamic_shared: int = 0
    spill_bytes: int = 0
    local_array_bytes: int = 0
    threads_per_block: int = 0
    blocks: int = 0
    occupancy: Occupancy | None = None
    mix: dict[str, float] = Field(default_factory=dict)
    widths: dict[str, int] = Field(default_factory=dict)
    traffic: dict[str, float] = Field(default_factory=dict)
    flops: float = 0.0
    tensor_flops: float = 0.0
    unknown_loops: int = 0
    notes: tuple[str, ...] = ()


class Counters(Value):
    """Hardware counters of one run. source: perf, ncu or "user time only"; values by their event name."""

    source: str
    values: dict[str, float] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Profile(Value):
    """Evidence about one candidate; at least one part is present.

    flops and bytes_moved: what this candidate executes and moves (not the operator's minimum), where known.
    bound_us: roofline lower bound on the target. kernels: one StaticFacts for each kernel launched.
    """

    kernels: tuple[StaticFacts, ...] = ()
    counters: Counters | None = None
    flops: float | None = None
    bytes_moved: float | None = None
    bound_us: float | None = None
    notes: tuple[str, ...] = ()
