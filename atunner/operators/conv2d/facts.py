"""What a convolution costs, how it walks its tensors, and what could be fused with it: all computed."""

from atunner.core.facts import Epilogue, OperatorFacts
from atunner.core.program import Problem
from atunner.operators.shapes import bytes_of, settings_of

FLOAT = 4
SHARED_BYTES = 48 * 1024
"""Static shared memory of a block without opt-in, on every NVIDIA device since Fermi (CUDA C++ Programming Guide)."""


def products(problem: Problem) -> int:
    """Multiply-adds of the definition; those with padding zeros are counted, as is the convention."""
    d = problem.dims
    return d["n"] * d["k"] * d["p"] * d["q"] * (d["c"] // d["groups"]) * d["r"] ** 2


def facts_of(problem: Problem, given: frozenset[str]) -> OperatorFacts:
    """FLOPs, minimal bytes, access, reuse and fusion candidates of one problem."""
    d = problem.dims
    values = {"out_channels": d["k"], "kernel": d["r"]}
    values |= {name: d[name] for name in ("stride", "padding", "dilation", "groups")}
    return OperatorFacts(
        operator=problem.operator,
        dtype=problem.dtype,
        settings=settings_of(values, given),
        tensors={b.name: b.shape for b in problem.buffers},
        flops=2.0 * products(problem),
        min_bytes=float(bytes_of(problem.buffers)),
        access=_access(problem),
        reuse={b.name: products(problem) / b.elements for b in problem.buffers},
        epilogues=_epilogues(problem),
        notes=_notes(problem),
    )


def _access(problem: Problem) -> tuple[str, ...]:
    d = problem.dims
    reach = (d["r"] - 1) * d["dilation"] + 1
    shared = max(0, reach - d["stride"]) / reach
    neighbours = "contiguous" if d["stride"] == 1 else f"{d['stride'] * FLOAT} bytes apart"
    depth = d["c"] // d["groups"] * d["r"] ** 2
    return (
        f"x: windows of {reach}x{reach} over {d['c'] // d['groups']} channels; neighbouring outputs read {neighbours} "
        f"and share {shared:.0%} of their columns; channels lie {d['h'] * d['w'] * FLOAT} bytes apart",
        f"weight: {depth} contiguous values an output channel, the same for all {d['n'] * d['p'] * d['q']} pixels",
        f"y: written once, rows of {d['q']} contiguous values; each sums {depth} products",
    )


def _notes(problem: Problem) -> tuple[str, ...]:
    d = problem.dims
    reads = _inside(d, "h", "p") * _inside(d, "w", "q") / (d["p"] * d["q"] * d["r"] ** 2)
    notes = [f"{1 - reads:.1%} of the products meet padding zeros"] if d["padding"] else []
    if d["groups"] == d["c"] and d["groups"] > 1:
        notes.append("depthwise: no sum over input channels, so little reuse of x")
    if (d["r"], d["stride"], d["dilation"], d["groups"]) == (3, 1, 1, 1):
        notes.append("Winograd F(2x2, 3x3) applies: 16 multiplications for 36")
    return tuple(notes)


def _inside(d: dict[str, int], extent: str, outputs: str) -> int:
    """Pairs of output position and tap along one axis that meet the image."""
    starts = range(-d["padding"], d[outputs] * d["stride"] - d["padding"], d["stride"])
    return sum(0 <= start + tap * d["dilation"] < d[extent] for start in starts for tap in range(d["r"]))


def _epilogues(problem: Problem) -> tuple[Epilogue, ...]:
    d = problem.dims
    result = next(b for b in problem.buffers if b.role == "output").elements * FLOAT
    padded = d["n"] * d["c"] * (d["h"] + 2 * d["padding"]) * (d["w"] + 2 * d["padding"]) * FLOAT
    pointwise = "element by element on the result, which is still in registers"
    return (
        Epilogue(name="bias", route="epilogue", saved_bytes=2 * result, legality=f"one value a channel, {pointwise}"),
        Epilogue(name="relu", route="epilogue", saved_bytes=2 * result, legality=pointwise),
        Epilogue(
            name="batch_norm",
            route="epilogue",
            saved_bytes=2 * result,
            legality="inference only: scale and shift are constants a channel and fold into weight and bias",
        ),
        Epilogue(
            name="residual_add",
            route="epilogue",
            saved_bytes=2 * result,
            legality=f"{pointwise}; the other operand has the shape of y and is read once either way",
        ),
        Epilogue(
            name="pad",
            route="prologue",
            saved_bytes=2 * padded if d["padding"] else 0,
            legality="zero padding becomes a bounds test at the load; reflect and replicate need another index",
            blocker="" if d["padding"] else "padding is 0, so there is nothing to merge",
        ),
        _pointwise(problem, result),
    )


def _pointwise(problem: Problem, result: int) -> Epilogue:
    """A following 1x1 convolution: a block must hold all channels of its pixels at once."""
    needed = problem.dims["k"] * 32 * FLOAT
    fits = needed <= SHARED_BYTES
    return Epilogue(
        name="pointwise_conv",
        route="neighbour",
        saved_bytes=2 * result,
        legality=f"a block keeps all {problem.dims['k']} channels of 32 pixels in {needed} bytes of shared memory",
        blocker="" if fits else f"{needed} bytes exceed the {SHARED_BYTES} of a block",
    )
