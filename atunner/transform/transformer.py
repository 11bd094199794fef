"""`LLMKernelTransformer`: a kernel goes in, and the best verified one comes out, with its parameters and history."""

import asyncio
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from atunner.core.errors import UserError
from atunner.core.task import Budget, Task
from atunner.graphs.deps import Options
from atunner.graphs.events import Watch, ignore
from atunner.knowledge_base.devices import device as named_device
from atunner.operators.user import UserKernel
from atunner.operators.user.task import kernel_task
from atunner.search.formats import admitted, short
from atunner.search.formats.source import LANGUAGES, NAMES, language_of, read_source
from atunner.settings import Settings
from atunner.transform.models import spec_of
from atunner.transform.reading import Reading, Said, read
from atunner.transform.result import TunedKernel
from atunner.transform.strategies import Wanted, chosen
from atunner.wiring import HOST, Request, Session

ENDINGS = {language: ending for ending, language in LANGUAGES.items()}


class LLMKernelTransformer:
    """Make a kernel faster, and prove it: verified against the original, measured beside it.

        from atunner import LLMKernelTransformer

        transformer = LLMKernelTransformer("saxpy.cu", model="openai:gpt-4.1", device="A100", sizes={"n": 1 << 20})
        best = transformer.make_kernel()
        print(best.source, best.parameters, best.summary)

    The kernel's name, arguments, outputs, sizes and launch are read from its source; `understood` says what was found.
    What the source does not say is asked for in one line that names the keyword to give.

    Args:
        kernel: the source as a text, or the path of its file (.c, .cu, .cl).
        model: "none" (the built-in expert), "openai:NAME", "ollama:NAME", "URL#NAME", "gguf:FILE", "scripted:FILE", or
            a LangChain chat model, by its shape.
        tuning_strategy: OnePromptTuningStrategy(), AutonomousTuningStrategy(), ExplicitTuningStrategy([...]), a name,
            or a factory of your own. None: the expert without a model, else autonomous.
        device: a GPU's name for CUDA; left out: this machine.
        budget: trials, seconds, tokens and dollars that may be spent.
        on_progress: called with an event for each step; must not block.
        **said: what the source does not say: name, language, arguments, sizes, outputs, parameters, constraints,
            problem_size, grid, block, flags, tolerance.

    Raises:
        UserError: something is wrong or not clear; one line, before anything is spent.
    """

    def __init__(
        self,
        kernel: str | Path,
        model: object = "none",
        tuning_strategy: Wanted = None,
        device: str = HOST,
        *,
        budget: Budget | None = None,
        options: Options | None = None,
        on_progress: Watch = ignore,
        **said: Any,
    ) -> None:
        self._source, self._called, language = _given(kernel, str(said.pop("language", "")))
        unknown = sorted(said.keys() - Said.__dataclass_fields__.keys())
        if unknown:
            known = ", ".join(Said.__dataclass_fields__)
            raise UserError(f"LLMKernelTransformer takes no {unknown[0]!r}. It takes kernel, model, ..., {known}.")
        self.model = spec_of(model)
        self.strategy = chosen(tuning_strategy, self.model)
        self.device = named_device(device).name if device != HOST else HOST
        self.budget, self.options = budget or Budget(trials=128), options or Options()
        self.on_progress = on_progress
        self.reading: Reading = read(self._source, Said(**said), language, self._called)

    @property
    def understood(self) -> str:
        """What was read from the source, one line each."""
        found = self.reading
        lines = [f"kernel: {found.name} ({found.language})"]
        lines += [f"{name}: {told}" for name, told in found.arguments.items()]
        return "\n".join([*lines, *found.notes, *(f"asked: {gap}" for gap in found.gaps)])

    def make_kernel(self) -> TunedKernel:
        """Tune the kernel to the end of the budget; the same as `atunner tune kernel`. Works in notebooks too.

        Raises:
            UserError: what is needed is missing or wrong. ToolError: a program is missing; the run can be resumed.
        """
        with Session(Settings()) as session:
            return TunedKernel(session.start(self._request(), self.on_progress))

    async def make_kernel_async(self) -> TunedKernel:
        """The same, without blocking the event loop."""
        return await asyncio.to_thread(self.make_kernel)

    def task(self) -> Task:
        """The task as ATunner runs it.

        Raises:
            UserError: a size or a shape is not known, or the description contradicts itself.
        """
        found = self.reading
        if found.gaps:
            raise UserError(str(found.gaps[0]))
        if found.missing:
            first = found.missing[0]
            raise UserError(f"How large is {first!r} of {found.name}? Give sizes={{{first!r}: NUMBER}}.")
        return kernel_task(self._kernel(found.said.sizes), self.device)

    def _kernel(self, sizes: Mapping[str, int]) -> UserKernel:
        with tempfile.TemporaryDirectory(prefix="atunner-kernel-") as folder:
            file = Path(folder) / f"kernel{ENDINGS[self.reading.language]}"
            file.write_text(self._source, encoding="utf-8")
            return admitted(short.described(self.reading.content(sizes), file, Path(self._called)))

    def _request(self) -> Request:
        task = self.task()
        kernel = UserKernel.model_validate(task.spec["kernel"])
        if self.model == "none" and not any(len(p.values) > 1 for p in kernel.space.parameters):
            raise UserError(
                f"{kernel.name} has nothing to tune without a model: give parameters={{'NAME': [1, 2, 4]}} that its "
                "source uses, or a model."
            )
        return Request(
            task=task,
            budget=self.budget,
            options=replace(self.options, strategy={**self.strategy.settings(), **self.options.strategy}),
            model=self.model,
            strategy=self.strategy.name,
            executor="threads",
        )


def _given(kernel: str | Path, language: str) -> tuple[str, str, str]:
    """Source, what messages call it, and its language.

    Raises:
        UserError: there is no such file, or nothing says the language.
    """
    text = str(kernel)
    if isinstance(kernel, Path) or ("\n" not in text and "{" not in text):
        path = Path(kernel)
        return read_source(path), path.name, language_of(path, language)
    found = NAMES.get(language.lower(), "") if language else _language(text)
    if not found:
        raise UserError(f"No language {language!r}. Known: {', '.join(sorted(NAMES))}.")
    return text, f"the given {found} source", found


def _language(text: str) -> str:
    """OpenCL and CUDA mark their kernels; what is not marked is C."""
    if "__global__" in text:
        return "cuda"
    return "opencl" if "__kernel" in text or "get_global_id" in text else "c"
