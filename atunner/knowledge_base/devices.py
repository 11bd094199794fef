"""What devices can do: GPUs from data files, this machine's processor read live."""

import re
from functools import lru_cache
from pathlib import Path

from pydantic import Field

from atunner.core.device import Device, Fact
from atunner.core.errors import UnknownName
from atunner.core.value import Value
from atunner.knowledge_base.files import folder, load
from atunner.tools import hardware

HOST = "host"
MAKERS = re.compile(r"nvidia|geforce|tesla|quadro|amd|instinct|[^a-z0-9]")


class Architecture(Value):
    """What all devices of one instruction set share."""

    arch: str
    name: str
    facts: dict[str, Fact]
    notes: tuple[str, ...] = ()


class DeviceFile(Value):
    """One device as written in its file; `ambiguous` maps a short name to the sentence saying what it is taken as."""

    name: str
    vendor: str
    arch: str
    aliases: tuple[str, ...] = ()
    ambiguous: dict[str, str] = Field(default_factory=dict)
    facts: dict[str, Fact]
    notes: tuple[str, ...] = ()


@lru_cache
def _architectures() -> dict[str, Architecture]:
    found = (Architecture.model_validate(load(file)) for file in folder("architectures"))
    return {architecture.arch: architecture for architecture in found}


@lru_cache
def _files() -> tuple[DeviceFile, ...]:
    return tuple(DeviceFile.model_validate(load(file)) for file in folder("devices"))


def _device(file: DeviceFile, note: str = "") -> Device:
    architecture = _architectures()[file.arch]
    return Device(
        name=file.name,
        vendor=file.vendor,
        kind="gpu",
        arch=file.arch,
        aliases=(*file.ambiguous, *file.aliases),
        facts=file.facts | architecture.facts,
        notes=(*([note] if note else []), *file.notes, *architecture.notes),
    )


def known() -> list[Device]:
    """All devices of the data files, by name."""
    return sorted((_device(file) for file in _files()), key=lambda device: device.name)


def plain(name: str) -> str:
    """A name without makers, case and punctuation: "NVIDIA A100-SXM4-80GB" is "a100sxm480gb"."""
    return MAKERS.sub("", name.lower())


@lru_cache
def _index() -> dict[str, tuple[DeviceFile, str]]:
    """Plain name -> file, and the note for a name that means one of several."""
    index: dict[str, tuple[DeviceFile, str]] = {}
    for file in _files():
        index |= {plain(name): (file, "") for name in (file.name, *file.aliases)}
        index |= {plain(name): (file, f"{name}: {note}") for name, note in file.ambiguous.items()}
    return index


def named(name: str) -> Device:
    """A device by name or alias, without measuring anything; "host" has what can be read at once.

    Raises:
        UnknownName: with the nearest names and the list.
    """
    if name.strip().lower() == HOST:
        return _as_device(hardware.cpu(), {})
    found = _index().get(plain(name))
    if found is None:
        raise UnknownName("device", name, [*(file.name for file in _files()), HOST])
    return _device(*found)


def device(name: str, kept: Path | None = None) -> Device:
    """A device by name or alias; "host" is this machine's processor, its ceilings measured once a process.

    kept: the folder that has what earlier processes measured.

    Raises:
        UnknownName: with the nearest names and the list.
    """
    return host(kept) if name.strip().lower() == HOST else named(name)


@lru_cache
def host(kept: Path | None = None) -> Device:
    """This machine's processor: what it says of itself, and its clock, fp32 peak and bandwidth measured here."""
    cpu = hardware.cpu()
    return _as_device(cpu, hardware.ceilings(cpu, kept))


def _as_device(cpu: hardware.Cpu, measured: dict[str, Fact]) -> Device:
    return Device(
        name=cpu.model,
        vendor=cpu.vendor,
        kind="cpu",
        arch=cpu.arch,
        aliases=(HOST,),
        facts=hardware.facts(cpu) | measured,
        notes=cpu.notes,
    )
