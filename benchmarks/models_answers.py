"""What the scripted models of benchmarks/models.py answer: kernels known to be good, and answers that are not."""

from pydantic import JsonValue

MATMUL = """
void matmul(const float *restrict a, const float *restrict b, float *restrict c) {
#pragma omp parallel for
    for (int i0 = 0; i0 < DIM_M; i0 += ROWS) {
        float sum[ROWS][DIM_N];
        const int rows = DIM_M - i0 < ROWS ? DIM_M - i0 : ROWS;
        for (int i = 0; i < ROWS; ++i)
            for (int j = 0; j < DIM_N; ++j) sum[i][j] = 0.0f;
        for (int k = 0; k < DIM_K; ++k)
            for (int i = 0; i < rows; ++i) {
                const float left = a[(i0 + i) * DIM_K + k];
                for (int j = 0; j < DIM_N; ++j) sum[i][j] += left * b[k * DIM_N + j];
            }
        for (int i = 0; i < rows; ++i)
            for (int j = 0; j < DIM_N; ++j) c[(i0 + i) * DIM_N + j] = sum[i][j];
    }
}
"""
CONV2D = """
void conv2d(const float *restrict x, const float *restrict weight, float *restrict y) {
    const int channels = DIM_C / DIM_GROUPS;
#pragma omp parallel for collapse(2)
    for (int n = 0; n < DIM_N; ++n)
        for (int k = 0; k < DIM_K; ++k) {
            const int first = k / (DIM_K / DIM_GROUPS) * channels;
            for (int p0 = 0; p0 < DIM_P; p0 += ROWS) {
                float sum[ROWS][DIM_Q];
                const int rows = DIM_P - p0 < ROWS ? DIM_P - p0 : ROWS;
                for (int p = 0; p < ROWS; ++p)
                    for (int q = 0; q < DIM_Q; ++q) sum[p][q] = 0.0f;
                for (int c = 0; c < channels; ++c)
                    for (int r = 0; r < DIM_R; ++r)
                        for (int s = 0; s < DIM_R; ++s) {
                            const float w = weight[((k * channels + c) * DIM_R + r) * DIM_R + s];
                            const int shift = s * DIM_DILATION - DIM_PADDING;
                            int from = 0, to = DIM_Q;
                            while (from < DIM_Q && from * DIM_STRIDE + shift < 0) ++from;
                            while (to > from && (to - 1) * DIM_STRIDE + shift >= DIM_W) --to;
                            for (int p = 0; p < rows; ++p) {
                                const int row = (p0 + p) * DIM_STRIDE - DIM_PADDING + r * DIM_DILATION;
                                if (row < 0 || row >= DIM_H) continue;
                                const int line = ((n * DIM_C + first + c) * DIM_H + row) * DIM_W + shift;
                                for (int q = from; q < to; ++q) sum[p][q] += x[line + q * DIM_STRIDE] * w;
                            }
                        }
                for (int p = 0; p < rows; ++p)
                    for (int q = 0; q < DIM_Q; ++q) y[((n * DIM_K + k) * DIM_P + p0 + p) * DIM_Q + q] = sum[p][q];
            }
        }
}
"""
PLAN: list[JsonValue] = [{"steps": ["Order the loops so that the innermost one is contiguous."]}, {"is_tuning": True}]


def good(source: str) -> dict[str, list[JsonValue]]:
    """The planner names the step, and the coder knows the kernel."""
    answer: JsonValue = {
        "name": "rows",
        "summary": "rows of sums, contiguous innermost loop",
        "source": source,
        "parameters": {"ROWS": [1, 2, 4]},
    }
    return {"coder": [answer], "planner": PLAN}


def useless(source: str) -> dict[str, list[JsonValue]]:
    """A coder that never helps: prose, other JSON, code that does not build, a kernel that computes nothing."""
    head = source[: source.index("{") + 1]
    coder: list[JsonValue] = [
        "I would start by profiling the kernel.",
        {"advice": "use a faster computer"},
        {"name": "broken", "source": head + " this is no C; }", "parameters": {}},
        {"name": "empty", "source": f'#include <math.h>\n{head} system("true"); }}', "parameters": {}},
    ]
    return {"coder": coder, "planner": PLAN}
