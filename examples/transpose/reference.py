"""What transpose computes, in numpy."""


def transpose(x):
    return x.T
