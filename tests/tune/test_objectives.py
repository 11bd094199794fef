"""Objectives besides time: what they measure, and what they refuse in one line."""

import json
from pathlib import Path
from typing import Any

import pytest

from atunner.core.errors import UserError
from atunner.domains.user_kernels.objectives import Counter


def counters(root: Path, values: dict[str, int]) -> Path:
    for name, value in values.items():
        folder = root / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "energy_uj").write_text(f"{value}\n")
        (folder / "max_energy_range_uj").write_text("1000\n")
    return root


def test_energy_is_the_sum_of_the_packages_and_their_counters_start_again(tmp_path: Path) -> None:
    counter = Counter(counters(tmp_path, {"intel-rapl:0": 900, "intel-rapl:1": 950, "other": 5}))
    before = counter.uj()
    counters(tmp_path, {"intel-rapl:0": 950, "intel-rapl:1": 10})

    assert before == 1850
    assert counter.since(before) == 960 - 1850 + 2000


def test_a_machine_without_a_counter_refuses_energy(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no RAPL counter"):
        Counter(tmp_path)


def test_gflops_need_the_operations(folder: Any, tune: Any, capfd: pytest.CaptureFixture[str]) -> None:
    assert tune(folder.path / "scale.yaml", "--objective", "gflops") == 2
    assert "GFLOP/s of scale need its operations" in capfd.readouterr().err


def test_an_unknown_objective_is_refused(folder: Any, tune: Any, capfd: pytest.CaptureFixture[str]) -> None:
    assert tune(folder.path / "scale.yaml", "--objective", "speed") == 2
    assert "No objective named 'speed'" in capfd.readouterr().err


def test_gflops_are_maximised(folder: Any, tune: Any, compiler: None, capfd: pytest.CaptureFixture[str]) -> None:
    folder.change("scale.yaml", "sizes: {n: 4096}", "sizes: {n: 40960}\nflops: n")

    assert tune(folder.path / "scale.yaml", "--objective", "gflops", "--budget", "3", "--json") == 0
    record = json.loads(capfd.readouterr().out)
    units = {t["measurement"]["unit"] for t in record["trials"] if t["measurement"]}
    assert units == {"GFLOP/s"}
    assert record["task"]["objective"]["minimise"] is False
