"""Whether the server is well, and what it is."""

from fastapi import APIRouter

from atunner import __version__
from atunner.api.context import Here
from atunner.api.metrics import sandbox
from atunner.api.problems import documented
from atunner.api.strict import Strict
from atunner.core.plugins import names
from atunner.core.value import Value
from atunner.graphs.strategies import BUILT_IN as STRATEGIES
from atunner.jobs.work import KINDS
from atunner.search import BUILT_IN as SEARCHERS

router = APIRouter(route_class=Strict, tags=["server"])


class Word(Value):
    """One word: ok."""

    status: str = "ok"


class About(Value):
    """What this server is. jobs: how many in each state. worker: whether it works on jobs itself, within `layers`.

    sandbox: the level that every job demands; served_sandbox: that of jobs whose code comes from a client or a model.
    """

    name: str = "atunner"
    version: str
    worker: bool
    model: str
    sandbox: str
    served_sandbox: str
    layers: tuple[str, ...]
    kinds: tuple[str, ...]
    strategies: tuple[str, ...]
    searchers: tuple[str, ...]
    jobs: dict[str, int]


@router.get("/healthz", responses=documented())
def healthz() -> Word:
    """The process answers."""
    return Word()


@router.get("/readyz", responses=documented())
def readyz(here: Here) -> Word:
    """The database answers, too."""
    here.jobs.counts()
    return Word()


@router.get("/info", responses=documented())
def info(here: Here) -> About:
    """Version and settings that a user may want to know."""
    settings = here.settings
    return About(
        version=__version__,
        worker=here.embedded,
        model=settings.model,
        sandbox=settings.sandbox,
        served_sandbox=settings.served_sandbox,
        layers=sandbox(here),
        kinds=KINDS,
        strategies=tuple(names("strategies", STRATEGIES)),
        searchers=tuple(names("searchers", SEARCHERS)),
        jobs={state.value: count for state, count in here.jobs.counts().items()},
    )
