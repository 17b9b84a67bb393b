#include "tests.h"

static void sticky_directories(void **state)
{
    static const struct step steps[] = {
        {"mkdir /tmp", 0},
        {"chmod /tmp 1777", 0},
        {"as alice", 0},
        {"write /tmp/a x", 0},
        {"mkdir /tmp/d", 0},
        {"as bob", 0},
        {"unlink /tmp/a", -UMVFS_EPERM},
        {"rename /tmp/a /tmp/b", -UMVFS_EPERM},
        {"rmdir /tmp/d", -UMVFS_EPERM},
        {"write /tmp/b x", 0},
        {"rename /tmp/b /tmp/a", -UMVFS_EPERM},
        {"chmod /tmp/a 0777", -UMVFS_EPERM},
        {"chown /tmp/a 1001 1001", -UMVFS_EPERM},
        {"chown /tmp/b 1001 1000", -UMVFS_EPERM},
        {"chown /tmp/b 1001 1001", 0},
        {"open /tmp/a w", -UMVFS_EACCES},
        {"truncate /tmp/a 0", -UMVFS_EACCES},
        {"access /tmp/a r", 0},
        {"access /tmp/a rw", -UMVFS_EACCES},
        {"mknod /tmp/n 020644 5", -UMVFS_EPERM},
        {"open /tmp/a rA", -UMVFS_EPERM},
        {"as alice", 0},
        {"unlink /tmp/a", 0},
        {"as root", 0},
        {"unlink /tmp/b", 0},
        {0},
    };
    run_world(steps);
}

static void protected_rules(void **state)
{
    struct world w;
    struct host host = {0};
    struct umvfs_config config = host_config(&host);
    config.protected_symlinks = config.protected_hardlinks = 1;
    config.protected_fifos = config.protected_regular = 1;
    static const struct step steps[] = {
        {"mkdir /tmp", 0},
        {"chmod /tmp 1777", 0},
        {"write /secret x", 0},
        {"chmod /secret 0600", 0},
        {"as alice", 0},
        {"symlink /secret /tmp/l", 0},
        {"write /tmp/r x", 0},
        {"chmod /tmp/r 0666", 0},
        {"umask 0", 0},
        {"mknod /tmp/p 010666", 0},
        {"link /secret /tmp/h", -UMVFS_EPERM},
        {"link /tmp/r /tmp/h", 0},
        {"as bob", 0},
        {"stat /tmp/l", -UMVFS_EACCES},
        {"open /tmp/r bc", -UMVFS_EACCES},
        {"open /tmp/r b", 0},
        {"open /tmp/p bc", -UMVFS_EACCES},
        {"as alice", 0},
        {"open /tmp/r bc", 0},
        {"stat /tmp/l", 0},
        {"as root", 0},
        {"stat /tmp/l", -UMVFS_EACCES},
        {"open /tmp/r bc", -UMVFS_EACCES},
        {0},
    };
    world_begin(&w, &config);
    run_steps(&w, steps);
    umvfs_set_protection(w.vfs, 0, 0, 0, 0);
    assert_int_equal(run(&w, "stat /tmp/l"), 0);
    assert_int_equal(run(&w, "open /tmp/r bc"), 0);
    world_end(&w);
}

/* The rules of sticky directories by their level, and who is exempt. */
static void protected_levels(void **state)
{
    static const struct {
        const char *dir;
        uint8_t level;
        const char *as;
        const char *command;
        int expected;
    } cases[] = {
        {"chmod /t 1775", 1, "as bob", "open /t/r bc", 0},
        {"chmod /t 1775", 2, "as bob", "open /t/r bc", -UMVFS_EACCES},
        {"chmod /t 1755", 2, "as bob", "open /t/r bc", 0},
        {"chmod /t 0777", 2, "as bob", "open /t/r bc", 0},
        {"chmod /t 1777", 0, "as bob", "open /t/r bc", 0},
        {"chmod /t 1777", 0, "as bob", "open /t/p bc", 0},
        {"chmod /t 1777", 1, "as bob", "open /t/own bc", 0},
        {"chmod /t 1777", 1, "as bob", "stat /t/l", -UMVFS_EACCES},
        {"chmod /t 0777", 1, "as bob", "stat /t/l", 0},
        {"chmod /t 1775", 1, "as bob", "stat /t/l", 0},
        {"chmod /t 1777", 1, "as bob", "stat /t/lown", 0},
        {"chmod /t 1777", 1, "as bob", "link /t/suid /t/h", -UMVFS_EPERM},
        {"chmod /t 1777", 1, "as bob", "link /t/sgid /t/h", -UMVFS_EPERM},
        {"chmod /t 1777", 1, "as bob", "link /t/p /t/h", -UMVFS_EPERM},
        {"chmod /t 1777", 1, "as alice", "link /t/suid /t/h", 0},
        {"chmod /t 1777", 1, "as root", "link /t/suid /t/h", 0},
        {"chmod /t 1777", 0, "as bob", "link /t/suid /t/h", 0},
    };
    static const struct step setting[] = {
        {"umask 0", 0},
        {"mkdir /t 0777", 0},
        {"as alice", 0},
        {"write /t/r x", 0},
        {"chmod /t/r 0666", 0},
        {"mknod /t/p 010666", 0},
        {"symlink r /t/l", 0},
        {"write /t/suid x", 0},
        {"chmod /t/suid 04666", 0},
        {"write /t/sgid x", 0},
        {"chmod /t/sgid 02676", 0},
        {"as root", 0},
        {"write /t/own x", 0},
        {"chmod /t/own 0666", 0},
        {"symlink r /t/lown", 0},
        {0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct world w;
        uint8_t level = cases[i].level;
        world_begin(&w, NULL);
        run_steps(&w, setting);
        umvfs_set_protection(w.vfs, level, level, level, level);
        assert_int_equal(run(&w, cases[i].dir), 0);
        assert_int_equal(run(&w, cases[i].as), 0);
        int result = run(&w, cases[i].command);
        if (result != cases[i].expected)
            fail_msg("%s, %s, %u: %d", cases[i].dir, cases[i].command, level, result);
        assert_int_equal(run(&w, "as root"), 0);
        world_end(&w);
    }
}

/* What each of the two capabilities over permissions allows on a directory and a file of mode 0. */
static void capabilities_allow(void **state)
{
    static const struct {
        uint32_t caps;
        const char *command;
        int expected;
    } cases[] = {
        {UMVFS_CAP_DAC_READ_SEARCH, "stat /d/f", 0},
        {UMVFS_CAP_DAC_READ_SEARCH, "open /d r", 0},
        {UMVFS_CAP_DAC_READ_SEARCH, "mkdir /d/new", -UMVFS_EACCES},
        {UMVFS_CAP_DAC_READ_SEARCH, "open /f r", 0},
        {UMVFS_CAP_DAC_READ_SEARCH, "open /f w", -UMVFS_EACCES},
        {UMVFS_CAP_DAC_READ_SEARCH, "access /f rw", -UMVFS_EACCES},
        {UMVFS_CAP_DAC_READ_SEARCH, "access /d rx", 0},
        {UMVFS_CAP_DAC_OVERRIDE, "mkdir /d/new", 0},
        {UMVFS_CAP_DAC_OVERRIDE, "open /f b", 0},
        {UMVFS_CAP_DAC_OVERRIDE, "access /f x", -UMVFS_EACCES},
        {UMVFS_CAP_DAC_OVERRIDE, "access /d rwx", 0},
        {UMVFS_CAP_FOWNER, "stat /d/f", -UMVFS_EACCES},
    };
    static const struct step setting[] = {{"mkdir /d", 0},   {"write /d/f x", 0}, {"write /f x", 0},
                                          {"chmod /d 0", 0}, {"chmod /f 0", 0},   {0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct world w;
        world_begin(&w, NULL);
        run_steps(&w, setting);
        w.cred = (struct umvfs_cred){.uid = 7, .gid = 7, .caps = cases[i].caps};
        int result = run(&w, cases[i].command);
        if (result != cases[i].expected)
            fail_msg("%s: %d", cases[i].command, result);
        world_end(&w);
    }
}

static uint32_t mode_of(struct world *w, const char *path)
{
    struct umvfs_stat st;
    assert_int_equal(umvfs_stat(&w->task, NULL, path, 0, &st), 0);
    return st.mode & UMVFS_S_IALL;
}

static void set_id_bits_are_dropped(void **state)
{
    struct world w;
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "write /f x"), 0);
    assert_int_equal(run(&w, "chmod /f 06777"), 0);
    assert_int_equal(run(&w, "append /f y"), 0);
    assert_int_equal(mode_of(&w, "/f"), 0777); /* umvfs_write has no privileges */
    assert_int_equal(run(&w, "chmod /f 06777"), 0);
    assert_int_equal(run(&w, "chown /f 1 1"), 0);
    assert_int_equal(mode_of(&w, "/f"), 0777);
    assert_int_equal(run(&w, "mkdir /g"), 0);
    assert_int_equal(run(&w, "chown /g 0 1000"), 0);
    assert_int_equal(run(&w, "chmod /g 02777"), 0);
    assert_int_equal(run(&w, "mkdir /g/d"), 0);
    assert_int_equal(mode_of(&w, "/g/d"), 02755);
    assert_int_equal(run(&w, "as bob"), 0);
    assert_int_equal(run(&w, "umask 0"), 0);
    assert_int_equal(run(&w, "mknod /g/f 02770"), 0);
    assert_int_equal(mode_of(&w, "/g/f"), 0770);
    assert_int_equal(run(&w, "chmod /g/f 02770"), 0);
    assert_int_equal(mode_of(&w, "/g/f"), 0770);
    assert_int_equal(run(&w, "as root"), 0);
    world_end(&w);
}

/* As tmpfs: every second is kept, and no nanoseconds at the two ends. */
static void every_second_is_kept(void **state)
{
    static const struct umvfs_time cases[] = {
        {253402300799, 999999999},
        {253402300800, 1},
        {9223372036, 854775807},
        {9223372037, 0},
        {-9223372037, 1},
        {-9223372038, 999999999},
        {INT64_MAX - 1, 999999999},
        {INT64_MAX, 999999999},
        {INT64_MIN + 1, 999999999},
        {INT64_MIN, 999999999},
        {-1, 999999999},
        {0, 0},
    };
    static const uint32_t invalid[] = {1000000000, 0x3ffffffd, 0x40000000, UINT32_MAX};
    struct world w;
    struct umvfs_stat st;
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "write /f x"), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct umvfs_time both[2] = {cases[i], cases[i]};
        bool extreme = cases[i].sec == INT64_MIN || cases[i].sec == INT64_MAX;
        assert_int_equal(umvfs_utimens(&w.task, NULL, "/f", both, 0), 0);
        assert_int_equal(umvfs_stat(&w.task, NULL, "/f", 0, &st), 0);
        assert_int_equal(st.atime.sec, cases[i].sec);
        assert_int_equal(st.mtime.sec, cases[i].sec);
        assert_int_equal(st.atime.nsec, extreme ? 0 : cases[i].nsec);
        assert_int_equal(st.mtime.nsec, extreme ? 0 : cases[i].nsec);
        assert_int_equal(st.ctime.sec, 0);
    }
    for (size_t i = 0; i < 2 * sizeof(invalid) / sizeof(invalid[0]); i++) {
        struct umvfs_time both[2] = {{0, 0}, {0, 0}};
        both[i % 2].nsec = invalid[i / 2];
        assert_int_equal(umvfs_utimens(&w.task, NULL, "/f", both, 0), -UMVFS_EINVAL);
    }
    assert_int_equal(umvfs_stat(&w.task, NULL, "/f", 0, &st), 0);
    assert_int_equal(st.mtime.sec, 0);
    world_end(&w);
}

/* A read sets the time of access unless that is after the last change, whatever the second is. */
static void reads_set_times_of_access_that_are_old(void **state)
{
    static const struct {
        int64_t sec;
        bool kept;
    } cases[] = {
        {1, true},   {9223372035, true},   {9223372036, true},   {INT64_MAX, true},  {0, false},
        {-1, false}, {-9223372036, false}, {-9223372037, false}, {INT64_MIN, false},
    };
    struct world w;
    struct umvfs_stat st;
    struct umvfs_file file;
    char byte;
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "write /f x"), 0);
    assert_int_equal(umvfs_open(&w.task, NULL, "/f", UMVFS_O_RDONLY, 0, 0, &file), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(umvfs_utimens(&w.task, NULL, "/f", AT(cases[i].sec, INT64_MIN), 0), 0);
        assert_int_equal(umvfs_pread(&file, &byte, 1, 0), 1);
        assert_int_equal(umvfs_stat(&w.task, NULL, "/f", 0, &st), 0);
        assert_int_equal(st.ctime.sec, 0);
        assert_int_equal(st.atime.sec, cases[i].kept ? cases[i].sec : 0);
    }
    umvfs_close(&file);
    world_end(&w);
}

static void times_are_the_embedders(void **state)
{
    static const struct umvfs_time omit = {0, UMVFS_TIME_OMIT}, now = {0, UMVFS_TIME_NOW};
    const struct umvfs_time omit_now[] = {omit, now}, now_now[] = {now, now},
                            omit_omit[] = {omit, omit};
    struct world w;
    struct umvfs_stat st;
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "write /f x"), 0);
    assert_int_equal(umvfs_utimens(&w.task, NULL, "/f", AT(5, -7), 0), 0);
    assert_int_equal(umvfs_stat(&w.task, NULL, "/f", 0, &st), 0);
    assert_int_equal(st.atime.sec, 5);
    assert_int_equal(st.mtime.sec, -7);
    assert_int_equal(umvfs_utimens(&w.task, NULL, "/f", omit_now, 0), 0);
    assert_int_equal(umvfs_stat(&w.task, NULL, "/f", 0, &st), 0);
    assert_int_equal(st.atime.sec, 5);
    assert_int_equal(st.mtime.sec, 0);
    assert_int_equal(st.mtime.nsec, w.host.clock);
    assert_int_equal(run(&w, "as alice"), 0);
    assert_int_equal(umvfs_utimens(&w.task, NULL, "/f", AT(1, 1), 0), -UMVFS_EPERM);
    assert_int_equal(umvfs_utimens(&w.task, NULL, "/f", now_now, 0), -UMVFS_EACCES);
    assert_int_equal(umvfs_utimens(&w.task, NULL, "/f", omit_omit, 0), 0);
    world_end(&w);
}

static const char capability[20] = {1, 0, 0, 2}; /* version 2, effective; none */

static bool has_capability(struct world *w)
{
    char value[24];
    int got = umvfs_getxattr(&w->task, NULL, "/f", "security.capability", value, sizeof(value), 0);
    assert_true(got == (int)sizeof(capability) || got == -UMVFS_ENODATA);
    return got > 0;
}

/* What Linux 6.18 answers on a tmpfs, but that it lets anybody set an empty security.capability. */
static void attributes_of_the_system(void **state)
{
    static const struct step steps[] = {
        {"write /f x", 0},
        {"chmod /f 0", 0},
        {"symlink f /l", 0},
        {"setx /f trusted.a one", 0},
        {"setx /f security.a two", 0},
        {"getx /f trusted.a", 0},
        {"getx /l security.a", 0},
        {"setx /f trusted. x", -UMVFS_EINVAL},
        {"getx /f security. ", -UMVFS_EINVAL},
        {"setx /f system.x x", -UMVFS_EOPNOTSUPP},
        {"getx /f system.posix_acl_access", -UMVFS_ENODATA},
        {"setx /f system.posix_acl_access x", -UMVFS_EINVAL},
        {"setx /f system.posix_acl_access text", -UMVFS_EOPNOTSUPP}, /* another version */
        {"setx /f system.posix_acl_accesS text", -UMVFS_EOPNOTSUPP},
        {"setx /f security.capability x", -UMVFS_EINVAL},
        {"rmx /f trusted.none", -UMVFS_ENODATA},
        {"rmx /f security.none", -UMVFS_ENODATA},
        {"as alice", 0},
        {"getx /f trusted.a", -UMVFS_ENODATA},
        {"setx /f trusted.a x", -UMVFS_EPERM},
        {"setx /f trusted. x", -UMVFS_EPERM},
        {"getx /f trusted.", -UMVFS_ENODATA},
        {"getx /f security.a", 0}, /* though she may not read the file */
        {"getx /f security.", -UMVFS_EINVAL},
        {"setx /f security.a x", -UMVFS_EPERM},
        {"setx /f security.capability x", -UMVFS_EINVAL},
        {"rmx /f security.none", -UMVFS_EPERM},
        {"rmx /f trusted.a", -UMVFS_EPERM},
        {"rmx /f security.a", -UMVFS_EPERM},
        {"rmx /f security.capability", -UMVFS_EPERM},
        {"getx /f foo.x", -UMVFS_EACCES},
        {"setx /f system.x x", -UMVFS_EOPNOTSUPP},
        {"as root", 0},
        {0},
    };
    struct world w;
    char list[64];
    const char *name = "security.capability";
    world_begin(&w, NULL);
    run_steps(&w, steps);
    assert_int_equal(umvfs_listxattr(&w.task, NULL, "/f", list, 21, 0), 21);
    assert_memory_equal(list, "trusted.a\0security.a", 21);
    assert_int_equal(umvfs_listxattr(&w.task, NULL, "/f", list, 20, 0), -UMVFS_ERANGE);
    w.cred.caps &= ~UMVFS_CAP_SYS_ADMIN;
    assert_int_equal(umvfs_listxattr(&w.task, NULL, "/f", list, 11, 0), 11);
    assert_string_equal(list, "security.a");
    assert_int_equal(umvfs_listxattr(&w.task, NULL, "/f", list, 0, 0), 11);
    assert_int_equal(umvfs_setxattr(&w.task, NULL, "/f", name, capability, 20, 0, 0), 0);
    assert_int_equal(umvfs_setxattr(&w.task, NULL, "/f", name, capability, 19, 0, 0),
                     -UMVFS_EINVAL);
    assert_int_equal(umvfs_setxattr(&w.task, NULL, "/f", name, "", 0, 0, 0), -UMVFS_EINVAL);
    static const struct {
        char bytes[24];
        size_t size;
        int expected;
    } values[] = {{"\0\0\0\3", 20, -UMVFS_EINVAL}, /* of version 3, as long as one of 2 */
                  {"\0\0\0\2", 24, -UMVFS_EINVAL},
                  {"\1\0\0\3", 24, 0},
                  {"\0\0\0\4", 24, -UMVFS_EINVAL}};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        assert_int_equal(
            umvfs_setxattr(&w.task, NULL, "/f", name, values[i].bytes, values[i].size, 0, 0),
            values[i].expected);
    w.cred.caps = UMVFS_CAP_ALL & ~UMVFS_CAP_SETFCAP;
    assert_int_equal(umvfs_setxattr(&w.task, NULL, "/f", name, capability, 20, 0, 0), -UMVFS_EPERM);
    static const char *const takers[] = {"append /f x", "truncate /f 0", "chown /f 0 0",
                                         "open /f wt"};
    for (size_t i = 0; i < sizeof(takers) / sizeof(takers[0]); i++) {
        w.cred.caps = UMVFS_CAP_ALL;
        assert_int_equal(umvfs_setxattr(&w.task, NULL, "/f", name, capability, 20, 0, 0), 0);
        assert_int_equal(run(&w, "chmod /f 0644"), 0);
        assert_true(has_capability(&w));
        assert_int_equal(run(&w, takers[i]), 0);
        assert_false(has_capability(&w));
    }
    assert_int_equal(run(&w, "getx /f trusted.a"), 3);
    world_end(&w);
}

static void extended_attributes(void **state)
{
    struct world w;
    char list[64];
    char value[UMVFS_XATTR_VALUE_MAX + 1];
    char name[300] = "user.";
    static const struct step steps[] = {
        {"write /f x", 0},
        {"mknod /p 010666", 0},
        {"setx /f user.a one", 0},
        {"setx /f user.b two", 0},
        {"setx /f user.a three", 0},
        {"getx /f user.c", -UMVFS_ENODATA},
        {"setx /f trusted.a x", 0},
        {"setx /f user. x", -UMVFS_EINVAL},
        {"setx /p user.a x", -UMVFS_EPERM},
        {"getx /p user.a", -UMVFS_ENODATA},
        {"rmx /f user.c", -UMVFS_ENODATA},
        {"rmx /f user.b", 0},
        {0},
    };
    world_begin(&w, NULL);
    run_steps(&w, steps);
    assert_int_equal(umvfs_listxattr(&w.task, NULL, "/p", list, 0, 0), 0);
    assert_int_equal(umvfs_getxattr(&w.task, NULL, "/f", "user.a", value, 5, 0), 5);
    assert_memory_equal(value, "three", 5);
    assert_int_equal(umvfs_getxattr(&w.task, NULL, "/f", "user.a", value, 4, 0), -UMVFS_ERANGE);
    assert_int_equal(umvfs_getxattr(&w.task, NULL, "/f", "user.a", NULL, 0, 0), 5);
    assert_int_equal(umvfs_removexattr(&w.task, NULL, "/f", "trusted.a", 0), 0);
    assert_int_equal(umvfs_listxattr(&w.task, NULL, "/f", list, sizeof(list), 0), 7);
    assert_string_equal(list, "user.a");
    assert_int_equal(umvfs_listxattr(&w.task, NULL, "/f", list, 6, 0), -UMVFS_ERANGE);
    assert_int_equal(umvfs_setxattr(&w.task, NULL, "/f", "user.a", "x", 1, UMVFS_XATTR_CREATE, 0),
                     -UMVFS_EEXIST);
    assert_int_equal(umvfs_setxattr(&w.task, NULL, "/f", "user.z", "x", 1, UMVFS_XATTR_REPLACE, 0),
                     -UMVFS_ENODATA);
    /* one hash, under the seed of the tests */
    assert_int_equal(umvfs_setxattr(&w.task, NULL, "/f", ONE_HASH, "1", 1, 0, 0), 0);
    assert_int_equal(umvfs_setxattr(&w.task, NULL, "/f", SAME_HASH, "22", 2, 0, 0), 0);
    assert_int_equal(umvfs_getxattr(&w.task, NULL, "/f", ONE_HASH, value, 5, 0), 1);
    assert_int_equal(umvfs_getxattr(&w.task, NULL, "/f", SAME_HASH, value, 5, 0), 2);
    assert_int_equal(umvfs_removexattr(&w.task, NULL, "/f", ONE_HASH, 0), 0);
    assert_int_equal(umvfs_removexattr(&w.task, NULL, "/f", SAME_HASH, 0), 0);
    /* one hash of two lengths */
    assert_int_equal(umvfs_setxattr(&w.task, NULL, "/f", "user.1034530", "1", 1, 0, 0), 0);
    assert_int_equal(umvfs_getxattr(&w.task, NULL, "/f", "user.082146", value, 5, 0),
                     -UMVFS_ENODATA);
    assert_int_equal(umvfs_removexattr(&w.task, NULL, "/f", "user.1034530", 0), 0);
    memset(value, 'v', sizeof(value));
    for (size_t size = UMVFS_XATTR_VALUE_MAX - 1; size <= UMVFS_XATTR_VALUE_MAX + 1; size++)
        assert_int_equal(umvfs_setxattr(&w.task, NULL, "/f", "user.v", value, size, 0, 0),
                         size <= UMVFS_XATTR_VALUE_MAX ? 0 : -UMVFS_ENOSPC);
    assert_int_equal(umvfs_setxattr(&w.task, NULL, "/f", "user.v", value, 65537, 0, 0),
                     -UMVFS_E2BIG);
    for (size_t len = UMVFS_XATTR_NAME_MAX - 1; len <= UMVFS_XATTR_NAME_MAX + 1; len++) {
        memset(name + 5, 'n', len - 5);
        name[len] = '\0';
        assert_int_equal(umvfs_setxattr(&w.task, NULL, "/f", name, "x", 1, 0, 0),
                         len <= UMVFS_XATTR_NAME_MAX ? 0 : -UMVFS_ERANGE);
    }
    world_end(&w);
}

/* The answers are those of Linux 6.18 on a tmpfs; user/tests/same compares more of them. */
static void acls_decide(void **state)
{
    static const struct step steps[] = {
        {"write /f x", 0},
        {"chown /f 0 100", 0},
        {"chmod /f 600", 0},
        {"acl /f u=6,u1000=4,g=0,m=6,o=4", 0},
        {"mode? /f 664", 0},
        {"as alice", 0},
        {"access /f r", 0},
        {"access /f w", -UMVFS_EACCES},
        {"acl /f u=7,g=7,o=7", -UMVFS_EPERM},
        {"acl? /f u=6,u1000=4,g=0,m=6,o=4", 0},
        {"as bob", 0},
        {"access /f r", 0},
        {"access /f w", -UMVFS_EACCES},
        {"as root", 0},
        {"acl /f u=6,u1000=7,u1001=0,g=0,g1001=6,m=5,o=7", 0},
        {"as alice", 0},
        {"access /f rx", 0},
        {"access /f w", -UMVFS_EACCES}, /* by the mask */
        {"as bob", 0},
        {"access /f r", -UMVFS_EACCES}, /* the entry of the user, not that of the group */
        {"as root", 0},
        {"acl /f u=6,g=0,g1000=4,g1001=2,m=7,o=7", 0},
        {"as alice", 0},
        {"access /f r", 0},
        {"access /f rw", -UMVFS_EACCES},
        {"access /f x", -UMVFS_EACCES}, /* a member of a group is not another */
        {"as bob", 0},
        {"access /f w", 0},
        {"access /f r", -UMVFS_EACCES},
        {"as root", 0},
        {"acl /f u=6,u1000=7,g=7,m=0,o=4", 0},
        {"as alice", 0},
        {"access /f r", 0}, /* with a mask of 0 the mode decides, as on Linux */
        {"access /f w", -UMVFS_EACCES},
        {"as root", 0},
        {"chmod /f 751", 0},
        {"acl? /f u=7,u1000=7,g=7,m=5,o=1", 0},
        {"acl /f u=6,g=4,o=0", 0}, /* no more than a mode says */
        {"acl? /f -", 0},
        {"mode? /f 640", 0},
        {"acl /f u=6,u1=7,g=4,m=7,o=0", 0},
        {"acl /f -", 0},
        {"acl /f -", 0},
        {"mode? /f 670", 0},
        {0},
    };
    run_world(steps);
}

static void acls_are_checked(void **state)
{
    static const struct step steps[] = {
        {"write /f x", 0},
        {"mkdir /d", 0},
        {"symlink f /l", 0},
        {"acl /f u=6,u1000=4,g=0,o=4", -UMVFS_EINVAL}, /* no mask */
        {"acl /f u=6,g=0", -UMVFS_EINVAL},
        {"acl /f g=0,u=6,o=4", -UMVFS_EINVAL},
        {"acl /f u=6,u=6,g=0,o=4", -UMVFS_EINVAL},
        {"acl /f u=6,g=0,m=1,m=1,o=4", -UMVFS_EINVAL},
        {"acl /f u=6,g=0,o=8", -UMVFS_EINVAL},
        {"acl /f u=6,u4294967295=1,g=0,m=1,o=4", -UMVFS_EINVAL},
        {"acl /f u=6,u1000=1,u1000=2,g=0,m=1,o=4", 0}, /* the first counts */
        {"acl /f u=6,g=0,o=4 default", -UMVFS_EACCES},
        {"acl /f - default", 0},
        {"chown /f 1000 555", 0},
        {"chmod /f 2755", 0},
        {"acl /f u=7,g=5,o=5", 0},
        {"mode? /f 2755", 0},
        {"as alice", 0},
        {"acl /f u=7,g=5,o=5", 0},
        {"mode? /f 755", 0}, /* who is not of the file's group may not give it */
        {"as root", 0},
        {"acl /l u=6,u1000=1,g=0,m=1,o=4", 0},
        {"acl? /f u=6,u1000=1,g=0,m=1,o=4", 0},
        {"remount / r", 0},
        {"acl /d u=6,g=0,o=4", -UMVFS_EROFS},
        {0},
    };
    run_world(steps);
}

static void values_of_acls_are_checked(void **state)
{
    static const uint8_t value[28] = {2, 0, 0, 0, 1, 0, 7,  0, 9, 9, 9, 9, 4, 0,
                                      5, 0, 0, 0, 0, 0, 32, 0, 5, 0, 0, 0, 0, 0};
    static const char *name = "system.posix_acl_default";
    struct world w;
    uint8_t got[28];
    world_begin(&w, NULL);
    const struct umvfs_task *t = &w.task;
    assert_int_equal(run(&w, "symlink f /l"), 0);
    assert_int_equal(run(&w, "mkdir /d"), 0);
    assert_int_equal(umvfs_setxattr(t, NULL, "/d", name, value, 27, 0, 0), -UMVFS_EINVAL);
    /* Of a value that is too large nothing is read: 28 bytes are there. */
    assert_int_equal(umvfs_setxattr(t, NULL, "/d", name, value, UMVFS_XATTR_VALUE_MAX + 4, 0, 0),
                     -UMVFS_ENOSPC);
    assert_int_equal(umvfs_setxattr(t, NULL, "/d", name, value, 3, 0, 0), -UMVFS_EINVAL);
    assert_int_equal(umvfs_setxattr(t, NULL, "/d", name, value, 28, UMVFS_XATTR_REPLACE, 0), 0);
    assert_int_equal(umvfs_getxattr(t, NULL, "/d", name, got, 27, 0), -UMVFS_ERANGE);
    assert_int_equal(umvfs_getxattr(t, NULL, "/d", name, got, 28, 0), 28);
    assert_memory_equal(got, value, 8);
    assert_memory_equal(got + 8, "\xff\xff\xff\xff", 4); /* no id */
    for (unsigned i = 0; i < 3; i++) {                   /* no tags of entries */
        memcpy(got, value, 28);
        got[4] = (uint8_t[]){0, 3, 64}[i];
        assert_int_equal(umvfs_setxattr(t, NULL, "/d", name, got, 28, 0, 0), -UMVFS_EINVAL);
    }
    assert_int_equal(umvfs_setxattr(t, NULL, "/d", name, value, 4, 0, 0), 0); /* no entries */
    assert_int_equal(umvfs_getxattr(t, NULL, "/d", name, NULL, 0, 0), -UMVFS_ENODATA);
    assert_int_equal(umvfs_setxattr(t, NULL, "/l", name, value, 28, 0, UMVFS_AT_SYMLINK_NOFOLLOW),
                     -UMVFS_EOPNOTSUPP);
    assert_int_equal(umvfs_getxattr(t, NULL, "/l", name, got, 28, UMVFS_AT_SYMLINK_NOFOLLOW),
                     -UMVFS_EOPNOTSUPP);
    world_end(&w);
}

static void default_acls_are_inherited(void **state)
{
    static const struct step steps[] = {
        {"umask 077", 0},
        {"mkdir /d", 0},
        {"acl /d u=7,u1000=7,g=5,m=7,o=1 default", 0},
        {"mode? /d 700", 0},
        {"acl? /d -", 0},
        {"write /d/f x", 0}, /* 0644, without the umask */
        {"mode? /d/f 640", 0},
        {"acl? /d/f u=6,u1000=7,g=5,m=4,o=0", 0},
        {"acl? /d/f - default", 0},
        {"mkdir /d/sub 750", 0},
        {"mode? /d/sub 750", 0},
        {"acl? /d/sub u=7,u1000=7,g=5,m=5,o=0", 0},
        {"acl? /d/sub u=7,u1000=7,g=5,m=7,o=1 default", 0},
        {"symlink f /d/l", 0},
        {"mknod /d/fifo 010666", 0},
        {"mode? /d/fifo 660", 0},
        {"acl /d u=5,g=1,o=0 default", 0},
        {"mknod /d/plain 010777", 0},
        {"mode? /d/plain 510", 0},
        {"acl? /d/plain -", 0},
        {"chmod /d 777", 0},
        {"chmod /d/sub 1777", 0},
        {"acl /d/sub u=7,u1001=0,g=7,m=7,o=7", 0},
        {"as bob", 0},
        {"lookup /d/sub/.", -UMVFS_EACCES}, /* an ACL takes what all x bits give */
        {"as alice", 0},
        {"lookup /d/sub/.", 0},
        {0},
    };
    run_world(steps);
}

int perm_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sticky_directories),
        cmocka_unit_test(protected_rules),
        cmocka_unit_test(protected_levels),
        cmocka_unit_test(capabilities_allow),
        cmocka_unit_test(set_id_bits_are_dropped),
        cmocka_unit_test(times_are_the_embedders),
        cmocka_unit_test(every_second_is_kept),
        cmocka_unit_test(reads_set_times_of_access_that_are_old),
        cmocka_unit_test(extended_attributes),
        cmocka_unit_test(attributes_of_the_system),
        cmocka_unit_test(acls_decide),
        cmocka_unit_test(acls_are_checked),
        cmocka_unit_test(values_of_acls_are_checked),
        cmocka_unit_test(default_acls_are_inherited),
    };
    return cmocka_run_group_tests_name("perm", tests, NULL, NULL);
}
