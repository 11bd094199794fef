"""`LLMKernelTransformer`: a kernel goes in, and the best verified one comes out, with its parameters and history."""

import asyncio
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from atunner.core.errors import UserError
from atunner.core.task import Budget, bounded
from atunner.graphs.deps import Options, driven
from atunner.graphs.events import Watch, guarded, ignore
from atunner.graphs.request import Request
from atunner.knowledge_base.devices import device as named_device
from atunner.operators.user import UserKernel
from atunner.search.formats.source import NAMES, language_of, read_source
from atunner.settings import Settings
from atunner.transform.models import spec_of
from atunner.transform.preparing import Preparation, Prepared, Wanted, checked_tests
from atunner.transform.reading import Reading, Said, read
from atunner.transform.result import TunedKernel
from atunner.transform.strategies import Wanted as Strategy
from atunner.transform.strategies import chosen
from atunner.transform.testing import KernelTest, strategies
from atunner.transform.watching import on_loop
from atunner.wiring import HOST, Session

WHOLE = 1_000_000
"""Trials of a round where only time bounds them."""


class LLMKernelTransformer:
    """Make a kernel faster, and prove it: verified against the original, measured beside it.

        from atunner import LLMKernelTransformer

        transformer = LLMKernelTransformer("saxpy.cu", model="openai:gpt-4.1", device="A100", sizes={"n": 1 << 20})
        best = transformer.make_kernel()
        print(best.source, best.parameters, best.summary)

    The kernel's name, arguments, outputs, sizes and launch are read from its source; `understood` says what was found.
    What the source does not say is asked for in one line that names the keyword to give.

    Args:
        kernel: the source as a text, or the path of its file (.c, .cu, .cl); or by keyword, kernel_string=SOURCE or
            file=PATH.
        model: "none" (the built-in expert), "openai:NAME", "ollama:NAME", "URL#NAME", "gguf:FILE", "scripted:FILE", or
            a LangChain chat model, by its shape.
        tuning_strategy: OnePromptTuningStrategy(), AutonomousTuningStrategy(), ExplicitTuningStrategy([...]), a name,
            or a factory of your own. None: the expert without a model, else autonomous.
        testing_strategy: SignatureTesting() (the judge draws inputs, the default), GivenTesting([...]), ModelTesting(),
            a class of your own with `tests(kernel)`, or several. Tests by add_test() come first.
        device: a GPU's name for CUDA; left out: this machine.
        budget: trials, seconds, tokens and dollars that may be spent.
        on_progress: called with an event for each step; must not block. A coroutine function for make_kernel_async().
        **said: what the source does not say: name, language, arguments, sizes, outputs, parameters, constraints,
            problem_size, grid, block, flags, tolerance.

    Raises:
        UserError: something is wrong or not clear; one line, before anything is spent.
    """

    def __init__(  # noqa: PLR0913 - the options that its users know, by name
        self,
        kernel: str | Path | None = None,
        model: object = "none",
        tuning_strategy: Strategy = None,
        testing_strategy: object = None,
        device: str = HOST,
        *,
        budget: Budget | None = None,
        options: Options | None = None,
        on_progress: Watch = ignore,
        **said: Any,
    ) -> None:
        given = _once(kernel, said.pop("kernel_string", None), said.pop("file", None))
        self._source, self._called, language = _given(given, str(said.pop("language", "")))
        unknown = sorted(said.keys() - Said.__dataclass_fields__.keys())
        if unknown:
            known = ", ".join(Said.__dataclass_fields__)
            raise UserError(f"LLMKernelTransformer takes no {unknown[0]!r}. It takes kernel, model, ..., {known}.")
        _check_forms(said)
        _check_device(self._called, language, device)
        self.model = spec_of(model)
        self.strategy = chosen(tuning_strategy, self.model)
        self.device = named_device(device).name if device != HOST else HOST
        self.budget = bounded(budget, 128)
        whole = self.budget.trials or WHOLE
        self.options = driven(options, Options(slice=whole) if self.strategy.name == "expert" else Options())
        self.on_progress = on_progress
        self.notes: tuple[str, ...] = ()
        self.testing = strategies(testing_strategy)
        self._tests: list[KernelTest] = []
        self.reading: Reading = read(self._source, Said(**said), language, self._called)

    @property
    def understood(self) -> str:
        """What was read from the source, one line each; after make_kernel() also what was found out then."""
        found = self.reading
        lines = [f"kernel: {found.name} ({found.language})"]
        lines += [f"{name}: {told}" for name, told in found.arguments.items()]
        return "\n".join([*lines, *found.notes, *(f"not clear: {gap}" for gap in found.gaps), *self.notes])

    def add_test(
        self,
        inputs: Mapping[str, Any] | Sequence[Any],
        expected: Mapping[str, Any] | Sequence[Any] = (),
        *,
        name: str = "",
        **sizes: int,
    ) -> Self:
        """Add a test of your own; the first one switches generated inputs off.

        inputs: arrays and numbers by argument, or all of them in the kernel's order with None for what is only written.
        expected: what is right, in the same form; left out, the original kernel says it. sizes: what the arguments
        do not say.

        Raises:
            UserError: an argument that the kernel does not take.
        """
        named = {} if isinstance(expected, Sequence) and not expected else expected
        test = KernelTest(inputs=inputs, expected=named, sizes=sizes, name=name)
        checked_tests((test,), self.reading)
        self._tests.append(test)
        return self

    def make_kernel(self) -> TunedKernel:
        """Tune the kernel to the end of the budget; the same as `atunner tune kernel`. Works in notebooks too.

        Raises:
            UserError: what is needed is missing or wrong. ToolError: a program is missing; the run can be resumed.
        """
        return self._run(guarded(self.on_progress, "on_progress"), threading.Event())

    async def make_kernel_async(self) -> TunedKernel:
        """The same, without blocking the event loop; on_progress may be a coroutine function.

        When the task is cancelled the run stops at its next candidate and can be resumed.
        """
        stop = threading.Event()
        watch = on_loop(self.on_progress, "on_progress", asyncio.get_running_loop(), stop)
        try:
            return await asyncio.to_thread(self._run, watch, stop)
        except asyncio.CancelledError:
            stop.set()
            raise

    def prepare(self) -> Prepared:
        """The task as the run would get it: sizes chosen, tests admitted. make_kernel() does this by itself.

        Raises:
            UserError: what is needed is missing or wrong.
        """
        with Session(Settings()) as session:
            return self._prepared(session)

    def _prepared(self, session: Session) -> Prepared:
        wanted = Wanted(self.model, self.device, self.budget, self.testing, tuple(self._tests))
        work = Preparation(session, self.reading, wanted, self._called)
        made = work.prepared()
        self.reading, self.notes = work.reading, made.notes
        kernel = UserKernel.model_validate(made.task.spec["kernel"])
        if self.model == "none" and not any(len(p.values) > 1 for p in kernel.space.parameters):
            raise UserError(
                f"{kernel.name} has nothing to tune without a model: give parameters={{'NAME': [1, 2, 4]}} that its "
                "source uses, or a model."
            )
        return made

    def _run(self, watch: Watch, stop: threading.Event) -> TunedKernel:
        with Session(Settings()) as session:
            made = self._prepared(session)
            settings = {**self.strategy.settings(), **self.options.strategy}
            request = Request(
                task=made.task,
                budget=made.budget,
                options=replace(self.options, strategy=settings),
                model=self.model,
                strategy=self.strategy.name,
                executor="threads",
            )
            return TunedKernel(session.start(request, watch, stop))


def _once(kernel: object, source: object, file: object) -> Any:
    """The kernel, given in one of three ways. Raises UserError: in none of them, or in several."""
    ways = [way for way in (kernel, source, file) if way is not None]
    if len(ways) != 1:
        raise UserError(f"Give the kernel once, as kernel_string=SOURCE or file=PATH; got {len(ways)} of them.")
    return Path(file) if isinstance(file, str) else ways[0]


def _given(kernel: str | Path, language: str) -> tuple[str, str, str]:
    """Source, what messages call it, and its language.

    Raises:
        UserError: there is no such file, or nothing says the language.
    """
    if not isinstance(kernel, str | Path):
        raise UserError(f"Expected a kernel's source or its file, got an object of type {type(kernel).__name__}.")
    text = str(kernel)
    if not isinstance(kernel, Path) and not text.strip():
        raise UserError("The kernel is empty: give its source or its file.")
    if isinstance(kernel, Path) or not any(mark in text for mark in "\n{;"):
        path = Path(kernel)
        return read_source(path), path.name, language_of(path, language)
    found = NAMES.get(language.lower(), "") if language else _language(text)
    if not found:
        raise UserError(f"No language {language!r}. Known: {', '.join(sorted(NAMES))}.")
    return text, f"the given {found} source", found


def _check_device(called: str, language: str, device: str) -> None:
    """Refuse a device on which the language does not run. Raises UserError."""
    if language in ("cuda", "hip") and device == HOST:
        raise UserError(f"{called} is for a GPU: give device='A100' or another name (`atunner devices` lists them).")
    if language == "c" and device != HOST and named_device(device).kind != "cpu":
        raise UserError(f"{called} is C and runs on this machine: leave device out, it is {device!r}.")


def _check_forms(said: Mapping[str, Any]) -> None:
    """Refuse what has another form than its default. Raises UserError."""
    forms = {"arguments": Mapping, "sizes": Mapping, "parameters": Mapping, "tolerance": Mapping}
    for name, value in said.items():
        if not isinstance(value, forms.get(name, object)):
            raise UserError(f"{name} takes {{NAME: VALUE}}, got {value!r:.60}.")
        if name in ("outputs", "constraints", "problem_size", "grid", "block", "flags") and (
            isinstance(value, str) or not isinstance(value, Sequence)
        ):
            raise UserError(f"{name} takes a list, got {value!r:.60}.")


def _language(text: str) -> str:
    """OpenCL and CUDA mark their kernels; what is not marked is C."""
    if "__global__" in text:
        return "cuda"
    return "opencl" if "__kernel" in text or "get_global_id" in text else "c"
