"""Whether code can be made for a device by the compilers that are here."""

from atunner.core.device import Device
from atunner.core.errors import UserError
from atunner.tools import nvrtc


def reach(device: Device) -> str:
    """Why no code is made for `device`, in one line; "" when it can be."""
    if device.kind == "cpu":
        return ""
    if device.vendor.lower() != "nvidia":
        return f"{device.name} ({device.arch}) is analysed only: no compiler here makes code for {device.vendor} GPUs."
    if not nvrtc.available():
        return f"{device.name} is analysed only: NVRTC is not installed; pip install 'atunner[cuda]'."
    try:
        nvrtc.check_architecture(device.arch)
    except UserError as error:
        return f"{device.name} is analysed only: {error}"
    return ""
