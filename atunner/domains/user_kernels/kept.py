"""The evidence of a user's kernel: the description goes with it, so that it can be checked where nothing else is."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from atunner.core.candidate import Params
from atunner.core.errors import UserError
from atunner.domains.kernels.evidence import Evidence
from atunner.domains.user_kernels.answers import answering
from atunner.operators.user import UserKernel, UserOperator

KERNEL, BASELINE = "kernel", "baseline"


def with_kernel(found: Evidence, kernel: UserKernel, baseline: Params) -> Evidence:
    """The same evidence with what the user described. baseline: what answers where no reference was given."""
    extra = {**found.extra, KERNEL: kernel.model_dump(mode="json"), BASELINE: dict(baseline)}
    return found.model_copy(update={"extra": extra})


def operator_of(found: Evidence, backend: Any, cache: Path) -> UserOperator | None:
    """The operator that the evidence describes; None where it is of one that ships.

    Raises:
        UserError: the description is damaged.
    """
    if KERNEL not in found.extra:
        return None
    try:
        kernel = UserKernel.model_validate(found.extra[KERNEL])
    except ValidationError as error:
        raise UserError(f"The bundle's description of its kernel is damaged: {error.errors()[0]['msg']}.") from error
    baseline = found.extra.get(BASELINE)
    return UserOperator(kernel, answering(kernel, backend, baseline if isinstance(baseline, dict) else {}, cache))
