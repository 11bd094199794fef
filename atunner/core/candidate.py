"""One thing to try."""

from pydantic import Field, JsonValue

from atunner.core.value import Value, content_id

Params = dict[str, JsonValue]


class Candidate(Value):
    """Files and parameters; identity is content, so equal candidates are one candidate.

    family: the algorithm that the files implement, "" if it has no name. origin: who proposed it
    (baseline, search, expert, model:NAME, user). parent: id of the candidate that it was derived from.
    """

    files: dict[str, str] = Field(default_factory=dict)
    params: Params = Field(default_factory=dict)
    family: str = ""
    origin: str = "user"
    parent: str | None = None
    note: str = ""

    @property
    def id(self) -> str:
        """Hash of files and params only: who proposed it does not matter."""
        return content_id(self.model_dump(mode="json", include={"files", "params"}))
