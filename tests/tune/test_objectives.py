"""Objectives besides time: what they measure, and what they refuse in one line."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atunner.core.errors import NotMeasured, ToolError, UserError
from atunner.domains.kernels.blocks import Block
from atunner.domains.user_kernels.objectives import compared_energy, stretch
from atunner.tools.energy import Nvml, Rapl, Reading


def counters(root: Path, values: dict[str, int]) -> Path:
    for name, value in values.items():
        folder = root / name
        folder.mkdir(parents=True, exist_ok=True)
        new = folder / "energy_uj.new"
        new.write_text(f"{value}\n")
        new.replace(folder / "energy_uj")
        if not (folder / "max_energy_range_uj").exists():
            (folder / "max_energy_range_uj").write_text("1000\n")
    return root


def test_energy_is_the_sum_of_the_packages_and_each_counter_starts_again_at_its_end(tmp_path: Path) -> None:
    counter = Rapl(counters(tmp_path, {"intel-rapl:0": 900, "intel-rapl:1": 950, "other": 5}))
    before = counter.read()
    counters(tmp_path, {"intel-rapl:0": 950, "intel-rapl:1": 10})

    assert before == (900, 950)
    assert counter.joules(before, counter.read()) == pytest.approx((50 + 60) * 1e-6)


def test_the_parts_of_a_package_and_the_whole_machine_do_not_count_twice(tmp_path: Path) -> None:
    counters(tmp_path, {"intel-rapl:0": 900, "intel-rapl:0:0": 400, "intel-rapl:1": 5000})
    (tmp_path / "intel-rapl:0" / "name").write_text("package-0\n")
    (tmp_path / "intel-rapl:1" / "name").write_text("psys\n")

    assert Rapl(tmp_path).read() == (900,)


def test_a_machine_without_a_counter_refuses_energy(
    folder: Any, tune: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ATUNNER_POWERCAP", str(folder.path / "nothing"))

    assert tune(folder.path / "scale.yaml", "--objective", "time,energy") == 2
    (line,) = [t for t in capfd.readouterr().err.splitlines() if t.startswith("error: ")]
    assert "there is no RAPL counter in" in line


def test_a_counter_that_is_gone_stops_the_run(tmp_path: Path) -> None:
    counter = Rapl(counters(tmp_path, {"intel-rapl:0": 900}))
    (tmp_path / "intel-rapl:0" / "energy_uj").unlink()

    with pytest.raises(ToolError, match="cannot be read any more"):
        counter.read()


class Driver:
    """NVML as its Python module has it, for one GPU."""

    class NVMLError(Exception):
        """Any error of the driver."""

    def __init__(self, uuid: str, millijoules: list[int]) -> None:
        self.uuid, self.millijoules, self.begun = uuid, millijoules, False

    def nvmlInit(self) -> None:
        self.begun = True

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> str:
        if not self.begun or uuid != self.uuid:
            raise self.NVMLError("Not Found")
        return uuid

    def nvmlDeviceGetTotalEnergyConsumption(self, gpu: str) -> int:
        if not self.millijoules:
            raise self.NVMLError("Not Supported")
        return self.millijoules.pop(0)


def test_the_energy_of_a_gpu_is_the_drivers() -> None:
    counter = Nvml("GPU-1", Driver("GPU-1", [1, 2000, 5000]))
    before = counter.read()

    assert counter.joules(before, counter.read()) == pytest.approx(3.0)
    with pytest.raises(ToolError, match="Not Supported"):
        counter.read()


@pytest.mark.parametrize(("uuid", "readings", "said"), [("GPU-2", [1], "Not Found"), ("GPU-1", [], "Not Supported")])
def test_a_gpu_without_a_counter_refuses_energy(uuid: str, readings: list[int], said: str) -> None:
    with pytest.raises(UserError, match=f"Energy of the GPU cannot be read .NVML: {said}"):
        Nvml(uuid, Driver("GPU-1", readings))


class Board:
    """A device whose calls take 10 us of its own clock and some joules of its own counter."""

    source, threads, most, least_s = "a board", 1, 100, 0.001

    def __init__(self, *joules: float, share: float = 1.0) -> None:
        self._joules, self._share = joules, share
        self.now, self._used = 0.0, 0.0
        self.each = joules[0]

    def block(self, calls: int, batch: int = 1) -> Block:
        self.now += calls * 1e-5 / self._share
        self._used += calls * self.each / self._share
        return Block(np.full(calls, 10.0), calls, calls * 10.0)

    def clock(self) -> float:
        return self.now

    def read(self) -> Reading:
        return (int(self._used * 1e9),)

    def joules(self, before: Reading, after: Reading) -> float:
        return (after[0] - before[0]) * 1e-9

    def __enter__(self) -> "Board":
        return self

    def __exit__(self, *_: object) -> None:
        return None


@pytest.mark.parametrize("share", [1.0, 0.25])
def test_a_call_has_its_share_of_what_was_used(share: float) -> None:
    board = Board(0.5, share=share)

    assert stretch(board, board, board.clock) == pytest.approx(0.5, rel=1e-3)


def test_a_counter_that_stands_still_gives_no_figure() -> None:
    board = Board(0.0)

    with pytest.raises(NotMeasured, match="did not move"):
        stretch(board, board, board.clock)


class Two:
    """A counter over two boards, on whose calls alone it moves."""

    least_s, source = 0.0001, "both"

    def __init__(self, *boards: Board) -> None:
        self.boards = boards

    def read(self) -> Reading:
        return tuple(b.read()[0] for b in self.boards)

    def joules(self, before: Reading, after: Reading) -> float:
        return (sum(after) - sum(before)) * 1e-9

    def clock(self) -> float:
        return sum(b.now for b in self.boards)


def test_two_kernels_are_compared_by_their_energy() -> None:
    first, second = Board(0.6), Board(0.2)
    both = Two(first, second)

    found = compared_energy(first, second, both, both.clock)

    assert found.ratio == pytest.approx(3.0, rel=1e-3)
    assert found.better
    assert found.candidate.unit == "J"


@contextmanager
def moving(root: Path) -> Iterator[Path]:
    """A counter that moves by 10 W while the block lasts."""
    done = threading.Event()

    def move() -> None:
        while not done.wait(0.002):
            counters(root, {"intel-rapl:0": int(time.monotonic() * 1e7)})

    counters(root, {"intel-rapl:0": 1})
    (root / "intel-rapl:0" / "max_energy_range_uj").write_text(str(10**18))
    thread = threading.Thread(target=move)
    thread.start()
    try:
        yield root
    finally:
        done.set()
        thread.join()


@pytest.mark.slow
def test_energy_and_time_are_traded_on_this_machine(
    folder: Any, tune: Any, compiler: None, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with moving(folder.path / "powercap") as root:
        monkeypatch.setenv("ATUNNER_POWERCAP", str(root))
        assert tune(folder.path / "scale.yaml", "--objective", "energy,time", "--budget", "2", "--json") == 0

    record = json.loads(capfd.readouterr().out)
    good = [t for t in record["trials"] if t["status"] == "ok"]
    assert good
    assert {t["measurement"]["unit"] for t in good} == {"J"}
    assert all(
        {"time", "energy", "power"} <= c["figures"].keys()
        for t in good
        for c in t["checks"]
        if c["name"].startswith("quantities")
    )


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
