"""What blur computes, in numpy."""

import numpy as np


def blur(x, w, radius):
    wide = np.pad(x.astype(np.float64), ((0, 0), (radius, radius)), mode="edge")
    return sum(w[d] * wide[:, d : d + x.shape[1]] for d in range(2 * radius + 1))
