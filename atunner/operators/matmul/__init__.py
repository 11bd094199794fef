"""Matrix multiplication, row-major: c[m,n] = sum over k of a[m,k] * b[k,n]. Dimensions: m, n, k."""

from atunner.operators.matmul.operator import Matmul

OPERATOR = Matmul()
