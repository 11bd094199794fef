import pytest

from atunner.core.errors import Rejected
from atunner.domains.llvm_ir import flags
from atunner.domains.llvm_ir.program import Level
from atunner.domains.llvm_ir.recipe import check_flags
from atunner.domains.llvm_ir.toolchain import Toolchain

TOOLS = Toolchain(name="clang-19", version="19", major=19, clang="", tools={}, polly=True, sanitizers=True)


def test_native_alone_is_not_exact_because_it_fuses() -> None:
    with pytest.raises(Rejected, match="rounded once"):
        check_flags(["-O3", "-march=native"], Level.EXACT)

    check_flags(["-O3", "-march=native", "-ffp-contract=off"], Level.EXACT)
    check_flags(["-O3", "-march=native"], Level.TOLERANCE)


@pytest.mark.parametrize("flag", ["-ffast-math", "-Ofast", "-fassociative-math", "-ffp-contract=fast"])
def test_looser_rounding_is_for_looser_levels(flag: str) -> None:
    with pytest.raises(Rejected, match="level exact does not"):
        check_flags(["-O3", flag], Level.EXACT)
    check_flags(["-O3", flag], Level.FAST)


@pytest.mark.parametrize(
    "flags_",
    [
        ["-fplugin=evil.so"],
        ["-o", "elsewhere"],
        ["-Wl,-rpath,/"],
        ["@file"],
        ["-fprofile-use=x"],
        ["-include", "x.h"],
        ["-mllvm", "-load=evil.so"],
        ["-mllvm", "-print-after-all"],
        ["-mllvm"],
        ["-O3; rm"],
    ],
)
def test_flags_that_do_more_than_generate_code_are_refused(flags_: list[str]) -> None:
    with pytest.raises(Rejected, match="allowed"):
        check_flags(flags_, Level.FAST)


@pytest.mark.parametrize("level", list(Level))
def test_every_fixed_build_passes_the_gate_of_its_level(level: Level) -> None:
    builds = flags.portfolio(level, TOOLS)

    assert len({flags.recipe(p) for p in builds}) == len(builds) >= 12
    for point in builds:
        check_flags(flags.recipe(point).flags, level)


def test_the_first_build_is_strict_native() -> None:
    assert flags.recipe(flags.portfolio(Level.EXACT, TOOLS)[0]).flags == ("-O3", "-march=native", "-ffp-contract=off")


def test_a_clang_without_polly_is_not_asked_for_it() -> None:
    plain = TOOLS.model_copy(update={"polly": False})

    assert all("-polly" not in flags.recipe(p).flags for p in flags.portfolio(Level.EXACT, plain))
