from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from atunner.cli.judge import register
from atunner.core.errors import UserError
from atunner.core.judge import judge
from atunner.core.task import Task
from atunner.domains.kernels.backends.c import CBackend
from atunner.domains.kernels.evidence import gather, write
from atunner.domains.kernels.oracle import Oracle
from atunner.domains.kernels.selftest import corpus
from atunner.domains.kernels.selftest.problems import ROW_SUM
from atunner.domains.kernels.stages import Stages, Terms
from atunner.reports.difference import source


@pytest.fixture
def app(cache: Path, monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    monkeypatch.setenv("ATUNNER_CACHE", str(cache))
    made = typer.Typer()
    register(made)
    return made


def test_verify_prints_every_statement(app: typer.Typer, backend: CBackend, tmp_path: Path) -> None:
    stages = Stages(backend, Terms(Oracle(ROW_SUM), ROW_SUM.problem((20, 30), {}, "float32")))
    naive = next(e for e in corpus("honest") if e.name == "naive").candidate
    write(gather(stages, judge(stages, Task(name="cli"), naive)), tmp_path)

    done = CliRunner().invoke(app, ["verify", str(tmp_path)])

    assert done.exit_code == 0, done.output
    assert "ok        validity, new seeds" in done.output
    assert "as told   merit: the bundle claims no speed-up" in done.output


def test_verify_fails_on_a_changed_bundle(app: typer.Typer, backend: CBackend, tmp_path: Path) -> None:
    stages = Stages(backend, Terms(Oracle(ROW_SUM), ROW_SUM.problem((20, 30), {}, "float32")))
    naive = next(e for e in corpus("honest") if e.name == "naive").candidate
    path = write(gather(stages, judge(stages, Task(name="cli"), naive)), tmp_path)
    path.write_text(path.read_text().replace("s += x", "s -= x"))

    done = CliRunner().invoke(app, ["verify", str(path)])

    assert done.exit_code == 1
    assert "FAILED    integrity" in done.output


def test_verify_looks_at_the_files_beside_the_evidence(app: typer.Typer, backend: CBackend, tmp_path: Path) -> None:
    stages = Stages(backend, Terms(Oracle(ROW_SUM), ROW_SUM.problem((20, 30), {}, "float32")))
    naive = next(e for e in corpus("honest") if e.name == "naive").candidate
    write(gather(stages, judge(stages, Task(name="cli"), naive)), tmp_path)
    (tmp_path / "best.c").write_text(f"/*\n * facts\n */\n\n{source(naive)[1]}\n// faster")

    done = CliRunner().invoke(app, ["verify", str(tmp_path)])

    assert done.exit_code == 1
    assert "FAILED    files: best.c: its source is not the one that was judged" in done.output


def test_what_is_no_bundle_says_where(app: typer.Typer, tmp_path: Path) -> None:
    (tmp_path / "evidence.json").write_text("{}")

    done = CliRunner().invoke(app, ["verify", str(tmp_path)])

    assert isinstance(done.exception, UserError)
    assert str(done.exception) == f"{tmp_path} is not an evidence bundle: digest: field required."


def test_the_help_of_verify_says_what_it_takes(app: typer.Typer) -> None:
    assert "the folder that holds it" in CliRunner().invoke(app, ["verify", "--help"]).output
