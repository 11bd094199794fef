"""Resolving and doing one work item, wherever that happens."""

from importlib.metadata import EntryPoint
from typing import Any

from pydantic import JsonValue

from atunner.core.errors import ATunnerError
from atunner.core.judge import judge
from atunner.core.ports import Domain, Fault, Outcome, Racing, WorkItem


def resolve(path: str, config: dict[str, JsonValue]) -> Domain[Any]:
    """The domain at `module:Class`, made from its configuration."""
    domain: Domain[Any] = EntryPoint("domain", path, "atunner.domains").load()(config)
    return domain


def do(domain: Domain[Any], item: WorkItem) -> Outcome:
    """Screen, race or judge; an error that is not the candidate's own is an outcome too: it crosses processes."""
    try:
        if item.action == "screen":
            return Outcome(answer=domain.screen(item.task, [item.candidate])[0].model_dump(mode="json"))
        if item.action == "race" and isinstance(domain, Racing):
            return Outcome(answer=domain.race(item.task, item.candidate, item.rival).model_dump(mode="json"))
        if item.action == "prove" and isinstance(domain, Racing):
            return Outcome(answer=domain.prove(item.task, item.candidate).model_dump(mode="json"))
        return Outcome(answer=judge(domain, item.task, item.candidate).model_dump(mode="json"))
    except ATunnerError as error:
        return Outcome(fault=Fault.FAILED, message=str(error))
