"""The CUDA driver through ctypes: what timing needs and no more."""

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

LIBRARIES = ("libcuda.so.1", "libcuda.so", "nvcuda.dll", "/usr/lib/wsl/lib/libcuda.so.1")
MULTIPROCESSORS, CLOCK_KHZ, MEMORY_CLOCK_KHZ, L2_BYTES, MAJOR, MINOR = 16, 13, 36, 38, 75, 76
DYNAMIC_SHARED = 8
"""CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES."""


class DeviceFailed(Exception):
    """A driver call failed; after a kernel's fault every later call of the process fails too."""


class NoDevice(Exception):
    """There is no driver or no GPU."""


class Driver:
    """One device; `attach` before anything is put on it. Lives as long as the process."""

    def __init__(self, library: str = "", ordinal: int = 0) -> None:
        self.path, self.library = _opened(library)
        if self.library.cuInit(0) != 0:
            raise NoDevice(f"{self.path} finds no GPU")
        count = ctypes.c_int()
        self.call("cuDeviceGetCount", ctypes.byref(count))
        if count.value <= ordinal:
            raise NoDevice(f"there is no GPU number {ordinal}; {count.value} found")
        self.device, self.context = ctypes.c_int(), ctypes.c_void_p()
        self.call("cuDeviceGet", ctypes.byref(self.device), ordinal)

    def attach(self) -> None:
        """Enter the primary context. The parent never does, so that a device in exclusive mode stays free."""
        self.call("cuDevicePrimaryCtxRetain", ctypes.byref(self.context), self.device)
        self.call("cuCtxSetCurrent", self.context)

    def call(self, name: str, *arguments: Any) -> None:
        """Call the driver.

        Raises:
            DeviceFailed: with the driver's name for the error.
        """
        code = getattr(self.library, name)(*arguments)
        if code != 0:
            text = ctypes.c_char_p()
            self.library.cuGetErrorName(code, ctypes.byref(text))
            raise DeviceFailed(f"{name}: {(text.value or str(code).encode()).decode()}")

    @property
    def name(self) -> str:
        """The marketing name."""
        text = ctypes.create_string_buffer(128)
        self.call("cuDeviceGetName", text, len(text), self.device)
        return text.value.decode()

    @property
    def place(self) -> str:
        """The PCI bus id, by which NVML knows the same device."""
        text = ctypes.create_string_buffer(32)
        self.call("cuDeviceGetPCIBusId", text, len(text), self.device)
        return text.value.decode()

    @property
    def version(self) -> str:
        """The CUDA version that the driver supports."""
        found = ctypes.c_int()
        self.call("cuDriverGetVersion", ctypes.byref(found))
        return f"{found.value // 1000}.{found.value % 1000 // 10}"

    def attribute(self, which: int) -> int:
        """A number of the device."""
        found = ctypes.c_int()
        self.call("cuDeviceGetAttribute", ctypes.byref(found), which, self.device)
        return found.value

    @property
    def arch(self) -> str:
        """As compilers name it: sm_80."""
        return f"sm_{self.attribute(MAJOR)}{self.attribute(MINOR)}"

    def allocate(self, octets: int) -> int:
        """An address of device memory; freed when the process ends."""
        address = ctypes.c_uint64()
        self.call("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(octets))
        return address.value

    def upload(self, address: int, array: NDArray[Any]) -> None:
        """Copy a contiguous array to the device."""
        ordered = np.ascontiguousarray(array)
        pointer = ctypes.c_void_p(ordered.ctypes.data)
        self.call("cuMemcpyHtoD_v2", ctypes.c_uint64(address), pointer, ctypes.c_size_t(ordered.nbytes))

    def download(self, address: int, array: NDArray[Any]) -> NDArray[Any]:
        """Fill `array` from the device and return it."""
        pointer = ctypes.c_void_p(array.ctypes.data)
        self.call("cuMemcpyDtoH_v2", pointer, ctypes.c_uint64(address), ctypes.c_size_t(array.nbytes))
        return array

    def fill(self, address: int, octet: int, octets: int) -> None:
        """Set bytes, in stream order."""
        size = ctypes.c_size_t(octets)
        self.call("cuMemsetD8Async", ctypes.c_uint64(address), ctypes.c_ubyte(octet), size, None)

    def copy(self, target: int, source: int, octets: int) -> None:
        """Copy within the device, in stream order."""
        size = ctypes.c_size_t(octets)
        self.call("cuMemcpyDtoDAsync_v2", ctypes.c_uint64(target), ctypes.c_uint64(source), size, None)

    def synchronise(self) -> None:
        """Wait for all work of the device, on every stream."""
        self.call("cuCtxSynchronize")

    def event(self) -> ctypes.c_void_p:
        """A new event that takes time stamps."""
        found = ctypes.c_void_p()
        self.call("cuEventCreate", ctypes.byref(found), 0)
        return found

    def record(self, event: ctypes.c_void_p) -> None:
        """Stamp the event when the stream gets there."""
        self.call("cuEventRecord", event, None)

    def between_us(self, start: ctypes.c_void_p, end: ctypes.c_void_p) -> float:
        """Microseconds between two events that have both happened."""
        milliseconds = ctypes.c_float()
        self.call("cuEventElapsedTime", ctypes.byref(milliseconds), start, end)
        return milliseconds.value * 1e3

    def module(self, image: bytes) -> ctypes.c_void_p:
        """Load machine code."""
        found = ctypes.c_void_p()
        self.call("cuModuleLoadData", ctypes.byref(found), image)
        return found

    def function(self, module: ctypes.c_void_p, name: str, shared: int) -> ctypes.c_void_p:
        """A kernel of a module, allowed to take `shared` bytes of dynamic shared memory."""
        found = ctypes.c_void_p()
        self.call("cuModuleGetFunction", ctypes.byref(found), module, name.encode())
        if shared > 48 << 10:
            self.call("cuFuncSetAttribute", found, DYNAMIC_SHARED, shared)
        return found

    def launch(
        self,
        function: ctypes.c_void_p,
        grid: Sequence[int],
        block: Sequence[int],
        shared: int,
        pointers: Any,
    ) -> None:
        """Start a kernel on the default stream; `pointers` are the addresses of its arguments, in order."""
        self.call("cuLaunchKernel", function, *grid, *block, shared, None, pointers, None)


def _opened(library: str) -> tuple[str, ctypes.CDLL]:
    for name in [library] if library else LIBRARIES:
        try:
            return name, ctypes.CDLL(name)
        except OSError:
            continue
    raise NoDevice(f"no CUDA driver ({library or 'libcuda.so.1'}) on this machine")
