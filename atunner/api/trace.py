"""What the agents did, round by round: each note, and each call of a model with its prompt, answer, tokens and time."""

from atunner.api.context import Service
from atunner.api.sight import Sight
from atunner.core.call import ModelCall
from atunner.core.record import AgentNote
from atunner.core.value import Value
from atunner.knowledge_base import watching
from atunner.knowledge_base.streams import Event

MOST = 5000


class Spoken(Value):
    """A note with when it was said (seconds since the run began, None when no event tells) and the calls before it."""

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
    """Rounds, the newest first. loose: calls that no note followed (yet)."""

    rounds: tuple[Round, ...]
    loose: tuple[ModelCall, ...]


def trace(here: Service, seen: Sight) -> Trace:
    """The trace of a run that has begun; calls belong to the note that came after them."""
    assert seen.head is not None
    run = seen.head.run
    record_notes = watching.notes_of(here.store.database, run)
    told = watching.events_after(here.store.database, seen.job.id, 0, "note", MOST)
    when = {_key(e): e for e in reversed(told)}
    calls = here.store.calls(run)
    spoken = []
    for note in record_notes:
        event = when.get((note.round, note.agent))
        mine = tuple(c for c in calls if event is not None and c.created <= event.created)
        calls = calls[len(mine) :] if mine == tuple(calls[: len(mine)]) else [c for c in calls if c not in mine]
        spoken.append(Spoken(note=note, at=_seconds(event), calls=mine))
    numbers = sorted({s.note.round for s in spoken}, reverse=True)
    rounds = (Round(number=n, spoken=tuple(s for s in spoken if s.note.round == n)) for n in numbers)
    return Trace(rounds=tuple(rounds), loose=tuple(calls))


def _key(event: Event) -> tuple[int, str]:
    body = event.body if isinstance(event.body, dict) else {}
    number = body.get("round")
    return (number if isinstance(number, int) else -1, str(body.get("stage")))


def _seconds(event: Event | None) -> float | None:
    body = event.body if event is not None and isinstance(event.body, dict) else {}
    found = body.get("seconds")
    return float(found) if isinstance(found, int | float) else None
