"""What a bundle runs on a machine with a GPU, where ATunner is not installed: standard library, numpy and NVRTC only.

The modules are copied into every bundle as they are, so they import nothing of ATunner but each other.
"""
