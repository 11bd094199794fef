"""Every wrong request is one line on standard error with a truthful exit code, before anything is spent."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from commands import Command

from atunner.core.record import RunRecord, RunState
from atunner.core.task import Budget, Task
from atunner.knowledge_base.store import Store

MATMUL = ("optimize", "--operator", "matmul", "--budget", "3")
BAD_REQUEST, TOOL_MISSING = 2, 3


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("optimize", "--operator", "conv3d"), "No operator named 'conv3d'. Did you mean conv2d? Known: conv2d,"),
        ((*MATMUL, "--target-gpu", "NOT-A-GPU"), "No device named 'NOT-A-GPU'."),
        ((*MATMUL, "--target-gpu", "A10O"), "Did you mean A10"),
        ((*MATMUL, "--input-shape", "0,2,3"), "m must be at least 1, got 0"),
        ((*MATMUL, "--input-shape=-1,2,3"), "m must be at least 1, got -1"),
        ((*MATMUL, "--input-shape", "1,2"), "takes --input-shape m,n,k (3 numbers), got 2"),
        ((*MATMUL, "--input-shape", "a,b,c"), "--input-shape takes integers separated by commas"),
        ((*MATMUL, "--input-shape", "1.5,2,3"), "--input-shape takes integers"),
        ((*MATMUL, "--input-shape", "1000000,1000000,1000000"), "elements, at most"),
        (
            (*MATMUL, "--input-shape", "40000,40000,40000", "--target-gpu", "T4"),
            "The tensors need 19.2 GB and T4 has 16 GB",
        ),
        ((*MATMUL, "--dtype", "float99"), "matmul has no dtype 'float99'. Known: float32"),
        ((*MATMUL, "--set", "kernel=3"), "matmul has no setting 'kernel'"),
        ((*MATMUL, "--set", "kernel"), "--set takes name=value"),
        (("optimize", "--operator", "conv2d", "--set", "stride=0"), "stride"),
        (("optimize", "--operator", "matmul", "--budget", "0"), "--budget must be above zero"),
        (("optimize", "--operator", "matmul", "--budget", "-5"), "--budget must be above zero"),
        (("optimize", "--operator", "matmul", "--budget", "soon"), "--budget takes trials or a time"),
        (("optimize", "--operator", "matmul", "--budget", "nans"), "--budget must be above zero"),
        (("optimize", "--operator", "matmul", "--budget", "1"), "A budget of 1 trial is what the baseline takes"),
        ((*MATMUL, "--budget", "9" * 23), "A budget's trials: expected at most 1000000000000"),
        ((*MATMUL, "--max-tokens", "9" * 23), "A budget's tokens: expected at most 1000000000000"),
        ((*MATMUL, "--max-usd", "inf"), "A budget's usd: expected a finite number"),
        ((*MATMUL, "--seed", "-1"), "A seed is a whole number from 0 to 2147483647; got -1."),
        ((*MATMUL, "--seed", str(2**31)), "A seed is a whole number from 0 to 2147483647; got 2147483648."),
        ((*MATMUL, "--target-ratio", "inf"), "The ratio to stop at is above 0 and at most 1,000,000; got inf."),
        ((*MATMUL, "--target-ratio", "nan"), "Invalid value for '--target-ratio'"),
        (
            (*MATMUL, "--strategy", "explicit", "--strategy-option", "language=cuda"),
            "The strategy setting language=cuda is for another kernel: matmul.c is c; leave it out.",
        ),
        ((*MATMUL, "--prices", "none.yaml"), "Cannot read prices none.yaml"),
        ((*MATMUL, "--strategy", "exprt"), "No strategy named 'exprt'. Did you mean expert"),
        ((*MATMUL, "--search", "bayes"), "No searcher named 'bayes'. Did you mean bayesian"),
        ((*MATMUL, "--model", "gpt"), "'gpt'"),
        ((*MATMUL, "--model", "openai:gpt-4o"), "OPENAI_API_KEY"),
        ((*MATMUL, "--log-level", "loud"), "--log-level takes one of debug, info, warning, error; got 'loud'"),
        ((*MATMUL, "--output", "/dev/null/x"), "Cannot write to --output /dev/null/x"),
        ((*MATMUL, "--config", "none.yaml"), "Cannot read --config none.yaml"),
        (("resume", "no-such-run"), "No run named 'no-such-run'"),
        (("show", "no-such-run"), "No run named 'no-such-run'"),
        (("export", "no-such-run"), "No run named 'no-such-run'"),
        (("compare", "one", "two"), "No run named 'one'"),
        (("import", "none.json"), "none.json"),
        (("devices", "A10O"), "No device named 'A10O'. Did you mean A10"),
        (("inspect", "none.cu"), "Cannot read none.cu"),
        (("optimise",), "No such command 'optimise'"),
        (("optimize",), "Missing option '--operator'"),
        (("optimize", "--nope"), "No such option: --nope"),
        ((*MATMUL, "--max-tokens", "many"), "--max-tokens"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_wrong_request_is_one_line_and_exit_code_2(atunner: Command, argv: tuple[str, ...], words: str) -> None:
    said = atunner(*argv)

    assert (said.code, said.out) == (BAD_REQUEST, "")
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    assert words in said.err


@pytest.mark.parametrize(
    "argv",
    [
        ("tune", "kernel", "noise.yaml"),
        ("tune", "kernel", "noise.json"),
        ("tune", "kernel", "noise.c"),
        ("tune", "ir", "noise.c"),
        (*MATMUL, "--config", "noise.yaml"),
        (*MATMUL, "--model", "scripted:noise.json"),
        (*MATMUL, "--prices", "noise.yaml", "--model", "openai:gpt-4o", "--max-usd", "1"),
        ("submit", "--kernel", "noise.c"),
        ("submit", "--ir", "noise.c"),
    ],
    ids=" ".join,
)
def test_a_file_that_is_no_text_is_one_line_and_exit_code_2(
    atunner: Command, home: Path, argv: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a-key")
    for name in ("noise.yaml", "noise.json", "noise.c"):
        (home / name).write_bytes(bytes(range(128, 256)))
    said = atunner(*argv)

    assert (said.code, said.out) == (BAD_REQUEST, "")
    assert said.err.count("\n") == 1
    assert " text" in said.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("budgets: 4", "no option 'budgets' for optimize. Known: "),
        ("- operator", "must hold 'option: value' lines"),
        ("a: [", "is not YAML"),
        ("operator: conv3d", "No operator named 'conv3d'"),
        ("operator: matmul\nbudget: 0", "--budget must be above zero"),
    ],
)
def test_a_wrong_config_file_is_one_line(atunner: Command, home: Path, text: str, words: str) -> None:
    (home / "run.yaml").write_text(text)
    said = atunner("optimize", "--config", "run.yaml")

    assert (said.code, said.err.count("\n")) == (BAD_REQUEST, 1)
    assert words in said.err


@pytest.mark.parametrize(("name", "value"), [("ATUNNER_WORKERS", "-1"), ("ATUNNER_DATA", "/dev/null/x")])
def test_a_wrong_setting_is_one_line(atunner: Command, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    said = atunner("list")

    assert said.code in (BAD_REQUEST, TOOL_MISSING)
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1


def test_a_missing_compiler_is_one_line_and_exit_code_3(atunner: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    said = atunner(*MATMUL, "--input-shape", "8,8,8")

    assert (said.code, said.out) == (TOOL_MISSING, "")
    assert said.err.splitlines()[-1].startswith("error: ")
    assert "is not on this machine" in said.err
    assert "atunner doctor" in said.err
    assert "Traceback" not in said.err


def test_a_compiler_that_is_not_here_is_named(atunner: Command) -> None:
    said = atunner(*MATMUL, "--compiler", "tcc")

    assert said.code in (BAD_REQUEST, TOOL_MISSING)
    assert "tcc" in said.err
    assert said.err.count("\n") == 1


def test_a_knowledge_base_from_a_newer_version_is_left_alone(atunner: Command, home: Path) -> None:
    assert atunner("list").code == 0
    file = home / "data" / "atunner.sqlite"
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    said = atunner("list")

    assert (said.code, said.err.count("\n")) == (BAD_REQUEST, 1)
    assert "Upgrade ATunner, or choose another database" in said.err


def test_a_finished_run_cannot_be_resumed(atunner: Command, home: Path) -> None:
    (home / "data").mkdir()
    with Store(f"sqlite:///{home / 'data' / 'atunner.sqlite'}") as store:
        store.save_run(RunRecord(run="r-1", task=Task(name="matmul"), state=RunState.DONE, budget=Budget(trials=1)))
    said = atunner("resume", "r-1")

    assert said.err == "error: Run r-1 is done; nothing to resume. Look at it with: atunner show r-1\n"
    assert said.code == BAD_REQUEST


def test_nothing_is_left_behind_by_a_wrong_request(atunner: Command, home: Path) -> None:
    atunner("optimize", "--operator", "conv3d")

    assert json.loads(atunner("list", "--json").out) == []
    assert not (home / "atunner-runs").exists()


def test_the_real_command_says_the_same(home: Path) -> None:
    command = [sys.executable, "-c", "from atunner.cli import main; main()", "optimize", "--operator", "conv3d"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stdout) == (BAD_REQUEST, "")
    assert done.stderr.startswith("error: No operator named 'conv3d'.")
    assert done.stderr.count("\n") == 1
