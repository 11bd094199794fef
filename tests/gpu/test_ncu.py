from pathlib import Path

import pytest

from atunner.core.device import Device
from atunner.core.diagnosis import Bottleneck, Subject, diagnose
from atunner.core.profile import Profile
from atunner.core.roofline import Bound
from atunner.tools import ncu
from atunner.tools.ncu import COMPUTE, DURATION, MEMORY, CountersRefused, counters, number, parse

SAMPLES = Path(__file__).parent / "ncu"


def sample(name: str) -> str:
    return (SAMPLES / f"{name}.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["metrics", "kernel_time", "nvtx", "summary", "raw"])
def test_every_form_of_the_table_gives_the_same_counters(name: str) -> None:
    found = counters(parse(sample(name)))

    assert found.source == "ncu"
    assert found.values[DURATION] == pytest.approx(51200.0)
    assert found.values[COMPUTE] == 71.5
    assert found.values[MEMORY] == 40.25
    assert "lts__t_sector_hit_rate.pct" not in found.values


def test_the_details_page_keeps_units_apart_and_tells_its_rules() -> None:
    found = counters(parse(sample("details")))

    assert found.values["Duration [ns]"] == 1_234_500.0
    assert found.values["Memory Throughput [%]"] == found.values[MEMORY] == 88.4
    assert found.values["Memory Throughput [byte/second]"] == pytest.approx(1.70211e12)
    assert found.values[COMPUTE] == 31.25
    assert "L2 Hit Rate [%]" not in found.values
    assert found.notes[0] == "counters of tile(const float *, float *), one of 2 launches, 100% of the time profiled"
    assert found.notes[1] == "SOLBottleneck (OPT): Memory is used more than compute."


def test_the_counters_reach_the_diagnosis() -> None:
    subject = Subject(
        profile=Profile(counters=counters(parse(sample("details")))),
        device=Device(name="A100", vendor="nvidia", kind="gpu", arch="sm_80"),
        bound=Bound(us=100.0, memory_us=10.0, compute_us=100.0, intensity=1.0),
        time_us=1234.5,
    )

    found = diagnose(subject)

    assert found.bottleneck is Bottleneck.MEMORY
    assert found.evidence == ("Nsight Compute: compute 31 % and memory 88 % of their peaks",)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "==PROF== Connected to process 7\n==ERROR== ERR_NVGPUCTRPERM - The user does not have permission to access "
            "NVIDIA GPU Performance Counters on the target device 0.\n",
            "NVreg_RestrictProfilingToAdminUsers=0",
        ),
        ("==WARNING== No kernels were profiled.\n", "No kernels were profiled."),
        ("==ERROR== Failed to find metric x__y\n", "Failed to find metric x__y."),
        ("", "it printed no table"),
        ('"ID","Process ID","Kernel Name","Metric Name","Metric Unit","Metric Value"\n', "it printed no table"),
    ],
)
def test_why_there_are_no_counters_is_one_line(text: str, says: str) -> None:
    with pytest.raises(CountersRefused) as caught:
        parse(text)

    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1,234,567.8", 1234567.8), ("12", 12.0), ("N/A", None), ("n/a", None), ("", None), ("nan", None), ("1e3", 1e3)],
)
def test_numbers_are_read_as_they_are_printed(text: str, value: float | None) -> None:
    assert number(text) == value


def test_the_metrics_that_the_diagnosis_reads_are_asked_for() -> None:
    assert {DURATION, COMPUTE, MEMORY} <= set(ncu.METRICS)
    assert all("__" in name for name in ncu.METRICS)
