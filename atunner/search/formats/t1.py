"""The community's description of a tuning problem (T1, format version 1) as a space."""

import json

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from atunner.core.errors import UserError
from atunner.core.space import Parameter, Space
from atunner.search.formats.values import values

VERSION = 1


class _Open(BaseModel):
    model_config = ConfigDict(extra="allow")


class Header(_Open):
    """FormatVersion is the only field that is read; files without it are of version 1."""

    FormatVersion: int = VERSION


class TuningParameter(_Open):
    """One tunable; Values is a text such as "[16, 32]"."""

    Name: str
    Type: str = "int"
    Values: str | list[JsonValue]


class Condition(_Open):
    """A constraint as a Python expression."""

    Expression: str


class ConfigurationSpace(_Open):
    """Tunables and constraints."""

    TuningParameters: list[TuningParameter] = Field(min_length=1)
    Conditions: list[Condition] = []


class KernelSpecification(_Open):
    """The kernel; what is not listed here is kept in `model_extra`."""

    KernelName: str
    KernelFile: str
    Language: str = "CUDA"
    ProblemSize: JsonValue = None
    Arguments: list[dict[str, JsonValue]] = []


class Description(_Open):
    """A T1 file, checked."""

    General: Header = Header()
    ConfigurationSpace: ConfigurationSpace
    KernelSpecification: KernelSpecification
    Search: dict[str, JsonValue] = {}
    Budget: list[dict[str, JsonValue]] = []

    @property
    def space(self) -> Space:
        """Parameters and constraints. Raises UserError for a value list of an unknown form."""
        declared = self.ConfigurationSpace
        parameters = tuple(
            Parameter(name=p.Name, values=values(p.Name, p.Values) if isinstance(p.Values, str) else tuple(p.Values))
            for p in declared.TuningParameters
        )
        return Space(parameters=parameters, constraints=tuple(c.Expression for c in declared.Conditions))


def _version(content: dict[str, object]) -> object:
    general = content.get("General", {})
    return general.get("FormatVersion", VERSION) if isinstance(general, dict) else None


def read(text: str) -> Description:
    """Check a T1 file.

    Raises:
        UserError: not JSON, another format version, or a field that is missing or of another type; named.
    """
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"Not a T1 file: line {error.lineno} is not JSON ({error.msg}).") from error
    if not isinstance(content, dict):
        raise UserError(f"Not a T1 file: an object was expected at the top, got {type(content).__name__}.")
    version = _version(content)
    if version != VERSION:
        raise UserError(
            f"A T1 file of format version {version}; version {VERSION} is read. Convert it or change the field."
        )
    try:
        return Description.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(str(part) for part in first["loc"])
        raise UserError(f"Not a T1 file: {at}: {first['msg'].lower()}.") from error
