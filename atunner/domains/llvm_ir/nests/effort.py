"""A limit on the work of one question to isl: exact sets can be very expensive, and an answer is never owed."""

from collections.abc import Iterator
from contextlib import contextmanager

import islpy as isl

from atunner.core.errors import UserError

PROOF = 3_000_000
"""Steps of isl for the proof of one plan: about a second."""
WHOLE = 12_000_000
"""Steps of isl for what comes before a proof: dependences, and schedules for several statements."""
PRINTING = 30_000_000
"""Steps of isl for the loops of one plan."""


class TooIntricate(UserError):
    """The exact sets of a plan cost more than it is worth."""


@contextmanager
def limited(steps: int) -> Iterator[None]:
    """Let isl work for so many steps at most; what is around it begins to count anew.

    Raises:
        TooIntricate: they were not enough.
    """
    context = isl.DEFAULT_CONTEXT
    around = context.get_max_operations()
    context.reset_operations()
    context.set_max_operations(steps)
    try:
        yield
    except isl.Error as error:
        raise TooIntricate(
            f"The plan needs more than {steps} steps of isl; give smaller or rounder numbers."
        ) from error
    finally:
        context.reset_operations()
        context.set_max_operations(around)
