#include "tests.h"

#include "dcache.h"

/* The hashes that two directories and two seeds give to the same name. */
static uint32_t hash_of(uint64_t seed, const char *dir, const char *name)
{
    struct world w;
    struct host host = {0};
    struct umvfs_config config = host_config(&host);
    struct umvfs_path place;
    config.seed[0] = seed;
    world_begin(&w, &config);
    assert_int_equal(run(&w, "mkdir /a"), 0);
    assert_int_equal(run(&w, "mkdir /b"), 0);
    assert_int_equal(umvfs_lookup(&w.task, NULL, dir, 0, 0, &place), 0);
    uint32_t hash = umvfs_name_of(place.dentry, name, strlen(name)).hash;
    umvfs_path_put(&place);
    world_end(&w);
    return hash;
}

static void depends_on_seed_and_directory(void **state)
{
    uint32_t hash = hash_of(1, "/a", "name");
    assert_int_equal(hash, hash_of(1, "/a", "name"));
    assert_int_not_equal(hash, hash_of(2, "/a", "name"));
    assert_int_not_equal(hash, hash_of(1, "/b", "name"));
    assert_int_not_equal(hash, hash_of(1, "/a", "nam"));
}

/* Names chosen to meet in one bucket under one seed lie apart under another: an attacker who does
 * not know the seed gains nothing. */
static void collisions_do_not_carry_over(void **state)
{
    struct world w[2];
    struct host host = {0};
    char names[64][16];
    unsigned found = 0;
    unsigned met[512] = {0};
    for (unsigned i = 0; i < 2; i++) {
        struct umvfs_config config = host_config(&host);
        config.seed[0] = i;
        world_begin(&w[i], &config);
    }
    for (unsigned n = 0; found < 64; n++) {
        snprintf(names[found], sizeof(names[0]), "n%u", n);
        found +=
            umvfs_name_of(w[0].task.root.dentry, names[found], strlen(names[found])).hash % 512 ==
            7;
    }
    for (unsigned i = 0; i < found; i++)
        met[umvfs_name_of(w[1].task.root.dentry, names[i], strlen(names[i])).hash % 512]++;
    for (unsigned i = 0; i < 512; i++)
        assert_true(met[i] < 8);
    world_end(&w[0]);
    world_end(&w[1]);
}

static void make_files(struct world *w, unsigned from, unsigned to, int expected)
{
    char line[32];
    for (unsigned i = from; i < to; i++) {
        snprintf(line, sizeof(line), "mknod /%u 0100644", i);
        assert_int_equal(run(w, line), expected);
    }
}

/* The index takes its next pieces when there are more names than the first has buckets. Whichever
 * allocation fails then, names are found, and it grows later. */
static void index_stays_without_memory(void **state)
{
    bool failed = true;
    for (uint64_t n = 1; failed; n++) {
        struct world w;
        const unsigned names = 3 * TABLE_FAN + 64;
        char line[32];
        world_begin(&w, NULL);
        make_files(&w, 0, TABLE_FAN, 0);
        snprintf(line, sizeof(line), "mknod /%u 0100644", TABLE_FAN);
        w.host.fail_at = w.host.calls + n;
        int result = run(&w, line);
        failed = w.host.failed > 0;
        w.host.fail_at = 0;
        make_files(&w, TABLE_FAN, TABLE_FAN + 1, result ? 0 : -UMVFS_EEXIST);
        make_files(&w, TABLE_FAN + 1, names, 0);
        assert_true(w.vfs->table.buckets > 2 * TABLE_FAN);
        make_files(&w, 0, names, -UMVFS_EEXIST);
        for (unsigned i = 0; i < names; i++) {
            snprintf(line, sizeof(line), "unlink /%u", i);
            assert_int_equal(run(&w, line), 0);
        }
        assert_int_equal(w.vfs->table.buckets, TABLE_FAN);
        world_end(&w);
    }
}

int hash_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(depends_on_seed_and_directory),
        cmocka_unit_test(collisions_do_not_carry_over),
        cmocka_unit_test(index_stays_without_memory),
    };
    return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
