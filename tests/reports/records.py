"""Two small runs with real-looking figures: one predicted for an A100, one measured on a CPU."""

from pydantic import JsonValue

from atunner.core.candidate import Candidate
from atunner.core.device import Device, Fact
from atunner.core.facts import Epilogue, OperatorFacts, Setting
from atunner.core.measurement import Environment, Measurement
from atunner.core.profile import Counters, Occupancy, Profile, StaticFacts
from atunner.core.program import PROGRAM_FILE, Launch, Program
from atunner.core.record import AgentNote, RunRecord, RunState
from atunner.core.status import Provenance, Status
from atunner.core.task import Budget, Spent, Task
from atunner.core.trial import Check, Comparison, Screening, Trial

NAIVE = """// One thread for each element.
extern "C" __global__ void matmul(const float* a, const float* b, float* c) {
    const int index = blockIdx.x * blockDim.x + threadIdx.x;
    if (index >= DIM_M * DIM_N) return;
    const int row = index / DIM_N, column = index % DIM_N;
    float sum = 0.0f;
    for (int k = 0; k < DIM_K; ++k) sum += a[row * DIM_K + k] * b[k * DIM_N + column];
    c[index] = sum;
}
"""
TILED = """// One block for each tile, operands through shared memory.
extern "C" __global__ void matmul(const float* a, const float* b, float* c) {
    __shared__ float left[TILE][TILE], right[TILE][TILE + 1];
    const int row = blockIdx.y * TILE + threadIdx.y, column = blockIdx.x * TILE + threadIdx.x;
    float sum = 0.0f;
    for (int start = 0; start < DIM_K; start += TILE) {
        const int across = start + threadIdx.x, down = start + threadIdx.y;
        left[threadIdx.y][threadIdx.x] = row < DIM_M && across < DIM_K ? a[row * DIM_K + across] : 0.0f;
        right[threadIdx.y][threadIdx.x] = down < DIM_K && column < DIM_N ? b[down * DIM_N + column] : 0.0f;
        __syncthreads();
        for (int k = 0; k < TILE; ++k) sum += left[threadIdx.y][k] * right[k][threadIdx.x];
        __syncthreads();
    }
    if (row < DIM_M && column < DIM_N) c[row * DIM_N + column] = sum;
}
"""
SPEC: dict[str, JsonValue] = {"operator": "matmul", "shape": [96, 64, 48], "settings": {}, "dtype": "float32"}
SHEET = "NVIDIA A100 data sheet"
A100 = Device(
    name="NVIDIA A100-SXM4-80GB",
    vendor="nvidia",
    kind="gpu",
    arch="sm_80",
    aliases=("A100",),
    facts={
        "sm_count": Fact(value=108, unit="multiprocessors", source="A100 white paper"),
        "dram_gbs": Fact(value=2039, unit="GB/s", source=SHEET),
        "fp32_tflops": Fact(value=19.5, unit="TFLOP/s", source=SHEET, note="without tensor cores"),
    },
    notes=("A bare A100 is the SXM4 80 GB.",),
)
FACTS = OperatorFacts(
    operator="matmul",
    dtype="float32",
    settings=(Setting(name="k", value=48, assumed=True, how="--input-shape 96,64,48"),),
    tensors={"a": (96, 48), "b": (48, 64), "c": (96, 64)},
    flops=589824,
    min_bytes=55296,
    access=("a is read row by row, contiguous",),
    reuse={"a": 64, "b": 96},
    epilogues=(Epilogue(name="bias", route="epilogue", saved_bytes=49152, legality="pointwise"),),
)
BUDGET = Budget(trials=64, seconds=180)


def candidate(tile: int | None) -> Candidate:
    """The naive kernel, or one with shared-memory tiles."""
    launch = (
        Launch(kernel="matmul", grid=("cdiv(m * n, 128)",), block=("128",), args=("a", "b", "c"))
        if tile is None
        else Launch(
            kernel="matmul", grid=("cdiv(n, TILE)", "cdiv(m, TILE)"), block=("TILE", "TILE"), args=("a", "b", "c")
        )
    )
    program = Program(language="cuda", source="matmul.cu", launches=(launch,))
    return Candidate(
        files={"matmul.cu": NAIVE if tile is None else TILED, PROGRAM_FILE: program.model_dump_json(indent=1)},
        params={} if tile is None else {"TILE": tile},
        family="naive" if tile is None else "shared_tile",
        origin="baseline" if tile is None else "search",
    )


def profile(registers: int, shared: int, fraction: float, threads: int) -> Profile:
    """Static facts of one kernel on sm_80."""
    occupancy = Occupancy(blocks=4, warps=int(fraction * 64), fraction=fraction, limiter="warps")
    kernel = StaticFacts(
        arch="sm_80",
        kernel="matmul",
        registers=registers,
        static_shared=shared,
        threads_per_block=threads,
        blocks=512,
        occupancy=occupancy,
    )
    return Profile(kernels=(kernel,), flops=6e5, bytes_moved=1.2e5, bound_us=0.0302)


def predicted_trial(tile: int | None, score: float) -> Trial:
    """Verified on the CPU, scored for the A100."""
    return Trial(
        candidate=candidate(tile),
        status=Status.OK,
        measurement=Measurement(
            unit="score",
            samples=(score,),
            provenance=Provenance.PREDICTED,
            source="issue-work model for sm_80",
            error="Spearman 0.86 on 144 convolutions; best of ten within 1.12x",
        ),
        checks=(Check(name="reference", passed=True, detail="worst error 3e-8", figures={"inputs": 15}),),
        profile=profile(24 + (tile or 0), 8 * (tile or 0) ** 2, 0.5 if tile == 32 else 1.0, (tile or 12) ** 2),
    )


FAILED = (
    Trial(candidate=Candidate(params={"TILE": 96}), status=Status.WRONG, feedback="worst error 0.31 at c[3, 7]"),
    Trial(candidate=Candidate(params={"TILE": 160}), status=Status.WRONG, feedback="worst error 0.27 at c[0, 9]"),
    Trial(candidate=Candidate(params={"TILE": 3000}), status=Status.NOT_BUILT, feedback="too many threads\nline 2"),
    Trial(candidate=Candidate(params={"PTX": 1}), status=Status.NOT_VERIFIED, feedback="inline PTX at line 4"),
)
NOTES = (
    AgentNote(round=0, agent="operator", by="rules", summary="matmul of 96x48 by 48x64"),
    AgentNote(round=0, agent="hardware", by="rules", summary="memory is the roof; bound 0.0302 us"),
    AgentNote(round=1, agent="performance", by="rules", summary="uncoalesced reads", points=("stride 4096 bytes",)),
    AgentNote(
        round=1,
        agent="codegen",
        by="model:qwen3",
        summary="Read each tile once into shared memory.",
        points=("<b>tiles</b> are independent",),
        tools=("compile(shared_tile, TILE=16)",),
    ),
)


def predicted() -> RunRecord:
    """A finished run with no GPU present."""
    trials = (predicted_trial(16, 0.21), predicted_trial(8, 0.26), predicted_trial(32, 0.4), *FAILED)
    return RunRecord(
        run="matmul-a100-1",
        task=Task(
            name="matmul",
            target="A100",
            spec=SPEC,
        ),
        state=RunState.DONE,
        stop_reason="no progress in 2 rounds",
        facts=FACTS,
        device=A100,
        provenance=Provenance.PREDICTED,
        environment=Environment(device="x86_64 host", toolchain={"nvrtc": "13.0"}),
        budget=BUDGET,
        spent=Spent(trials=7, seconds=41.0),
        baseline=predicted_trial(None, 1.0),
        trials=trials,
        screenings=tuple(Screening(candidate=t.candidate, score=0.3) for t in trials[:3]),
        notes=NOTES,
        best=trials[0].candidate.id,
        created="2026-01-05T10:00:00Z",
        finished="2026-01-05T10:00:41Z",
        version="0.1.0",
    )


def measurement(*samples: float) -> Measurement:
    """Times on the CPU, microseconds."""
    return Measurement(unit="us", samples=samples, source="AMD EPYC 7763", environment="cpu-1")


def comparison(ratio: float, half: float) -> Comparison:
    """Against the naive C baseline."""
    return Comparison(
        ratio=ratio,
        low=ratio - half,
        high=ratio + half,
        minimum_gain=0.01,
        baseline=measurement(900.0, 905.0, 910.0),
        candidate=measurement(900.0 / ratio, 905.0 / ratio, 910.0 / ratio),
    )


def measured_trial(block: int | None, us: float, ratio: float, half: float) -> Trial:
    """A C kernel timed on all cores and on one."""
    return Trial(
        candidate=Candidate(
            files={"matmul.c": f"/* block {block} */\nvoid matmul(const float *a, const float *b, float *c);\n"},
            params={} if block is None else {"BLOCK": block},
            family="naive" if block is None else "blocked",
            origin="baseline" if block is None else "search",
        ),
        status=Status.OK,
        measurement=measurement(us * 0.99, us, us * 1.01),
        checks=(Check(name="reference", passed=True, figures={"inputs": 12}),),
        comparison=None if block is None else comparison(ratio, half),
        profile=Profile(
            counters=Counters(source="perf", values={"time_us_at_1_thread": us * 3.7, "instructions": 4.1e6}),
            flops=5.9e5,
            bytes_moved=9.2e4,
        ),
    )


def measured() -> RunRecord:
    """A finished run on this machine's CPU."""
    trials = (measured_trial(64, 300.0, 3.02, 0.05), measured_trial(8, 898.0, 1.005, 0.02), *FAILED[:2])
    cpu = Device(
        name="AMD EPYC 7763",
        vendor="amd",
        kind="cpu",
        arch="x86-64-v3",
        facts={
            "cores": Fact(value=2, unit="cores", source="read live"),
            "dram_gbs": Fact(value=41.0, unit="GB/s", source="measured by a triad"),
            "fp32_tflops": Fact(value=0.157, unit="TFLOP/s", source="cores x clock x lanes x 2 x fma units"),
        },
    )
    return RunRecord(
        run="matmul-host-1",
        task=Task(name="matmul", spec=SPEC),
        state=RunState.DONE,
        stop_reason="the budget of trials is spent",
        facts=FACTS,
        device=cpu,
        environment=Environment(device="AMD EPYC 7763", toolchain={"gcc": "12.2"}, versions={"atunner": "0.1.0"}),
        budget=Budget(trials=4, tokens=10000, usd=0.5),
        spent=Spent(trials=4, seconds=75.0, tokens=4200, usd=0.031),
        model="model:qwen3",
        baseline=measured_trial(None, 905.0, 1.0, 0.0),
        trials=trials,
        notes=NOTES[2:],
        confirmed=comparison(3.0, 0.06),
        best=trials[0].candidate.id,
        version="0.1.0",
    )
