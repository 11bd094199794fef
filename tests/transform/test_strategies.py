"""Strategies by the names that users of LLM Kernel Tuner know; templates are taken by their shape."""

import re
from typing import Any

import pytest
from langchain_core.prompts import ChatPromptTemplate, PromptTemplate
from transform_kernels import AXPY

from atunner import (
    AutonomousTuningStrategy,
    ExplicitTuningStrategy,
    LLMKernelTransformer,
    OnePromptTuningStrategy,
    TuningStep,
)
from atunner.core.errors import UserError
from atunner.graphs.strategies.expert import expert
from atunner.transform.models import spec_of


class Shouting:
    """A template of somebody's own: no text of its own, but `format`."""

    def format(self, kernel_string: str, tune_params: str, **_: str) -> str:
        return f"MAKE {kernel_string} FAST {{now}}: {tune_params}"


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Tile {kernel_string}", "Tile {kernel_string}"),
        (
            PromptTemplate.from_template("Tile {kernel_string} by {tune_params}"),
            "Tile {kernel_string} by {tune_params}",
        ),
        (
            PromptTemplate(
                template="{how} {kernel_string}", input_variables=["kernel_string"], partial_variables={"how": "Tile"}
            ),
            "Tile {kernel_string}",
        ),
        (ChatPromptTemplate.from_messages([("human", "Tile {kernel_string}")]), "Human: Tile {kernel_string}"),
        (Shouting(), "MAKE {kernel_string} FAST {{now}}: {tune_params}"),
    ],
)
def test_templates_of_any_shape_become_text(template: object, text: str) -> None:
    assert TuningStep("tile", template).prompt_template == text


K = "{kernel_string}"


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        ([("a", K, ["a"])], "Step 'a' depends on itself"),
        ([("a", K, ["b"])], "No step named 'b'. Known: a."),
        ([("a", K, ["b"]), ("b", K, ["a"])], "wait for each other"),
        ([("a", K, []), ("a", K, [])], "Two steps have the id 'a'"),
        ([("a", "make it fast", [])], "lacks {kernel_string}"),
        ([("a", K + "{speed}", [])], "names 'speed', which has no value"),
        ([("a", K + "{", [])], "braces that do not match"),
        ([("a", 3, [])], "is of type int"),
        ([("a", PromptTemplate.from_template("{kernel_string} {a}"), [])], "names 'a', which has no value"),
        ([("", K, [])], "has no id"),
        ([], "has no steps"),
    ],
)
def test_unsound_steps_are_one_line_when_they_are_made(steps: list[Any], says: str) -> None:
    with pytest.raises(UserError, match=re.escape(says)) as error:
        ExplicitTuningStrategy([TuningStep(*s) for s in steps])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        (None, "expert"),
        (OnePromptTuningStrategy(tries=2), "one_prompt"),
        (AutonomousTuningStrategy, "autonomous"),
        (ExplicitTuningStrategy(), "explicit"),
        ("evolve", "evolve"),
        (expert, "atunner.graphs.strategies.expert:expert"),
    ],
)
def test_strategies_are_objects_classes_names_or_factories(wanted: Any, name: str) -> None:
    assert LLMKernelTransformer(AXPY, tuning_strategy=wanted).strategy.name == name


@pytest.mark.parametrize(
    ("wanted", "says"),
    [(lambda: None, "a factory in a module"), (AutonomousTuningStrategy(max_replanning=-1), "max_replanning is wrong")],
)
def test_strategies_that_cannot_be_are_one_line(wanted: Any, says: str) -> None:
    with pytest.raises(UserError, match=says):
        LLMKernelTransformer(AXPY, tuning_strategy=wanted)


class ChatOpenAI:
    model_name, openai_api_base = "gpt-4.1", None


class ChatOllama:
    model = "qwen"


def test_chat_models_of_langchain_are_taken_by_their_shape() -> None:
    assert spec_of(ChatOpenAI()) == "openai:gpt-4.1"
    assert spec_of(ChatOllama()) == "ollama:qwen"
    ChatOpenAI.openai_api_base = "http://here:8000/v1/"  # type: ignore[assignment]  # as a user's would be
    assert spec_of(ChatOpenAI()) == "http://here:8000/v1#gpt-4.1"
