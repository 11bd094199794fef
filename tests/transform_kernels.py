"""Kernels and scripted models for the tests of the transformer."""

import json
from pathlib import Path
from typing import Any

MATMUL = """
void matmul(float *c, const float *a, const float *b, int m, int n, int k) {
    for (int j = 0; j < n; ++j)
        for (int i = 0; i < m; ++i) {
            float sum = 0;
            for (int x = 0; x < k; ++x) sum += a[i * k + x] * b[x * n + j];
            c[i * n + j] = sum;
        }
}
"""
ROWS = """
void matmul(float *c, const float *a, const float *b, int m, int n, int k) {
    for (int i = 0; i < m; ++i) {
        for (int j = 0; j < n; ++j) c[i * n + j] = 0;
        for (int x0 = 0; x0 < k; x0 += STEP)
            for (int x = x0; x < k && x < x0 + STEP; ++x)
                for (int j = 0; j < n; ++j) c[i * n + j] += a[i * k + x] * b[x * n + j];
    }
}
"""
WRONG = MATMUL.replace("sum += a[i * k + x]", "sum += 1.01f * a[i * k + x]")
AXPY = """
#ifndef UNROLL
#define UNROLL 1 // tune: 1, 2, 4
#endif
void axpy(float *y, const float *x, float a, int n) {
    for (int i = 0; i + UNROLL <= n; i += UNROLL)
        for (int u = 0; u < UNROLL; ++u) y[i + u] += a * x[i + u];
}
"""


def script(home: Path, **lines: list[Any]) -> str:
    """A scripted model of these answers by role."""
    path = home / "script.json"
    path.write_text(json.dumps(lines), encoding="utf-8")
    return f"scripted:{path}"
