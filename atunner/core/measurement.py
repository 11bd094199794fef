"""Figures, with where they come from."""

from statistics import median

from pydantic import Field, JsonValue

from atunner.core.status import Provenance
from atunner.core.value import Value, content_id


class Environment(Value):
    """Where a figure was taken; two environments are never compared silently.

    device: marketing name. toolchain: name -> version. clocks: name -> MHz or governor.
    sandbox: the layers that were active, outermost first.
    """

    device: str
    driver: str = ""
    toolchain: dict[str, str] = Field(default_factory=dict)
    clocks: dict[str, str] = Field(default_factory=dict)
    sandbox: tuple[str, ...] = ()
    versions: dict[str, str] = Field(default_factory=dict)
    extra: dict[str, JsonValue] = Field(default_factory=dict)

    @property
    def id(self) -> str:
        """Hash of all fields."""
        return content_id(self.model_dump(mode="json"))


class Measurement(Value):
    """Repeated samples of one candidate's figure, or one prediction of it.

    provenance: measured (source = device), predicted (source = model and target, `error` = the model's
    known error in words) or simulated (source = recording). samples are in `unit`.
    """

    unit: str
    samples: tuple[float, ...] = Field(min_length=1)
    provenance: Provenance = Provenance.MEASURED
    source: str
    environment: str = ""
    error: str = ""

    @property
    def value(self) -> float:
        """The median of the samples."""
        return median(self.samples)
