"""Figures for Prometheus: of the database, the same from every server, and of this process."""

from collections import Counter
from collections.abc import Iterable

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector

from atunner import __version__
from atunner.api.context import Here, Service
from atunner.api.problems import documented
from atunner.api.strict import Strict
from atunner.core.errors import ATunnerError
from atunner.core.job import ENDED
from atunner.knowledge_base.figures import Calls, Figures, Histogram, figures
from atunner.tools.sandbox import strongest

router = APIRouter(route_class=Strict, tags=["server"])


@router.get("/metrics", response_class=PlainTextResponse, responses=documented())
def metrics(here: Here) -> PlainTextResponse:
    """Figures for Prometheus; those of jobs are read from the database when asked for."""
    registry = CollectorRegistry()
    registry.register(Scrape(here))
    ProcessCollector(registry=registry)
    return PlainTextResponse(generate_latest(registry), media_type="text/plain; version=0.0.4; charset=utf-8")


class Scrape(Collector):
    """The collector of one scrape."""

    def __init__(self, here: Service) -> None:
        self._here = here

    def collect(self) -> Iterable[Metric]:
        """Everything that the server tells."""
        found = figures(self._here.jobs.database)
        yield from _of_jobs(found)
        yield from _of_runs(found)
        yield from _of_models(found.calls)
        yield from _of_server(self._here)


def _of_jobs(found: Figures) -> Iterable[Metric]:
    jobs = GaugeMetricFamily("atunner_jobs", "Jobs by state.", labels=["state"])
    ended = CounterMetricFamily("atunner_jobs", "Jobs that ended, by how.", labels=["outcome"])
    for state, count in found.jobs.items():
        jobs.add_metric([state.value], count)
        if state in ENDED:
            ended.add_metric([state.value], count)
    leases = GaugeMetricFamily("atunner_leases_held", "Jobs at work, by target device.", labels=["target"])
    for target, count in found.leases.items():
        leases.add_metric([target], count)
    wait = HistogramMetricFamily("atunner_queue_wait_seconds", "From submission to the first start.", labels=["target"])
    for target, waited in found.waits.items():
        wait.add_metric([target], _buckets(waited), waited.total)
    took = HistogramMetricFamily("atunner_job_duration_seconds", "From the first start of a job to its end.")
    took.add_metric([], _buckets(found.took), found.took.total)
    yield from (jobs, ended, leases, wait, took)


def _of_runs(found: Figures) -> Iterable[Metric]:
    candidates = CounterMetricFamily("atunner_candidates", "Candidates judged, by outcome.", labels=["outcome"])
    for status, count in found.candidates.items():
        candidates.add_metric([status], count)
    ratios = HistogramMetricFamily("atunner_best_speedup_ratio", "Confirmed winners against their baselines.")
    ratios.add_metric([], _buckets(found.ratios), found.ratios.total)
    stages = SummaryMetricFamily("atunner_stage_duration_seconds", "Time of the stages of runs.", labels=["stage"])
    for stage in found.stages:
        stages.add_metric([stage.stage], stage.count, stage.seconds)
    yield from (candidates, ratios, stages)


def _of_models(calls: tuple[Calls, ...]) -> Iterable[Metric]:
    requests = CounterMetricFamily("atunner_llm_requests", "Calls of models.", labels=["model", "outcome"])
    tokens = CounterMetricFamily("atunner_llm_tokens", "Tokens sent and received.", labels=["model", "direction"])
    cost = CounterMetricFamily("atunner_llm_cost_dollars", "Money spent, where the price is known.", labels=["model"])
    seconds = CounterMetricFamily("atunner_llm_seconds", "Time spent in calls of models.", labels=["model"])
    sums = {name: Counter[str]() for name in ("input_tokens", "output_tokens", "usd", "seconds")}
    for call in calls:
        requests.add_metric([call.model, call.outcome], call.count)
        for name, total in sums.items():
            total[call.model] += getattr(call, name)
    for model in sums["usd"]:
        tokens.add_metric([model, "input"], sums["input_tokens"][model])
        tokens.add_metric([model, "output"], sums["output_tokens"][model])
        cost.add_metric([model], sums["usd"][model])
        seconds.add_metric([model], sums["seconds"][model])
    yield from (requests, tokens, cost, seconds)


def _of_server(here: Service) -> Iterable[Metric]:
    requests = CounterMetricFamily("atunner_http_requests", "Requests answered by this server.", labels=["code"])
    for code, count in sorted(here.answered.items()):
        requests.add_metric([str(code)], count)
    layers = GaugeMetricFamily("atunner_sandbox_layer_info", "Layers round code on this machine.", labels=["layer"])
    for layer in sandbox(here):
        layers.add_metric([layer], 1)
    yield from (requests, layers)
    yield GaugeMetricFamily("atunner_sse_clients", "Event streams open on this server.", here.streams)
    yield GaugeMetricFamily("atunner_checkpoint_bytes", "Checkpoint files of runs in this work folder.", _kept(here))
    yield InfoMetricFamily("atunner_build", "The version.", {"version": __version__})


def sandbox(here: Service) -> tuple[str, ...]:
    """The layers that code gets on this machine; none where no jobs run here, or where it cannot be tried."""
    try:
        return strongest(here.settings.cache).names if here.embedded else ()
    except ATunnerError:
        return ()


def _kept(here: Service) -> int:
    data = here.settings.data
    files = [*data.glob("checkpoints.sqlite*"), *data.glob("work/*/checkpoints.sqlite*")]
    return sum(file.stat().st_size for file in files if file.exists())


def _buckets(found: Histogram) -> list[tuple[str, float]]:
    pairs = [(str(bound), float(count)) for bound, count in zip(found.bounds, found.counts, strict=True)]
    return [*pairs, ("+Inf", float(found.count))]
