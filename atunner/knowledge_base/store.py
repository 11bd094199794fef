"""The knowledge base as one object: what runs recorded, what devices can do, what was learned."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from pydantic import JsonValue
from sqlalchemy import Connection, select, update

from atunner.core.call import ModelCall
from atunner.core.device import Device
from atunner.core.job import Lease
from atunner.core.measurement import Environment
from atunner.core.record import AgentNote, RunRecord, RunState
from atunner.core.status import Provenance
from atunner.core.task import Spent, Task
from atunner.core.trial import Screening, Trial
from atunner.knowledge_base import candidates, catalogue, devices, fence, recall, runs, streams, trials
from atunner.knowledge_base.candidates import Artefact
from atunner.knowledge_base.catalogue import FusionRule, OperatorNote, Technique
from atunner.knowledge_base.database import Database
from atunner.knowledge_base.recall import Past
from atunner.knowledge_base.runs import RunFilter, RunSummary
from atunner.knowledge_base.streams import Event, Spell
from atunner.knowledge_base.tables import EnvironmentRow, RunRow, TrialRow


class Store:
    """Memory, Knowledge and CallLog of the ports over one database.

    Every write is one transaction and safe to repeat. database: a file path or URL, or a Database shared with others.
    lease: when given, every write first checks that this lease still holds, in the same transaction.

    Raises:
        UserError: the database cannot be opened, is damaged, or is newer than this code.
    """

    def __init__(self, database: Database | str | Path, lease: Lease | None = None) -> None:
        self.database = database if isinstance(database, Database) else Database(database)
        self._lease = lease

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back all connections."""
        self.database.close()

    def under(self, lease: Lease) -> "Store":
        """The same store, for the holder of a lease: its writes raise LostLease once the lease is lost."""
        return Store(self.database, lease)

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with self.database.write() as connection:
            if self._lease is not None:
                fence.check(connection, self._lease)
            yield connection

    # Runs

    def save_run(self, record: RunRecord) -> None:
        """Create or change a run; trials, screenings and notes in the record are kept too, each once.

        Raises:
            RunEnded: the stored run ended in another state.
        """
        with self._write() as connection:
            runs.keep(self.database, connection, record)
            baseline = [] if record.baseline is None else [record.baseline]
            for trial in [*baseline, *record.trials]:
                trials.keep(self.database, connection, record.run, trial)
            trials.screen(self.database, connection, record.run, record.screenings)
            for note in record.notes:
                streams.keep_note(self.database, connection, record.run, note)

    def head(self, run: str) -> RunRecord:
        """The run without its trials, screenings and notes: cheap. Raises UnknownRun."""
        with self.database.read() as connection:
            record, baseline = runs.head(connection, run)
            return record.model_copy(update={"baseline": _baseline(connection, run, baseline)})

    def load(self, run: str) -> RunRecord:
        """The whole run; the baseline is among its trials too. Raises UnknownRun."""
        with self.database.read() as connection:
            record, baseline = runs.head(connection, run)
            judged = trials.find(connection, TrialRow.run == run)
            parts = {
                "baseline": next((t for t in judged if t.candidate.id == baseline), None),
                "trials": tuple(judged),
                "screenings": tuple(trials.screenings(connection, run)),
                "notes": tuple(streams.notes(connection, run)),
            }
            return record.model_copy(update=parts)

    def set_state(self, run: str, state: RunState, stop_reason: str = "") -> None:
        """Move a run to another state. Raises UnknownRun; RunEnded when it ended in another one."""
        with self._write() as connection:
            runs.change_state(connection, run, state, stop_reason)

    def set_spent(self, run: str, spent: Spent) -> None:
        """What the run has used so far in all; it never sinks. Raises UnknownRun."""
        with self._write() as connection:
            runs.spend(connection, run, spent)

    def set_baseline(self, run: str, trial: Trial) -> None:
        """Record a trial and make it the run's baseline. Raises UnknownRun."""
        with self._write() as connection:
            runs.state(connection, run)
            trials.keep(self.database, connection, run, trial)
            connection.execute(update(RunRow).where(RunRow.id == run).values(baseline=trial.candidate.id))

    def runs(self, states: Sequence[RunState] = (), limit: int = 50, offset: int = 0) -> list[RunSummary]:
        """Runs, newest first."""
        return self.past(RunFilter(states=frozenset(states), limit=limit, offset=offset))

    def past(self, which: RunFilter) -> list[RunSummary]:
        """The runs that a filter lets pass, newest first."""
        with self.database.read() as connection:
            return runs.summaries(connection, which)

    # Memory

    def record(self, run: str, trial: Trial) -> None:
        """Keep a trial; a second one of the same run and candidate changes nothing. Raises UnknownRun."""
        with self._write() as connection:
            runs.state(connection, run)
            trials.keep(self.database, connection, run, trial)

    def trial(self, run: str, candidate: str) -> Trial | None:
        """The recorded trial of a candidate id."""
        with self.database.read() as connection:
            found = trials.find(connection, TrialRow.run == run, TrialRow.candidate == candidate)
        return found[0] if found else None

    def trials(self, run: str) -> list[Trial]:
        """All trials of a run, in the order recorded."""
        with self.database.read() as connection:
            return trials.find(connection, TrialRow.run == run)

    def screened(self, run: str, screenings: Sequence[Screening]) -> None:
        """Keep screenings; idempotent by candidate. Raises UnknownRun."""
        with self._write() as connection:
            runs.state(connection, run)
            trials.screen(self.database, connection, run, screenings)

    def screenings(self, run: str) -> list[Screening]:
        """All screenings of a run, in the order recorded."""
        with self.database.read() as connection:
            return trials.screenings(connection, run)

    def stage_times(self, run: str, times: Mapping[str, Spell]) -> None:
        """Add to how often the run did each stage, and how long."""
        with self._write() as connection:
            for stage, spell in times.items():
                streams.add_time(self.database, connection, run, stage, spell)

    # Artefacts

    def artefacts(self, run: str, limit: int, offset: int = 0) -> list[Artefact]:
        """The files of up to `limit` of a run's candidates, in the order judged."""
        with self.database.read() as connection:
            return candidates.artefacts(connection, run, limit, offset)

    def artefact(self, digest: str) -> bytes | None:
        """The content of a file by its SHA-256, None when there is none."""
        with self.database.read() as connection:
            return candidates.content(connection, digest)

    # Notes, events, environments

    def note(self, run: str, note: AgentNote) -> None:
        """Keep an agent's note; a second one of the same round and agent changes nothing. Raises UnknownRun."""
        with self._write() as connection:
            runs.state(connection, run)
            streams.keep_note(self.database, connection, run, note)

    def event(self, stream: str, kind: str, body: Mapping[str, JsonValue], key: str | None = None) -> int:
        """Append to the events of a run or job; its number. With a key seen before, the number of that event."""
        with self._write() as connection:
            return streams.append(self.database, connection, stream, kind, body, key)

    def events(self, stream: str, after: int = 0, limit: int = 1000) -> list[Event]:
        """The events numbered above `after`, in order."""
        with self.database.read() as connection:
            return streams.events(connection, stream, after, limit)

    def keep_environment(self, environment: Environment) -> str:
        """Keep an environment once; its id, to name it in measurements."""
        with self._write() as connection:
            return runs.keep_environment(self.database, connection, environment)

    def environment(self, environment: str) -> Environment | None:
        """The environment of that id."""
        with self.database.read() as connection:
            body = connection.execute(select(EnvironmentRow.body).where(EnvironmentRow.id == environment)).scalar()
        return None if body is None else Environment.model_validate(body)

    # Model calls

    def keep_call(self, run: str, call: ModelCall) -> None:
        """Keep a model call; a second one of the same run and key changes nothing. Raises UnknownRun."""
        with self._write() as connection:
            runs.state(connection, run)
            streams.keep_call(self.database, connection, run, call)

    def call(self, run: str, key: str) -> ModelCall | None:
        """The call of that key, if it was made before."""
        with self.database.read() as connection:
            found = streams.calls(connection, run, key)
        return found[0] if found else None

    def calls(self, run: str, limit: int | None = None, offset: int = 0) -> list[ModelCall]:
        """All calls of a run, or a page of them, in the order kept."""
        with self.database.read() as connection:
            return streams.calls(connection, run, limit=limit, offset=offset)

    def call_totals(self, run: str) -> Spent:
        """Tokens, dollars and seconds of all model calls of a run."""
        with self.database.read() as connection:
            return streams.call_totals(connection, run)

    # Knowledge

    def device(self, name: str) -> Device:
        """A device by name or alias; "host" is this machine's processor. Raises UnknownName."""
        return devices.device(name)

    def devices(self) -> list[Device]:
        """All devices of the data files, by name."""
        return devices.known()

    def techniques(self, bottleneck: str = "") -> tuple[Technique, ...]:
        """The techniques that treat a bottleneck; all of them when none is named."""
        return tuple(t for t in catalogue.techniques() if not bottleneck or bottleneck in t.treats)

    def fusion_rules(self, producer: str = "", consumer: str = "") -> tuple[FusionRule, ...]:
        """The fusion rules for these kinds of operation; an empty kind lets all pass."""
        return catalogue.fusion_rules(producer, consumer)

    def operator_notes(self, operator: str) -> tuple[OperatorNote, ...]:
        """What is known to work for an operator, by regime of shapes."""
        return catalogue.operator_notes(operator)

    def recall(self, task: Task, limit: int, provenance: Provenance | None = None) -> list[Trial]:
        """The best OK trials of similar tasks, nearest task first, each candidate once.

        All of one provenance: the one given, else the strongest there is.
        """
        with self.database.read() as connection:
            return recall.best(connection, task, limit, provenance)

    def history(self, task: Task, limit: int = 2000, provenance: Provenance | None = None) -> list[Past]:
        """Points that were tried for similar tasks, nearest task first, with figures relative to their run's best."""
        with self.database.read() as connection:
            return recall.history(connection, task, limit, provenance)


def _baseline(connection: Connection, run: str, candidate: str | None) -> Trial | None:
    if candidate is None:
        return None
    found = trials.find(connection, TrialRow.run == run, TrialRow.candidate == candidate)
    return found[0] if found else None
