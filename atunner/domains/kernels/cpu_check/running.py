"""One run of one instance, in a process of its own, with files in and files out."""

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from atunner.core.errors import Crashed, TimedOut, ToolError
from atunner.core.program import Buffer
from atunner.domains.kernels.cpu_check.building import Checked
from atunner.domains.kernels.cpu_check.driver import Layout
from atunner.domains.kernels.cpu_check.findings import problem
from atunner.tools.process import Finished, ProgramTimedOut
from atunner.tools.process import run as run_program

Arrays = dict[str, NDArray[np.generic]]
_FOUND, _FAILED = 9, 8


class Runner(Protocol):
    """Starts the checker: `atunner.tools.process.run`, or a sandbox of the same form.

    It must be able to read the executable and to write in `cwd`; the environment is empty.
    """

    def __call__(self, *argv: str, cwd: Path, timeout_s: float, env: Mapping[str, str]) -> Finished:
        """Run to the end. Raises ProgramTimedOut."""
        ...


@dataclass(frozen=True)
class Order:
    """In which order blocks, warps and lanes take their turns. kind: forward, reverse or shuffled."""

    kind: str = "forward"
    seed: int = 0

    @classmethod
    def shuffled(cls, seed: int) -> "Order":
        """A random order, the same for the same seed."""
        return cls("shuffled", seed)

    @property
    def words(self) -> tuple[str, str]:
        """As arguments of the checker."""
        return (str(("forward", "reverse", "shuffled").index(self.kind)), str(self.seed))


FORWARD = Order()
REVERSE = Order("reverse")


def run(
    checked: Checked,
    index: int,
    inputs: Mapping[str, NDArray[np.generic]],
    order: Order = FORWARD,
    timeout_s: float = 60,
    runner: Runner = run_program,
) -> Arrays:
    """Run one instance and return its outputs by name; bfloat16 travels as uint16.

    Raises:
        Wrong: an access out of bounds, a race, a divergent barrier...: with file and line.
        Crashed: the process died. TimedOut: it did not end. NotVerified: what the check cannot run.
    """
    made = checked.layouts[index]
    work = Path(tempfile.mkdtemp(prefix="run-", dir=checked.folder))
    try:
        _write(made, inputs, work)
        arguments = (str(checked.executable.resolve()), str(index), *order.words)
        done = runner(*arguments, cwd=work, timeout_s=timeout_s, env={})
        if done.code in (_FOUND, _FAILED):
            raise problem(checked, work / "report")
        if done.code:
            raise Crashed(f"the check of {checked.name} ended with {_ending(done.code)}.")
        return {slot.name: _read(slot, work) for slot in made.slots if slot.role in ("output", "inout")}
    except ProgramTimedOut as error:
        raise TimedOut(f"the check of {checked.name} did not end within {timeout_s:g} s.") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _stored(dtype: str) -> np.dtype[np.generic]:
    return np.dtype("uint16" if dtype == "bfloat16" else dtype)


def _write(made: Layout, inputs: Mapping[str, NDArray[np.generic]], work: Path) -> None:
    (work / "in").mkdir()
    (work / "out").mkdir()
    for slot in made.slots:
        if slot.role not in ("input", "inout"):
            continue
        array = np.ascontiguousarray(inputs[slot.name], dtype=_stored(slot.dtype))
        if array.size != slot.elements:
            raise ToolError(f"input {slot.name} has {array.size} elements where {slot.elements} are expected.")
        file = work / "in" / slot.name
        file.write_bytes(array.tobytes())
        file.chmod(0o400)


def _read(slot: Buffer, work: Path) -> NDArray[np.generic]:
    file = work / "out" / slot.name
    expected = slot.elements * _stored(slot.dtype).itemsize
    if file.is_symlink() or not file.is_file() or file.stat().st_size != expected:
        raise Crashed(f"output {slot.name} was not written whole.")
    return np.frombuffer(file.read_bytes(), dtype=_stored(slot.dtype)).reshape(slot.shape)
