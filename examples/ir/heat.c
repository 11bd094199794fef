/* Heat spreading over a plate. The argument `dump` prints the plate in hexadecimal floats. */
#include <stdio.h>
#include <string.h>

#define STEPS 120
#define SIDE 400

static double now[SIDE][SIDE], next[SIDE][SIDE];

static void fill(void)
{
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++)
            now[i][j] = next[i][j] = (double)((i * 13 + j * 7) % 251) / 250;
}

static void spread(void)
{
    for (int t = 0; t < STEPS; t++) {
        for (int i = 1; i < SIDE - 1; i++)
            for (int j = 1; j < SIDE - 1; j++)
                next[i][j] = 0.2 * (now[i][j] + now[i][j - 1] + now[i][j + 1] + now[i - 1][j] + now[i + 1][j]);
        for (int i = 1; i < SIDE - 1; i++)
            for (int j = 1; j < SIDE - 1; j++)
                now[i][j] = next[i][j];
    }
}

int main(int argc, char **argv)
{
    fill();
    spread();
    if (argc > 1 && !strcmp(argv[1], "dump"))
        for (int i = 0; i < SIDE; i++)
            for (int j = 0; j < SIDE; j++)
                printf("%a\n", now[i][j]);
    return 0;
}
