"""A program that runs a candidate a few times and no more: what profilers and sanitizers are pointed at.

Argument: a file with the order (driver library, program, buffers, inputs, repeats). Every tensor has an allocation of
exactly its size, and nothing is written to outputs beforehand, so that a sanitizer sees what is wrong.
"""

import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[4]))

import ctypes

import numpy as np

from atunner.domains.kernels.bundle_runner.driver import DeviceFailed, Driver, NoDevice
from atunner.domains.kernels.bundle_runner.memory import Kernel


@dataclass(frozen=True)
class Address:
    """Where one tensor lies on the device."""

    pointer: ctypes.c_uint64


class Tensors:
    """All tensors of a problem, each in an allocation of its own."""

    def __init__(self, driver: Driver, buffers: list[dict[str, Any]], inputs: Path) -> None:
        self.places: dict[str, Address] = {}
        with np.load(inputs) as given:
            for buffer in buffers:
                octets = math.prod(buffer["shape"]) * np.dtype(buffer["dtype"]).itemsize
                address = driver.allocate(max(1, octets))
                if buffer["name"] in given:
                    driver.upload(address, given[buffer["name"]])
                self.places[buffer["name"]] = Address(ctypes.c_uint64(address))


def main(file: Path) -> int:
    """Exit code 0 when every call ended well."""
    order = json.loads(file.read_text(encoding="utf-8"))
    try:
        driver = Driver(order["library"])
        driver.attach()
        kernel = Kernel(driver, order["program"], Path(order["program"]["cubin"]).read_bytes())
        tensors = Tensors(driver, order["buffers"], Path(order["inputs"]))
        for _ in range(order["repeats"]):
            kernel.start(tensors)
        driver.synchronise()
    except (DeviceFailed, NoDevice) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
