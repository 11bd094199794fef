"""The task of tuning a user's kernel."""

from pydantic import JsonValue

from atunner.core.task import Task
from atunner.operators.user.kernel import UserKernel


def kernel_task(kernel: UserKernel, target: str = "host", compiler: str = "") -> Task:
    """The task of tuning a user's kernel for a target."""
    spec: dict[str, JsonValue] = {"kernel": kernel.model_dump(mode="json")}
    spec |= {"compiler": compiler} if compiler else {}
    return Task(domain="user_kernels", name=kernel.name, spec=spec, target=target)
