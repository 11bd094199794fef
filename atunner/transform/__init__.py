"""The Python API in the form that users of LLM Kernel Tuner know: a kernel goes in, the best verified one comes out."""

from atunner.transform.result import Improvement, TunedKernel
from atunner.transform.strategies import (
    AutonomousTuningStrategy,
    ExplicitTuningStrategy,
    NamedStrategy,
    OnePromptTuningStrategy,
    TuningStep,
    TuningStrategy,
)
from atunner.transform.transformer import LLMKernelTransformer

__all__ = [
    "AutonomousTuningStrategy",
    "ExplicitTuningStrategy",
    "Improvement",
    "LLMKernelTransformer",
    "NamedStrategy",
    "OnePromptTuningStrategy",
    "TunedKernel",
    "TuningStep",
    "TuningStrategy",
]
