"""PyTorch's own kernel for the operator, timed in the same way; a yardstick, never a candidate."""

import importlib
import importlib.util
from typing import Any

import numpy as np

from atunner.domains.kernels.bundle_runner.memory import Buffers
from atunner.domains.kernels.bundle_runner.torch_calls import calls


class TorchPeer:
    """Full float32 precision: TF32 is switched off, so that both sides do the same arithmetic."""

    def __init__(self, problem: dict[str, Any]) -> None:
        torch = importlib.import_module("torch")
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.benchmark = True
        self.torch, self.problem = torch, problem
        self.call = calls(torch, problem["dims"])[problem["operator"]]
        self.tensors: dict[tuple[int, int], tuple[dict[str, Any], list[Any]]] = {}

    def start(self, buffers: Buffers) -> None:
        """Run the operator and copy its result to where a candidate would have written it."""
        key = id(buffers), id(buffers.contents)
        if key not in self.tensors:
            arrays = [np.ascontiguousarray(array) for array in buffers.contents.values()]
            # The contents are kept with their tensors, so that no other contents get the same id.
            self.tensors[key] = buffers.contents, [self.torch.from_numpy(a).cuda() for a in arrays]
        with self.torch.no_grad():
            result = self.call(*self.tensors[key][1]).contiguous()
        self.result, name = result, next(b["name"] for b in self.problem["buffers"] if b["role"] == "output")
        place = buffers.places[name]
        buffers.driver.copy(place.address, result.data_ptr(), place.octets)

    def poison(self) -> None:
        """It has no scratch memory of ours."""

    def intact(self) -> bool:
        """It is not given any memory to write to."""
        return True


def available() -> str:
    """Version of a PyTorch that sees a GPU, "" when there is none."""
    if importlib.util.find_spec("torch") is None:
        return ""
    torch = importlib.import_module("torch")
    return str(torch.__version__) if torch.cuda.is_available() else ""
