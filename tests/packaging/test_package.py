"""From a checkout to an sdist, a wheel and an installation: everything that is needed travels, nothing else."""

import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest
from support import need

ROOT = Path(__file__).parent.parent.parent
ROOMS = ("agents", "graphs", "knowledge_base", "api")


def tracked() -> list[Path]:
    need("git")
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, timeout=200)
    need("a git checkout", done.returncode == 0, "this is not a git checkout")
    return [Path(name) for name in done.stdout.split("\0") if name and (ROOT / name).exists()]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from an sdist that was built from a copy without links, as on a system that has none."""
    need("setuptools", int(version("setuptools").partition(".")[0]) >= 77, "building needs setuptools 77 or newer")
    folder = tmp_path_factory.mktemp("package")
    for file in tracked():
        if not (ROOT / file).is_symlink():
            (folder / "source" / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / file, folder / "source" / file)
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "build",
        "--no-isolation",
        "--outdir",
        folder / "dist",
        folder / "source",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert list((folder / "dist").glob("*.tar.gz"))
    (built,) = (folder / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="session")
def site(wheel: Path) -> Path:
    """A folder with the wheel installed and nothing else of ours."""
    folder = wheel.parent.parent / "site"
    pip: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--no-index",
        "--target",
        folder,
        wheel,
    ]
    done = subprocess.run(pip, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    return folder


def python(site: Path, code: str) -> "subprocess.CompletedProcess[str]":
    where = {"PYTHONPATH": str(site), "PATH": "/usr/bin:/bin", "HOME": str(site), "ATUNNER_DATA": str(site / "data")}
    return subprocess.run([sys.executable, "-c", code], cwd=site.parent, env=where, capture_output=True, text=True)


def test_every_tracked_file_of_the_package_is_in_the_wheel(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    wanted = {str(f) for f in tracked() if f.parts[0] == "atunner"}

    assert sorted(wanted - inside) == []
    for part in ("operators/kernels", "cpu_check/runtime", "data/devices", "templates", "tools/runner", "migrations"):
        assert any(f"/{part}/" in name for name in inside), part


def test_nothing_but_the_package_is_in_the_wheel(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}

    assert {top.partition("-")[0] for top in tops} == {"atunner"}


def test_the_installed_package_works_from_its_own_files(site: Path) -> None:
    code = """
import atunner.agents.codegen, atunner.wiring, atunner.cli.app
from atunner.knowledge_base.devices import known
from atunner.operators import operator
assert len(known()) > 10
family = operator("conv2d").kernels["cuda"].families[0]
assert "__global__" in family.text()
print(atunner.__file__)
"""
    done = python(site, code)

    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_relative_to(site)


def test_the_command_of_the_installed_package_runs(site: Path) -> None:
    done = python(site, "import sys; from atunner.cli.app import run; sys.exit(run(['operators', '--json']))")

    assert done.returncode == 0, done.stderr
    assert "layer_norm" in done.stdout


@pytest.mark.parametrize("room", ROOMS)
def test_a_bare_name_outside_the_checkout_is_not_ours(site: Path, room: str) -> None:
    done = python(site, f"import {room}")

    assert "ModuleNotFoundError" in done.stderr or str(site) not in done.stdout
    assert done.returncode != 0


@pytest.mark.parametrize("room", ROOMS)
def test_the_rooms_are_visible_at_the_top_as_relative_links(room: str) -> None:
    link = ROOT / room

    assert link.is_symlink()
    assert not link.readlink().is_absolute()
    assert link.resolve() == (ROOT / "atunner" / room).resolve()
