"""Look-up tools over the knowledge base, and which agent is handed which."""

from pydantic import JsonValue

from atunner.core.consult import Toolbox
from atunner.core.ports import Tool
from atunner.core.task import Task
from atunner.knowledge_base.store import Store


class Techniques:
    """Look up techniques that treat a bottleneck."""

    name = "techniques"
    description = "Names of techniques from the knowledge base that treat a bottleneck (memory, compute, latency...)."

    parameters: dict[str, JsonValue] = {"bottleneck": {"type": "string"}}  # noqa: RUF012 - a constant

    def __init__(self, store: Store) -> None:
        self._store = store

    def __call__(self, /, **arguments: JsonValue) -> JsonValue:
        """Argument: bottleneck. Answer: a list of names, with the other names of the same techniques."""
        found = self._store.techniques(str(arguments.get("bottleneck", "")))
        return [name for technique in found for name in (technique.name, *technique.also)]


class DeviceFacts:
    """Look up a device."""

    name = "device"
    description = "All facts of a device by name, each with unit and source."

    parameters: dict[str, JsonValue] = {"name": {"type": "string"}}  # noqa: RUF012 - a constant

    def __init__(self, store: Store) -> None:
        self._store = store

    def __call__(self, /, **arguments: JsonValue) -> JsonValue:
        """Argument: name. Answer: the device as JSON."""
        return self._store.device(str(arguments.get("name", ""))).model_dump(mode="json")


class History:
    """Look up what earlier runs of similar tasks found."""

    name = "history"
    description = "The best verified points of similar earlier tasks: family, parameters, figure."

    parameters: dict[str, JsonValue] = {"limit": {"type": "integer"}}  # noqa: RUF012 - a constant

    def __init__(self, store: Store, task: Task) -> None:
        self._store, self._task = store, task

    def __call__(self, /, **arguments: JsonValue) -> JsonValue:
        """Argument: limit (default 5). Answer: a list of family, parameters and figure."""
        limit = arguments.get("limit", 5)
        found = self._store.recall(self._task, limit if isinstance(limit, int) else 5)
        return [
            {"family": t.candidate.family, "params": t.candidate.params, "value": t.measurement.value}
            for t in found
            if t.measurement is not None
        ]


class OperatorNotes:
    """Look up what is known of an operator."""

    name = "operator_notes"
    description = (
        "What is known of an operator beyond its numbers, with sources: algorithms, pitfalls, when each is worth it."
    )

    parameters: dict[str, JsonValue] = {"operator": {"type": "string"}}  # noqa: RUF012 - a constant

    def __init__(self, store: Store) -> None:
        self._store = store

    def __call__(self, /, **arguments: JsonValue) -> JsonValue:
        """Argument: operator. Answer: a list of notes."""
        return [note.model_dump(mode="json") for note in self._store.operator_notes(str(arguments.get("operator", "")))]


class FusionRules:
    """Look up which operations may be merged."""

    name = "fusion_rules"
    description = (
        "Rules on merging a producer with a consumer: what is legal, what it asks of the kernel, with sources."
    )

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def parameters(self) -> dict[str, JsonValue]:
        """Both kinds may be left out; the rules themselves say which there are."""
        rules = self._store.fusion_rules()
        producers, consumers = sorted({r.producer for r in rules}), sorted({r.consumer for r in rules})
        return {
            "producer": {"type": "string", "enum": [*producers]},
            "consumer": {"type": "string", "enum": [*consumers]},
        }

    def __call__(self, /, **arguments: JsonValue) -> JsonValue:
        """Arguments: producer, consumer (default: any). Answer: a list of rules."""
        producer, consumer = (str(arguments.get(name, "")) for name in ("producer", "consumer"))
        return [rule.model_dump(mode="json") for rule in self._store.fusion_rules(producer, consumer)]


def toolbox(agent: str, store: Store, task: Task) -> Toolbox:
    """The bounded list for one agent."""
    techniques, device, history = Techniques(store), DeviceFacts(store), History(store, task)
    lists: dict[str, tuple[Tool, ...]] = {
        "operator": (OperatorNotes(store), history),
        "hardware": (device,),
        "fusion": (FusionRules(store), device),
        "evaluation": (history, techniques),
        "codegen": (techniques, history),
        "performance": (techniques, device),
    }
    if agent in ("planner", "coder"):
        return Toolbox(techniques, history, device, limit=8)
    return Toolbox(*lists.get(agent, ()))
