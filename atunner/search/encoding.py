"""Numbers for parameter values: an ordered unit scale, or one column for each name."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue


@dataclass(frozen=True)
class Scale:
    """How the values of one parameter become numbers.

    ordered: the values are numbers. unit: by value index, 0 to 1. columns: by value index, what a surrogate gets.
    """

    ordered: bool
    unit: NDArray[np.float64]
    columns: NDArray[np.float64]


def scale(values: Sequence[JsonValue]) -> Scale:
    """The scale of a value list; logarithmic when the values are positive and span a factor of 8 or more."""
    if all(isinstance(v, int | float) for v in values):
        numbers = np.array([float(v) for v in values if isinstance(v, int | float)])
        if len(numbers) > 2 and numbers.min() > 0 and numbers.max() >= 8 * numbers.min():
            numbers = np.log2(numbers)
        spread = float(np.ptp(numbers))
        unit = (numbers - numbers.min()) / spread if spread > 0 else np.zeros(len(numbers))
        return Scale(ordered=True, unit=unit, columns=unit[:, None])
    return Scale(ordered=False, unit=np.linspace(0, 1, len(values)), columns=np.eye(len(values)))
