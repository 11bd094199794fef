"""`atunner ir`: the seed's scripts as single steps, each with an error that says what to do."""

import re
from pathlib import Path

import pytest
from commands import Command, Said
from llvm_ir_evidence.runs import record
from support import need

from atunner.cli.app import run
from atunner.reports import ir_files
from atunner.reports.ir import kernel

RECORDED = Path(__file__).parent / "recorded"
COUNTS = " Performance counter stats for 'x':\n\n   1,000  cycles:u\n   2,500  instructions:u\n\n 0.25 seconds user\n"


@pytest.fixture
def atunner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """`atunner(...)` in a folder of its own that holds gemm.c."""
    for name in ("DATA", "CACHE"):
        monkeypatch.setenv(f"ATUNNER_{name}", str(tmp_path / name.lower()))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gemm.c").write_text((RECORDED / "product.c").read_text())

    def call(*argv: str) -> Said:
        code = run(argv)
        out, err = capsys.readouterr()
        return Said(code, out, err)

    return call


def test_the_steps_follow_one_another(atunner: Command, tmp_path: Path) -> None:
    need("clang-19")

    first = atunner("ir", "build", "gemm.c", "--out", "made")
    profiled = atunner("ir", "profile", "gemm.c", "--out", "made")
    (tmp_path / "made" / "gemm.opt.ll").write_text((tmp_path / "made" / "gemm.ll").read_text())
    last = atunner("ir", "build", "made/gemm.opt.ll")

    assert (first.code, profiled.code, last.code) == (0, 0, 0)
    assert "hot function: `kernel_gemm`" in profiled.out
    assert {p.name for p in (tmp_path / "made").iterdir()} >= {
        "gemm.ll", "gemm.opt", "gemm.opt.final", "gemm.prof.txt", "gemm.prof.md",
    }  # fmt: skip
    assert last.out.strip() == str(tmp_path / "made" / "gemm.opt.final")


def test_counters_become_a_bullet_list(atunner: Command, tmp_path: Path) -> None:
    (tmp_path / "x.prof.txt").write_text(COUNTS)

    said = atunner("ir", "profile", "--input", "x.prof.txt", "--output", "x.prof.md")

    assert said.code == 0
    assert "- instructions per cycle: 2.5" in (tmp_path / "x.prof.md").read_text()


def test_diff_stats_prints_and_adds_a_line(atunner: Command, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(COUNTS)
    (tmp_path / "b.txt").write_text(COUNTS.replace("1,000", "  500"))
    files = (
        "--original_ir",
        str(RECORDED / "product.clang14.ll"),
        "--optimized_ir",
        str(RECORDED / "product.clang19.ll"),
    )
    perf = ("--original_perf", "a.txt", "--optimized_perf", "b.txt")

    said = [atunner("ir", "diff-stats", *files, *perf, "--kernel", k, "--output_csv", "r.csv") for k in ("one", "two")]
    header, *lines = (tmp_path / "r.csv").read_text().splitlines()

    assert [s.code for s in said] == [0, 0]
    assert "opcode uitofp" in said[0].out
    assert header.startswith("kernel,orig_cycles,opt_cycles,Δcycles(%)")
    assert [line.split(",")[:4] for line in lines] == [[k, "1000", "500", "-50.00"] for k in ("one", "two")]


def test_pictures_are_drawn_again_from_the_tables(atunner: Command, tmp_path: Path) -> None:
    for name in ("gemm", "lu"):
        ir_files.write([kernel(record(name=name))], tmp_path / "suite" / name)

    said, heat = atunner("ir", "plot", "suite"), atunner("ir", "heatmap", "suite", "--out", "there")

    assert (said.code, heat.code) == (0, 0)
    assert "geometric mean of 2" in said.out
    assert (tmp_path / "suite" / "report_speedup.png").is_file()
    assert (tmp_path / "there" / "ir_instr_heatmap.png").is_file()


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (("build", "none.c"), 2, "no such file"),
        (("build", "gemm.h"), 2, "ending in .c or .ll"),
        (("build", "bad.ll"), 2, "expected type"),
        (("build", "bad.c"), 2, "does not compile"),
        (("build", "gemm.c", "--clang", "clang-99"), 3, "clang-99 is not on this machine"),
        (("build", "gemm.c", "--cflags", "'x"), 2, "a quotation is not closed"),
        (("profile",), 2, "What should be profiled?"),
        (("profile", "bad.c"), 2, "does not compile"),
        (("profile", "gemm.h"), 2, "has no counters"),
        (("profile", "none.txt"), 2, "Cannot read none.txt"),
        (("optimize", "bad.ll"), 2, "Give the C source"),
        (("optimize", "none.c"), 2, "no such file"),
        (("diff-stats", "--original-ir", "gemm.c", "--optimized-ir", "gemm.c"), 2, "has no function"),
        (("plot", "none"), 2, "no such file or folder"),
        (("plot", "."), 2, "has no optimization_report.csv"),
        (("heatmap", "gemm.c"), 2, "not such a log"),
    ],
)
def test_what_is_wrong_is_one_line(
    atunner: Command, tmp_path: Path, argv: tuple[str, ...], code: int, words: str
) -> None:
    need("clang-19")
    (tmp_path / "gemm.h").write_text("int x;\n")
    (tmp_path / "bad.c").write_text("int main(void) { return }\n")
    (tmp_path / "bad.ll").write_text("define void @f() {\n  %1 = fadd dubble 1.0, 2.0\n  ret void\n}\n")

    said = atunner("ir", *argv)

    assert said.code == code
    assert words in said.err
    assert len(said.err.strip().splitlines()) == 1


def test_every_command_of_the_page_is_there(atunner: Command) -> None:
    text = (Path(__file__).parents[2] / "docs" / "ir-commands.md").read_text()
    named = set(re.findall(r"atunner ir ([a-z-]+)", text))

    assert named == {"build", "profile", "optimize", "diff-stats", "plot", "heatmap", "selftest"}
    assert all(atunner("ir", name, "--help").code == 0 for name in named)
