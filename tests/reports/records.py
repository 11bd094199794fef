"""Two small runs with real-looking figures: one predicted for an A100, one measured on a CPU."""

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

NAIVE = """extern "C" __global__ void softmax(const float* x, float* y) {
    int row = blockIdx.x * blockDim.x + threadIdx.x;
    if (row >= DIM_ROWS) return;
    float top = x[row * DIM_COLS], sum = 0.0f;
    for (int i = 0; i < DIM_COLS; ++i) top = fmaxf(top, x[row * DIM_COLS + i]);
    for (int i = 0; i < DIM_COLS; ++i) sum += expf(x[row * DIM_COLS + i] - top);
    for (int i = 0; i < DIM_COLS; ++i) y[row * DIM_COLS + i] = expf(x[row * DIM_COLS + i] - top) / sum;
}
"""
BLOCK = """extern "C" __global__ void softmax(const float* x, float* y) {
    __shared__ float partial[THREADS];
    const float* in = x + blockIdx.x * DIM_COLS;
    float* out = y + blockIdx.x * DIM_COLS;
    float top = -3.4e38f;
    for (int i = threadIdx.x; i < DIM_COLS; i += THREADS) top = fmaxf(top, in[i]);
    partial[threadIdx.x] = top;
    __syncthreads();
    for (int s = THREADS / 2; s > 0; s /= 2) {
        if (threadIdx.x < s) partial[threadIdx.x] = fmaxf(partial[threadIdx.x], partial[threadIdx.x + s]);
        __syncthreads();
    }
    top = partial[0];
    __syncthreads();
    float sum = 0.0f;
    for (int i = threadIdx.x; i < DIM_COLS; i += THREADS) sum += expf(in[i] - top);
    partial[threadIdx.x] = sum;
    __syncthreads();
    for (int s = THREADS / 2; s > 0; s /= 2) {
        if (threadIdx.x < s) partial[threadIdx.x] += partial[threadIdx.x + s];
        __syncthreads();
    }
    for (int i = threadIdx.x; i < DIM_COLS; i += THREADS) out[i] = expf(in[i] - top) / partial[0];
}
"""
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
    operator="softmax",
    dtype="float32",
    settings=(Setting(name="axis", value=-1, assumed=True, how="--set axis=-1"),),
    tensors={"x": (512, 1024), "y": (512, 1024)},
    flops=2621440,
    min_bytes=4194304,
    access=("x is read row by row, contiguous",),
    reuse={"x": 3},
    epilogues=(Epilogue(name="scale", route="prologue", saved_bytes=4194304, legality="pointwise"),),
)
BUDGET = Budget(trials=64, seconds=180)


def candidate(threads: int | None) -> Candidate:
    """The naive kernel, or one block a row."""
    launch = (
        Launch(kernel="softmax", grid=("cdiv(rows, 128)",), block=("128",), args=("x", "y"))
        if threads is None
        else Launch(kernel="softmax", grid=("rows",), block=("THREADS",), args=("x", "y"))
    )
    program = Program(language="cuda", source="softmax.cu", launches=(launch,))
    return Candidate(
        files={"softmax.cu": NAIVE if threads is None else BLOCK, PROGRAM_FILE: program.model_dump_json(indent=1)},
        params={} if threads is None else {"THREADS": threads},
        family="naive" if threads is None else "row_per_block",
        origin="baseline" if threads is None else "search",
    )


def profile(registers: int, shared: int, fraction: float, threads: int) -> Profile:
    """Static facts of one kernel on sm_80."""
    occupancy = Occupancy(blocks=4, warps=int(fraction * 64), fraction=fraction, limiter="warps")
    kernel = StaticFacts(
        arch="sm_80",
        kernel="softmax",
        registers=registers,
        static_shared=shared,
        threads_per_block=threads,
        blocks=512,
        occupancy=occupancy,
    )
    return Profile(kernels=(kernel,), flops=3e6, bytes_moved=8.4e6, bound_us=2.06)


def predicted_trial(threads: int | None, score: float) -> Trial:
    """Verified on the CPU, scored for the A100."""
    return Trial(
        candidate=candidate(threads),
        status=Status.OK,
        measurement=Measurement(
            unit="score",
            samples=(score,),
            provenance=Provenance.PREDICTED,
            source="issue-work model for sm_80",
            error="Spearman 0.86 on 144 convolutions; best of ten within 1.12x",
        ),
        checks=(Check(name="reference", passed=True, detail="worst error 3e-8", figures={"inputs": 15}),),
        profile=profile(16 + (threads or 0) // 32, 4 * (threads or 0), 0.5 if threads == 1024 else 1.0, threads or 128),
    )


FAILED = (
    Trial(candidate=Candidate(params={"THREADS": 96}), status=Status.WRONG, feedback="worst error 0.31 at y[3, 7]"),
    Trial(candidate=Candidate(params={"THREADS": 160}), status=Status.WRONG, feedback="worst error 0.27 at y[0, 9]"),
    Trial(candidate=Candidate(params={"THREADS": 3000}), status=Status.NOT_BUILT, feedback="too many threads\nline 2"),
    Trial(candidate=Candidate(params={"PTX": 1}), status=Status.NOT_VERIFIED, feedback="inline PTX at line 4"),
)
NOTES = (
    AgentNote(round=0, agent="operator", by="rules", summary="softmax over 512 rows of 1024"),
    AgentNote(round=0, agent="hardware", by="rules", summary="memory is the roof; bound 2.06 us"),
    AgentNote(round=1, agent="performance", by="rules", summary="uncoalesced reads", points=("stride 4096 bytes",)),
    AgentNote(
        round=1,
        agent="codegen",
        by="model:qwen3",
        summary="Give each row to one block.",
        points=("<b>rows</b> are independent",),
        tools=("compile(row_per_block, THREADS=256)",),
    ),
)


def predicted() -> RunRecord:
    """A finished run with no GPU present."""
    trials = (predicted_trial(256, 0.21), predicted_trial(128, 0.26), predicted_trial(1024, 0.4), *FAILED)
    return RunRecord(
        run="softmax-a100-1",
        task=Task(
            name="softmax",
            target="A100",
            spec={"operator": "softmax", "shape": [512, 1024], "settings": {}, "dtype": "float32"},
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
            files={"softmax.c": f"/* block {block} */\nvoid softmax(const float *x, float *y);\n"},
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
            flops=2.6e6,
            bytes_moved=4.2e6,
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
        run="softmax-host-1",
        task=Task(
            name="softmax", spec={"operator": "softmax", "shape": [512, 1024], "settings": {}, "dtype": "float32"}
        ),
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
