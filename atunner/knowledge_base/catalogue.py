"""What is known to help: techniques, fusion rules and notes on operators, each with its source."""

from functools import lru_cache

from pydantic import Field

from atunner.core.errors import UnknownName
from atunner.core.value import Value
from atunner.knowledge_base.files import ROOT, load

BOTTLENECKS = ("memory", "compute", "latency", "launch", "shared_memory", "occupancy")


class Technique(Value):
    """A way to make a kernel faster. treats: bottlenecks, of BOTTLENECKS. needs: what must hold. also: other names."""

    name: str
    summary: str
    treats: tuple[str, ...] = Field(min_length=1)
    needs: tuple[str, ...] = Field(min_length=1)
    languages: tuple[str, ...] = Field(min_length=1)
    also: tuple[str, ...] = ()
    source: str = Field(min_length=1)


class FusionRule(Value):
    """When a producer and its consumer may become one, what that saves and costs, and what forbids it."""

    name: str
    producer: str
    consumer: str
    route: str
    legal_when: tuple[str, ...] = Field(min_length=1)
    blocked_by: tuple[str, ...] = Field(min_length=1)
    saved: str = Field(min_length=1)
    costs: tuple[str, ...]
    source: str = Field(min_length=1)


class OperatorNote(Value):
    """What is known to work for one operator in one regime of shapes."""

    regime: str
    advice: str
    techniques: tuple[str, ...] = Field(min_length=1)
    source: str = Field(min_length=1)


class OperatorNotes(Value):
    """All notes on one operator."""

    operator: str
    notes: tuple[OperatorNote, ...] = Field(min_length=1)


@lru_cache
def techniques() -> tuple[Technique, ...]:
    """All techniques, in the order of the file."""
    return tuple(Technique.model_validate(entry) for entry in load(ROOT / "techniques.yaml"))


def technique(name: str) -> Technique:
    """A technique by its name or another name of the same thing.

    Raises:
        UnknownName: with the nearest names and the list.
    """
    found = next((t for t in techniques() if name in (t.name, *t.also)), None)
    if found is None:
        raise UnknownName("technique", name, [t.name for t in techniques()])
    return found


@lru_cache
def _rules() -> tuple[FusionRule, ...]:
    return tuple(FusionRule.model_validate(entry) for entry in load(ROOT / "fusion_rules.yaml"))


def fusion_rules(producer: str = "", consumer: str = "") -> tuple[FusionRule, ...]:
    """The fusion rules for these kinds of operation; an empty kind lets all pass."""
    return tuple(r for r in _rules() if producer in ("", r.producer) and consumer in ("", r.consumer))


@lru_cache
def _notes() -> dict[str, tuple[OperatorNote, ...]]:
    entries = (OperatorNotes.model_validate(entry) for entry in load(ROOT / "operators.yaml"))
    return {entry.operator: entry.notes for entry in entries}


def operator_notes(operator: str) -> tuple[OperatorNote, ...]:
    """What is known to work for an operator; nothing for one that the knowledge base does not know."""
    return _notes().get(operator, ())


def noted_operators() -> list[str]:
    """The operators that have notes."""
    return sorted(_notes())
