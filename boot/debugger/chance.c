/* Loaded into Bochs before the C library: its RDRAND draws from rand(), which would differ in each
 * run. With these two, a machine that gets the same input does the same at each tick. */
#include <stdint.h>
#include <stdlib.h>

static uint64_t state = 0x9e3779b97f4a7c15;

int rand(void)
{
    state = state * 6364136223846793005 + 1442695040888963407;
    return (int)(state >> 33);
}

void srand(unsigned seed)
{
    (void)seed;
}
