"""What is said of programs whose work nobody counted."""

import pytest
from fakes import device

from atunner.agents.performance import rules
from atunner.core.diagnosis import Bottleneck, Subject, diagnose
from atunner.core.profile import Counters, Profile
from atunner.core.roofline import Bound

UNCOUNTED = Bound(us=0.0, memory_us=0.0, compute_us=0.0, intensity=0.0)


def subject(**counted: float) -> Subject:
    counters = Counters(source="perf", values=counted) if counted else None
    profile = Profile(counters=counters, notes=("a C program",))
    return Subject(profile=profile, device=device(), bound=UNCOUNTED, time_us=9000.0)


@pytest.mark.parametrize("counted", [{}, {"cycles": 1e6, "instructions": 3e6}])
def test_work_that_is_not_counted_has_no_roof(counted: dict[str, float]) -> None:
    found = diagnose(subject(**counted))

    assert found.bottleneck is Bottleneck.UNKNOWN
    assert found.headroom is None
    assert "compute" not in rules(found).summary


def test_counters_still_tell_what_limits_it() -> None:
    assert diagnose(subject(cycles=1e6, instructions=5e5)).bottleneck is Bottleneck.LATENCY
