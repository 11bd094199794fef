"""CUDA kernels on a GPU of this machine: a throw-away process for each candidate, and what is asked of it."""
