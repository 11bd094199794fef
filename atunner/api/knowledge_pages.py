"""The knowledge base as pages: devices, operators, techniques, fusion rules, and the runs so far."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from atunner.api.context import Here
from atunner.api.knowledge import Named, operators_known
from atunner.api.site import shown
from atunner.api.views import chosen
from atunner.knowledge_base.catalogue import BOTTLENECKS

router = APIRouter(include_in_schema=False, prefix="/knowledge")
PAGE = 50
SECTIONS = {
    "": "Operators",
    "devices": "Devices",
    "techniques": "Techniques",
    "fusion": "Fusion rules",
    "history": "History",
}


@router.get("")
def operators(here: Here) -> Response:
    """All operators."""
    return shown("knowledge/operators.html.j2", sections=SECTIONS, section="", operators=operators_known())


@router.get("/operators/{name}")
def operator(here: Here, name: Named) -> Response:
    """One operator: its shapes, its kernel families, and what is known to work."""
    known = {o.name: o for o in operators_known()}
    chosen(list(known), name, "operator")
    return shown(
        "knowledge/operator.html.j2",
        sections=SECTIONS,
        section="",
        operator=known[name],
        notes=here.store.operator_notes(name),
    )


@router.get("/devices")
def devices(here: Here) -> Response:
    """All devices."""
    here_now = here.store.device("host")
    return shown(
        "knowledge/devices.html.j2", sections=SECTIONS, section="devices", devices=here.store.devices(), host=here_now
    )


@router.get("/devices/{name}")
def device(here: Here, name: Named) -> Response:
    """One device, each fact with its source."""
    found = here.store.device(name)
    return shown("knowledge/device.html.j2", sections=SECTIONS, section="devices", device=found)


@router.get("/techniques")
def techniques(here: Here, treats: Annotated[str, Query(max_length=60)] = "") -> Response:
    """Techniques, or those that treat one bottleneck."""
    if treats:
        chosen(list(BOTTLENECKS), treats, "bottleneck")
    return shown(
        "knowledge/techniques.html.j2",
        sections=SECTIONS,
        section="techniques",
        techniques=here.store.techniques(treats),
        bottlenecks=BOTTLENECKS,
        treats=treats,
    )


@router.get("/fusion")
def fusion(here: Here) -> Response:
    """What may be merged with what."""
    return shown("knowledge/fusion.html.j2", sections=SECTIONS, section="fusion", rules=here.store.fusion_rules())


@router.get("/history")
def history(here: Here, page: Annotated[int, Query(ge=1, le=1_000_000)] = 1) -> Response:
    """All runs that are recorded, those of the command line too."""
    found = here.store.runs(limit=PAGE + 1, offset=(page - 1) * PAGE)
    return shown(
        "knowledge/history.html.j2",
        sections=SECTIONS,
        section="history",
        runs=found[:PAGE],
        page=page,
        more=len(found) > PAGE,
    )
