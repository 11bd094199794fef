"""Any affine nest, rewritten in any way that is offered, computes the same bits."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nest_programs import FLAGS, MAIN, START, changed, flat, printed
from support import need

from atunner.domains.llvm_ir.nests import Pick, rewrites
from atunner.domains.llvm_ir.nests.effort import TooIntricate

pytestmark = pytest.mark.usefixtures("clang")
LOW, HIGH = 3, 31
OFFSETS = st.integers(-2, 2)


@pytest.fixture
def clang() -> None:
    need("clang-19")


@st.composite
def elements(draw: st.DrawFn, loops: list[str]) -> str:
    """An element whose subscripts stay inside the arrays."""
    array = draw(st.sampled_from("abc"))
    subs = [f"{draw(st.sampled_from(loops))} + {draw(OFFSETS)}" for _ in range(2)]
    return f"{array}[{subs[0]}][{subs[1]}]"


@st.composite
def assignments(draw: st.DrawFn, loops: list[str]) -> str:
    """One statement."""
    target = draw(elements(loops))
    values = [draw(elements(loops)) for _ in range(draw(st.integers(1, 3)))]
    operator = draw(st.sampled_from(["=", "+=", "-="]))
    product = draw(st.sampled_from([" * ", " + 0.5 * ", " - "])).join(values)
    return f"{target} {operator} 0.25 * ({product});"


@st.composite
def bodies(draw: st.DrawFn, loops: list[str], depth: int) -> str:
    """Statements and loops, in any order."""
    parts = []
    for _ in range(draw(st.integers(1, 2))):
        if depth < 3 and draw(st.booleans()):
            parts.append(draw(nests(loops, depth)))
        elif loops:
            parts.append(draw(assignments(loops)))
    return " ".join(parts) or draw(nests(loops, depth))


@st.composite
def nests(draw: st.DrawFn, loops: list[str], depth: int = 0) -> str:
    """One loop: up or down, with bounds that are constant, a parameter or a loop further out."""
    name = f"i{depth}_{len(loops)}"
    low, high = str(LOW), "n"
    if loops and draw(st.booleans()):
        low = draw(st.sampled_from([low, f"{loops[-1]}", f"{loops[-1]} + 1"]))
    elif loops and draw(st.booleans()):
        high = loops[-1]
    header = f"for (int {name} = {low}; {name} < {high}; {name}++)"
    if draw(st.integers(0, 5)) == 0:
        header = f"for (int {name} = {high} - 1; {name} >= {low}; {name}--)"
    return f"{header} {{ {draw(bodies([*loops, name], depth + 1))} }}"


@st.composite
def functions(draw: st.DrawFn) -> str:
    """A function of one or two nests over arrays that may be one and the same: of rows, or of one dimension."""
    nested = " ".join(draw(nests([])) for _ in range(draw(st.integers(1, 2))))
    text = f"(int n, int row, double (*a)[COLS], double (*b)[COLS], double (*c)[COLS])\n{{ {nested} }}\n"
    length = draw(st.sampled_from(["", "COLS", "row", "(row - 1)"]))
    return flat(text, length) if length else text


NUMBERS = st.fixed_dictionaries(
    {
        "bytes": st.sampled_from([16, 32]),
        "rows": st.sampled_from([1, 2, 3, 4]),
        "vectors": st.sampled_from([1, 2]),
        "jam": st.sampled_from([2, 4]),
        "depth": st.sampled_from([0, 64]),
        "pack": st.sampled_from([0, 1]),
        "apart": st.sampled_from([0, 1]),
    }
)
ALIASES = st.sampled_from(["a, b, c", "a, b, c", "a, a, c", "a, b, b + 3"])


OPEN = "static volatile int nothing;\n"
"""Added to a size, it keeps the size open while the nest is planned."""
SIZES = st.builds("{}{}".format, st.integers(5, HIGH), st.sampled_from(["", " + nothing"]))


def check(parts: list[str], aliases: str, numbers: dict[str, int], size: str, template: int) -> None:
    """Rewrite the functions of one program, and compare what both programs print."""
    names = [f"f{number}" for number in range(len(parts))]
    text = "".join(f"static void {name}{part}" for name, part in zip(names, parts, strict=True))
    calls = " ".join(f"{name}({size}, COLS, (void *){aliases.replace(', ', ', (void *)')});" for name in names)
    source = START + OPEN + text + MAIN.format(calls=calls)
    offered = [r for r in rewrites(source, FLAGS, Path.cwd()) if r.exact and not r.line]
    if not offered:
        return
    rewrite = offered[template % len(offered)]
    try:
        new = changed(source, Pick(rewrite=rewrite.name, params=dict(numbers)))
    except TooIntricate:
        return
    assert printed(new) == printed(source), source


def law(examples: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The same law, with few examples each time and many at night."""

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        slow_machine = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
        limits = settings(max_examples=examples, deadline=None, suppress_health_check=slow_machine)
        strategy = given(st.lists(functions(), min_size=2, max_size=2), ALIASES, NUMBERS, SIZES, st.integers(0, 5))
        return limits(strategy(test))

    return decorate


@law(2)
def test_any_nest_keeps_every_bit(
    parts: list[str], aliases: str, numbers: dict[str, int], size: str, template: int
) -> None:
    check(parts, aliases, numbers, size, template)


@pytest.mark.slow
@pytest.mark.timeout(3000)
@law(120)
def test_many_nests_keep_every_bit(
    parts: list[str], aliases: str, numbers: dict[str, int], size: str, template: int
) -> None:
    check(parts, aliases, numbers, size, template)
