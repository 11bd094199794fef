"""The parent: knows the answers, starts one process for each contender, and decides."""

import json
import secrets
import subprocess  # noqa: TID251  this runs where ATunner's own `tools.process` is not installed
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from atunner.domains.kernels.bundle_runner import compilers, hashing, statistics, torch_peer
from atunner.domains.kernels.bundle_runner.session import SETS
from atunner.domains.kernels.bundle_runner.truth import Draw, Truth, mismatch, truth

SCALES = (1.0, 1e-3, 64.0)
GENERATIONS = 2
START_S = 120.0


class Judge:
    """Measures what the manifest names; the state is a folder of machine code and right answers."""

    def __init__(self, root: Path, manifest: dict[str, Any], arch: str, driver: str, seconds: float) -> None:
        self.root, self.manifest, self.arch, self.driver = root, manifest, arch, driver
        self.seconds, self.warm_s = seconds, min(1.0, seconds)
        self.problem, self.secret = manifest["problem"], secrets.randbits(60)
        self.draws = self._draws(0)
        self.environment: dict[str, Any] = {}
        self.kept = tempfile.TemporaryDirectory(prefix="bundle-")
        self.folder = Path(self.kept.name)

    def _draws(self, stage: int) -> tuple[list[dict[str, Any]], list[list[dict[str, Any]]]]:
        """Checks and the contents of the timed sets; the same for all contenders of a stage, unknown before the run."""
        base = self.secret + 1000 * stage
        checks = [{"seed": base + i, "scale": scale} for i, scale in enumerate(SCALES)]
        timed = [[{"seed": base + 100 + g * SETS + s, "scale": 1.0} for s in range(SETS)] for g in range(GENERATIONS)]
        return checks, timed

    def measure(self) -> dict[str, Any]:
        """The whole result, sealed."""
        begun = time.time()
        base = self.manifest["candidates"][0]
        same = self.judged(base)
        found = {"baseline": same}
        gain = statistics.minimum_gain(same["pairs"]) if same["status"] == "ok" else None
        if gain is not None:
            for candidate in self.manifest["candidates"][1:]:
                found[candidate["id"]] = self.judged(candidate)
            if torch_peer.available():
                found["torch"] = self.judged({"id": "torch", "deterministic": False})
        best = None if gain is None else self.best(found)
        result = {
            "schema": 1,
            "manifest": self.manifest,
            "begun": begun,
            "took_s": time.time() - begun,
            "compiler": compilers.compiler(),
            "torch": torch_peer.available(),
            "environment": self.environment,
            "minimum_gain": gain,
            "results": found,
            "best": best,
            "confirmed": self.confirm(best) if best else None,
        }
        return hashing.sealed(result)

    def best(self, found: dict[str, Any]) -> str | None:
        """The verified candidate with the highest ratio."""
        good = {name: r for name, r in found.items() if r["status"] == "ok" and name not in {"baseline", "torch"}}
        return max(good, key=lambda name: float(good[name]["ratio"]), default=None)

    def confirm(self, best: str) -> dict[str, Any]:
        """The winner once more: compiled again, new process, new inputs."""
        self.draws = self._draws(1)
        candidate = next(c for c in self.manifest["candidates"] if c["id"] == best)
        return self.judged(candidate)

    def judged(self, candidate: dict[str, Any]) -> dict[str, Any]:
        """What became of one contender; only an ok one has times."""
        with tempfile.TemporaryDirectory(prefix="contender-") as name:
            folder = Path(name)
            try:
                order = self.order(candidate, folder)
            except compilers.Refused as error:
                return _failed("not_built", str(error))
            failed = self._run(order, folder)
            if failed:
                return failed
            said = json.loads((folder / "said.json").read_text(encoding="utf-8"))
            wrong = said["damage"] or self.wrong(candidate, said)
            if wrong:
                return _failed("wrong", wrong)
            self.environment = self.environment or said["environment"]
            return self.timed(said)

    def order(self, candidate: dict[str, Any], folder: Path) -> dict[str, Any]:
        """What the contender's process is told: no answers among it."""
        checks, timed = self.draws
        return {
            "problem": self.problem,
            "baseline": self._compiled(self.manifest["candidates"][0], folder),
            "candidate": self._compiled(candidate, folder),
            "checks": checks,
            "generations": timed,
            "seconds": self.seconds,
            "warm_s": self.warm_s,
            "seed": secrets.randbits(60),
            "driver": self.driver,
            "folder": str(folder),
        }

    def _compiled(self, candidate: dict[str, Any], folder: Path) -> dict[str, Any]:
        if candidate["id"] == "torch":
            return candidate
        path = folder / f"{candidate['id']}.cubin"
        if not path.exists():
            path.write_bytes(machine_code(self.root, candidate, self.arch))
        return {**candidate, "cubin": str(path)}

    def _run(self, order: dict[str, Any], folder: Path) -> dict[str, Any] | None:
        given = folder / "order.json"
        given.write_text(json.dumps(order), encoding="utf-8")
        limit = START_S + 8 * self.seconds
        try:
            done = subprocess.run(
                [sys.executable, str(self.root / "run.py"), "--contender", str(given)],
                capture_output=True,
                text=True,
                timeout=limit,
                check=False,
                cwd=folder,
            )
        except subprocess.TimeoutExpired:
            return _failed("timed_out", f"did not end within {limit:g} s")
        if done.returncode:
            lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
            return _failed("crashed", lines[-1] if lines else f"exit code {done.returncode}")
        return None

    def wrong(self, candidate: dict[str, Any], said: dict[str, Any]) -> str:
        """The first output that is not right, in words."""
        contents: dict[tuple[int, int], int] = {}
        for output in said["outputs"]:
            key = output["side"], output["draw"]["seed"]
            contents[key] = contents.get(key, 0) + 1
            right = self.right(Draw(**output["draw"]))
            for name, path in output["files"].items():
                found = mismatch(name, np.load(path), right[name])
                if found:
                    side = "the baseline" if output["side"] == 0 else "the result"
                    return f"{side} is wrong ({output['what']}, scale {output['draw']['scale']:g}): {found}"
        changing = candidate.get("deterministic", True) and any(n > 1 for (side, _), n in contents.items() if side)
        return "equal inputs gave different results, but the candidate is declared deterministic" if changing else ""

    def right(self, draw: Draw) -> dict[str, Truth]:
        """The answers for a draw; computed once and kept on disk."""
        path = self.folder / f"{draw.seed}-{draw.scale:g}.npz"
        if not path.exists():
            arrays: dict[str, Any] = {}
            for name, found in truth(self.problem, draw).items():
                arrays[f"{name}.expected"], arrays[f"{name}.allowed"] = found.expected, found.allowed
            np.savez(path, **arrays)
        with np.load(path) as kept:
            names = {entry.rsplit(".", 1)[0] for entry in kept.files}
            return {name: Truth(kept[f"{name}.expected"], kept[f"{name}.allowed"]) for name in names}

    def timed(self, said: dict[str, Any]) -> dict[str, Any]:
        """Times with their ratio, or why they are no figure."""
        pairs = [(a, b) for a, b in said["pairs"]]
        if not pairs:
            return _failed("not_measured", f"the clock was held down in all {said['throttled_blocks']} blocks")
        if not said["wall"]["candidate"]:
            return _failed("not_measured", "others had the core in every call that the host's clock timed")
        if statistics.hidden_work(said["samples"]["candidate"], said["wall"]["candidate"]):
            return _failed("rejected", "the host's clock saw more than 1.5 times the device's: work is hidden from it")
        found = statistics.ratio(pairs)
        kept = ("pairs", "samples", "wall", "conditions", "throttled_blocks", "empty_us")
        return {
            "status": "ok",
            "feedback": "",
            "inputs": len({(o["draw"]["seed"], o["draw"]["scale"]) for o in said["outputs"] if o["side"] == 1}),
            "ratio": found.ratio,
            "low": found.low,
            "high": found.high,
            **{name: said[name] for name in kept},
        }


def machine_code(root: Path, candidate: dict[str, Any], arch: str) -> bytes:
    """Compile one candidate of the manifest.

    Raises:
        Refused: with the compiler's words. NoCompiler: with what to install.
    """
    source = (root / candidate["source"]).read_text(encoding="utf-8")
    return compilers.compiled(source, arch, candidate["macros"], candidate["flags"])


def _failed(status: str, feedback: str) -> dict[str, Any]:
    return {"status": status, "feedback": feedback}
