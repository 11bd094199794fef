"""What disturbs a measurement is seen, recorded and left out."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from atunner.domains.kernels.arena import LARGE
from atunner.domains.kernels.blocks import Block
from atunner.domains.kernels.disturbance import TICK_US, Seen, Watch, disturbance
from atunner.domains.kernels.timing import Session, TimingPlan, compare, measure
from atunner.tools.lock import alone

PLAN = TimingPlan(most_s=0.05, least_s=0.0, compare_s=0.2)
STAT = """cpu  10 0 10 10 0 0 0 7 0 0
cpu0 5 0 5 5 0 0 0 {0} 0 0
cpu1 5 0 5 5 0 0 0 {1} 0 0
intr 1
"""


@pytest.mark.parametrize(
    ("waited", "seen", "word"),
    [
        (0.0, Seen(), ""),
        (5.0, Seen(), "preempted"),
        (0.5, Seen(stolen_us=TICK_US), "stolen"),
        (0.5, Seen(pace=1.5), "slow clock"),
        (0.5, Seen(pace=1.05), ""),
    ],
)
def test_each_disturbance_has_its_name(waited: float, seen: Seen, word: str) -> None:
    assert disturbance(100.0, waited, seen) == word


def test_only_the_candidates_cores_are_looked_at(tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    watch = Watch((1,), lambda steps: None, stat)
    stat.write_text(STAT.format(100, 3))

    assert watch.stolen_us() == 3 * TICK_US
    assert Watch((0, 1), lambda steps: None, stat).stolen_us() == 103 * TICK_US
    assert Watch((0,), lambda steps: None, tmp_path / "none").stolen_us() == 0.0


def test_a_clock_held_down_shows_against_its_best() -> None:
    work = [1]
    watch = Watch((0,), lambda steps: sum(range(steps * work[0])) and None)
    now = iter(float(i) for i in range(20))
    watch.pace(now.__next__)
    work[0] = 4

    assert watch.pace(now.__next__) > 2.0


class Disturbed:
    """A device on which every third block takes twice as long and says why."""

    source, threads, most = "synthetic", 1, 64

    def __init__(self, call_us: float, seen: Seen) -> None:
        self.call_us, self.seen, self.made = call_us, seen, 0
        self.rng = np.random.default_rng(3)

    def block(self, calls: int, batch: int = 1) -> Block:
        self.made += 1
        bad = self.made % 3 == 0
        true = self.call_us * (2.0 if bad else 1.0) * (1 + 0.005 * self.rng.standard_normal(calls // batch))
        spent = float(true.sum()) * batch
        return Block(true, calls, spent + 30, spent + 15, seen=self.seen if bad else Seen())

    def __enter__(self) -> "Disturbed":
        return self

    def __exit__(self, *error: object) -> None: ...


@pytest.mark.parametrize("seen", [Seen(stolen_us=TICK_US), Seen(pace=2.0)])
def test_disturbed_samples_are_recorded_and_not_used(seen: Seen) -> None:
    session: Session = Disturbed(100.0, seen)
    timed = measure(session, PLAN)
    check = next(c for c in timed.checks if c.name == "disturbed samples")

    assert max(timed.samples_us) < 120
    assert min(timed.dropped_us) > 180
    assert "dropped" in check.detail
    assert len(_figures(check.figures["dropped_us"])) == len(timed.dropped_us)


def test_disturbed_pairs_are_left_out_of_a_comparison() -> None:
    found = compare(Disturbed(100.0, Seen()), Disturbed(50.0, Seen()), PLAN)
    clean = compare(Disturbed(100.0, Seen(pace=2.0)), Disturbed(100.0, Seen()), PLAN)

    assert "disturbed pairs" in {c.name for c in found.checks}
    assert {"two clocks, baseline", "two clocks, candidate"} <= {c.name for c in found.checks}
    assert clean.baseline.value == pytest.approx(100.0, rel=0.02)


def _figures(found: object) -> Sequence[object]:
    return found if isinstance(found, list) else ()


def test_a_device_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    import fcntl

    with alone("cpu", tmp_path), (tmp_path / "atunner-cpu.lock").open() as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with alone("cpu", tmp_path):
        pass


def test_a_link_in_the_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "atunner-cpu.lock").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(OSError, match=r"[Ss]ymbolic|exists"), alone("cpu", tmp_path):
        pass
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("dtype", ["<f2", "<f4", "<f8"])
def test_what_is_read_from_a_guard_zone_is_large_or_no_number(dtype: str) -> None:
    width = np.dtype(dtype).itemsize
    lowest = np.array([0x45] * width, np.uint8).view(dtype)

    assert abs(float(lowest[0])) > 5
    assert int(LARGE.min()) == 0x45
