"""The operators as PyTorch calls them: tensors in argument order, dimensions as the problem names them."""

from collections.abc import Callable
from typing import Any


def calls(torch: Any, d: dict[str, int]) -> dict[str, Callable[..., Any]]:
    """Operator name -> call."""
    functional = torch.nn.functional
    return {
        "conv2d": lambda x, weight: functional.conv2d(
            x, weight, stride=d["stride"], padding=d["padding"], dilation=d["dilation"], groups=d["groups"]
        ),
        "matmul": torch.matmul,
        "softmax": lambda x: functional.softmax(x, dim=-1),
        "layer_norm": lambda x, gamma, beta: functional.layer_norm(
            x, (x.shape[-1],), gamma, beta, eps=d["eps_pico"] * 1e-12
        ),
        "reduce_sum": lambda x: x.sum(dim=-1),
    }
