/* Calls about extended attributes, with access control lists among them. Attributes of users are left out: Linux has
 * them on tmpfs from 6.6 on. So are lists of no bytes, which remove a list from 6.2 on. */
#include "call.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#define ENTRIES 8

/* struct posix_acl_xattr_header and posix_acl_xattr_entry of Linux. */
struct acl {
    uint32_t version;
    struct acl_entry {
        uint16_t tag, rights;
        uint32_t id;
    } entries[ENTRIES];
};

static const char *const names[] = {
    "system.posix_acl_access",
    "system.posix_acl_access",
    "system.posix_acl_access",
    "system.posix_acl_access",
    "system.posix_acl_access",
    "system.posix_acl_access",
    "system.posix_acl_default",
    "system.posix_acl_default",
    "system.posix_acl_default",
    "system.posix_acl_other",
    "trusted.a",
    "trusted.",
    "security.a",
    "security.capability",
    "other.a",
    "",
};
static const struct name set_flags[] = {
    {"0", 0},
    {"0", 0},
    {"0", 0},
    {"XATTR_CREATE", XATTR_CREATE},
    {"XATTR_REPLACE", XATTR_REPLACE},
    {"XATTR_CREATE|XATTR_REPLACE", XATTR_CREATE | XATTR_REPLACE},
    {"4", 4},
    {NULL, 0},
};

/* How the object of a call is named, and what distinguishes its three numbers. */
enum target { TARGET_PATH, TARGET_LINK, TARGET_FD };
static const char *const prefixes[] = {"", "l", "f"};

static const char *pick_name(struct random *random)
{
    return names[random_below(random, sizeof names / sizeof names[0])];
}

/* Draws the object and begins the text of a call. */
static uint64_t begin(struct call *call, const char *name, enum target *target)
{
    unsigned dice = random_below(&call->random, 8);
    int fd = pick_fd(&call->random);
    const char *path = pick_path(&call->random, 0);

    *target = dice < 4 ? TARGET_PATH : dice < 6 ? TARGET_LINK : TARGET_FD;
    say("%s%s(", prefixes[*target], name);
    if (*target == TARGET_FD) {
        say("%d", fd);
        return (uint64_t)fd;
    }
    say_path(path);
    return (uint64_t)path;
}

static void add(struct acl *acl, unsigned *count, unsigned tag, unsigned rights, unsigned id)
{
    acl->entries[(*count)++] = (struct acl_entry){(uint16_t)tag, (uint16_t)rights, id};
}

/* Draws a list, which is mostly a good one, and returns its bytes. */
static size_t pick_acl(struct random *random, struct acl *acl)
{
    static const unsigned ids[] = {0, 1000, 1000, 1001, 1002, 77777, UINT32_MAX};
    unsigned count = 0, users = random_below(random, 3), groups = random_below(random, 3);

    acl->version = random_once_in(random, 40) ? 1 : 2;
    add(acl, &count, 1, random_below(random, 8), 5);
    for (unsigned i = 0; i < users; i++) {
        add(acl, &count, 2, random_below(random, 8), ids[random_below(random, 7)]);
    }
    add(acl, &count, 4, random_below(random, 8), 6);
    for (unsigned i = 0; i < groups; i++) {
        add(acl, &count, 8, random_below(random, 8), ids[random_below(random, 7)]);
    }
    if (users + groups > 0 ? !random_once_in(random, 20) : random_once_in(random, 3)) {
        add(acl, &count, 16, random_below(random, 8), 7);
    }
    add(acl, &count, 32, random_below(random, 8), 8);
    if (random_once_in(random, 10)) {
        struct acl_entry *entry = &acl->entries[random_below(random, count)];
        entry->tag = (uint16_t)(1u << random_below(random, 8));
        entry->rights ^= (uint16_t)(random_once_in(random, 2) ? 8 : 0);
    }
    if (random_once_in(random, 15)) {
        count = random_below(random, count);
    }
    return 4 + count * sizeof(struct acl_entry) + (random_once_in(random, 30) ? 3 : 0);
}

static void op_setxattr(struct call *call)
{
    static const int numbers[] = {SYS_setxattr, SYS_lsetxattr, SYS_fsetxattr};
    static struct acl acl;
    enum target target;
    uint64_t object = begin(call, "setxattr", &target);
    const char *name = pick_name(&call->random);
    size_t size = pick_acl(&call->random, &acl);
    long flags = pick_one(&call->random, set_flags);

    if (strncmp(name, "system.", 7) != 0) {
        size = random_below(&call->random, 30);
    }
    say(", %s, ", name);
    say_bytes(&acl, size);
    say(", ");
    say_one(set_flags, flags);
    say(")");
    say_result(
        RAW(numbers[target], object, name, &acl, size, widen(&call->random, (uint64_t)flags)));
}

static void op_getxattr(struct call *call)
{
    static const int numbers[] = {SYS_getxattr, SYS_lgetxattr, SYS_fgetxattr};
    static const size_t sizes[] = {0, 4, 28, 100, 100, 100};
    enum target target;
    uint64_t object = begin(call, "getxattr", &target);
    const char *name = pick_name(&call->random);
    size_t size = sizes[random_below(&call->random, 6)];

    say(", %s, %zu)", name, size);
    long got = RAW(numbers[target], object, name, out_buffer, size);
    say_result(got);
    if (got > 0 && size > 0) {
        say(" ");
        say_bytes(out_buffer, (size_t)got);
    }
}

static void op_removexattr(struct call *call)
{
    static const int numbers[] = {SYS_removexattr, SYS_lremovexattr, SYS_fremovexattr};
    enum target target;
    uint64_t object = begin(call, "removexattr", &target);
    const char *name = pick_name(&call->random);

    say(", %s)", name);
    say_result(RAW(numbers[target], object, name));
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names come in any order. */
static void say_sorted(char *list, size_t size)
{
    char *sorted[16];
    unsigned count = 0;

    for (char *name = list; name < list + size && count < 16; name += strlen(name) + 1) {
        sorted[count++] = name;
    }
    qsort(sorted, count, sizeof sorted[0], compare_names);
    for (unsigned i = 0; i < count; i++) {
        say(" %s", sorted[i]);
    }
}

static void op_listxattr(struct call *call)
{
    static const int numbers[] = {SYS_listxattr, SYS_llistxattr, SYS_flistxattr};
    static const size_t sizes[] = {0, 10, 200, 200, 200};
    enum target target;
    uint64_t object = begin(call, "listxattr", &target);
    size_t size = sizes[random_below(&call->random, 5)];

    say(", %zu)", size);
    long got = RAW(numbers[target], object, out_buffer, size);
    say_result(got);
    if (got > 0 && size > 0) {
        say_sorted((char *)out_buffer, (size_t)got);
    }
}

const struct op ops_attributes[] = {
    {"setxattr", 16, 0, {{0, 0}}, op_setxattr, 0, 0},
    {"getxattr", 12, 0, {{0, 0}}, op_getxattr, 0, 0},
    {"removexattr", 4, 0, {{0, 0}}, op_removexattr, 0, 0},
    {"listxattr", 5, 0, {{0, 0}}, op_listxattr, 0, 0},
    {0, 0, 0, {{0, 0}}, 0, 0, 0},
};
