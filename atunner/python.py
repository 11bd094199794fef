"""The Python API: the main job as one typed function, in scripts and notebooks."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

from atunner.core.candidate import Candidate
from atunner.core.errors import UserError
from atunner.core.metric import aimed
from atunner.core.record import RunRecord
from atunner.core.task import Budget, Task, bounded
from atunner.graphs.deps import Options, driven
from atunner.graphs.events import Watch, guarded, ignore
from atunner.graphs.request import Request
from atunner.operators.user.task import kernel_task
from atunner.reports.wording import headline
from atunner.reports.write import Paths, write
from atunner.search.formats import read_kernel
from atunner.settings import Settings
from atunner.wiring import HOST, Session

P = ParamSpec("P")


class Result:
    """What a run found. record: everything; best: the winner, None while nothing was verified."""

    def __init__(self, record: RunRecord) -> None:
        self.record = record

    @property
    def best(self) -> Candidate | None:
        """The best candidate: its files are the source, its params the tunables."""
        return self.record.winner.candidate if self.record.winner else None

    @property
    def summary(self) -> str:
        """One computed sentence."""
        return headline(self.record)

    def save(self, folder: str | Path) -> Paths:
        """Write source, launch parameters, report, record and plots; says where they lie."""
        return write(self.record, Path(folder))

    def __repr__(self) -> str:
        return f"Result({self.record.run!r}: {self.summary})"


def optimize(  # noqa: PLR0913 - the options of the command, by name
    operator: str | Task,
    shape: Sequence[int] | None = None,
    target: str = HOST,
    *,
    settings: Mapping[str, int | str] | None = None,
    budget: Budget | None = None,
    options: Options | None = None,
    model: str = "",
    watch: Watch = ignore,
) -> Result:
    """Find a faster kernel for one operator and prove what is claimed; the same as `atunner optimize`.

    operator: a name from `atunner operators`, or a whole Task. shape: as --input-shape, None for the default.
    target: a GPU's name, or "host". settings: as --set. watch: is called with progress events.
    Works inside a running event loop too.

    Raises:
        UserError: something asked for does not exist. ToolError: a program is missing; the run can be resumed.
    """
    task = operator if isinstance(operator, Task) else _task(operator, shape, target, settings or {})
    request = Request(task=task, budget=bounded(budget, 128), options=driven(options, Options()), model=model)
    told = guarded(watch, "watch")
    with Session(Settings()) as session:
        return Result(session.start(request, told))


def tune(  # noqa: PLR0913 - the options of the command, by name
    file: str | Path,
    target: str = HOST,
    *,
    problem_size: Sequence[int] = (),
    constraints: Sequence[Callable[..., object]] = (),
    objectives: Sequence[str] = ("time",),
    metrics: Mapping[str, str] | None = None,
    budget: Budget | None = None,
    options: Options | None = None,
    model: str = "none",
    watch: Watch = ignore,
) -> Result:
    """Tune the kernel that a T1 file, a YAML file or a source describes; the same as `atunner tune kernel`.

    constraints: functions of the parameters by name, true where a configuration may be tried. metrics: formulas by
    name, as --metric takes them. objectives: as --objective takes them; `atunner.reports.front.front` gives the front
    of several from the result's record.

    Raises:
        UserError: something asked for does not exist or contradicts itself. ToolError: a program is missing.
    """
    task = kernel_task(read_kernel(Path(file), problem_size, constraints), target)
    task = aimed(task, objectives, [f"{name}={formula}" for name, formula in (metrics or {}).items()])
    bound, told, settings = bounded(budget, 200), guarded(watch, "watch"), Settings()
    request = Request(
        task=task,
        budget=bound,
        options=driven(options, Options(slice=bound.trials or 1_000_000, ahead=settings.build_workers + 1)),
        model=model,
        executor="threads",
        rules=tuple(constraints),
    )
    with Session(settings) as session:
        return Result(session.start(request, told))


def _twin(work: Callable[P, Result]) -> Callable[P, Coroutine[Any, Any, Result]]:
    """The same for a running event loop, which it does not block."""

    @wraps(work)
    async def twin(*args: P.args, **options: P.kwargs) -> Result:
        return await asyncio.to_thread(work, *args, **options)

    return twin


optimize_async = _twin(optimize)
tune_async = _twin(tune)


def _task(operator: str, shape: Sequence[int] | None, target: str, settings: Mapping[str, int | str]) -> Task:
    if isinstance(shape, str):
        raise UserError(f"shape takes whole numbers as in (64, 64, 64), got the text {shape!r}.")
    return Task(
        name=operator,
        spec={
            "operator": operator,
            "shape": None if shape is None else list(shape),
            "dtype": "float32",
            "settings": {name: str(value) for name, value in settings.items()},
        },
        target=target,
    )
