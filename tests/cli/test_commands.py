"""Commands that work: help, look-ups, one measured run from start to export, a stop by Ctrl-C."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from commands import Command
from support import need

from atunner.cli.app import build
from atunner.core.record import RunRecord
from atunner.core.task import Budget, Task
from atunner.graphs.deps import Options
from atunner.graphs.request import Request
from atunner.settings import Settings
from atunner.wiring import Session

TOY = Request(Task(domain="toy", name="toy"), Budget(trials=8), Options(search="random", slice=7), executor="inline")


def leaves(command: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every command that does something, with the groups that it is in."""
    below = getattr(command, "commands", {})
    return [leaf for name, one in sorted(below.items()) for leaf in leaves(one, (*path, name))] if below else [path]


@pytest.fixture
def toy(home: Path) -> str:
    """The name of a finished run of the toy in this user's knowledge base."""
    with Session(Settings()) as session:
        return session.start(TOY).run


@pytest.mark.parametrize("name", leaves(typer.main.get_command(build())), ids=" ".join)
def test_help_shows_an_example(atunner: Command, name: tuple[str, ...]) -> None:
    said = atunner(*name, "--help")

    assert (said.code, said.err) == (0, "")
    example = said.out.partition("Example: ")[2].partition("Options:")[0]
    assert f"atunner {' '.join(name)}" in example
    assert "--config" in said.out


def test_help_and_version_of_the_whole(atunner: Command) -> None:
    assert "atunner optimize --operator conv2d" in atunner("--help").out
    assert atunner("--version").out.startswith("atunner ")


def test_operators_are_listed_with_shape_default_and_families(atunner: Command) -> None:
    rows = {row["name"]: row for row in json.loads(atunner("operators", "--json").out)}

    assert rows["conv2d"]["shape"].startswith("n,c,h,w")
    assert len(rows["conv2d"]["families"]["cuda"]) >= 3
    assert "layer_norm" in atunner("operators").out


def test_devices_are_listed_and_one_is_shown_with_its_sources(atunner: Command) -> None:
    names = [d["name"] for d in json.loads(atunner("devices", "--json").out)]
    one = json.loads(atunner("devices", "A100", "--json").out)[0]

    assert {"A100-SXM4-80GB", "B200", "MI300X"} <= set(names)
    assert one["arch"] == "sm_80"
    assert all(fact["source"] for fact in one["facts"].values())
    assert "dram_gbs" in atunner("devices", "A100").out


def test_doctor_says_what_is_here_and_how_to_get_the_rest(atunner: Command) -> None:
    found = json.loads(atunner("doctor", "--json").out)

    assert len(found) > 8
    assert all(item["enables"] and (item["present"] or item["get"]) for item in found)


def test_a_run_is_listed_shown_exported_and_compared(atunner: Command, toy: str, home: Path) -> None:
    assert [r["run"] for r in json.loads(atunner("list", "--json").out)] == [toy]
    record = RunRecord.model_validate_json(atunner("show", toy, "--json").out)
    assert (record.run, len(record.trials)) == (toy, 8)
    assert toy in atunner("show", toy).out
    assert json.loads(atunner("export", toy, "--format", "json").out)["run"] == toy
    rows = list(csv.reader(io.StringIO(atunner("export", toy, "--format", "csv").out)))
    assert len(rows) > 8
    assert atunner("export", toy, "--output", "again").code == 0
    assert RunRecord.model_validate_json((home / "again" / "run.json").read_text()).run == toy
    assert atunner("compare", toy, toy).code in (0, 2)


def test_a_config_file_gives_options_and_the_command_line_wins(atunner: Command, toy: str, home: Path) -> None:
    (home / "list.yaml").write_text("limit: 5\njson: true\n")

    assert [r["run"] for r in json.loads(atunner("list", "--config", "list.yaml").out)] == [toy]


def test_matmul_is_measured_on_this_machine_and_all_files_are_written(atunner: Command, home: Path) -> None:
    need("gcc")
    argv = ["--input-shape", "48,40,56", "--budget", "5", "--output", "out", "--json", "--log-json"]
    said = atunner("optimize", "--operator", "matmul", "--search", "random", *argv)
    assert said.code == 0, said.err
    record = RunRecord.model_validate_json(said.out)

    assert (record.state, record.provenance, record.spent.trials) == ("done", "measured", 5)
    assert record.task.spec["shape"] == [48, 40, 56]
    assert {"report.html", "run.json"} <= {f.name for f in (home / "out").iterdir()}
    assert RunRecord.model_validate_json((home / "out" / "run.json").read_text()).run == record.run
    assert all(json.loads(line) for line in said.err.splitlines())


def test_ctrl_c_saves_prints_the_resume_command_and_exits_130(home: Path, atunner: Command) -> None:
    need("gcc")
    argv = ["optimize", "--operator", "matmul", "--input-shape", "48,40,56", "--budget", "500", "--search", "random"]
    command = [sys.executable, "-c", "from atunner.cli import main; main()", *argv]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        lines = []
        for line in process.stderr:
            lines.append(line)
            if "ok" in line:
                os.kill(process.pid, signal.SIGINT)
                break
        out, err = process.communicate(timeout=120)
    (run,) = json.loads(atunner("list", "--json").out)

    assert (process.returncode, out) == (130, ""), err
    assert f"Go on with: atunner resume {run['run']}" in err
    assert "Traceback" not in err
    assert run["state"] == "interrupted"
    assert run["ok"] > 0
