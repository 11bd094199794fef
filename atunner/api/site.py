"""Pages from templates: what every one of them may use, and problems told to people."""

from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from atunner.api import figures
from atunner.api.assets import asset
from atunner.core.job import ENDED, JobState
from atunner.core.status import Status
from atunner.reports import wording


@lru_cache
def _templates() -> Environment:
    loader = PackageLoader("atunner.api", "templates")
    found = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    found.filters |= {"ago": figures.ago, "took": figures.took, "moment": figures.moment, "count": figures.count}
    found.filters |= {"figure": wording.duration, "params": wording.parameters, "number": wording.number}
    found.filters |= {"elapsed": wording.elapsed, "money": figures.money, "times": figures.times, "json": figures.json}
    found.filters |= {
        "fact": figures.fact,
        "stage": figures.stage,
        "model": figures.model,
        "spoken": figures.spoken,
        "size": wording.size,
    }
    found.globals |= {"states": [s.value for s in JobState], "ended": [s.value for s in ENDED], "asset": asset}
    found.globals["statuses"] = [s.value for s in Status]
    found.globals["m"] = found.get_template("macros.html.j2").module
    return found


def shown(name: str, status: int = 200, **told: Any) -> HTMLResponse:
    """A page from its template."""
    return HTMLResponse(_templates().get_template(name).render(**told), status)


def error_page(status: int, title: str, detail: str) -> Response:
    """A problem for people."""
    return shown("error.html.j2", status, number=status, title=title, detail=detail)
