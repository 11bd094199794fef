/* A matrix product. Run with the argument `dump` it prints its whole result in hexadecimal floats. */
#include <stdio.h>
#include <string.h>

#define ROWS 360
#define COLS 380
#define DEPTH 400

static double a[ROWS][DEPTH], b[DEPTH][COLS], c[ROWS][COLS];

static void fill(void)
{
    for (int i = 0; i < ROWS; i++)
        for (int k = 0; k < DEPTH; k++)
            a[i][k] = (double)((i * 7 + k * 3) % 101) / 37;
    for (int k = 0; k < DEPTH; k++)
        for (int j = 0; j < COLS; j++)
            b[k][j] = (double)((k * 5 + j * 11) % 103) / 41;
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < COLS; j++)
            c[i][j] = (double)((i + j) % 17) / 19;
}

static void multiply(void)
{
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < COLS; j++)
            for (int k = 0; k < DEPTH; k++)
                c[i][j] += a[i][k] * b[k][j];
}

int main(int argc, char **argv)
{
    fill();
    multiply();
    if (argc > 1 && !strcmp(argv[1], "dump"))
        for (int i = 0; i < ROWS; i++)
            for (int j = 0; j < COLS; j++)
                printf("%a\n", c[i][j]);
    return 0;
}
