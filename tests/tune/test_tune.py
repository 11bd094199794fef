"""`atunner tune kernel`: a run from end to end, and every bad input as one line."""

import json
import os
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atunner.cli.app import run
from atunner.core.errors import UserError
from atunner.domains.replay import Replay
from atunner.domains.user_kernels import answer_child
from atunner.domains.user_kernels.answers import no_answer
from atunner.domains.user_kernels.python_answer import PythonAnswer
from atunner.operators.user import UserOperator, problem_of
from atunner.search.formats import read_kernel
from atunner.tools.recording import read_recording


def recorded(times: dict[tuple[int, int], float | str]) -> dict[str, Any]:
    rows = {
        f"{b},{u}": {"block": b, "unroll": u, "time": t, **({"times": [t, t, t]} if isinstance(t, float) else {})}
        for (b, u), t in times.items()
    }
    return {
        "device_name": "Recorder 1",
        "kernel_name": "copy",
        "problem_size": [1024],
        "tune_params_keys": ["block", "unroll"],
        "tune_params": {"block": [16, 32, 64], "unroll": [1, 2]},
        "cache": rows,
    }


COPY = recorded({(16, 1): 4.0, (16, 2): 3.0, (32, 1): 2.0, (32, 2): "CompilationFailedConfig", (64, 2): 1.0})


def one_line(capfd: pytest.CaptureFixture[str], said: str) -> None:
    text = capfd.readouterr().err
    (line,) = [t for t in text.splitlines() if t.startswith("error: ")]
    assert said in line, line


def test_a_kernel_is_tuned_and_its_wrong_configurations_are_not_ranked(
    folder: Any, tune: Any, compiler: None, capfd: pytest.CaptureFixture[str]
) -> None:
    assert tune(folder.path / "scale.yaml", "--budget", "6", "--json") == 0
    record = json.loads(capfd.readouterr().out)
    results = json.loads((folder.path / "out" / "results.t4.json").read_text())

    told = {(t["candidate"]["params"]["SKEW"], t["status"]) for t in record["trials"]}
    # A loud machine may give no figure of some right configuration, twice.
    assert told - {(0, "not_measured")} == {(0, "ok"), (1, "wrong")}
    assert record["provenance"] == "measured"
    assert record["baseline"]["candidate"]["params"] == {"UNROLL": 1, "SKEW": 0}
    assert {r["invalidity"] for r in results["results"]} - {"runtime"} == {"correct", "correctness"}
    assert all(r["measurements"][0]["unit"] == "ms" for r in results["results"] if r["invalidity"] == "correct")
    assert (folder.path / "out" / "best.c").is_file()


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("scale.yaml", "sizes: {n: 4096}", "sizes: {n: 4096}\nconstraints: [UNROLL > 8]", "'UNROLL > 8' cannot be met"),
        ("scale.yaml", "sizes: {n: 4096}", "sizes: {n: 4096}\nconstraints: [UNROLL < TILE]", "'TILE'"),
        ("scale.yaml", "sizes: {n: 4096}", "sizes: {n: 4096}\nconstraints: [8 % SKEW > 0]", "fails at SKEW=0"),
        ("scale.yaml", "sizes: {n: 4096}", "sizes: {n: 4096}\nparameters: {UNROL: [1]}", "Did you mean UNROLL?"),
        ("scale.yaml", "sizes: {n: 4096}", "sizes: {n: 4096}\nparameters: {UNROLL: [.inf, 1]}", "has the value inf; a"),
        ("scale.yaml", "sizes: {n: 4096}", "sizes: {n: 4096}\nparameters: {UNROLL: [.nan, 1]}", "has the value nan; a"),
        ("scale.yaml", "sizes: {n: 4096}", f"sizes: {{n: 4096}}\nparameters: {{UNROLL: [{10**30}, 1]}}", "below 2**63"),
        (
            "scale.yaml",
            "sizes: {n: 4096}",
            f"sizes: {{n: 4096}}\nparameters: {{UNROLL: [{10**400}, 1]}}",
            "below 2**63",
        ),
        ("scale.yaml", "sizes: {n: 4096}", "sizes: {n: 4096}\ncheck: {m: 64}", "check: No size named 'm'"),
        ("scale.yaml", "float32[n] output", "float32[n] output\n  z: float32[n] input", "does not take 'z'; it takes "),
        ("scale.yaml", "float32[n] output", "float32[n] output in 5..1", "in LOW..HIGH the lower end comes first"),
        ("scale.yaml", "float32[n] output", "float32[m] output", "Unknown name 'm'"),
        ("scale.yaml", "sizes:", "size:", "problem_size or sizes?"),
        ("scale.yaml", "  n: int32 = n\n", "", "takes 'n', which is not among the arguments"),
        ("scale.yaml", "n: int32 = n", "n: int32 = n*10**20", "n*10**20 = 409600000000000000000000; -2147483648 to "),
        ("scale.yaml", "n: int32 = n", "n: int32 = n / 3", "= 1365.3333333333333; a whole number is needed"),
        (
            "scale.yaml",
            "sizes: {n: 4096}",
            'sizes: {n: 4096}\nparameters: {UNROLL: [1, "1\\n2"]}',
            "'1\\n2'; a macro is one line of text",
        ),
        ("scale.yaml", "n: int32 = n", "n: int32 = m", "Unknown name 'm' in 'm'. Known: SKEW, UNROLL, n."),
        (
            "scale.yaml",
            "sizes: {n: 4096}",
            "sizes: {n: 4096}\nparameters: {n: [1, 2]}",
            "'n' of scale.c is an argument",
        ),
        ("scale.yaml", "sizes: {n: 4096}", "sizes: {n: 4096}\nparameters: {scale: [1, 2]}", "is the kernel itself"),
        ("scale.yaml", "sizes: {n: 4096}", "sizes: {n: 4096}\nparameters: {int: [1, 2]}", "is a word of the language"),
        ("reference.py", "3.0 * x", "3.0 * x[1:]", "of shape (4095,); (4096,) is needed"),
        ("reference.py", "def scale(x)", "def scale(z)", "scale takes 'z'"),
        ("scale.yaml", "python: reference.py", "python: other.py", "Cannot read the reference "),
        ("reference.py", "3.0 * x", "4.0 * x", "All 6 configurations of scale that were tried fail: "),
        ("scale.c", "3 * x", "3 * missing", "fail: 6 x not_built: scale.c"),
        ("scale.c", "UNROLL 1 //", "UNROLL 1 // again", "used neither in scale.c nor in its launch"),
    ],
)
def test_bad_input_is_told_in_one_line(  # noqa: PLR0913
    folder: Any, tune: Any, compiler: None, capfd: pytest.CaptureFixture[str], file: str, old: str, new: str, said: str
) -> None:
    folder.change(file, old, new)
    if "again" in new:
        folder.change("scale.yaml", "sizes: {n: 4096}", "sizes: {n: 4096}\nparameters: {TILE: [1, 2]}")

    assert tune(folder.path / "scale.yaml", "--budget", "4") == 2
    one_line(capfd, said)


def test_history_of_other_parameters_is_told(folder: Any, tune: Any, capfd: pytest.CaptureFixture[str]) -> None:
    other = folder.write("copy.json", json.dumps(COPY))

    assert tune(folder.path / "scale.yaml", "--history", other, "--budget", "4") == 2
    one_line(capfd, "is of other parameters (block, unroll) and says nothing of scale, which has SKEW, UNROLL")


def test_a_default_that_is_not_valid_is_named_with_what_is_taken(folder: Any) -> None:
    kernel = read_kernel(folder.change("scale.yaml", "sizes:", "constraints: [UNROLL > 1]\nsizes:"))

    notes = UserOperator(kernel, no_answer).facts(problem_of(kernel, kernel.sizes), frozenset()).notes

    assert "the default UNROLL=1 is not a valid configuration; UNROLL=2 is taken instead" in notes


def test_a_reference_that_never_ends_ends_with_the_one_who_asked(folder: Any) -> None:
    folder.write("reference.py", "def scale(x):\n    while True: pass\n")
    np.savez(folder.path / "inputs-1.npz", x=np.ones(4))
    commands, control = os.pipe()
    reply, replies = os.pipe()
    argv = [sys.executable, "-I", answer_child.__file__, str(folder.path), str(commands), str(replies)]
    with subprocess.Popen(argv, pass_fds=(commands, replies)) as child:
        os.close(commands)
        os.close(replies)
        os.write(control, b'{"function": "scale", "sizes": {}, "outputs": ["y"], "number": 1}\n')
        assert not select.select([reply], [], [], 1.0)[0]
        assert child.poll() is None

        os.close(control)

        assert child.wait(timeout=30) == 1
    os.close(reply)


def test_a_reference_may_name_a_scalar_argument(folder: Any, tune: Any, compiler: None) -> None:
    folder.write(
        "scale.c",
        "void scale(float *y, const float *x, int n, float a) {\n"
        "#ifndef STEP\n#define STEP 1 // tune: 1, 2\n#endif\n"
        "  for (int i = 0; i < n; i += STEP) for (int u = 0; u < STEP; ++u) y[i + u] = a * x[i + u];\n}\n",
    )
    folder.change("scale.yaml", "n: int32 = n\n", "n: int32 = n\n  a: float32 = n / 2048 + 1\n")
    folder.write("reference.py", "def scale(x, a):\n    return a * x\n")

    kernel = read_kernel(folder.path / "scale.yaml")
    problem = problem_of(kernel, kernel.sizes)
    x = np.arange(4096, dtype=np.float32)

    assert np.array_equal(PythonAnswer(kernel, folder.path / "cache")(problem, {"x": x})["y"], 3.0 * x)

    folder.change("scale.yaml", "n / 2048 + 1", "1e60")
    with pytest.raises(UserError, match=r"'a' is float32 and its value 1e60 = 1e\+60, too large for it"):
        read_kernel(folder.path / "scale.yaml")


def test_an_answer_file_needs_inputs_that_stay(folder: Any, tune: Any, capfd: pytest.CaptureFixture[str]) -> None:
    folder.change("scale.yaml", "{python: reference.py, function: scale}", "{file: {y: y.npy}}")

    assert tune(folder.path / "scale.yaml") == 2
    one_line(capfd, "x is random")


def test_a_budget_below_the_baseline_is_told(
    folder: Any, tune: Any, compiler: None, capfd: pytest.CaptureFixture[str]
) -> None:
    assert tune(folder.path / "scale.yaml", "--budget", "1") == 2
    one_line(capfd, "A budget of 1 trial is what the baseline takes")


def test_a_gpu_kernel_needs_a_gpu(folder: Any, tune: Any, capfd: pytest.CaptureFixture[str]) -> None:
    assert tune(folder.path / "scale.yaml", "--target-gpu", "A100") == 2
    one_line(capfd, "scale.c is c and runs on this machine")


def test_cuda_is_not_for_other_vendors_gpus(folder: Any, tune: Any, capfd: pytest.CaptureFixture[str]) -> None:
    file = folder.write("one.cu", "__global__ void one(float *y, int n) { y[threadIdx.x % block_size_x] = n; }\n")

    assert tune(file, "--problem-size", "64", "--target-gpu", "MI210", "--budget", "4") == 2
    one_line(capfd, "one.cu is cuda, and MI210 is a GPU of AMD: give a .hip or .cl file")


def test_a_kernel_beside_a_recording_is_not_ignored(folder: Any, tune: Any, capfd: pytest.CaptureFixture[str]) -> None:
    recording = folder.write("copy.json", json.dumps(COPY))

    assert tune(folder.path / "scale.yaml", "--simulate", recording, "--budget", "5") == 2
    one_line(capfd, "A replay takes kernel and space from the recording alone")


def test_a_recording_is_replayed_without_a_compiler(
    tmp_path: Path, tune: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "copy.json").write_text(json.dumps(COPY))
    monkeypatch.setenv("PATH", "/nowhere")

    assert tune("--simulate", tmp_path / "copy.json", "--budget", "5", "--json") == 0
    record = json.loads(capfd.readouterr().out)
    assert record["provenance"] == "simulated"
    assert {t["measurement"]["provenance"] for t in record["trials"] if t["measurement"]} == {"simulated"}
    assert record["trials"][0]["measurement"]["source"] == "recording of Recorder 1 (copy.json)"
    best = next(t for t in record["trials"] if t["candidate"]["params"] == {"block": 64, "unroll": 2})
    assert best["measurement"]["samples"] == [1.0, 1.0, 1.0]
    reasons = [s["reason"] for s in record["screenings"] if s["reason"]]
    assert reasons == ["not_built: it was recorded as not_built"]


def test_a_replay_knows_nothing_of_the_replays_before_it(
    tmp_path: Path, tune: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "whole.json").write_text(json.dumps(COPY))
    (tmp_path / "part.json").write_text(json.dumps(recorded({(16, 1): 4.0, (32, 1): 2.0})))

    assert tune("--simulate", tmp_path / "whole.json", "--budget", "5", "--json") == 0
    capfd.readouterr()
    assert tune("--simulate", tmp_path / "part.json", "--budget", "5", "--json") == 0

    record = json.loads(capfd.readouterr().out)
    assert not [n for n in record["notes"] if "starts from" in n["summary"] + " ".join(n.get("evidence", []))]
    assert {t["candidate"]["params"]["block"] for t in record["trials"]} == {16, 32}


def test_history_says_where_to_look_first(tmp_path: Path, tune: Any, capfd: pytest.CaptureFixture[str]) -> None:
    rows = {(b, u): float(b * 7 % 5 + u) for b in (16, 32, 64) for u in (1, 2)}
    (tmp_path / "copy.json").write_text(json.dumps(recorded({**rows, (64, 2): 0.5})))
    (tmp_path / "other.json").write_text(json.dumps(recorded({**rows, (64, 2): 0.4})))

    assert (
        tune("--simulate", tmp_path / "copy.json", "--history", tmp_path / "other.json", "--budget", "2", "--json") == 0
    )
    record = json.loads(capfd.readouterr().out)
    assert record["trials"][1]["candidate"]["params"] == {"block": 64, "unroll": 2}


@pytest.mark.parametrize("option", ["--simulate", "--history"])
def test_a_damaged_cache_file_is_told_in_one_line(
    folder: Any, tune: Any, capfd: pytest.CaptureFixture[str], option: str
) -> None:
    bad = folder.write("bad.json", json.dumps(COPY)[:200])
    file = [] if option == "--simulate" else [folder.path / "scale.yaml"]

    assert tune(*file, option, bad) == 2
    one_line(capfd, "bad.json: A damaged cache file: line 1")


def test_a_recording_of_failures_has_nothing_to_replay(
    tmp_path: Path, tune: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "copy.json").write_text(json.dumps(recorded({(16, 1): "InvalidConfig"})))

    assert tune("--simulate", tmp_path / "copy.json") == 2
    one_line(capfd, "Every configuration of copy.json failed")


def test_a_recording_that_changed_is_not_mixed_with_the_old(tmp_path: Path) -> None:
    path = tmp_path / "copy.json"
    path.write_text(json.dumps(COPY))
    from atunner.cli.tune import replay_task

    task = Replay().admit(replay_task(read_recording(path)))
    with pytest.raises(UserError, match="has changed"):
        Replay().families(task.model_copy(update={"spec": {**task.spec, "digest": "other"}}))


def test_tune_alone_lists_what_it_can() -> None:
    assert run(["tune"]) in (0, 2)


def test_wide_scalars_and_tensors_are_passed(
    folder: Any, tune: Any, compiler: None, capfd: pytest.CaptureFixture[str]
) -> None:
    folder.change("scale.c", "float *y, const float *x, int n", "double *y, const double *x, size_t n, double a")
    folder.change("scale.c", "\n#ifndef UNROLL", "\n#include <stddef.h>\n#ifndef UNROLL")
    folder.change("scale.c", "int i = 0", "size_t i = 0")
    folder.change("scale.c", "SKEW 0 // tune: 0, 1", "SKEW 0")
    folder.change("scale.c", "3 *", "a *")
    folder.change("scale.yaml", "float32[n]", "float64[n]")
    folder.change("scale.yaml", "n: int32 = n", "n: int64 = n\n  a: float64 = 2 + 1")

    assert tune(folder.path / "scale.yaml", "--budget", "2", "--json") == 0
    assert json.loads(capfd.readouterr().out)["baseline"]["status"] == "ok"
