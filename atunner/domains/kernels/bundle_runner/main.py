"""`python3 run.py`: measure this bundle's kernels on the GPU of this machine.

Everything needed is in this folder but numpy and a CUDA compiler; nothing is read from a network.
"""

import argparse
import json
import sys
from pathlib import Path
from statistics import median
from typing import Any

from atunner.domains.kernels.bundle_runner import compilers, hashing
from atunner.domains.kernels.bundle_runner.driver import DeviceFailed, Driver, NoDevice
from atunner.domains.kernels.bundle_runner.judge import Judge, machine_code
from atunner.domains.kernels.bundle_runner.session import Session

RESULT = "result.json"


def main(root: Path, arguments: list[str]) -> int:
    """Exit code 0: done as asked; 1: something is wrong with the bundle; 3: this machine lacks what is needed."""
    options = _options(arguments)
    if options.contender:
        return contender(Path(options.contender))
    manifest = json.loads((root / "manifest.json").read_text(encoding="utf-8"))
    damaged = list(hashing.damage(root, manifest["files"]))
    if damaged:
        return _say(f"This bundle is damaged: {'; '.join(damaged)}. Export it again.", 1)
    if options.check:
        return check(root, manifest, options.driver)
    return measure(root, manifest, options)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.py", description=__doc__)
    parser.add_argument("--check", action="store_true", help="verify hashes and compile, measure nothing")
    parser.add_argument("--seconds", type=float, default=15.0, help="longest timing of one kernel (default 15)")
    parser.add_argument("--driver", default="", help="CUDA driver library, if it is not where systems have it")
    parser.add_argument("--contender", default="", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def _say(text: str, code: int) -> int:
    (sys.stderr if code else sys.stdout).write(text + "\n")
    return code


def contender(order: Path) -> int:
    """The process of one contender: its words go into a file beside the order, never through stdout."""
    asked = json.loads(order.read_text(encoding="utf-8"))
    try:
        said = Session(asked).run()
    except (DeviceFailed, NoDevice) as error:
        return _say(str(error), 1)
    (order.parent / "said.json").write_text(json.dumps(said), encoding="utf-8")
    return 0


def check(root: Path, manifest: dict[str, Any], library: str) -> int:
    """Compile every kernel and say in one line what is missing for measuring."""
    count, refused = len(manifest["candidates"]), []
    try:
        for candidate in manifest["candidates"]:
            try:
                machine_code(root, candidate, manifest["target"]["arch"])
            except compilers.Refused as error:
                refused.append(f"{candidate['id']}: {error}")
    except compilers.NoCompiler as error:
        return _say(f"{len(manifest['files'])} files are as exported; nothing was compiled: {error}.", 0)
    if refused:
        return _say("\n".join([f"{len(refused)} of {count} kernels do not compile:", *refused]), 1)
    arch = manifest["target"]["arch"]
    _say(f"{len(manifest['files'])} files are as exported; {count} kernels compile for {arch}.", 0)
    return _say(missing(library), 0)


def missing(library: str) -> str:
    """What stands between this machine and a measurement, in one line."""
    try:
        driver = Driver(library)
    except NoDevice as error:
        return f"Nothing was measured. Missing for measuring: {error}."
    return f"Ready to measure on {driver.name} ({driver.arch}): python3 run.py"


def measure(root: Path, manifest: dict[str, Any], options: argparse.Namespace) -> int:
    """Measure everything and write result.json."""
    try:
        driver = Driver(options.driver)
    except NoDevice as error:
        return _say(f"Nothing was measured: {error}. Run this on a machine with an NVIDIA GPU.", 3)
    target = manifest["target"]
    if driver.arch != target["arch"]:
        _say(f"Tuned for {target['name']} ({target['arch']}), measured on {driver.name} ({driver.arch}).", 0)
    try:
        result = Judge(root, manifest, driver.arch, options.driver, options.seconds).measure()
    except compilers.NoCompiler as error:
        return _say(f"Nothing was measured: {error}.", 3)
    path = root / RESULT
    path.write_text(json.dumps(result, indent=1), encoding="utf-8")
    for line in lines(result):
        _say(line, 0)
    base = result["results"]["baseline"]
    if base["status"] != "ok":
        return _say(f"The baseline was not measured ({base['status']}: {base['feedback']}).", 1)
    return _say(f"Wrote {path}. Take it back with: atunner import {path.name}", 0)


def lines(result: dict[str, Any]) -> list[str]:
    """The table for the terminal, highest ratio first; failures below, with their reason."""
    gain, found = result["minimum_gain"], result["results"]
    names = {c["id"]: f"{c['family']} {_params(c['params'])}" for c in result["manifest"]["candidates"]}
    good = sorted((n for n, r in found.items() if r["status"] == "ok"), key=lambda n: -float(found[n]["ratio"]))
    told = [f"measured on {result['environment'].get('device', 'unknown')}; ratios are to the naive baseline"]
    for name in good:
        told.append(f"{_row(found[name], gain)}  {names.get(name, name)}")
    for name, one in found.items():
        if one["status"] != "ok":
            told.append(f"{one['status']:>12}  {names.get(name, name)}: {one['feedback']}")
    confirmed = result["confirmed"]
    if confirmed is not None:
        told.append("confirmed in a new process with new inputs:")
        text = _row(confirmed, gain) if confirmed["status"] == "ok" else confirmed["feedback"]
        told.append(f"{text}  {names[result['best']]}")
    return told


def _row(one: dict[str, Any], gain: float) -> str:
    noise = "" if one["low"] > 1.0 + gain else "  not better (within noise)"
    times = median(one["samples"]["candidate"])
    short = "  launch-bound" if times < 10.0 else ""
    return f"{times:12.2f} us  {one['ratio']:7.3f}x [{one['low']:.3f}, {one['high']:.3f}]{noise}{short}"


def _params(params: dict[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in params.items())
