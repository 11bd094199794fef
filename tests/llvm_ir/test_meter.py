"""What is counted as the time of compilers and programs."""

import threading
import time

from atunner.domains.llvm_ir.build import Meter


def test_what_runs_side_by_side_counts_once() -> None:
    meter, both = Meter(), threading.Barrier(2)

    def held() -> None:
        with meter.running():
            both.wait()
            both.wait()

    beside = threading.Thread(target=held)
    began = time.perf_counter()
    beside.start()
    with meter.running():
        both.wait()
        inner = meter.spent_s
        both.wait()
    beside.join()
    elapsed = time.perf_counter() - began

    assert inner == 0.0
    assert 0.0 < meter.spent_s <= elapsed


def test_one_after_another_adds_up() -> None:
    meter = Meter()
    with meter.running():
        pass
    first = meter.spent_s
    with meter.running():
        pass

    assert 0.0 < first < meter.spent_s
