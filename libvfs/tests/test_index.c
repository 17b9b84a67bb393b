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

int index_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_reach_the_last_index),
        cmocka_unit_test(pieces_come_and_go),
        cmocka_unit_test(an_index_that_cannot_grow_works),
        cmocka_unit_test(an_index_has_a_largest_size),
        cmocka_unit_test(hashes_do_not_decide),
    };
    return cmocka_run_group_tests_name("index", tests, NULL, NULL);
}
