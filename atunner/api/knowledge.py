"""The knowledge base: devices with sources, operators, techniques."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from atunner.api.context import Here
from atunner.api.problems import Refused, documented
from atunner.api.strict import Strict
from atunner.core.device import Device
from atunner.core.errors import UnknownName
from atunner.core.record import RunState
from atunner.core.value import Value
from atunner.jobs import forms
from atunner.knowledge_base.catalogue import FusionRule, Technique
from atunner.knowledge_base.runs import RunFilter, RunSummary
from atunner.operators import known, operator

router = APIRouter(route_class=Strict, prefix="/api/v1/knowledge", tags=["knowledge"])
Filter = Annotated[str, Query(max_length=100, pattern=forms.TEXT)]
Named = Annotated[str, Path(pattern=forms.NAME)]


class OperatorEntry(Value):
    """An operator. shape: what --input-shape means; families: kernel families by language."""

    name: str
    summary: str
    shape: str
    default_shape: tuple[int, ...]
    families: dict[str, tuple[str, ...]]


def operators_known() -> list[OperatorEntry]:
    """All operators, by name."""
    return [
        OperatorEntry(
            name=o.name,
            summary=o.summary,
            shape=o.shape_help,
            default_shape=tuple(o.default_shape),
            families={language: tuple(f.name for f in s.families) for language, s in o.kernels.items()},
        )
        for o in (operator(name) for name in known())
    ]


@router.get("/devices", responses=documented())
def devices(here: Here) -> list[Device]:
    """All devices, each fact with its source."""
    return here.store.devices()


@router.get("/devices/{name}", responses=documented(404))
def device(here: Here, name: Named) -> Device:
    """A device by name or alias; host is the server's processor."""
    try:
        return here.store.device(name)
    except UnknownName as error:
        raise Refused(404, str(error)) from error


@router.get("/operators", responses=documented())
def operators() -> list[OperatorEntry]:
    """All operators."""
    return operators_known()


@router.get("/techniques", responses=documented())
def techniques(here: Here, bottleneck: Annotated[str, Query(max_length=60)] = "") -> list[Technique]:
    """Techniques, or those that treat one bottleneck."""
    return list(here.store.techniques(bottleneck))


@router.get("/history", responses=documented())
def history(
    here: Here,
    operator: Filter = "",
    domain: Filter = "",
    target: Filter = "",
    state: Annotated[list[RunState] | None, Query(max_length=6)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0,
) -> list[RunSummary]:
    """Earlier runs, newest first, with their best figures; of the service and of the command line alike."""
    states = frozenset(state or [])
    which = RunFilter(states=states, domain=domain, subject=operator, target=target, limit=limit, offset=offset)
    return here.store.past(which)


@router.get("/fusion-rules", responses=documented())
def fusion_rules(here: Here) -> list[FusionRule]:
    """What may be merged with what."""
    return list(here.store.fusion_rules())
