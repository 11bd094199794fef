"""The coder's compiler: whether a kernel passes the gate and builds, before it is proposed. It costs no trial."""

from pydantic import JsonValue, ValidationError

from atunner.agents.codegen import Draft
from atunner.agents.rewrite import Rewrite
from atunner.core.consult import Toolbox
from atunner.graphs.admission import screened
from atunner.graphs.deps import Deps
from atunner.graphs.state import TuningState

WORDS = 2000


class Compile:
    """Tries one kernel as admission would, up to the build."""

    name = "compile"
    description = (
        "Gate and build a kernel that you may propose, and hear what the compiler says. Nothing is run or measured. "
        "Takes the whole source and its parameters with their values, as in your answer."
    )
    parameters: dict[str, JsonValue] = {  # noqa: RUF012 - a constant
        "source": {"type": "string", "description": "the whole source"},
        "parameters": {"type": "object", "description": "legal values of each NAME, as lists"},
    }

    def __init__(self, deps: Deps, state: TuningState) -> None:
        self._deps, self._state = deps, state

    def __call__(self, /, **arguments: JsonValue) -> JsonValue:
        """Arguments: source, parameters. Answer: builds, and why not."""
        try:
            rewrite = Rewrite.model_validate({"name": "trial build", **arguments})
        except ValidationError as error:
            said = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:4])
            return {"builds": False, "why": said}
        found = screened(self._deps, self._state, Draft(rewrite=rewrite, by="compile"))
        if isinstance(found, str):
            return {"builds": False, "why": found[:WORDS]}
        return {"builds": True, "repaired": list(found.notes)}


def equipped(deps: Deps, state: TuningState, role: str) -> Toolbox:
    """The tools of a role; the coder has a compiler beside its look-ups."""
    box = deps.tools(role)
    return Toolbox(*box.tools, Compile(deps, state), limit=8) if role == "coder" else box
