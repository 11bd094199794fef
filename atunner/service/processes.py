"""A worker whose jobs run in forked processes, which end with it and with all that they start."""

from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.process import BaseProcess

from atunner.core.job import Lease
from atunner.jobs.worker import Pace, Worker
from atunner.knowledge_base.jobs import JobStore
from atunner.service.child import begin, ready
from atunner.settings import Settings
from atunner.tools.scratch import Folder
from atunner.tools.tree import kill_tree

PRELOADED = ["atunner.service.perform", "atunner.graphs.tuning"]
LEASE_S = 30.0
STALLS = 3


def make_worker(settings: Settings, pace: Pace | None = None, lease_s: float = LEASE_S, stalls: int = STALLS) -> Worker:
    """A worker on the settings' database; each job runs in a process forked from a small server process.

    stalls: attempts in a row without progress after which a job is poison. The server of forks is up, with everything
    imported, before this returns: a lease must not run while modules load.
    """
    jobs = JobStore(settings.database_url, lease_s, stalls)
    context = get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    values = settings.model_dump(mode="json")
    warm = context.Process(target=ready)
    warm.start()
    warm.join()

    def start(lease: Lease) -> JobProcess:
        folder = Folder()
        given = (values, lease.model_dump_json(), lease_s, str(folder.path))
        process = context.Process(target=begin, args=given, name=lease.job.id)
        process.start()
        return JobProcess(process, folder)

    return Worker(jobs, start, pace)


@dataclass(frozen=True)
class JobProcess:
    """`Work` of the worker: one process, and all that it starts. folder: of its temporary files."""

    process: BaseProcess
    folder: Folder

    @property
    def code(self) -> int | None:
        """The exit code; None while at work."""
        return self.process.exitcode

    def drain(self) -> None:
        """Ask it to stop at the next candidate."""
        if self.process.exitcode is None:
            self.process.terminate()

    def kill(self) -> None:
        """End the whole tree of processes, and remove what they left."""
        if self.process.exitcode is None and self.process.pid is not None:
            kill_tree(self.process.pid)
            self.process.join()
        self.folder.remove()
