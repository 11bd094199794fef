"""Two-dimensional convolution, NCHW: y[n,k,p,q] sums x[n,c,p*stride+r*dilation-padding,...] * w[k,c,r,s] over c,r,s.

Dimensions: n images, c input channels, h rows, w columns, k output channels, r kernel rows and columns, p output rows,
q output columns, and stride, padding, dilation, groups. Convolution means cross-correlation, as in deep learning.
"""

from atunner.operators.conv2d.operator import Conv2d

OPERATOR = Conv2d()
