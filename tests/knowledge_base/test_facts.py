"""Facts have sources and agree with each other; what is named exists."""

import importlib

import pytest

from atunner.core.device import Device
from atunner.core.errors import UnknownName
from atunner.knowledge_base import catalogue, devices
from atunner.operators import known, operator
from atunner.tools import hardware

DEVICES = devices.known()
NEEDED = {
    "sm_count", "clock_mhz", "dram_gbs", "l2_bytes", "fp32_tflops", "fp16_tflops", "memory_bytes", "shared_per_sm",
    "shared_per_block_optin", "registers_per_sm", "max_threads_per_sm", "max_warps_per_sm", "cores_per_sm", "warp_size",
}  # fmt: skip


def each_device() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("device", DEVICES, ids=lambda d: d.name)


@each_device()
def test_every_figure_has_a_source_and_a_unit(device: Device) -> None:
    assert set(device.facts) >= NEEDED
    assert all(fact.source and fact.unit and fact.value > 0 for fact in device.facts.values())


@each_device()
def test_the_fp32_peak_follows_from_cores_and_clock(device: Device) -> None:
    computed = 2 * device.get("sm_count") * device.get("cores_per_sm") * device.get("clock_mhz") / 1e6

    assert device.get("fp32_tflops") == pytest.approx(computed, rel=0.10)


@each_device()
def test_peaks_are_dense_and_in_order(device: Device) -> None:
    fp32, fp16 = device.get("fp32_tflops"), device.get("fp16_tflops")
    assert fp32 < fp16
    if "tf32_tflops" in device.facts:
        assert device.get("tf32_tflops") == pytest.approx(fp16 / 2, rel=0.02)
    if "fp8_tflops" in device.facts:
        assert device.get("fp8_tflops") == pytest.approx(fp16 * 2, rel=0.02)


@each_device()
def test_limits_of_a_multiprocessor_agree(device: Device) -> None:
    assert device.get("max_threads_per_sm") == device.get("max_warps_per_sm") * device.get("warp_size")
    assert device.get("shared_per_block_optin") <= device.get("shared_per_sm")


@each_device()
def test_a_device_is_found_by_each_of_its_names(device: Device) -> None:
    for name in (device.name, device.name.lower(), *device.aliases):
        assert devices.named(name).name == device.name


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("A100", "A100-SXM4-80GB"),
        ("a100-pcie-40gb", "A100-PCIE-40GB"),
        ("NVIDIA A100 80GB PCIe", "A100-PCIE-80GB"),
        ("NVIDIA GeForce RTX 4090", "RTX-4090"),
        ("rtx4090", "RTX-4090"),
        ("NVIDIA H100 80GB HBM3", "H100-SXM"),
        ("Tesla V100-SXM2-16GB", "V100-SXM2"),
        ("A4000", "RTX-A4000"),
        ("AMD Instinct MI300X", "MI300X"),
    ],
)
def test_a_device_is_found_by_the_name_that_its_driver_gives(name: str, meant: str) -> None:
    assert devices.named(name).name == meant


def test_a_bare_name_says_what_it_was_taken_as() -> None:
    assert devices.named("A100").notes[0].startswith("A100: Taken as A100-SXM4-80GB")
    assert devices.named("A100-SXM4-80GB").notes == ()


def test_an_unknown_device_is_answered_with_the_nearest_names() -> None:
    with pytest.raises(UnknownName, match=r"Did you mean .*H100-PCIE") as caught:
        devices.device("H10-PCIE")
    assert "MI300X" in str(caught.value)


def test_no_two_devices_share_a_name() -> None:
    names = [name for device in DEVICES for name in {devices.plain(n) for n in (device.name, *device.aliases)}]

    assert sorted(names) == sorted(set(names))


def test_this_machine_is_read_live_and_measured() -> None:
    host = devices.host()

    assert host.kind == "cpu"
    assert host.get("cores") >= 1
    assert host.get("simd_bits") in (64, 128, 256, 512)
    assert host.facts["dram_gbs"].source.startswith("measured here")
    assert 0.5 < host.get("dram_gbs") < 5000
    assert 200 < host.get("clock_mhz") < 10_000
    assert all(fact.source for fact in host.facts.values())


def test_the_measured_peak_is_near_what_clock_and_width_allow() -> None:
    host = devices.host()
    if not host.facts["fp32_tflops"].source.startswith("measured"):
        pytest.skip("no C compiler here")
    lanes = host.get("simd_bits") / 32
    computed = host.get("cores") * host.get("clock_mhz") * lanes * host.get("fma_units") * 2 / 1e6

    assert 0.3 * computed < host.get("fp32_tflops") < 1.3 * computed


def test_gpus_are_listed_or_there_is_no_driver() -> None:
    for gpu in hardware.gpus():
        assert gpu.arch.startswith("sm_")
        assert gpu.memory_bytes > 0


def test_every_technique_treats_known_bottlenecks_under_one_name() -> None:
    names = [name for t in catalogue.techniques() for name in (t.name, *t.also)]

    assert len(names) == len(set(names))
    assert {b for t in catalogue.techniques() for b in t.treats} == set(catalogue.BOTTLENECKS)


def test_a_technique_is_found_by_another_name_of_it() -> None:
    assert catalogue.technique("shared_memory_padding").name == "bank_conflict_padding"
    with pytest.raises(UnknownName, match=r"Did you mean .*winograd"):
        catalogue.technique("winogard")


def test_fusion_rules_are_found_by_kind() -> None:
    found = catalogue.fusion_rules("gemm", "pointwise")

    assert [rule.name for rule in found] == ["gemm_epilogue"]
    assert all(rule.legal_when and rule.blocked_by and rule.source for rule in catalogue.fusion_rules())


@pytest.mark.parametrize("name", catalogue.noted_operators())
def test_notes_name_techniques_that_exist(name: str) -> None:
    known_names = {t.name for t in catalogue.techniques()}

    assert {t for note in catalogue.operator_notes(name) for t in note.techniques} <= known_names


@pytest.mark.parametrize("name", known())
def test_every_technique_of_a_kernel_family_is_in_the_knowledge_base(name: str) -> None:
    try:
        importlib.import_module(f"atunner.operators.{name}")
    except ModuleNotFoundError:
        pytest.skip(f"the operator {name} is not there")
    known_names = {name for t in catalogue.techniques() for name in (t.name, *t.also)}
    used = {
        technique
        for kernels in operator(name).kernels.values()
        for family in (kernels.baseline, *kernels.families)
        for technique in family.techniques
    }

    assert used - known_names == set()
