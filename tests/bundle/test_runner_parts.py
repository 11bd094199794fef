from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atunner.domains.kernels.bundle_runner import hashing, statistics
from atunner.domains.kernels.bundle_runner.judge import Judge
from atunner.domains.kernels.bundle_runner.truth import REFERENCES, Draw, inputs, mismatch, truth
from atunner.operators import known, operator

SHAPES = {
    "conv2d": (2, 6, 7, 9),
    "matmul": (17, 5, 33),
    "softmax": (3, 4, 37),
    "layer_norm": (5, 41),
    "reduce_sum": (4, 67),
}
SETTINGS = {"conv2d": {"out_channels": 4, "kernel": 3, "stride": 2, "padding": 1, "dilation": 1, "groups": 2}}
THERE = [name for name in known() if name in REFERENCES]


@pytest.mark.parametrize("name", THERE)
@pytest.mark.parametrize("scale", [1.0, 1e-3, 64.0])
def test_the_bundles_answers_are_the_operators(name: str, scale: float) -> None:
    one = operator(name)
    problem = one.problem(SHAPES[name], SETTINGS.get(name, {}), "float32")
    plain = problem.model_dump(mode="json")
    given = inputs(plain["buffers"], Draw(5, scale))
    expected = one.reference(problem, given)
    allowed = one.tolerance(problem, given, expected)

    for output, found in truth(plain, Draw(5, scale)).items():
        np.testing.assert_allclose(found.expected, expected[output], rtol=1e-9, atol=1e-12 * scale)
        assert np.all(found.allowed <= 20 * allowed[output])
        assert mismatch(output, expected[output].astype(np.float32), found) == ""


@pytest.mark.parametrize("name", THERE)
def test_trivial_outputs_are_wrong(name: str) -> None:
    plain = operator(name).problem(SHAPES[name], SETTINGS.get(name, {}), "float32").model_dump(mode="json")
    (output, right), *_ = truth(plain, Draw(11)).items()

    for trivial in (np.zeros_like(right.expected), np.ones_like(right.expected), np.full_like(right.expected, np.nan)):
        assert "elements are wrong" in mismatch(output, trivial.astype(np.float32), right)


def test_a_wrong_element_is_named() -> None:
    plain = operator("matmul").problem((4, 5, 6), {}, "float32").model_dump(mode="json")
    right = truth(plain, Draw(1))["c"]
    got = right.expected.astype(np.float32)
    got[2, 3] += 0.01

    assert mismatch("c", got, right).startswith("c[2, 3]: expected")


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(1.0, 1e6), min_size=1, max_size=40), st.floats(0.1, 10.0))
def test_a_constant_ratio_is_found_whatever_the_times(times: list[float], factor: float) -> None:
    found = statistics.ratio([(t * factor, t) for t in times])

    assert found.ratio == pytest.approx(factor)
    assert found.low == pytest.approx(factor)
    assert found.high == pytest.approx(factor)


def test_noise_against_itself_raises_what_a_gain_must_exceed() -> None:
    noise = np.random.default_rng(0).normal(1.0, 0.2, (2, 12))

    assert statistics.minimum_gain([(100.0, 100.0)] * 12) == statistics.LEAST_GAIN
    assert statistics.minimum_gain([(a, b) for a, b in noise.T]) > 0.03


def test_no_ratio_of_nothing() -> None:
    with pytest.raises(ValueError, match="at least one pair"):
        statistics.ratio([])
    with pytest.raises(ValueError, match="positive"):
        statistics.ratio([(1.0, 0.0)])


def test_timing_stops_when_it_knows_enough_or_time_is_up() -> None:
    steady, noisy = [(10.0, 5.0)] * 12, [(10.0, 5.0), (20.0, 9.0)] * 6

    assert statistics.enough(steady, 1.0, 15.0)
    assert not statistics.enough(steady[:5], 1.0, 15.0)
    assert not statistics.enough(steady, 0.1, 15.0)
    assert not statistics.enough(noisy, 1.0, 15.0)
    assert statistics.enough(noisy, 15.0, 15.0)


def test_work_that_the_devices_clock_does_not_see_is_found() -> None:
    assert statistics.hidden_work([100.0] * 5, [400.0] * 5)
    assert not statistics.hidden_work([100.0] * 5, [120.0] * 5)
    assert not statistics.hidden_work([10.0] * 5, [90.0] * 5)


def test_a_seal_covers_everything_and_the_manifest(tmp_path: Path) -> None:
    result = hashing.sealed({"manifest": {"files": {"a": "1"}}, "results": {"x": 1.5}})

    assert hashing.seal(result) == result["seal"]
    assert hashing.seal({**result, "results": {"x": 1.6}}) != result["seal"]
    assert hashing.seal({**result, "manifest": {"files": {"a": "2"}}}) != result["seal"]
    (tmp_path / "a").write_text("content")
    assert list(hashing.damage(tmp_path, {"a": hashing.file_digest(tmp_path / "a")})) == []
    assert list(hashing.damage(tmp_path, {"a": "0", "b": "0"})) == ["a was changed", "b is missing"]


def test_a_host_that_is_at_other_work_all_the_time_gives_no_figure(tmp_path: Path) -> None:
    judge = Judge(tmp_path, {"problem": {}}, "sm_80", "", 1.0)
    said = {"pairs": [(2.0, 1.0)] * 20, "samples": {"candidate": [1.0] * 20}, "throttled_blocks": 0}
    found = judge.timed({**said, "wall": {"candidate": []}})
    assert found["status"] == "not_measured"
    assert "others had the core" in found["feedback"]
    assert judge.timed({**said, "wall": {"candidate": [500.0] * 5}})["status"] == "rejected"
