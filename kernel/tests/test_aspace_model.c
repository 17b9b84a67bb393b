/* Random operations on several address spaces against the flat model, with failing allocations. */
#include "test.h"

#include "host/files.h"
#include "host/ram.h"
#include "tests/model.h"

static uint64_t rng_state;

static uint8_t rng_byte(void)
{
    rng_state = rng_state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint8_t)(rng_state >> 40);
}

static void run_sequences(enum ram_layout layout, unsigned sequences, uint64_t seed)
{
    static uint8_t data[SCRIPT_OPS_MAX * 4];
    ram_start(layout, 4096);
    files_start(0);
    rng_state = seed;
    for (unsigned n = 0; n < sequences; n++) {
        size_t size = 4 * (size_t)(1 + rng_byte());
        for (size_t i = 0; i < size; i++)
            data[i] = rng_byte();
        for (size_t i = 0; n % 2 && i < size; i += 4)
            data[i] &= 15; /* every other one without failing allocations */
        script_run(data, size);
    }
    files_stop();
    frame_check();
}

static void random_operations_agree_with_the_model(void **state)
{
    (void)state;
    run_sequences(RAM_LINEAR, 3000, 1);
}

static void random_operations_in_sparse_memory(void **state)
{
    (void)state;
    run_sequences(RAM_SPARSE, 1000, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_operations_agree_with_the_model),
        cmocka_unit_test(random_operations_in_sparse_memory),
    };
    return cmocka_run_group_tests_name("aspace-model", tests, NULL, NULL);
}
