"""Kernel Tuner's strategies as searchers of ours, for comparison, where that package is installed.

A strategy there is a function that calls its cost function until its budget is spent. Here it runs in a thread that
stands still whenever the strategy wants a figure that nobody has told yet, so that it can be asked and told like any
other. It draws from the process's own random numbers, which are its own for as long as it runs. Resumed, it begins
anew with its seed and is given what is known, until it wants what is not.
"""

import contextlib
import io
import random
import threading
import warnings
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np

from atunner.core.errors import UnknownName, UserError
from atunner.core.foreign import Foreign
from atunner.search.ledger import Ledger

STRATEGY, EVALUATIONS = "adaptive_tabu_greywolf", 600
"""What runs where nothing else is asked for, and the budget that a strategy plans with."""
POINTS = 200_000
"""Kernel Tuner lists the whole space; beyond this that takes minutes and gigabytes."""
PATIENCE_S, REPEATS = 120.0, 100_000
"""A strategy that wants nothing new for so long, or after so many figures that it had before, has ended."""


class KernelTuner:
    """One strategy, `kernel_tuner:NAME:EVALUATIONS`; points are drawn at random once it has ended."""

    opens = 0
    at_once = 1

    def __init__(self, option: str = "") -> None:
        name, _, count = option.partition(":")
        self._strategy, self._evaluations = name or STRATEGY, EVALUATIONS
        if count:
            if not (count.isascii() and count.isdigit()) or int(count) < 1:
                raise UserError(f"kernel_tuner:NAME:EVALUATIONS takes a whole number above 0, got {count!r}.")
            self._evaluations = int(count)
        self._tune = _tune_of(self._strategy)
        self._run: _Run | None = None

    def propose(self, ledger: Ledger, rng: np.random.Generator, count: int) -> list[int]:
        """The point that the strategy waits for; none while it is pending, or when the strategy has ended.

        Raises:
            UserError: the space is too large for Kernel Tuner, or the strategy failed before its first point.
        """
        if "seed" not in ledger.memo:
            ledger.memo["seed"] = float(rng.integers(2**31))
        if self._run is None or self._run.ledger is not ledger:
            if not ledger.space.complete or len(ledger.space) > POINTS:
                raise UserError(
                    f"Kernel Tuner lists every configuration, up to {POINTS} here, and there are "
                    f"{ledger.space.size:.3g}; narrow the values, or take another search."
                )
            self._run = _Run(self._strategy, self._tune, self._evaluations, ledger)
            weakref.finalize(self, self._run.stop)
        point = self._run.wanted()
        if self._run.failure and not self._run.looked:
            raise UserError(
                f"Kernel Tuner's strategy {self._strategy!r} cannot search this: {self._run.failure}. Try another."
            )
        return [] if point is None or point in ledger.asked else [point]


def _tune_of(strategy: str) -> Any:
    """The strategy's function. Raises UnknownName, or UserError: a package is missing."""
    try:
        from kernel_tuner.interface import strategy_map
    except ImportError as error:
        raise UserError("Kernel Tuner is not installed here: pip install 'kernel_tuner>=1.5'.") from error
    if strategy not in strategy_map:
        raise UnknownName("strategy of Kernel Tuner", strategy, strategy_map)
    with Foreign(f"Kernel Tuner's strategy {strategy!r} cannot be loaded:"):
        return strategy_map[strategy].tune


class _Run:
    """A strategy at work. Of the two threads one runs at a time: `_go` lets the strategy on, `_back` whoever asks.

    failure: the error that ended it, "" where there was none. looked: how many figures it has asked for.
    """

    def __init__(self, strategy: str, tune: Any, evaluations: int, ledger: Ledger) -> None:
        self.ledger, self.failure, self.looked, self._strategy = ledger, "", 0, strategy
        self._go, self._back = threading.Semaphore(0), threading.Semaphore(0)
        self._wanted: int | None = None
        self._begun = self._ended = False
        self._random: tuple[Any, Any] | None = None
        self._figures = _Figures(self)
        self._budget: Any = None
        work = (tune, min(evaluations, len(ledger.space)))
        threading.Thread(target=self._work, args=work, daemon=True, name="kernel_tuner").start()

    def wanted(self) -> int | None:
        """The point whose figure the strategy waits for, None when it has ended."""
        if self._begun and (self._ended or self._wanted not in self.ledger.values):
            return None if self._ended else self._wanted
        self._begun = True
        with self._its_world():
            self._go.release()
            if not self._back.acquire(timeout=PATIENCE_S):
                self.stop()
        return None if self._ended else self._wanted

    def figure(self, point: int) -> float | None:
        """The figure of a point, once somebody has told it; called by the strategy's thread."""
        from kernel_tuner.util import StopCriterionReached

        self.looked += 1
        while point not in self.ledger.values and not self._ended:
            self._wanted = point
            self._back.release()
            self._go.acquire()
        if self._ended:
            raise StopCriterionReached("nobody asks any more")
        return self.ledger.values[point]

    def stop(self) -> None:
        """Let the strategy end."""
        self._ended = True
        if self._budget is not None:
            self._budget.max_fevals = 0
        self._go.release()

    def _work(self, tune: Any, evaluations: int) -> None:
        self._go.acquire()
        try:
            if not self._ended:
                tune(*self._arguments(evaluations))
        except Exception as error:  # noqa: BLE001 - whatever ends a strategy, it keeps what it has tried
            self.failure = " ".join(f"{type(error).__name__}: {error}".split())
        self._ended = True
        self._back.release()

    def _arguments(self, evaluations: int) -> tuple[Any, Any, Any]:
        """Kernel Tuner's space, runner and options; its simulation looks figures up in what it takes for a cache."""
        from kernel_tuner.interface import Options
        from kernel_tuner.runners.simulation import SimulationRunner
        from kernel_tuner.searchspace import Searchspace
        from kernel_tuner.util import TuningBudget

        parameters = {p.name: list(p.values) for p in self.ledger.space.space.parameters}
        listed = {str(i): self.ledger.space.params(i) for i in range(len(self.ledger.space))}
        space = Searchspace(None, None, None, from_cache={"tune_params": parameters, "cache": listed})
        runner = SimulationRunner(None, Options(kernel_name="searched"), Options(quiet=True), 7, None)
        self._budget = TuningBudget(None, evaluations)
        options = Options(
            objective=["time"],
            objective_higher_is_better=[False],
            strategy=self._strategy,
            strategy_options=Options({} if self._strategy == "brute_force" else {"max_fevals": evaluations}),
            tune_params=parameters,
            cache=self._figures,
            metrics=None,
            verbose=False,
            restrictions=None,
            simulation_mode=True,
            budget=self._budget,
            seed=None,
            max_fevals=evaluations,
            eps=None,
            snap=True,
        )
        return space, runner, options

    @contextlib.contextmanager
    def _its_world(self) -> Iterator[None]:
        """While the strategy runs the process's random numbers are its own, and what it prints or warns is dropped."""
        ours = random.getstate(), np.random.get_state()
        if self._random is None:
            seed = self.ledger.count("seed")
            random.seed(seed)
            np.random.seed(seed)
        else:
            random.setstate(self._random[0])
            np.random.set_state(self._random[1])
        try:
            with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
                warnings.simplefilter("ignore")
                yield
        finally:
            self._random = random.getstate(), np.random.get_state()
            random.setstate(ours[0])
            np.random.set_state(ours[1])


class _Figures(dict[str, Any]):
    """What Kernel Tuner takes for its cache: it seems to have every configuration, and waits for those it has not."""

    def __init__(self, run: _Run) -> None:
        super().__init__()
        self._run, self._repeats = run, 0
        space = run.ledger.space
        self._points = {",".join(str(v) for v in space.params(i).values()): i for i in range(len(space))}

    def __contains__(self, key: object) -> bool:
        return key in self._points

    def __getitem__(self, key: str) -> dict[str, Any]:
        from kernel_tuner.util import RuntimeFailedConfig, StopCriterionReached

        run, point = self._run, self._points[key]
        self._repeats = self._repeats + 1 if point in run.ledger.values else 0
        if self._repeats > REPEATS:
            raise StopCriterionReached("it only asks for what it knows")
        figure = run.figure(point)
        outcome = {"__error__": RuntimeFailedConfig()} if figure is None else {"time": figure}
        costs = dict.fromkeys(("compile_time", "verification_time", "benchmark_time"), 0.0)
        return {**run.ledger.space.params(point), **outcome, **costs}
