"""Tuning strategies by the names that users of LLM Kernel Tuner know; each says which strategy of ATunner it is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import JsonValue

from atunner.core.errors import UserError
from atunner.graphs.strategies.explicit import TuningStep as Step
from atunner.graphs.strategies.explicit import checked
from atunner.graphs.strategies.prepare import prepared
from atunner.transform.templates import template_text


class TuningStrategy(Protocol):
    """How candidates are proposed. name: from the table of strategies, or module:factory of your own."""

    @property
    def name(self) -> str:
        """As --strategy takes it."""
        ...

    def settings(self) -> dict[str, JsonValue]:
        """As --strategy-set takes them."""
        ...


@dataclass(frozen=True)
class OnePromptTuningStrategy:
    """The whole optimisation in one rewrite; a refused one is asked for again, at most `tries` times."""

    tries: int = 3
    name = "one_prompt"

    def settings(self) -> dict[str, JsonValue]:
        """As --strategy-set takes them."""
        return {"tries": self.tries}


@dataclass(frozen=True)
class AutonomousTuningStrategy:
    """Plan, take one step at a time, keep what is faster beyond noise, plan again from code and outcomes.

    with_replanning, max_replanning: whether and how often a finished plan is followed by another. breakdown_steps,
    max_breakdowns: whether and how often a step that is too big is broken down. retries: of a step that was refused.
    """

    with_replanning: bool = True
    max_replanning: int = 3
    breakdown_steps: bool = True
    max_breakdowns: int = 1
    retries: int = 1
    name = "autonomous"

    def settings(self) -> dict[str, JsonValue]:
        """As --strategy-set takes them."""
        return {
            "with_replanning": self.with_replanning,
            "max_replanning": self.max_replanning,
            "breakdown_steps": self.breakdown_steps,
            "max_breakdowns": self.max_breakdowns,
            "retries": self.retries,
        }


def TuningStep(
    id: str,
    prompt_template: object,
    depends_on: Sequence[str] = (),
    skip_evaluation: bool = False,
) -> Step:
    """One step of an explicit strategy.

    prompt_template: a text with {kernel_string} and, if wanted, {tune_params}, {device} and {diagnosis}; or an object
    with `template` or `format`, as LangChain's have. depends_on: ids of steps that must have brought something first.
    skip_evaluation: the step counts when it is verified, also without a gain (it prepares the ground for others).

    Raises:
        UserError: the id is empty, or the template is none.
    """
    if not id:
        raise UserError("A step has no id; give each step one of its own.")
    needed = (depends_on,) if isinstance(depends_on, str) else tuple(depends_on)
    return Step(
        id=id, prompt_template=template_text(prompt_template, id), depends_on=needed, skip_evaluation=skip_evaluation
    )


@dataclass(frozen=True)
class ExplicitTuningStrategy:
    """A list of steps, walked in the order of need; a step that brought nothing takes its dependants with it.

    tuning_steps: of `TuningStep`; None for those that ship for the kernel's language.

    Raises:
        UserError: an id twice, a step that needs itself, an unknown step or a circle, a template without its variable.
    """

    tuning_steps: Sequence[Step] | None = None
    name = "explicit"

    def __post_init__(self) -> None:
        if self.tuning_steps is None:
            return
        if not self.tuning_steps:
            raise UserError("ExplicitTuningStrategy has no steps; give some, or leave them out for those that ship.")
        strange = [s for s in self.tuning_steps if not isinstance(s, Step)]
        if strange:
            raise UserError(f"A step is of type {type(strange[0]).__name__}; make it with TuningStep(id, template).")
        checked(self.tuning_steps)

    def settings(self) -> dict[str, JsonValue]:
        """As --strategy-set takes them."""
        if self.tuning_steps is None:
            return {}
        return {"steps": [s.model_dump(mode="json") for s in self.tuning_steps]}


@dataclass(frozen=True)
class NamedStrategy:
    """Any strategy by its name, with its settings: expert, evolve, or module:factory of your own."""

    name: str
    options: Mapping[str, JsonValue] = field(default_factory=dict)

    def settings(self) -> dict[str, JsonValue]:
        """As --strategy-set takes them."""
        return dict(self.options)


Wanted = TuningStrategy | str | Callable[[], Any] | None


def chosen(wanted: Wanted, model: str) -> TuningStrategy:
    """The strategy that is meant: an object, a name, or a factory that can be imported; the settings are checked.

    None is the expert without a model and the autonomous one with a model.

    Raises:
        UserError: there is no such strategy, a setting is wrong, or it is nothing that can be named.
    """
    found = _found(wanted, model)
    prepared(found.name, found.settings())
    return found


def _found(wanted: Wanted, model: str) -> TuningStrategy:
    if wanted is None:
        return NamedStrategy("expert") if model == "none" else AutonomousTuningStrategy()
    if isinstance(wanted, str):
        return NamedStrategy(wanted)
    if isinstance(wanted, type):
        return _found(wanted(), model)
    if hasattr(wanted, "settings") and hasattr(wanted, "name"):
        return wanted
    name = getattr(wanted, "__qualname__", "")
    if not name.isidentifier() or getattr(wanted, "__module__", "") in ("", "__main__"):
        raise UserError(
            f"Expected a strategy, its name, or a factory in a module that can be imported, got {wanted!r:.80}."
        )
    return NamedStrategy(f"{wanted.__module__}:{name}")
