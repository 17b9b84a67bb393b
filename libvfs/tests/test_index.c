/* The two indices from the inside, where no tree of names or pages that a test can afford leads:
 * the sparse array up to its last index, and the index of names beyond two levels of pieces. */
#include "tests.h"
#include "dcache.h"
#include "radix.h"

static void arrays_reach_the_last_index(void **state)
{
    static const uint64_t indices[] = {0, 1, UINT64_C(1) << 60, UINT64_MAX - 1, UINT64_MAX};
    const size_t count = sizeof(indices) / sizeof(indices[0]);
    struct world w;
    char thing[5];
    static const unsigned bits[] = {RADIX_DIR_BITS, RADIX_PAGE_BITS};
    world_begin(&w, NULL);
    struct umvfs_sb *sb = w.task.root.mnt->sb;
    for (size_t b = 0; b < 2; b++) {
        struct umvfs_radix tree = {0};
        uint64_t bytes = sb->bytes;
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(umvfs_radix_reserve(sb, &tree, bits[b], indices[i]), 0);
            umvfs_radix_set(&tree, bits[b], indices[i], &thing[i]);
        }
        for (size_t i = 0; i < count; i++) {
            uint64_t at = i ? indices[i - 1] + 1 : 0;
            assert_ptr_equal(umvfs_radix_next(&tree, bits[b], &at), &thing[i]);
            assert_true(at == indices[i]);
        }
        for (size_t i = count; i-- > 0;) {
            uint64_t at = indices[i];
            assert_ptr_equal(umvfs_radix_clear(sb, &tree, bits[b], at), &thing[i]);
            assert_null(umvfs_radix_get(&tree, bits[b], at));
            assert_null(umvfs_radix_clear(sb, &tree, bits[b], at));
            assert_null(umvfs_radix_next(&tree, bits[b], &at));
        }
        assert_null(tree.root);
        assert_true(sb->bytes == bytes);
    }
    world_end(&w);
}

/* Twice as many buckets are more than two levels hold. */
#define NAMES (TABLE_FAN * TABLE_FAN / 2 + 428)

static bool is_in_bucket(const struct world *w, const struct umvfs_dentry *wanted)
{
    const struct umvfs_dentry *at = *umvfs_table_slot(&w->vfs->table, wanted->hash);
    while (at && at != wanted)
        at = at->hash_next;
    return at != NULL;
}

static void pieces_come_and_go(void **state)
{
    struct world w;
    struct umvfs_dentry *made = calloc(NAMES, sizeof(*made));
    assert_non_null(made);
    world_begin(&w, NULL);
    uint64_t objects = w.host.objects;
    for (uint32_t i = 0; i < NAMES; i++) {
        made[i].hash = i * 2654435761u;
        umvfs_table_add(w.vfs, &made[i]);
    }
    assert_int_equal(w.vfs->table.height, 2);
    assert_int_equal(w.vfs->table.buckets, 2 * NAMES);
    for (uint32_t i = 0; i < NAMES; i += 997) {
        assert_true(is_in_bucket(&w, &made[i]));
    }
    for (uint32_t i = 0; i < NAMES; i++)
        umvfs_table_del(w.vfs, &made[i]);
    assert_int_equal(w.vfs->table.height, 0);
    assert_int_equal(w.vfs->table.buckets, TABLE_FAN);
    assert_int_equal(w.host.objects, objects);
    world_end(&w);
    free(made);
}

/* Without memory for all pieces of a step it takes none, stays as it is and works, and grows later.
 */
static void an_index_that_cannot_grow_works(void **state)
{
    struct world w;
    struct umvfs_dentry *made = calloc(TABLE_FAN, sizeof(*made));
    uint32_t count = 0;
    assert_non_null(made);
    world_begin(&w, NULL);
    uint64_t objects = w.host.objects;
    w.host.fail_at = w.host.calls + 2; /* a second level takes two pieces */
    w.host.fail_after = true;
    for (; w.host.failed < 4; count++) {
        assert_true(count < TABLE_FAN);
        made[count].hash = count * 2654435761u;
        umvfs_table_add(w.vfs, &made[count]);
    }
    assert_int_equal(w.vfs->table.buckets, TABLE_FAN);
    assert_int_equal(w.vfs->table.height, 0);
    assert_int_equal(w.host.objects, objects);
    for (uint32_t i = 0; i < count; i++) {
        assert_true(is_in_bucket(&w, &made[i]));
    }
    w.host.fail_at = 0;
    made[count].hash = count * 2654435761u;
    umvfs_table_add(w.vfs, &made[count++]);
    assert_int_equal(w.vfs->table.buckets, TABLE_FAN + 2);
    while (count > 0)
        umvfs_table_del(w.vfs, &made[--count]);
    assert_int_equal(w.vfs->table.buckets, TABLE_FAN);
    assert_int_equal(w.host.objects, objects);
    world_end(&w);
    free(made);
}

/* There are no more buckets than hashes. Nobody has so many names: the table is told that it has.
 */
static void an_index_has_a_largest_size(void **state)
{
    const uint64_t most = UINT64_C(1) << 32;
    struct world w;
    struct umvfs_dentry made = {.hash = 0x12345678u};
    world_begin(&w, NULL);
    struct umvfs_table *table = &w.vfs->table;
    uint64_t entries = table->entries;
    uint64_t objects = w.host.objects;
    table->buckets = most;
    table->entries = most / 2;
    umvfs_table_add(w.vfs, &made);
    assert_true(table->buckets == most);
    assert_true(table->entries == most / 2 + 1);
    assert_int_equal(w.host.objects, objects);
    assert_ptr_equal(*umvfs_table_slot(table, made.hash), &made);
    table->buckets = TABLE_FAN;
    table->entries = entries + 1;
    umvfs_table_del(w.vfs, &made);
    assert_int_equal(table->entries, entries);
    world_end(&w);
}

/* Equal hashes are not equal names, nor is a name in another directory the same. */
static void hashes_do_not_decide(void **state)
{
    static const char *const others[] = {"n2", "n11", "a-name-that-does-not-fit-a-dentry", ""};
    struct world w;
    struct umvfs_path dir;
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "mkdir /d"), 0);
    assert_int_equal(run(&w, "write /n1 x"), 0);
    assert_int_equal(umvfs_lookup(&w.task, NULL, "/d", 0, 0, &dir), 0);
    struct umvfs_name name = umvfs_name_of(w.task.root.dentry, "n1", 2);
    assert_non_null(umvfs_table_find(w.vfs, w.task.root.dentry, &name));
    assert_null(umvfs_table_find(w.vfs, dir.dentry, &name));
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        struct umvfs_name other = umvfs_name_of(w.task.root.dentry, others[i], strlen(others[i]));
        other.hash = name.hash;
        assert_null(umvfs_table_find(w.vfs, w.task.root.dentry, &other));
    }
    umvfs_path_put(&dir);
    world_end(&w);
}

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

/* An attribute begins like this. */
struct attribute {
    struct attribute *next;
    uint32_t hash;
};

static uint32_t hash_of_attribute(struct world *w, const char *name)
{
    assert_int_equal(umvfs_setxattr(&w->task, NULL, "/", name, "", 0, 0, 0), 0);
    uint32_t hash = ((const struct attribute *)w->task.root.dentry->inode->xattrs)->hash;
    assert_int_equal(umvfs_removexattr(&w->task, NULL, "/", name, 0), 0);
    return hash;
}

/* Whoever does not know the seed cannot choose names that have one hash: these had, by a sum of products. */
static void attributes_hash_by_the_seed(void **state)
{
    struct umvfs_config config;
    struct host host;
    struct world w;
    world_begin(&w, NULL);
    uint32_t hash = hash_of_attribute(&w, "user.Ab");
    assert_int_not_equal(hash, hash_of_attribute(&w, "user.BA"));
    assert_int_equal(hash_of_attribute(&w, ONE_HASH), hash_of_attribute(&w, SAME_HASH));
    world_end(&w);
    config = host_config(&host);
    config.seed[0]++;
    world_begin(&w, &config);
    assert_int_not_equal(hash, hash_of_attribute(&w, "user.Ab"));
    assert_int_not_equal(hash_of_attribute(&w, ONE_HASH), hash_of_attribute(&w, SAME_HASH));
    world_end(&w);
}

int index_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_reach_the_last_index),
        cmocka_unit_test(pieces_come_and_go),
        cmocka_unit_test(an_index_that_cannot_grow_works),
        cmocka_unit_test(an_index_has_a_largest_size),
        cmocka_unit_test(hashes_do_not_decide),
        cmocka_unit_test(depends_on_seed_and_directory),
        cmocka_unit_test(collisions_do_not_carry_over),
        cmocka_unit_test(index_stays_without_memory),
        cmocka_unit_test(attributes_hash_by_the_seed),
    };
    return cmocka_run_group_tests_name("index", tests, NULL, NULL);
}
