"""Figures that the user computes, and several objectives: from the command line to the files."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from atunner.cli.app import run
from atunner.cli.tune import replay_task
from atunner.core.candidate import Candidate
from atunner.core.errors import Interrupted, UserError
from atunner.core.metric import BUILT_IN, aimed, parse_metrics, parse_objectives
from atunner.core.program import Launch
from atunner.core.record import RunRecord, RunState
from atunner.core.space import Parameter, Space
from atunner.core.task import Budget, Task
from atunner.domains.user_kernels.figures import by_time
from atunner.graphs.deps import Options
from atunner.graphs.events import Event
from atunner.graphs.request import Request
from atunner.operators.user import Argument, UserKernel
from atunner.python import tune as python_tune
from atunner.reports.front import front
from atunner.reports.tuned import family
from atunner.reports.wording import better, headline
from atunner.settings import Settings
from atunner.tools.recording import parse, read_recording
from atunner.wiring import Session

TRADED = {(16, 1): (4.0, 1.0), (16, 2): (3.0, 3.0), (32, 1): (2.0, 2.0), (32, 2): (5.0, 5.0), (64, 2): (1.0, 5.0)}


def recorded(folder: Path) -> Path:
    """A recording with the energy that an observer measured; three of its five configurations are on the front."""
    cache = {
        f"{b},{u}": {"block": b, "unroll": u, "time": t, "times": [t, t], "nvml_energy": e, "compile_time": 3.0}
        for (b, u), (t, e) in TRADED.items()
    }
    content = {
        "device_name": "Recorder 1",
        "kernel_name": "copy",
        "problem_size": [1024],
        "tune_params_keys": ["block", "unroll"],
        "tune_params": {"block": [16, 32, 64], "unroll": [1, 2]},
        "cache": cache,
    }
    (folder / "copy.json").write_text(json.dumps(content))
    return folder / "copy.json"


def t4(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "out" / "results.t4.json").read_text())
    return found


@pytest.mark.parametrize("search", ["auto", "random", "genetic"])
def test_several_objectives_give_their_front(
    tmp_path: Path, tune: Any, capfd: pytest.CaptureFixture[str], search: str
) -> None:
    file = recorded(tmp_path)

    assert tune("--simulate", file, "--objective", "time,energy", "--budget", "20", "--search", search) == 0
    said = capfd.readouterr().out
    assert "Pareto front: time, energy: simulated from recording of Recorder 1" in said
    assert "3 of 5 verified configurations are on the front of time and energy." in said
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count("block=32 unroll=1") >= 2
    assert "Pareto front" in page
    assert (tmp_path / "out" / "plots" / "front.svg").is_file()
    results = t4(tmp_path)["results"]
    assert all(r["objectives"] == ["time", "energy"] for r in results)
    told = {(m["name"], m["unit"]) for r in results for m in r["measurements"]}
    assert {("time", "ms"), ("energy", "J")} <= told


def test_a_metric_is_the_objective_and_its_direction_follows_from_its_name(
    tmp_path: Path, tune: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    file, metric = recorded(tmp_path), "GB/s=8*problem_size_x*unroll/time/1e6"

    assert tune("--simulate", file, "--metric", metric, "--objective", "GB/s", "--budget", "20", "--json") == 0
    record = json.loads(capfd.readouterr().out)
    best = max(record["trials"], key=lambda t: t["measurement"]["samples"][0])
    assert best["candidate"]["params"] == {"block": 64, "unroll": 2}
    assert Candidate.model_validate(best["candidate"]).id == record["best"]
    assert best["measurement"]["samples"] == [pytest.approx(8 * 1024 * 2 / 1e6)]
    assert best["measurement"]["provenance"] == "simulated"
    names = {m["name"] for r in t4(tmp_path)["results"] for m in r["measurements"]}
    assert names == {"GB/s", "time", "energy", "nvml_energy"}
    assert "8 times the GB/s of the first recorded configuration that worked" in headline(
        RunRecord.model_validate(record)
    )


def test_a_metric_stands_beside_the_time(tmp_path: Path, tune: Any, capfd: pytest.CaptureFixture[str]) -> None:
    assert tune("--simulate", recorded(tmp_path), "--metric", "half=time/2", "--budget", "20") == 0
    header = next(line for line in capfd.readouterr().out.splitlines() if "parameters" in line and "score" in line)
    assert header.split()[-2:] == ["half", "inputs"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--metric", "half"], "--metric takes NAME=FORMULA"),
        (["--metric", "time=2"], "'time' is taken"),
        (["--metric", "a=time", "--metric", "a=time"], "'a' is taken"),
        (["--metric", "a=time*"], "Not an expression"),
        (["--metric", "a=time*missing"], "Unknown name 'missing'"),
        (["--metric", "a=__import__('os')"], "Unknown function"),
        (["--metric", "a=time", "--objective", "a"], "Say --objective max:a or min:a"),
        (["--metric", "a=time", "--objective", "less:a"], "NAME, max:NAME or min:NAME"),
        (["--objective", "max:time"], "time is minimised here"),
        (["--objective", "time,time"], "'time' was given twice"),
        (["--objective", "speed"], "No objective named 'speed'. Known: energy, gflops, nvml_energy, power, time"),
        (["--objective", "power"], "copy.json has no power"),
    ],
)
def test_bad_objectives_are_told_in_one_line(
    tmp_path: Path, tune: Any, capfd: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    assert tune("--simulate", recorded(tmp_path), *options) == 2
    (line,) = [t for t in capfd.readouterr().err.splitlines() if t.startswith("error: ")]
    assert said in line, line


def test_a_metric_that_has_no_value_somewhere_is_no_figure_there(
    tmp_path: Path, tune: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    options = ["--metric", "odd=time/(2-unroll)", "--objective", "min:odd", "--budget", "20", "--json"]

    assert tune("--simulate", recorded(tmp_path), *options) == 0
    out = json.loads(capfd.readouterr().out)
    statuses = {(t["candidate"]["params"]["unroll"], t["status"]) for t in out["trials"]}
    assert statuses == {(1, "ok"), (2, "not_measured")}


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        ("odd/s=1/time/(block-16)", "The metric odd/s has no value at the first configuration (block=16, unroll=1): "),
        ("block=time", "The metric 'block' is taken: it is a size or a parameter"),
        ("odd/s=1/tim", "Unknown name 'tim'"),
    ],
)
def test_a_metric_without_a_value_to_compare_with_is_told(
    tmp_path: Path, tune: Any, capfd: pytest.CaptureFixture[str], metric: str, said: str
) -> None:
    assert tune("--simulate", recorded(tmp_path), "--metric", metric, "--budget", "5") == 2
    (line,) = [t for t in capfd.readouterr().err.splitlines() if t.startswith("error: ")]
    assert said in line, line


def test_a_run_with_several_objectives_goes_on_as_it_was(
    tmp_path: Path, tune: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    task = aimed(replay_task(read_recording(recorded(tmp_path))), ["time,energy"], ["half=time/2"])
    stop = threading.Event()

    def stops(event: Event) -> None:
        if event.kind == "trial" and event.done >= 3:
            stop.set()

    with Session(Settings()) as session, pytest.raises(Interrupted, match="atunner resume") as told:
        session.start(Request(task=task, budget=Budget(trials=20), options=Options(slice=20)), stops, stop)
    name = str(told.value).split()[-1]

    assert run(["resume", name, "--output", str(tmp_path / "out")]) == 0
    assert "3 of 5 verified configurations are on the front of time and energy." in capfd.readouterr().out
    results = t4(tmp_path)["results"]
    assert len(results) == len({tuple(r["configuration"].values()) for r in results}) == 5
    assert all({m["name"] for m in r["measurements"]} >= {"time", "energy", "half"} for r in results)


def test_a_measured_kernel_has_its_metric(
    folder: Any, tune: Any, compiler: None, capfd: pytest.CaptureFixture[str]
) -> None:
    metric = ["--metric", "GB/s=8*n/time/1e6", "--objective", "GB/s,time"]
    folder.change("scale.yaml", "n: 4096", "n: 65536")

    for _ in range(3):  # code 3: the machine was too loud for a figure, each of four times
        code, said = tune(folder.path / "scale.yaml", *metric, "--budget", "4", "--json"), capfd.readouterr()
        assert code == 0 or "Not measurable here: " in said.err, said.err
        if code == 0:
            break
    record = json.loads(said.out)
    good = [t for t in record["trials"] if t["status"] == "ok"]
    assert good
    for trial in good:
        (told,) = [c["figures"] for c in trial["checks"] if c["name"].startswith("quantities")]
        assert told["GB/s"] == pytest.approx(8 * 65536 / told["time"] / 1e6)
    assert record["task"]["objective"] == {"metric": "GB/s", "unit": "", "minimise": False}


def kernel(**parameters: tuple[int, ...]) -> UserKernel:
    """A kernel over n elements."""
    return UserKernel(
        name="k",
        language="c",
        file="k.c",
        source="",
        arguments=(Argument(name="y", role="output", shape=("n",)),),
        sizes={"n": 64},
        launch=Launch(kernel="k", args=("y",)),
        space=Space(parameters=tuple(Parameter(name=n, values=v) for n, v in parameters.items())),
        flops="n",
    )


@pytest.mark.parametrize(
    ("objectives", "metrics", "raced"),
    [
        (["time"], [], True),
        (["gflops"], [], True),
        (["rate/s"], ["rate/s=2*n/time"], True),
        (["min:rate"], ["rate=2*n/time"], False),
        (["min:late"], ["late=time*time"], True),
        (["min:odd"], ["odd=abs(time-1)"], False),
        (["rate/s"], ["rate/s=TILE/time"], False),
        (["time"], ["rate/s=TILE/time"], True),
        (["time"], ["GFLOP/J=n/energy"], False),
        (["time,gflops"], [], False),
        (["energy"], [], False),
    ],
)
def test_what_follows_from_the_time_alone_is_raced(objectives: list[str], metrics: list[str], raced: bool) -> None:
    task = aimed(Task(domain="user_kernels", name="k"), objectives, metrics)

    assert by_time(task, kernel(TILE=(1, 2))) is raced


def test_a_raced_metric_is_explained_by_its_times(
    folder: Any, tune: Any, compiler: None, capfd: pytest.CaptureFixture[str]
) -> None:
    metric = ["--metric", "GB/s=8*n/time/1e6", "--objective", "GB/s"]
    folder.change("scale.c", "1, 2, 4", "1, 2, 4, 8, 16")
    folder.change("scale.yaml", "n: 4096", "n: 65536")

    assert tune(folder.path / "scale.yaml", *metric, "--budget", "10", "--json") == 0
    record = RunRecord.model_validate_json(capfd.readouterr().out)
    assert any(s.score is not None for s in record.screenings)
    best = max(record.trials, key=lambda t: t.measurement.value if t.measurement else 0.0)
    assert best.measurement is not None
    assert all(t.candidate.params["SKEW"] == 0 for t in record.ranked)
    found = family(record)
    assert found is None or found.smaller


@pytest.mark.parametrize(
    ("objective", "said"),
    [("time", "faster"), ("gflops", "faster"), ("energy", "better in energy"), ("GB/s", "better in GB/s")],
)
def test_faster_is_said_of_times_only(objective: str, said: str) -> None:
    task = aimed(Task(domain="user_kernels", name="k"), [objective], ["GB/s=n/time"])
    record = RunRecord(run="r", task=task, state=RunState.DONE, budget=Budget(trials=1))

    assert better(record) == said


def test_python_takes_metrics_and_objectives_too(folder: Any, tune: Any, compiler: None) -> None:
    metrics = {"GB/s": "8*n/time/1e6"}
    folder.change("scale.yaml", "n: 4096", "n: 65536")

    result = python_tune(
        folder.path / "scale.yaml", objectives=["GB/s", "time"], metrics=metrics, budget=Budget(trials=2)
    )

    found = front(result.record)
    assert found is not None
    assert found.names == ("GB/s", "time")
    assert found.minimise == (False, True)


def test_directions() -> None:
    metrics = parse_metrics(["GFLOP/s=1/time", "loss=time"])
    names = [m.name for m in metrics]

    found = parse_objectives(["GFLOP/s", "min:loss, energy"], BUILT_IN, names)

    assert [(o.metric, o.minimise) for o in found] == [("GFLOP/s", False), ("loss", True), ("energy", True)]
    assert parse_objectives(["maximize:loss"], BUILT_IN, names)[0].minimise is False
    with pytest.raises(UserError, match="gives inf"):
        metrics[0].model_copy(update={"formula": "1e308*1e10*time"}).value({"time": 1.0})


def test_what_observers_recorded_is_energy_and_times_of_the_tuner_are_not_figures(tmp_path: Path) -> None:
    entry = parse(recorded(tmp_path).read_text()).entries[0]

    assert entry.figures == {"nvml_energy": 1.0, "energy": 1.0}
