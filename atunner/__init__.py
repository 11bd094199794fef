"""ATunner: agents propose, a judge decides, and you get code that is verified and measured.

from atunner import Budget, optimize

result = optimize("matmul", shape=(512, 512, 512), budget=Budget(trials=64))
print(result.summary)
"""

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

try:
    __version__ = version("atunner")
except PackageNotFoundError:
    __version__ = "0+unknown"

if TYPE_CHECKING:
    from atunner.client import Client as Client
    from atunner.core.candidate import Candidate as Candidate
    from atunner.core.task import Budget as Budget
    from atunner.core.task import Objective as Objective
    from atunner.core.task import Task as Task
    from atunner.core.trial import Trial as Trial
    from atunner.python import Result as Result
    from atunner.python import optimize as optimize
    from atunner.python import optimize_async as optimize_async
    from atunner.python import tune as tune
    from atunner.python import tune_async as tune_async
    from atunner.transform import AutonomousTuningStrategy as AutonomousTuningStrategy
    from atunner.transform import ExplicitTuningStrategy as ExplicitTuningStrategy
    from atunner.transform import GivenTesting as GivenTesting
    from atunner.transform import KernelTest as KernelTest
    from atunner.transform import LLMKernelTransformer as LLMKernelTransformer
    from atunner.transform import ModelTesting as ModelTesting
    from atunner.transform import OnePromptTuningStrategy as OnePromptTuningStrategy
    from atunner.transform import SignatureTesting as SignatureTesting
    from atunner.transform import TunedKernel as TunedKernel
    from atunner.transform import TuningStep as TuningStep

_HOMES = {
    **dict.fromkeys(
        (
            "AutonomousTuningStrategy",
            "ExplicitTuningStrategy",
            "LLMKernelTransformer",
            "OnePromptTuningStrategy",
            "GivenTesting",
            "KernelTest",
            "ModelTesting",
            "SignatureTesting",
            "TunedKernel",
            "TuningStep",
        ),
        "atunner.transform",
    ),
    "Budget": "atunner.core.task",
    "Candidate": "atunner.core.candidate",
    "Client": "atunner.client",
    "Objective": "atunner.core.task",
    "Result": "atunner.python",
    "Task": "atunner.core.task",
    "Trial": "atunner.core.trial",
    "optimize": "atunner.python",
    "optimize_async": "atunner.python",
    "tune": "atunner.python",
    "tune_async": "atunner.python",
}

__all__ = [
    "AutonomousTuningStrategy",
    "Budget",
    "Candidate",
    "Client",
    "ExplicitTuningStrategy",
    "GivenTesting",
    "KernelTest",
    "LLMKernelTransformer",
    "ModelTesting",
    "Objective",
    "OnePromptTuningStrategy",
    "Result",
    "SignatureTesting",
    "Task",
    "Trial",
    "TunedKernel",
    "TuningStep",
    "__version__",
    "optimize",
    "optimize_async",
    "tune",
    "tune_async",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used, so that `import atunner` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'atunner' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
