import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reports.records import measured, predicted
from support import need

from atunner.core.errors import UserError
from atunner.core.status import Provenance, Status
from atunner.domains.kernels.bundle import write_bundle
from atunner.domains.kernels.bundle_result import as_measured, read_result
from atunner.domains.kernels.bundle_runner import compilers, hashing
from atunner.reports import wording
from atunner.tools.process import Finished, run

FAKE = Path(__file__).parent / "fake_cuda.c"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bundle(predicted(), tmp_path_factory.mktemp("out") / "bundle")


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need("gcc")
    library = tmp_path_factory.mktemp("fake") / "libfakecuda.so"
    done = run("gcc", "-O2", "-shared", "-fPIC", str(FAKE), "-o", str(library), timeout_s=60)
    assert done.code == 0, done.output
    return library


@pytest.fixture(scope="module")
def result(bundle: Path, driver: Path) -> Path:
    need("NVRTC or nvcc", bool(compilers.compiler()))
    done = start(bundle, "--driver", str(driver), "--seconds", "0.4")
    assert done.code == 0, done.output
    return bundle / "result.json"


def start(bundle: Path, *arguments: str) -> Finished:
    return run(sys.executable, "-I", str(bundle / "run.py"), *arguments, cwd=bundle, timeout_s=120)


def test_the_bundle_says_with_no_gpu_that_nothing_was_measured(bundle: Path) -> None:
    done = start(bundle, "--driver", "libnothing-of-this-name.so")

    assert done.code == 3
    assert done.output.startswith("Nothing was measured: no CUDA driver")
    assert not (bundle / "result.json").exists()


def test_check_compiles_every_kernel_and_names_what_is_missing(bundle: Path) -> None:
    need("NVRTC or nvcc", bool(compilers.compiler()))
    done = start(bundle, "--check", "--driver", "libnothing-of-this-name.so")

    assert done.code == 0
    assert "4 kernels compile for sm_80" in done.output
    assert "Missing for measuring: no CUDA driver" in done.output


def test_a_kernel_that_does_not_compile_is_named_with_the_compilers_words(tmp_path: Path) -> None:
    need("NVRTC or nvcc", bool(compilers.compiler()))
    record = predicted()
    bad = record.trials[0].candidate.model_copy(
        update={"files": {**record.trials[0].candidate.files, "matmul.cu": "nonsense"}}
    )
    trials = (record.trials[0].model_copy(update={"candidate": bad}),)
    folder = write_bundle(record.model_copy(update={"trials": trials}), tmp_path / "b")

    done = start(folder, "--check")

    assert done.code == 1
    assert bad.id in done.output
    assert "nonsense" in done.output


def test_a_changed_kernel_stops_the_bundle(tmp_path: Path) -> None:
    folder = write_bundle(predicted(), tmp_path / "b")
    kernel = next((folder / "kernels").iterdir())
    kernel.write_text(kernel.read_text() + "\n")

    done = start(folder, "--check")

    assert done.code == 1
    assert f"kernels/{kernel.name} was changed" in done.output


def test_the_runner_needs_nothing_of_atunner_but_itself(bundle: Path) -> None:
    script = (
        f"import sys; sys.path.insert(0, {str(bundle / 'runner')!r})\n"
        "import atunner.domains.kernels.bundle_runner.main as m\n"
        "print(m.__file__); print([n for n in ('pydantic', 'jinja2', 'scipy', 'atunner.core') if n in sys.modules])"
    )
    done = run(sys.executable, "-I", "-c", script, timeout_s=60)

    assert str(bundle) in done.output
    assert done.output.endswith("[]\n")


def test_what_is_measured_is_ranked_as_measured_there(result: Path) -> None:
    record = predicted()
    fresh = as_measured(record, read_result(result))
    best = record.trials[0].candidate.id

    assert fresh.provenance is Provenance.MEASURED
    assert fresh.environment is not None
    assert fresh.environment.device == "Fake GPU"
    assert fresh.best == best
    assert [t.candidate.id for t in fresh.ranked] == [best]
    assert fresh.confirmed is not None
    assert fresh.confirmed.better
    assert 2.0 < fresh.confirmed.ratio < 8.0


def test_another_gpu_than_the_target_is_named_beside_it(result: Path) -> None:
    here = as_measured(predicted(), read_result(result))
    assert here.device is not None
    other = here.model_copy(update={"device": here.device.model_copy(update={"arch": "sm_90"})})

    assert wording.stamp(here) == "measured on Fake GPU"
    assert wording.stamp(other) == "measured on Fake GPU (sm_80), tuned for A100 (sm_90)"


def test_wrong_kernels_have_no_time_and_are_told_why(result: Path) -> None:
    fresh = as_measured(predicted(), read_result(result))
    by_tile = {t.candidate.params["TILE"]: t for t in fresh.trials if "TILE" in t.candidate.params}

    assert by_tile[8].status is Status.WRONG
    assert "c[7, 3]" in by_tile[8].feedback
    assert by_tile[8].measurement is None
    assert by_tile[32].status is Status.WRONG
    assert "wrote outside of c" in by_tile[32].feedback


def test_every_timed_figure_keeps_its_samples_and_the_bundles_hashes(result: Path) -> None:
    raw = json.loads(result.read_text())
    one = raw["results"][raw["best"]]

    assert len(one["pairs"]) >= 2
    assert len(one["samples"]["candidate"]) == len(one["samples"]["baseline"]) >= 16
    assert one["inputs"] > 3
    assert all(hashing.file_digest(result.parent / name) == d for name, d in raw["manifest"]["files"].items())


def edited(raw: dict[str, Any], how: str) -> dict[str, Any]:
    one = raw["results"][raw["best"]]
    if how == "ratio":
        one["ratio"] *= 2
    if how == "samples":
        one["samples"]["candidate"] = [s / 2 for s in one["samples"]["candidate"]]
    if how == "device":
        raw["environment"]["device"] = "NVIDIA H100"
    if how == "source":
        raw["manifest"]["files"]["run.py"] = "0" * 64
    return raw


@pytest.mark.parametrize("how", ["ratio", "samples", "device", "source"])
def test_a_result_edited_by_hand_is_refused(result: Path, tmp_path: Path, how: str) -> None:
    file = tmp_path / "result.json"
    file.write_text(json.dumps(edited(json.loads(result.read_text()), how)))

    with pytest.raises(UserError, match="hash does not match"):
        read_result(file)


def test_a_figure_that_the_samples_do_not_give_is_refused_though_it_is_sealed(result: Path, tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    file.write_text(json.dumps(hashing.sealed(edited(json.loads(result.read_text()), "ratio"))))

    with pytest.raises(UserError, match="ratio is not what its samples give"):
        read_result(file)


def test_a_result_of_another_run_is_refused(result: Path) -> None:
    other = predicted().model_copy(update={"run": "other"})

    with pytest.raises(UserError, match=r"of run matmul-a100-1, not of other"):
        as_measured(other, read_result(result))


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"seal": "x", "manifest": {}, "results": {}, "schema": 1}'])
def test_what_is_no_result_is_refused_in_one_line(tmp_path: Path, content: str) -> None:
    file = tmp_path / "result.json"
    file.write_text(content)

    with pytest.raises(UserError) as caught:
        read_result(file)

    assert "\n" not in str(caught.value)


def test_runs_that_cannot_be_bundled_say_why(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("irreplaceable")

    with pytest.raises(UserError, match="is not a bundle"):
        write_bundle(predicted(), tmp_path / "mine")
    with pytest.raises(UserError, match="no verified kernels"):
        write_bundle(predicted().model_copy(update={"trials": ()}), tmp_path / "b")
    with pytest.raises(UserError, match="cannot be launched"):
        write_bundle(measured(), tmp_path / "c")


def test_the_top_is_what_was_asked_for(tmp_path: Path) -> None:
    manifest = json.loads((write_bundle(predicted(), tmp_path / "b", top=1) / "manifest.json").read_text())

    assert len(manifest["candidates"]) == 2
    assert manifest["candidates"][1]["id"] == predicted().best
    assert manifest["candidates"][1]["launches"][0]["grid"] == [4, 6, 1]
    assert np.prod(manifest["problem"]["buffers"][0]["shape"]) == 96 * 48
