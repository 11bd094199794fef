"""What the agents did, round by round: each note, and each call of a model with its prompt, answer, tokens and time."""

from collections import defaultdict
from datetime import datetime

from atunner.api.context import Service
from atunner.api.sight import Sight
from atunner.core.call import ModelCall
from atunner.core.record import AgentNote
from atunner.core.value import Value
from atunner.knowledge_base import watching
from atunner.knowledge_base.streams import Event

MOST = 5000
AGENTS = {"coder": "codegen", "planner": "codegen", "critic": "evaluation"}
"""Roles in which an agent asks under another name than its own."""


class Spoken(Value):
    """A note with when it was said (seconds since the job began, None when no event tells) and its calls."""

    note: AgentNote
    at: float | None
    calls: tuple[ModelCall, ...]


class Round(Value):
    """One round, with what its models cost."""

    number: int
    spoken: tuple[Spoken, ...]

    @property
    def calls(self) -> int:
        """How many calls of models."""
        return sum(len(s.calls) for s in self.spoken)

    @property
    def tokens(self) -> int:
        """Tokens of all calls, in and out."""
        return sum(c.input_tokens + c.output_tokens for s in self.spoken for c in s.calls)


class Trace(Value):
    """Rounds, the newest first. loose: calls that no note followed yet."""

    rounds: tuple[Round, ...]
    loose: tuple[ModelCall, ...]


def trace(here: Service, seen: Sight) -> Trace:
    """The trace of a run that has begun; a call belongs to the next note of its agent, else to the next note."""
    assert seen.head is not None
    run = seen.head.run
    notes = watching.notes_of(here.store.database, run)
    told = watching.events_after(here.store.database, seen.job.id, 0, "note", MOST)
    when = {_key(event): event.created for event in reversed(told)}
    times = [when.get((note.round, note.agent), "") for note in notes]
    mine: dict[int, list[ModelCall]] = defaultdict(list)
    loose: list[ModelCall] = []
    for call in here.store.calls(run):
        later = [place for place, time in enumerate(times) if time >= call.created]
        own = [place for place in later if notes[place].agent == AGENTS.get(call.role, call.role)]
        (mine[min(own or later)] if later else loose).append(call)
    spoken = [
        Spoken(note=note, at=_seconds(times[place], seen.job.started), calls=tuple(mine[place]))
        for place, note in enumerate(notes)
    ]
    numbers = sorted({s.note.round for s in spoken}, reverse=True)
    rounds = (Round(number=n, spoken=tuple(s for s in spoken if s.note.round == n)) for n in numbers)
    return Trace(rounds=tuple(rounds), loose=tuple(loose))


def _key(event: Event) -> tuple[int, str]:
    body = event.body if isinstance(event.body, dict) else {}
    number = body.get("round")
    return (number if isinstance(number, int) else -1, str(body.get("stage")))


def _seconds(created: str, started: float | None) -> float | None:
    """How long after the job's start; None where that is not known."""
    if not created or started is None:
        return None
    return max(0.0, datetime.fromisoformat(created).timestamp() - started)
