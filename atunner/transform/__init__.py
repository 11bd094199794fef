"""The Python API in the form that users of LLM Kernel Tuner know: a kernel goes in, the best verified one comes out."""

from atunner.operators.user.cases import Recipe
from atunner.transform.result import Improvement, TunedKernel
from atunner.transform.strategies import (
    AutonomousTuningStrategy,
    ExplicitTuningStrategy,
    NamedStrategy,
    OnePromptTuningStrategy,
    TuningStep,
    TuningStrategy,
)
from atunner.transform.testing import (
    GivenTesting,
    KernelTest,
    KernelView,
    ModelTesting,
    SignatureTesting,
    TestingStrategy,
)
from atunner.transform.transformer import LLMKernelTransformer

__all__ = [
    "AutonomousTuningStrategy",
    "ExplicitTuningStrategy",
    "GivenTesting",
    "Improvement",
    "KernelTest",
    "KernelView",
    "LLMKernelTransformer",
    "ModelTesting",
    "NamedStrategy",
    "OnePromptTuningStrategy",
    "Recipe",
    "SignatureTesting",
    "TestingStrategy",
    "TunedKernel",
    "TuningStep",
    "TuningStrategy",
]
