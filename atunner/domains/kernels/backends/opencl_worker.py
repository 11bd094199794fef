"""The process that holds an OpenCL candidate: no right answer, and its words are only raw times.

Arguments: descriptors of the commands, the replies and the shared arena, and the arena's bytes; without arguments it
lists the devices. The first line that it reads is the order; every line after it is a request, and each is answered by
lines of JSON. The arena holds the slots as the judge filled them: guard zones, inputs and poisoned outputs travel to
the device and back as they are.
"""

import json
import mmap
import os
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyopencl as cl


class Contender:
    """One device with the candidate's programs, compiled at once or taken from the folder where they were."""

    def __init__(self, order: dict[str, Any], arena: mmap.mmap) -> None:
        if order["cpus"]:
            os.sched_setaffinity(0, order["cpus"])
        self.memory = np.frombuffer(arena, np.uint8)
        platform, device = order["device"]
        self.context = cl.Context([cl.get_platforms()[platform].get_devices()[device]])
        marked = cl.command_queue_properties.PROFILING_ENABLE
        self.queue = cl.CommandQueue(self.context, properties=marked)
        self.base = cl.Buffer(self.context, cl.mem_flags.READ_WRITE, self.memory.size)
        self.order = order
        self.started: dict[tuple[int, int], list[tuple[Any, ...]]] = {}

    def load(self) -> None:
        """Compile every program. Raises cl.Error with the compiler's words."""
        self.programs = []
        for told in self.order["programs"]:
            made = cl.Program(self.context, told["source"]).build(told["options"], cache_dir=None)
            self.programs.append(made)

    def facts(self) -> list[dict[str, Any]]:
        """What the compiler says of each kernel that is launched."""
        device, found = self.context.devices[0], []
        for told, made in zip(self.order["programs"], self.programs, strict=True):
            for launch in told["launches"]:
                kernel, wanted = cl.Kernel(made, launch["kernel"]), cl.kernel_work_group_info
                found.append(
                    {
                        "kernel": launch["kernel"],
                        "local_bytes": kernel.get_work_group_info(wanted.LOCAL_MEM_SIZE, device),
                        "private_bytes": kernel.get_work_group_info(wanted.PRIVATE_MEM_SIZE, device),
                        "most_threads": kernel.get_work_group_info(wanted.WORK_GROUP_SIZE, device),
                        "arguments": kernel.num_args,
                    }
                )
        return found

    def try_all(self, slots: list[dict[str, Any]]) -> None:
        """Start one work group of each launch, since drivers make the final code at the first start."""
        for index, told in enumerate(self.order["programs"]):
            for kernel, _, local in self._launches(index, slots[index], told):
                cl.enqueue_nd_range_kernel(self.queue, kernel, local, local)
        self.queue.finish()

    def _launches(self, program: int, slot: dict[str, Any], told: dict[str, Any]) -> list[tuple[Any, ...]]:
        """Kernels with their arguments for one slot, each made once."""
        key = (program, slot["low"])
        if key not in self.started:
            self.started[key] = [self._bound(program, launch, slot) for launch in told["launches"]]
        return self.started[key]

    def _bound(self, program: int, launch: dict[str, Any], slot: dict[str, Any]) -> tuple[Any, ...]:
        kernel = cl.Kernel(self.programs[program], launch["kernel"])
        given = []
        for argument in launch["args"]:
            if "scalar" in argument:
                given.append(np.dtype(argument["scalar"]).type(argument["value"]))
            else:
                start, size = slot["places"][argument["buffer"]]
                given.append(self.base.get_sub_region(start, size))
        kernel.set_args(*given)
        return kernel, tuple(launch["global"]), tuple(launch["local"])

    def start(self, program: int, slot: dict[str, Any], after: Any = None) -> list[Any]:
        """One call; its events."""
        launches = self._launches(program, slot, self.order["programs"][program])
        wait = [after] if after is not None else None
        return [
            cl.enqueue_nd_range_kernel(self.queue, kernel, size, local, wait_for=wait)
            for kernel, size, local in launches
        ]

    def upload(self, slot: dict[str, Any]) -> None:
        """One slot to the device."""
        low, high = slot["low"], slot["high"]
        cl.enqueue_copy(self.queue, self.base, self.memory[low:high], dst_offset=low)

    def download(self, slot: dict[str, Any]) -> None:
        """One slot back."""
        low, high = slot["low"], slot["high"]
        cl.enqueue_copy(self.queue, self.memory[low:high], self.base, src_offset=low)

    def run(self, asked: dict[str, Any]) -> dict[str, Any]:
        """One call for each slot."""
        for slot in asked["slots"]:
            self.upload(slot)
            self.start(asked["program"], slot)
            self.download(slot)
        self.queue.finish()
        return {"done": True}

    def time(self, asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Queue every call behind a gate; on "go" all back to back; then the device's times of each and the outputs."""
        for slot in asked["slots"]:
            self.upload(slot)
        self.queue.finish()
        gate = cl.UserEvent(self.context)
        events = [self.start(asked["program"], slot, gate) for slot in asked["slots"]]
        self.queue.flush()
        yield {"ready": True}
        gate.set_status(cl.command_execution_status.COMPLETE)
        self.queue.finish()
        yield {"done": True}
        for slot in asked["slots"]:
            self.download(slot)
        spans = [sum(e.profile.end - e.profile.start for e in call) / 1e3 for call in events]
        self.queue.finish()
        yield {"samples": spans}

    def idle(self, asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Commands that do next to nothing, for what starting a command costs; none of the candidate's code runs."""
        zero, size, gate = np.zeros(1, np.uint8), 64, cl.UserEvent(self.context)
        events = [
            cl.enqueue_fill_buffer(self.queue, self.base, zero, 0, size, wait_for=[gate]) for _ in range(asked["calls"])
        ]
        self.queue.flush()
        yield {"ready": True}
        gate.set_status(cl.command_execution_status.COMPLETE)
        self.queue.finish()
        yield {"done": True}
        yield {"busy_us": sum(e.profile.end - e.profile.start for e in events) / 1e3}


def serve(order: dict[str, Any], arena: mmap.mmap, requests: Iterator[str]) -> Iterator[dict[str, Any]]:
    """One answer for each request; a failure of the device or of the candidate ends it."""
    try:
        contender = Contender(order, arena)
    except (cl.Error, IndexError) as error:
        yield {"failed": "device", "text": str(error)}
        return
    try:
        contender.load()
        told = contender.facts()
    except (cl.Error, RuntimeError) as error:
        yield {"failed": "build", "text": str(error)}
        return
    try:
        if order["slots"]:
            contender.try_all(order["slots"])
        yield {"ready": {"facts": told}}
        for line in requests:
            yield from _answers(contender, json.loads(line), requests)
    except (cl.Error, RuntimeError) as error:
        yield {"failed": "candidate", "text": str(error)}


def _answers(contender: Contender, asked: dict[str, Any], requests: Iterator[str]) -> Iterator[dict[str, Any]]:
    if asked["do"] == "run":
        yield contender.run(asked)
        return
    steps = contender.time(asked) if asked["do"] == "time" else contender.idle(asked)
    yield next(steps)
    next(requests)
    yield from steps


def listing() -> str:
    """Every device as JSON."""
    found = []
    for number, platform in enumerate(cl.get_platforms()):
        for index, device in enumerate(platform.get_devices()):
            kinds = {cl.device_type.CPU: "cpu", cl.device_type.GPU: "gpu"}
            kind = next((name for bit, name in kinds.items() if device.type & bit), "other")
            found.append(
                {
                    "name": device.name.strip(),
                    "platform": platform.name.strip(),
                    "kind": kind,
                    "version": device.version.strip(),
                    "driver": device.driver_version.strip(),
                    "place": [number, index],
                    "units": device.max_compute_units,
                    "align": device.mem_base_addr_align // 8,
                }
            )
    return json.dumps(found)


def main(commands: int, replies: int, arena: int, octets: int) -> None:
    """Serve until the other side closes."""
    with os.fdopen(commands) as asked, os.fdopen(replies, "w") as told, mmap.mmap(arena, octets) as memory:
        lines = iter(asked.readline, "")
        for answer in serve(json.loads(next(lines)), memory, lines):
            told.write(json.dumps(answer) + "\n")
            told.flush()
        # The views of the arena go with the process, and drivers' threads with it.
        os._exit(0)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.stdout.write(listing() + "\n")
        sys.exit(0)
    main(*map(int, sys.argv[1:]))
