"""Whether the server is well, what it is, and its figures for Prometheus."""

from collections.abc import Iterable

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from atunner import __version__
from atunner.api.context import Here, Service
from atunner.api.problems import documented
from atunner.core.value import Value

router = APIRouter(tags=["server"])


class Word(Value):
    """One word: ok."""

    status: str = "ok"


class About(Value):
    """What this server is. jobs: how many in each state. worker: whether it works on jobs itself."""

    name: str = "atunner"
    version: str
    worker: bool
    model: str
    sandbox: str
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
    counts = {state.value: count for state, count in here.jobs.counts().items()}
    settings = here.settings
    return About(version=__version__, worker=here.embedded, model=settings.model, sandbox=settings.sandbox, jobs=counts)


@router.get("/metrics", response_class=PlainTextResponse, responses=documented())
def metrics(here: Here) -> PlainTextResponse:
    """Figures for Prometheus, read from the database when asked for, so that every server tells the same."""
    registry = CollectorRegistry()
    registry.register(Figures(here))
    return PlainTextResponse(generate_latest(registry), media_type="text/plain; version=0.0.4; charset=utf-8")


class Figures(Collector):
    """The collector of one scrape."""

    def __init__(self, here: Service) -> None:
        self._here = here

    def collect(self) -> Iterable[Metric]:
        """Jobs by state, open event streams, and the build."""
        jobs = GaugeMetricFamily("atunner_jobs", "Jobs by state.", labels=["state"])
        for state, count in self._here.jobs.counts().items():
            jobs.add_metric([state.value], count)
        yield jobs
        yield GaugeMetricFamily("atunner_sse_clients", "Event streams open on this server.", self._here.streams)
        yield InfoMetricFamily("atunner_build", "The version.", {"version": __version__})
