"""Containers, manifests and public CI files: linted by what is here, and true to the code."""

import shutil
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from support import need

from atunner.cli.app import build
from atunner.settings import Settings

ROOT = Path(__file__).parent.parent.parent
DOCKERFILES = sorted((ROOT / "docker").glob("*Dockerfile"))
OVERLAYS = ("k8s/base", "k8s/overlays/sqlite", "k8s/overlays/postgres", "k8s/job")
CI = (".github/workflows/ci.yml", ".gitlab-ci.yml")
PODS = ("Deployment", "StatefulSet", "Job")


def beside(program: str) -> Path:
    """A program that pip installed beside this Python."""
    found = Path(sys.executable).parent / program
    need(program, found.exists() or shutil.which(program) is not None, f"{program} is not installed (extra `dev`)")
    return found if found.exists() else Path(str(shutil.which(program)))


def said(*argv: str | Path) -> str:
    """Nothing, or what a linter complains of."""
    done = subprocess.run([str(a) for a in argv], cwd=ROOT, capture_output=True, text=True, timeout=200)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def yaml(path: Path | str) -> Any:
    return YAML(typ="safe").load((ROOT / path).read_text())


@pytest.fixture(scope="module", params=OVERLAYS)
def rendered(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An overlay as Kubernetes would get it."""
    need("kubectl")
    done = subprocess.run(
        ["kubectl", "kustomize", request.param], cwd=ROOT, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    path: Path = tmp_path_factory.mktemp("k8s") / "rendered.yaml"
    path.write_text(done.stdout)
    return path


def pods(path: Path) -> list[dict[str, Any]]:
    found = [one for one in YAML(typ="safe").load_all(path.read_text()) if one["kind"] in PODS]
    return [one["spec"]["template"]["spec"] for one in found]


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda f: f.name)
def test_dockerfiles_are_linted(file: Path) -> None:
    assert said(beside("hadolint"), file) == ""


def test_yaml_files_are_linted() -> None:
    assert said(beside("yamllint"), "--strict", "docker", "k8s", *CI) == ""


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda f: f.name)
def test_images_run_as_a_user_of_their_own_and_start_our_command(file: Path) -> None:
    last = file.read_text().rpartition("\nFROM ")[2]

    assert "\nUSER 10001\n" in last
    assert '"--", "atunner"]' in last


def test_manifests_are_valid(rendered: Path) -> None:
    found = known(rendered)
    for one in found:
        validate(one)

    assert {one["kind"] for one in found} & set(PODS)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"kind": "Deploymint"}, "SchemaNotFoundError"),
        ({"apiVersion": "apps/v9"}, "SchemaNotFoundError"),
        ({"spec": "one"}, "ValidationError"),
        ({"specs": {}}, "ValidationError"),
        ({"metadata": {"name": 5}}, "ValidationError"),
    ],
    ids=["no such kind", "no such version", "another type", "no such field", "a number for a name"],
)
def test_a_broken_manifest_is_refused(rendered: Path, change: dict[str, Any], refusal: str) -> None:
    for one in known(rendered):
        validate(one)
        with pytest.raises(getattr(validator(), refusal)):
            validate({**one, **change})


def known(rendered: Path) -> list[dict[str, Any]]:
    """Its objects, but for those of the Prometheus operator, which the validator does not know."""
    found = [one for one in YAML(typ="safe").load_all(rendered.read_text()) if one["kind"] != "ServiceMonitor"]
    assert found
    return found


def validator() -> Any:
    need("kubernetes-validate", find_spec("kubernetes_validate") is not None, "kubernetes-validate is not installed")
    return import_module("kubernetes_validate.utils")


def validate(manifest: dict[str, Any]) -> None:
    validator().validate(manifest, "1.31", strict=True)


def test_pods_have_no_more_rights_than_they_need(rendered: Path) -> None:
    for pod in pods(rendered):
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
        for container in pod["containers"]:
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert {"requests", "limits"} <= set(container["resources"])


def test_a_drain_fits_into_the_grace_of_a_pod(rendered: Path) -> None:
    for pod in pods(rendered):
        if any(c["image"].startswith("atunner") and c["args"][0] in ("serve", "worker") for c in pod["containers"]):
            assert pod["terminationGracePeriodSeconds"] >= 40


def test_sqlite_has_one_pod_that_stops_before_the_next_starts() -> None:
    need("kubectl")
    done = subprocess.run(
        ["kubectl", "kustomize", "k8s/overlays/sqlite"], cwd=ROOT, capture_output=True, text=True, timeout=200
    )
    (server,) = [one for one in YAML(typ="safe").load_all(done.stdout) if one["kind"] == "Deployment"]

    assert (server["spec"]["replicas"], server["spec"]["strategy"]) == (1, {"type": "Recreate"})


def test_everything_that_is_set_and_started_exists() -> None:
    files = [*(ROOT / "k8s").rglob("*.yaml"), *(ROOT / "docker").glob("*")]
    text = "\n".join(f.read_text() for f in files if f.is_file())
    names = {word.split("=")[0].strip('":{}') for word in text.split() if word.startswith("ATUNNER_")}
    commands = {c.name or "" for c in build().registered_commands}

    assert {n for n in names if n.removeprefix("ATUNNER_").lower() not in Settings.model_fields} == set()
    assert {"serve", "worker", "optimize"} <= commands


def test_compose_has_the_whole_service() -> None:
    services = yaml("docker/compose.yaml")["services"]

    assert {"server", "worker", "worker-cuda", "postgres", "prometheus", "grafana", "ollama"} == set(services)
    assert services["ollama"]["profiles"] == ["ollama"]
    assert {p.partition(":")[0] for s in services.values() for p in s.get("ports", [])} == {"127.0.0.1"}
    for service in services.values():
        assert "privileged" not in service
        assert ":latest" not in service["image"]
        assert ":" in service["image"]
    for service in ("server", "worker", "worker-cuda"):
        assert (services[service]["cap_drop"], services[service]["read_only"]) == (["ALL"], True)


def test_prometheus_reads_the_rules_that_are_shipped() -> None:
    need("promtool")
    config = yaml("docker/prometheus/prometheus.yml")

    assert [(ROOT / "docker" / "prometheus" / name).exists() for name in config["rule_files"]] == [True]
    assert {c["job_name"] for c in config["scrape_configs"]} == {"atunner"}


@pytest.mark.parametrize("file", CI)
def test_public_ci_runs_the_same_targets_builds_the_images_and_installs_the_wheel(file: str) -> None:
    text = (ROOT / file).read_text()

    for wanted in (
        "make check",
        "make test",
        "docker/Dockerfile",
        "docker/worker-cuda.Dockerfile",
        "pip install dist/",
    ):
        assert wanted in text
    for dockerfile in DOCKERFILES:
        assert str(dockerfile.relative_to(ROOT)) in text
