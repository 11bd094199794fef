"""Every command and every line of Python of the tutorial runs, in order, for a user who has nothing yet."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support import need

from atunner.cli.app import run

TUTORIAL = Path(__file__).parent.parent.parent / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(language: str) -> list[str]:
    return [body for name, body in BLOCK.findall(TUTORIAL.read_text(encoding="utf-8")) if name == language]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("newcomer")


@pytest.fixture
def newcomer(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("DATA", "CACHE"):
        monkeypatch.setenv(f"ATUNNER_{name}", str(home / name.lower()))
    monkeypatch.delenv("ATUNNER_MODEL", raising=False)
    monkeypatch.chdir(home)
    return home


def test_the_commands_run_in_order_and_write_what_the_text_says(
    newcomer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    need("gcc")
    need("nvrtc", _nvrtc(), "the extra `cuda` is not installed")
    printed = ""
    for line in "".join(blocks("sh")).splitlines():
        if line.startswith("atunner "):
            code = run(line.split()[1:])
            said = capsys.readouterr()
            assert code == 0, f"{line}: {said.err}"
            printed += said.out
        else:
            assert subprocess.run(line.split(), cwd=newcomer, capture_output=True, timeout=10).returncode == 0, line

    assert {"report.html", "best.cu", "run.json", "bundle"} <= {f.name for f in (newcomer / "conv2d").iterdir()}
    assert "report.html" in {f.name for f in (newcomer / "matmul").iterdir()}
    assert "predicted" in printed


def _nvrtc() -> bool:
    from atunner.tools.doctor import examine

    return any(item.present for item in examine("none") if "nvrtc" in item.name.lower())


def test_the_python_example_prints_a_summary(newcomer: Path) -> None:
    need("gcc")
    (code,) = blocks("python")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, env=os.environ)

    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2


def test_the_commands_that_need_a_runs_name_exist() -> None:
    named = [line.split()[1] for body in blocks("text") for line in body.splitlines() if line.startswith("atunner ")]

    assert named == ["resume", "show", "export"]
    for name in named:
        assert run([name, "--help"]) == 0


def test_the_yaml_example_is_a_config_file(newcomer: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (text,) = blocks("yaml")
    (newcomer / "conv2d.yaml").write_text(text + "dtype: float99\n")

    assert run(["optimize", "--config", "conv2d.yaml"]) == 2
    assert "conv2d has no dtype 'float99'" in capsys.readouterr().err
