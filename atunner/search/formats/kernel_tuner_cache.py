"""Kernel Tuner's cache files as history of another device."""

from atunner.search.prior import Source
from atunner.tools.recording import Recording, parse


class Cache(Recording):
    """A cache file: which kernel on which device, its tunables, and what was recorded."""

    @property
    def source(self) -> Source:
        """As history for a search."""
        return history(self)


def history(recording: Recording) -> Source:
    """A recording as history; failed configurations have None."""
    return Source(recording.device, tuple((e.params, e.value) for e in recording.entries))


def read(text: str) -> Cache:
    """Read a cache file; one that was cut off while it was open (no closing braces) is read to its last entry.

    Raises:
        UserError: not JSON, or an entry or field is missing; says where.
    """
    return Cache(**dict(parse(text)))
