"""A small program for tests of the domain of C programs, and its task."""

from collections.abc import Callable

from atunner.core.task import Objective, Task
from atunner.domains.llvm_ir.program import Program

PRODUCT = """#include <stdio.h>
#include <string.h>
#define ROWS 150
#define COLS 160
#define DEPTH 170
static double a[ROWS][DEPTH], b[DEPTH][COLS], c[ROWS][COLS];
static void fill(void)
{
    for (int i = 0; i < ROWS; i++)
        for (int k = 0; k < DEPTH; k++)
            a[i][k] = (double)((i * 7 + k * 3) % 101) / 37;
    for (int k = 0; k < DEPTH; k++)
        for (int j = 0; j < COLS; j++)
            b[k][j] = (double)((k * 5 + j * 11) % 103) / 41;
}
static void multiply(void)
{
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < COLS; j++) {
            double sum = 0;
            for (int k = 0; k < DEPTH; k++)
                sum += a[i][k] * b[k][j];
            c[i][j] += sum;
        }
}
int main(int argc, char **argv)
{
    fill();
    for (int again = 0; again < 2; again++)
        multiply();
    if (argc > 1 && !strcmp(argv[1], "dump"))
        for (int i = 0; i < ROWS; i++)
            for (int j = 0; j < COLS; j++)
                printf("%a\\n", c[i][j]);
    return 0;
}
"""


Asked = Callable[..., Task]


def task_of(program: Program) -> Task:
    goal = Objective(metric="processor time", unit="ms")
    return Task(domain="llvm_ir", name=program.name, spec=program.model_dump(mode="json"), objective=goal)
