"""The fencing token: a worker that lost its job writes nothing more."""

from sqlalchemy import Connection, select

from atunner.core.job import JobState, Lease, LostLease
from atunner.knowledge_base.tables import JobRow


def check(connection: Connection, lease: Lease) -> None:
    """Hold the job's row until this transaction ends, if the lease is still the newest.

    Raises:
        LostLease: the job was cancelled, ended, or given to another worker.
    """
    query = select(JobRow.state, JobRow.token, JobRow.worker).where(JobRow.id == lease.job.id)
    row = connection.execute(query.with_for_update()).one_or_none()
    if row is None:
        raise LostLease(f"Job {lease.job.id} was deleted.")
    if row.state != JobState.RUNNING:
        raise LostLease(f"Job {lease.job.id} is {row.state}, no longer with worker {lease.worker}.")
    if row.token != lease.token:
        raise LostLease(f"Job {lease.job.id} was given to worker {row.worker}; {lease.worker} held it too long.")
