"""Tuning domains, by name."""

BUILT_IN = {
    "kernels": "atunner.domains.kernels.domain:Kernels",
    "user_kernels": "atunner.domains.user_kernels.domain:UserKernels",
    "replay": "atunner.domains.replay:Replay",
    "llvm_ir": "atunner.domains.llvm_ir.domain:LlvmIr",
    "toy": "atunner.domains.toy:Toy",
}
