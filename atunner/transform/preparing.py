"""From a kernel that was read to a task: sizes, tests, and what only the judge or a model can say."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path

from atunner.core.errors import UserError
from atunner.core.foreign import Foreign
from atunner.core.task import Budget, Task
from atunner.operators.user import UserKernel, problem_of
from atunner.operators.user.cases import GivenTest
from atunner.operators.user.task import kernel_task
from atunner.search.formats import admitted, short
from atunner.search.formats.source import LANGUAGES
from atunner.transform.admitting import admitted_tests
from atunner.transform.asking import (
    Description,
    Questions,
    Suggestions,
    description_prompt,
    judge_of,
    suggestion_prompt,
)
from atunner.transform.given import by_name, kept, sizes_of
from atunner.transform.reading import Reading, Said, read
from atunner.transform.sizing import Stopwatch, fitting
from atunner.transform.testing import (
    ArgumentView,
    GivenTesting,
    KernelTest,
    KernelView,
    ModelTesting,
    SignatureTesting,
    TestingStrategy,
)
from atunner.wiring import Session

ENDINGS = {language: ending for ending, language in LANGUAGES.items()}


@dataclass(frozen=True)
class Wanted:
    """What the transformer was told, apart from the kernel. tests: by add_test, before all others."""

    model: str
    target: str
    budget: Budget
    testing: tuple[TestingStrategy, ...] = ()
    tests: tuple[KernelTest, ...] = ()


@dataclass(frozen=True)
class Prepared:
    """A task that is ready to run. budget: less what questions cost. notes: what was found out, in words."""

    task: Task
    budget: Budget
    notes: tuple[str, ...]


def described(reading: Reading, sizes: Mapping[str, int], called: str) -> UserKernel:
    """The kernel at these sizes. Raises UserError: the description contradicts itself."""
    with tempfile.TemporaryDirectory(prefix="atunner-kernel-") as folder:
        file = Path(folder) / f"kernel{ENDINGS[reading.language]}"
        file.write_text(reading.source, encoding="utf-8")
        return admitted(short.described(reading.content(sizes), file, Path(called)))


class Preparation:
    """One kernel on its way to a task."""

    def __init__(self, session: Session, reading: Reading, wanted: Wanted, called: str) -> None:
        self._session, self._wanted, self._called = session, wanted, called
        self._questions: Questions | None = None
        self.reading = reading
        self.notes: list[str] = []

    def prepared(self) -> Prepared:
        """The task.

        Raises:
            UserError: what is needed is missing or wrong; one line.
        """
        try:
            self._fill_gaps()
            self._take_scalars()
            kernel = self._tested(self._admitted(self._kernel()))
        finally:
            left = self._questions.close() if self._questions else self._wanted.budget
        return Prepared(kernel_task(kernel, self._wanted.target), left, tuple(self.notes))

    def _ask(self) -> Questions:
        if self._questions is None:
            wanted = self._wanted
            models = [s.model for s in wanted.testing if isinstance(s, ModelTesting) and s.model]
            model = wanted.model if wanted.model != "none" else next(iter(models), "none")
            self._questions = Questions(self._session, model, wanted.budget, self.reading.name, wanted.target)
            self.notes.append(f"questions to {model}: atunner show {self._questions.run} --transcript")
        return self._questions

    def _fill_gaps(self) -> None:
        """Ask a model for what neither the source nor the user said; without one, the user."""
        gaps = self.reading.gaps
        if not gaps:
            return
        if self._wanted.model == "none":
            raise UserError(str(gaps[0]))
        answer = self._ask().ask(description_prompt(self.reading), Description)
        if answer is None:
            raise UserError(f"{gaps[0]} The model gave no valid answer to that question either.")
        said, names = self.reading.said, [d.name for d in self.reading.declared]
        told = {n: t for n, t in answer.arguments.items() if n in names}
        more = replace(
            said,
            arguments={**told, **said.arguments} if told else said.arguments,
            grid=said.grid or answer.grid,
            block=said.block or answer.block,
        )
        again = _read_again(self.reading, more, self._called)
        if again.gaps:
            raise UserError(f"{again.gaps[0]} The model did not say it either.")
        self.notes.append(f"described by {self._wanted.model}: {'; '.join(f'{n}: {t}' for n, t in told.items())}")
        self.reading = again

    def _take_scalars(self) -> None:
        """Floating numbers that the first test gives, where the user said nothing else."""
        said, found = self.reading.said, dict[str, str]()
        for test in self._given()[:1]:
            inputs = by_name(test.inputs, self.reading, test.name or "test 1")
            for one in self.reading.declared:
                if not one.pointer and one.name in inputs and one.name not in (*self.reading.sizes, *said.arguments):
                    found[one.name] = f"{one.dtype} = {float(inputs[one.name])!r}"
        if found:
            arguments = {**said.arguments, **found}
            self.reading = _read_again(self.reading, replace(said, arguments=arguments), self._called)

    def _given(self) -> tuple[KernelTest, ...]:
        """The user's tests, which need no sizes to be known: those by add_test before all others."""
        more = [t for s in self._wanted.testing if isinstance(s, GivenTesting) for t in s.given]
        return (*self._wanted.tests, *more)

    def _kernel(self) -> UserKernel:
        reading = self.reading
        sizes = {**self._sizes_of_tests(), **reading.said.sizes}
        sizes |= {f"problem_size_{a}": int(e) for a, e in zip("xyz", reading.said.problem_size, strict=False)}
        missing = [n for n in reading.sizes if n not in sizes]
        if not missing:
            return described(reading, sizes, self._called)
        windows = [s.window_s for s in self._wanted.testing if isinstance(s, SignatureTesting) and s.window_s]
        if not windows:
            first = missing[0]
            raise UserError(
                f"How large is {first!r} of {reading.name}? Give sizes={{{first!r}: NUMBER}}, or "
                "testing_strategy=SignatureTesting(window_s=(0.0005, 0.03)) to have sizes chosen by time."
            )
        watch = Stopwatch(self._session.settings, self._wanted.target)
        made: Callable[[Mapping[str, int]], UserKernel] = lambda s: described(reading, s, self._called)  # noqa: E731
        chosen = fitting(made, sizes, missing, windows[0], watch)
        self.notes.append(chosen.note)
        return made(chosen.sizes)

    def _sizes_of_tests(self) -> dict[str, int]:
        """Sizes of the largest test."""
        found = [sizes_of(t, self.reading, t.name or f"test {i + 1}") for i, t in enumerate(self._given())]
        return max(found, key=lambda s: prod(s.values()), default={})

    def _admitted(self, kernel: UserKernel) -> UserKernel:
        """The kernel, built and run once; an output that it only writes in part is taken for one that it changes."""
        guessed = self.reading.guessed
        judge = judge_of(self._session, kernel_task(kernel, self._wanted.target))
        try:
            judge.admit(kernel_task(kernel, self._wanted.target))
        except UserError as error:
            if not guessed:
                raise
            changed = [a.model_copy(update={"role": "inout"}) if a.name in guessed else a for a in kernel.arguments]
            other = kernel.model_copy(update={"arguments": tuple(changed)})
            try:
                judge.admit(kernel_task(other, self._wanted.target))
            except UserError:
                raise error from None
            self.notes.append(f"{', '.join(guessed)} is written in part only, so its contents before are an input too")
            return other
        return kernel

    def _tested(self, kernel: UserKernel) -> UserKernel:
        """With the user's tests first, then those of the strategies, then those that a model suggested."""
        view = view_of(kernel)
        given = list(self._given())
        kept_back = [s for s in self._wanted.testing if isinstance(s, GivenTesting) and s.keep_generated]
        replaces = bool(self._wanted.tests) or (bool(given) and not kept_back)
        for strategy in self._wanted.testing:
            if isinstance(strategy, GivenTesting):
                continue
            if more := self._of(strategy, view):
                given += more
                replaces = replaces or bool(getattr(strategy, "replaces", True))
        folder = self._session.settings.data / "tests"
        tests: tuple[GivenTest, ...] = tuple(kept(t, i, self.reading, kernel, folder) for i, t in enumerate(given))
        agreeing(tests)
        tests += self._suggested(kernel, view)
        return kernel.model_copy(update={"tests": tests, "generated": not replaces})

    def _of(self, strategy: TestingStrategy, view: KernelView) -> list[KernelTest]:
        """The tests of one strategy. Raises UserError: a class of the user's gave something else."""
        name = type(strategy).__name__
        with Foreign(f"{name}.tests raised"):
            found = list(strategy.tests(view))
        strange = [t for t in found if not isinstance(t, KernelTest)]
        if strange:
            kind = type(strange[0]).__name__
            raise UserError(f"{name}.tests gave an object of type {kind}; give KernelTest(inputs, expected).")
        return found

    def _suggested(self, kernel: UserKernel, view: KernelView) -> tuple[GivenTest, ...]:
        found: tuple[GivenTest, ...] = ()
        for strategy in self._wanted.testing:
            if not isinstance(strategy, ModelTesting):
                continue
            model = strategy.model or self._wanted.model
            answer = self._ask().ask(suggestion_prompt(view, strategy.most), Suggestions)
            if answer is None:
                self.notes.append(f"{model} suggested no valid test")
                continue
            judge = judge_of(self._session, kernel_task(kernel, self._wanted.target))
            tests, told = admitted_tests(judge, kernel, self._wanted.target, answer.tests[: strategy.most], model)
            self.notes += told
            found += tests
        return found


def view_of(kernel: UserKernel) -> KernelView:
    """The kernel as testing strategies see it."""
    shapes = {b.name: b.shape for b in problem_of(kernel, kernel.sizes).buffers}
    arguments = tuple(ArgumentView(a.name, a.dtype, a.role, shapes.get(a.name, ())) for a in kernel.arguments)
    return KernelView(kernel.name, kernel.language, kernel.source, arguments, dict(kernel.sizes))


def _read_again(reading: Reading, said: Said, called: str) -> Reading:
    return read(reading.source, said, reading.language, called)


def checked_tests(tests: Sequence[KernelTest], reading: Reading) -> None:
    """Raise UserError for a test that names what the kernel does not take."""
    for number, test in enumerate(tests):
        label = test.name or f"test {number + 1}"
        by_name(test.inputs, reading, label)
        by_name(test.expected, reading, label)


def agreeing(tests: Sequence[GivenTest]) -> None:
    """Raise UserError where equal inputs are expected to give different results."""
    seen: list[GivenTest] = []
    for test in tests:
        for other in seen:
            shared = test.outputs.keys() & other.outputs.keys()
            same = (test.sizes, test.inputs) == (other.sizes, other.inputs)
            if same and any(test.outputs[n].digest != other.outputs[n].digest for n in shared):
                raise UserError(f"{other.name} and {test.name} expect different results of equal inputs; take one out.")
        seen.append(test)
