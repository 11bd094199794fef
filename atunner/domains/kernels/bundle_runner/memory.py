"""Device memory between guard zones, with outputs poisoned, at addresses that differ from set to set."""

import ctypes
import hashlib
import math
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from atunner.domains.kernels.bundle_runner.driver import Driver
from atunner.domains.kernels.bundle_runner.truth import Draw, inputs

GUARD = 4096
GUARD_OCTET = 0xA5
POISON = 0xFF
"""All bits set: NaN in every float format."""

SCALARS = {"int32": ctypes.c_int32, "int64": ctypes.c_int64, "float32": ctypes.c_float, "float64": ctypes.c_double}


class Place:
    """One buffer on the device: guard, contents, guard."""

    def __init__(self, driver: Driver, octets: int, offset: int) -> None:
        self.driver, self.octets = driver, octets
        self.whole = octets + 2 * GUARD + offset
        self.start = driver.allocate(self.whole)
        self.address = self.start + GUARD + offset
        self.pointer = ctypes.c_uint64(self.address)
        driver.fill(self.start, GUARD_OCTET, self.whole)

    def poison(self) -> None:
        """Make the contents unusable."""
        self.driver.fill(self.address, POISON, self.octets)

    def intact(self) -> bool:
        """Whether both guard zones are as they were made."""
        before = np.empty(self.address - self.start, np.uint8)
        after = np.empty(self.start + self.whole - self.address - self.octets, np.uint8)
        self.driver.download(self.start, before)
        self.driver.download(self.address + self.octets, after)
        return bool((before == GUARD_OCTET).all() and (after == GUARD_OCTET).all())


class Buffers:
    """All tensors of a problem in one set of addresses, and the contents that were put there last."""

    def __init__(self, driver: Driver, problem: dict[str, Any], random: np.random.Generator) -> None:
        self.driver, self.problem = driver, problem
        self.places = {
            b["name"]: Place(driver, _octets(b), int(random.integers(1, 17)) * 256) for b in problem["buffers"]
        }
        self.contents: dict[str, NDArray[Any]] = {}

    def draw(self, draw: Draw) -> None:
        """New contents at the same addresses."""
        self.contents = inputs(self.problem["buffers"], draw)
        for name, array in self.contents.items():
            self.driver.upload(self.places[name].address, array)
        self.poison()

    def poison(self) -> None:
        """Poison every output."""
        for buffer in self.problem["buffers"]:
            if buffer["role"] == "output":
                self.places[buffer["name"]].poison()

    def outputs(self) -> dict[str, NDArray[Any]]:
        """What the outputs hold now."""
        written = [b for b in self.problem["buffers"] if b["role"] == "output"]
        return {b["name"]: self._read(b) for b in written}

    def _read(self, buffer: dict[str, Any]) -> NDArray[Any]:
        return self.driver.download(self.places[buffer["name"]].address, np.empty(buffer["shape"], buffer["dtype"]))

    def damage(self) -> str:
        """What was written outside the outputs, in words; "" when nothing was."""
        for name, place in self.places.items():
            if not place.intact():
                return f"wrote outside of {name}"
        for buffer in self.problem["buffers"]:
            if buffer["role"] == "input" and self._read(buffer).tobytes() != self.contents[buffer["name"]].tobytes():
                return f"changed its input {buffer['name']}"
        return ""


class Pointed(Protocol):
    """A place on the device."""

    @property
    def pointer(self) -> ctypes.c_uint64:
        """Its address, as an argument of a kernel."""
        ...


class Addressed(Protocol):
    """Whatever knows where each buffer of a problem lies."""

    @property
    def places(self) -> Mapping[str, Pointed]:
        """By the buffer's name."""
        ...


class Kernel:
    """A candidate that is loaded: its functions, scratch memory and arguments."""

    def __init__(self, driver: Driver, candidate: dict[str, Any], cubin: bytes) -> None:
        self.driver = driver
        module = driver.module(cubin)
        self.launches = [
            (driver.function(module, launch["kernel"], launch["shared_bytes"]), launch)
            for launch in candidate["launches"]
        ]
        self.scratch = {w["name"]: Place(driver, _workspace(w), 0) for w in candidate["workspaces"]}
        self.arguments: dict[int, tuple[Addressed, list[list[Any]], list[Any]]] = {}

    def start(self, buffers: Addressed) -> None:
        """Queue all launches on the default stream; arguments are made once for each set of buffers."""
        known = self.arguments.get(id(buffers))
        if known is None:
            made = [[self._argument(text, buffers) for text in launch["args"]] for _, launch in self.launches]
            # The buffers are kept with their arguments, so that no other buffers get the same id.
            known = self.arguments[id(buffers)] = buffers, made, [_addresses(values) for values in made]
        for (function, launch), pointers in zip(self.launches, known[2], strict=True):
            self.driver.launch(function, launch["grid"], launch["block"], launch["shared_bytes"], pointers)

    def poison(self) -> None:
        """Poison the scratch memory: it is never zeroed for a candidate."""
        for place in self.scratch.values():
            place.poison()

    def intact(self) -> bool:
        """Whether nothing was written around the scratch memory."""
        return all(place.intact() for place in self.scratch.values())

    def _argument(self, text: dict[str, Any], buffers: Addressed) -> Any:
        if "value" in text:
            return SCALARS[text["type"]](text["value"])
        name = text["buffer"]
        return (self.scratch[name] if name in self.scratch else buffers.places[name]).pointer


def _addresses(values: list[Any]) -> Any:
    return (ctypes.c_void_p * len(values))(*(ctypes.addressof(value) for value in values))


def fingerprint(arrays: dict[str, NDArray[Any]]) -> str:
    """Hash of contents."""
    found = hashlib.sha256()
    for name in sorted(arrays):
        found.update(np.ascontiguousarray(arrays[name]).tobytes())
    return found.hexdigest()


def _octets(buffer: dict[str, Any]) -> int:
    return math.prod(int(extent) for extent in buffer["shape"]) * _width(buffer)


def _workspace(workspace: dict[str, Any]) -> int:
    return max(1, int(workspace["elements"])) * _width(workspace)


def _width(tensor: dict[str, Any]) -> int:
    return int(np.dtype(tensor["dtype"]).itemsize)
