"""Rewriting of C loop nests: read, proved legal by exact dependences, and printed as C again."""

from atunner.domains.llvm_ir.nests.rewrites import Pick, Rewrite, refusals, rewrites, rewritten

__all__ = ["Pick", "Rewrite", "refusals", "rewrites", "rewritten"]
