"""`atunner tune ir` from the command line to the files that it leaves."""

import errno
import json
import os
import subprocess
from pathlib import Path

import pytest
from ir_programs import PRODUCT

from atunner.cli.app import run


@pytest.fixture
def home(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ATUNNER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("ATUNNER_CACHE", str(cache))
    monkeypatch.setenv("PATH", os.environ["PATH"])
    monkeypatch.delenv("ATUNNER_MODEL", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "product.c").write_text(PRODUCT, encoding="utf-8")
    return tmp_path


def test_a_run_leaves_programs_ir_profiles_tables_and_a_script_that_checks_them(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["tune", "ir", "product.c", "--clang", "clang-19", "--evals", "3", "--iterations", "1", "--out", "out"])
    said = capsys.readouterr().out
    left = {path.name for path in (home / "out").iterdir()}

    assert code == 0
    assert "product: " in said
    assert {
        *("product.ll", "product.opt", "product.opt.ll", "product.opt.final", "product.prof.txt", "product.prof.md"),
        *("product.opt.prof.txt", "metrics_log.json", "ir_instr_log.json", "optimization_report.csv", "repro.sh"),
        *("report_cycles.png", "report_cache.png", "report_ir_lines.png", "ir_instr_heatmap.png"),
    } <= left
    log = json.loads((home / "out" / "metrics_log.json").read_text())
    header, line = (home / "out" / "optimization_report.csv").read_text().splitlines()
    assert dict(zip(header.split(","), line.split(","), strict=True))["evals"] == "3"
    assert 3 <= len({entry["candidate"] for entry in log}) == len(log) <= 6  # equal binaries are no evaluations
    done = subprocess.run(["sh", "out/repro.sh"], capture_output=True, text=True, check=False)
    assert done.stdout.strip().endswith("equal"), done


def test_a_dry_run_says_what_would_be_tried_and_tries_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["tune", "ir", "product.c", "--clang", "clang-19", "--dry-run"]) == 0
    said = capsys.readouterr().out

    assert "first: flags: -O3 -march=native -ffp-contract=off" in said
    assert "held-out variants: smaller sizes" in said
    assert not (home / "atunner-runs").exists()


def test_a_dry_run_of_a_folder_leaves_unfit_programs_out_too(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "empty.c").write_text("int x;\n", encoding="utf-8")

    assert run(["tune", "ir", ".", "--clang", "clang-19", "--dry-run"]) == 1
    said = capsys.readouterr()
    assert "product: level exact" in said.out
    assert said.err.strip().splitlines()[-1].startswith("empty was left out: empty.c has no main")


def test_the_argument_that_asks_for_the_result_may_be_another(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "product.c").write_text(PRODUCT.replace('"dump"', '"--all"'), encoding="utf-8")

    assert run(["tune", "ir", "product.c", "--clang", "clang-19", "--dry-run", "--dump=--all"]) == 0
    assert "first: flags: -O3 -march=native" in capsys.readouterr().out
    assert run(["tune", "ir", "product.c", "--clang", "clang-19", "--dry-run"]) == 2
    assert "prints nothing when run with 'dump'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["missing.c"], "Cannot read missing.c: No such file"),
        (["product.txt"], "A C file (.c) is expected"),
        ([], "Which program?"),
        (["product.c", "--level", "exat"], "No level named 'exat'. Did you mean exact"),
        (["product.c", "--cflags=-o x"], "not for --cflags"),
        (["product.c", "--cflags", "-DX='1"], """--cflags: a quotation is not closed; got "-DX='1"."""),
        (["product.c", "--inputs", "'"], """--inputs: a quotation is not closed"""),
        (["--polybench", "."], "is not PolyBench/C"),
        (["product.c", "--stdin", "none.txt"], "Cannot read --stdin none.txt"),
    ],
)
def test_bad_requests_are_one_line_and_code_2(
    home: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    code = run(["tune", "ir", *words])
    said = capsys.readouterr().err

    assert code == 2
    assert message in said
    assert len(said.strip().splitlines()) == 1


def test_a_full_disk_is_one_line_and_code_3(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from atunner.cli import tune_ir

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "run.json")

    monkeypatch.setattr(tune_ir, "writable", full)
    code = run(["tune", "ir", "product.c"])

    assert code == 3
    assert capsys.readouterr().err.startswith("error: no space is left on the disk while writing run.json")
