"""Kernels: operators in a language, compiled, verified and measured."""
