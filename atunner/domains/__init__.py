"""Tuning domains, by name."""

BUILT_IN = {
    "kernels": "atunner.domains.kernels.domain:Kernels",
    "toy": "atunner.domains.toy:Toy",
}
