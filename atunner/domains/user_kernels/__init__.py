"""The user's own kernels, judged as any other kernel."""
