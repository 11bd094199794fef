"""Formats of other tuners: the T1 description, the T4 results, and Kernel Tuner's cache; pure functions over text."""
