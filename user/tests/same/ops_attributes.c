/* Calls about attributes: of files the extended ones, with access control lists among them, of processes how they are
 * scheduled, their capabilities and settings of prctl(2). Attributes of users are made if --user-attributes says so: Linux
 * has them on tmpfs from 6.6 on. Left out are lists of no bytes, which remove a list from 6.2 on. */
#include "call.h"
#include "world.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
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
    static const char *const of_users[] = {"user.a", "user.a", "user.b", "user."};
    const char *name = names[random_below(random, sizeof names / sizeof names[0])];
    const char *other = of_users[random_below(random, 4)];

    return random_once_in(random, 3) && world->has_user_attributes ? other : name;
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

/* Settings of processes. Policies of real time are left out: umbra refuses them to everybody. */

#define POLICIES                                                                                   \
    {"OTHER", SCHED_OTHER}, {"BATCH", SCHED_BATCH},                                                \
    {                                                                                              \
        "IDLE", SCHED_IDLE                                                                         \
    }
#define CAPS_SHOWN 0x1ffu      /* which few containers take away */
#define CAPS_3     0x20080522u /* _LINUX_CAPABILITY_VERSION_3 */

static const struct name priority_kinds[] = {
    {"PROCESS", PRIO_PROCESS}, {"PROCESS", PRIO_PROCESS}, {"GROUP", PRIO_PGRP}, {"3", 3}, {NULL, 0},
};
static const struct name policies[] = {POLICIES, POLICIES, {"4", 4}, {"7", 7}, {NULL, 0}};
static const struct name attribute_flags[] = {
    {"0", 0},         {"0", 0},         {"0", 0},  {"KEEP_POLICY", 8}, {"KEEP_PARAMS", 16},
    {"KEEP_ALL", 24}, {"0x100", 0x100}, {NULL, 0},
};

static void begin_of_process(struct call *call, const char *name, long *pid)
{
    *pid = pick_pid(&call->random);
    call->values[0] = (uint64_t)*pid;
    say("%s(", name);
    kind_pid.show(call, 0, NULL);
}

static void op_priority(struct call *call)
{
    long kind = pick_one(&call->random, priority_kinds), pid;
    bool sets = random_once_in(&call->random, 2);
    int nice = (int)random_below(&call->random, 50) - 25;

    begin_of_process(call, sets ? "setpriority" : "getpriority", &pid);
    say(", ");
    say_one(priority_kinds, kind);
    if (sets) {
        say(", %d)", nice);
        say_result(RAW(SYS_setpriority, kind, widen(&call->random, (uint64_t)pid), nice));
    } else {
        say(")");
        say_result(RAW(SYS_getpriority, kind, widen(&call->random, (uint64_t)pid)));
    }
}

static void op_policy(struct call *call)
{
    long policy = pick_one(&call->random, policies), pid;
    int priority = random_once_in(&call->random, 10);
    bool sets = random_once_in(&call->random, 2);

    begin_of_process(call, sets ? "sched_setscheduler" : "sched_getscheduler", &pid);
    if (sets) {
        say(", ");
        say_one(policies, policy);
        say(", %d)", priority);
        say_result(
            RAW(SYS_sched_setscheduler, widen(&call->random, (uint64_t)pid), policy, &priority));
    } else {
        say(")");
        say_result(RAW(SYS_sched_getscheduler, widen(&call->random, (uint64_t)pid)));
    }
}

/* struct sched_attr of Linux, in its first version. */
struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

static void op_get_attributes(struct call *call)
{
    static const unsigned sizes[] = {48, 48, 48, 56, 64, 47, 4097};
    unsigned size = sizes[random_below(&call->random, 7)];
    struct attributes *got = (struct attributes *)out_buffer;
    long pid;

    begin_of_process(call, "sched_getattr", &pid);
    say(", %u)", size);
    long result = RAW(SYS_sched_getattr, widen(&call->random, (uint64_t)pid), got, size, 0);
    say_result(result);
    if (result == 0) {
        say(" {");
        say_one(policies, got->policy);
        say(" %#lx %d %u}", (unsigned long)got->flags, got->nice, got->priority);
    }
}

static void op_set_attributes(struct call *call)
{
    static const uint32_t sizes[] = {0, 48, 48, 48, 56, 47, 4097};
    struct attributes new = {.size = sizes[random_below(&call->random, 7)]};
    long policy = pick_one(&call->random, policies);
    long flags = pick_one(&call->random, attribute_flags), pid;

    new.policy = (uint32_t)policy;
    new.flags = (uint64_t)flags;
    new.nice = (int)random_below(&call->random, 50) - 25;
    new.priority = random_once_in(&call->random, 10);
    memset(out_buffer, 0, 128);
    memcpy(out_buffer, &new, sizeof new);
    begin_of_process(call, "sched_setattr", &pid);
    say(", {%u ", new.size);
    say_one(policies, policy);
    say(" ");
    say_one(attribute_flags, flags);
    say(" %d %u})", new.nice, new.priority);
    say_result(RAW(SYS_sched_setattr, widen(&call->random, (uint64_t)pid), out_buffer, 0));
}

struct option {
    const char *name;
    int number;
    uint64_t arguments[5];        /* of which one is drawn */
    bool stores_int, stores_text; /* the argument is a pointer that is stored to */
};

static const struct option options[] = {
    {"SET_PDEATHSIG", PR_SET_PDEATHSIG, {0, SIGUSR1, SIGKILL, 64, 65}, 0, 0},
    {"GET_PDEATHSIG", PR_GET_PDEATHSIG, {0}, 1, 0},
    {"SET_DUMPABLE", PR_SET_DUMPABLE, {0, 1, 1, 2, 3}, 0, 0},
    {"GET_DUMPABLE", PR_GET_DUMPABLE, {0}, 0, 0},
    {"SET_KEEPCAPS", PR_SET_KEEPCAPS, {0, 1, 1, 1, 2}, 0, 0},
    {"GET_KEEPCAPS", PR_GET_KEEPCAPS, {0}, 0, 0},
    {"GET_NAME", PR_GET_NAME, {0}, 0, 1},
    {"SET_NO_NEW_PRIVS", PR_SET_NO_NEW_PRIVS, {0, 1, 2, 2, 2}, 0, 0},
    {"GET_NO_NEW_PRIVS", PR_GET_NO_NEW_PRIVS, {0}, 0, 0},
    {"SET_TIMERSLACK", PR_SET_TIMERSLACK, {0, 1, 50000, 70000, 1}, 0, 0},
    {"GET_TIMERSLACK", PR_GET_TIMERSLACK, {0}, 0, 0},
    {"CAPBSET_READ", PR_CAPBSET_READ, {0, 7, 21, 63, 64}, 0, 0},
    {"CAPBSET_DROP", PR_CAPBSET_DROP, {3, 5, 8, 64, 99}, 0, 0},
    {"SET_CHILD_SUBREAPER", PR_SET_CHILD_SUBREAPER, {0, 1, 1, 2, 1}, 0, 0},
    {"GET_CHILD_SUBREAPER", PR_GET_CHILD_SUBREAPER, {0}, 1, 0},
    {"GET_SECUREBITS", PR_GET_SECUREBITS, {0}, 0, 0},
    {"GET_SECCOMP", PR_GET_SECCOMP, {0}, 0, 0},
    {"GET_ENDIAN", PR_GET_ENDIAN, {0}, 0, 0},
    {"999", 999, {0}, 0, 0},
};

static void op_prctl(struct call *call)
{
    const struct option *option =
        &options[random_below(&call->random, sizeof options / sizeof options[0])];
    uint64_t argument = option->arguments[random_below(&call->random, 5)];
    uint64_t third = random_once_in(&call->random, 12);

    memset(out_buffer, 0, 32);
    say("prctl(%s, %#lx, %lu)", option->name, (unsigned long)argument, (unsigned long)third);
    if (option->stores_int || option->stores_text) {
        argument = (uint64_t)out_buffer;
    }
    long got =
        RAW(SYS_prctl, widen(&call->random, (uint64_t)option->number), argument, third, 0, 0);
    say_result(got);
    if (got == 0 && option->stores_text) {
        say(" %s", (const char *)out_buffer);
    } else if (got == 0 && option->stores_int) {
        say(" %d", *(const int *)out_buffer);
    }
}

/* PR_CAP_AMBIENT, and what it depends on. */
static void op_ambient(struct call *call)
{
    static const struct name actions[] = {
        {"IS_SET", PR_CAP_AMBIENT_IS_SET},
        {"RAISE", PR_CAP_AMBIENT_RAISE},
        {"LOWER", PR_CAP_AMBIENT_LOWER},
        {"CLEAR_ALL", PR_CAP_AMBIENT_CLEAR_ALL},
        {"9", 9},
        {NULL, 0},
    };
    static const unsigned capabilities[] = {0, 1, 5, 7, 21, 64};
    long action = pick_one(&call->random, actions);
    unsigned capability =
        action == PR_CAP_AMBIENT_CLEAR_ALL ? 0 : capabilities[random_below(&call->random, 6)];

    say("prctl(CAP_AMBIENT, ");
    say_one(actions, action);
    say(", %u)", capability);
    say_result(RAW(SYS_prctl, PR_CAP_AMBIENT, action, capability, 0, 0));
}

static void op_capget(struct call *call)
{
    uint32_t header[2] = {CAPS_3, 0}, sets[6] = {0};
    long pid;

    static const uint32_t versions[] = {CAPS_3, CAPS_3, CAPS_3, 0x20071026, 0x19980330, 0, 1};

    begin_of_process(call, "capget", &pid);
    header[0] = versions[random_below(&call->random, 7)];
    header[1] = (uint32_t)pid;
    say(", %#x", header[0]);
    uint64_t header_at = pick_pointer(&call->random, header);
    uint64_t at = pick_pointer(&call->random, sets);
    say(")");
    long got = RAW(SYS_capget, header_at, at);
    say_result(got);
    say(" %#x", header[0]);
    if (got == 0 && at == (uint64_t)sets) {
        say(" %#x %#x %#x", sets[0] & CAPS_SHOWN, sets[1] & CAPS_SHOWN, sets[2] & CAPS_SHOWN);
    }
}

/* Changes some of the sets that the process has. */
static void op_capset(struct call *call)
{
    static const uint32_t masks[] = {0, 0x2, 0x8, 0xe0, 0x100};
    uint32_t header[2] = {CAPS_3, 0}, sets[6] = {0};

    RAW(SYS_capget, header, sets);
    say("capset(");
    for (int i = 0; i < 3; i++) {
        uint32_t mask = masks[random_below(&call->random, 5)];
        sets[i] ^= mask;
        say("%s%#x", i == 0 ? "^" : " ^", mask);
    }
    uint64_t at = pick_pointer(&call->random, sets);
    say(")");
    say_result(RAW(SYS_capset, pick_pointer(&call->random, header), at));
}

const struct op ops_settings[] = {
    {"priority", 10, 0, {{0, 0}}, op_priority, 0, 0},
    {"policy", 5, 0, {{0, 0}}, op_policy, 0, 0},
    {"sched_getattr", 4, 0, {{0, 0}}, op_get_attributes, 0, 0},
    {"sched_setattr", 5, 0, {{0, 0}}, op_set_attributes, 0, 0},
    {"prctl", 16, 0, {{0, 0}}, op_prctl, 0, 0},
    {"ambient", 4, 0, {{0, 0}}, op_ambient, 0, 0},
    {"capget", 6, 0, {{0, 0}}, op_capget, 0, 0},
    {"capset", 2, 0, {{0, 0}}, op_capset, 0, 0},
    {0, 0, 0, {{0, 0}}, 0, 0, 0},
};

/* Calls about the system and the processor. There is one processor here, and Linux may have many, so
 * masks are all ones or zero. */

static const struct name all_policies[] = {
    POLICIES, {"FIFO", 1}, {"RR", 2}, {"DEADLINE", 6}, {"4", 4}, {"-1", -1}, {NULL, 0},
};

static void op_affinity(struct call *call)
{
    static const unsigned sizes[] = {128, 128, 1024, 0, 1, 4, 12, 2044, 0x20000000, UINT32_MAX};
    unsigned size = sizes[random_below(&call->random, 10)];
    bool sets = random_once_in(&call->random, 2), none = random_once_in(&call->random, 4);
    long pid;

    memset(out_buffer, none ? 0 : 0xff, 1024);
    begin_of_process(call, sets ? "sched_setaffinity" : "sched_getaffinity", &pid);
    say(", %u, %s", size, none ? "none" : "all");
    uint64_t at = pick_pointer(&call->random, out_buffer);
    say(")");
    long got = RAW(sets ? SYS_sched_setaffinity : SYS_sched_getaffinity,
                   widen(&call->random, (uint64_t)pid), widen(&call->random, size), at);
    say_result(got > 0 ? 1 : got);
}

static void op_schedule(struct call *call)
{
    static const char *const texts[] = {"get_priority_max", "get_priority_min", "getparam",
                                        "setparam", "rr_get_interval"};
    static const int numbers[] = {SYS_sched_get_priority_max, SYS_sched_get_priority_min,
                                  SYS_sched_getparam, SYS_sched_setparam,
                                  SYS_sched_rr_get_interval};
    unsigned which = random_below(&call->random, 5);
    long policy = pick_one(&call->random, all_policies), pid = pick_pid(&call->random);
    static long words[2];

    words[0] = random_once_in(&call->random, 4);
    say("sched_%s(", texts[which]);
    if (which < 2) {
        say_one(all_policies, policy);
        say(")");
        say_result(RAW(numbers[which], widen(&call->random, (uint64_t)policy)));
        return;
    }
    call->values[0] = (uint64_t)pid;
    kind_pid.show(call, 0, NULL);
    say(", %ld", words[0]);
    uint64_t at = pick_pointer(&call->random, words);
    say(")");
    long got = RAW(numbers[which], widen(&call->random, (uint64_t)pid), at);
    say_result(got);
    if (got == 0 && which == 2 && at == (uint64_t)words) {
        say(" %d", (int)words[0]);
    }
}

/* No priorities of real time: they need a capability that containers take away. */
static void op_io_priority(struct call *call)
{
    static const struct name kinds[] = {
        {"PROCESS", 1}, {"PROCESS", 1}, {"GROUP", 2}, {"0", 0}, {"4", 4}, {NULL, 0},
    };
    static const int values[] = {0,       2 << 13,           2 << 13 | 7, 2 << 13 | 3,
                                 3 << 13, 3 << 13 | 7,       4 << 13,     5,
                                 7 << 13, 1 << 16 | 2 << 13, -1};
    long kind = pick_one(&call->random, kinds), pid;
    int value = values[random_below(&call->random, 11)];
    bool sets = random_once_in(&call->random, 2);

    begin_of_process(call, sets ? "ioprio_set" : "ioprio_get", &pid);
    say(", ");
    say_one(kinds, kind);
    if (sets) {
        say(", %#x", (unsigned)value);
    }
    say(")");
    uint64_t wide = widen(&call->random, (uint64_t)pid);
    uint64_t wide_value = widen(&call->random, (uint64_t)value);
    say_result(sets ? RAW(SYS_ioprio_set, kind, wide, wide_value)
                    : RAW(SYS_ioprio_get, kind, wide));
}

static void op_uname(struct call *call)
{
    struct utsname system;

    say("uname(");
    uint64_t at = pick_pointer(&call->random, &system);
    say(")");
    long got = RAW(SYS_uname, at);
    say_result(got);
    if (got == 0 && at == (uint64_t)&system) {
        say(" %s %s %s %s", system.sysname, system.nodename, system.machine,
            system.machine + sizeof system.machine);
    }
}

static void op_name_system(struct call *call)
{
    static const int lengths[] = {0, 1, 5, 64, 65, -1, 3};
    int length = lengths[random_below(&call->random, 7)];
    bool is_domain = random_once_in(&call->random, 2);
    char name[80];

    for (unsigned i = 0; i < sizeof name; i++) {
        name[i] = (char)('a' + random_below(&call->random, 26));
    }
    name[3] = random_once_in(&call->random, 4) ? '\0' : name[3];
    say("set%sname(%.5s, %d", is_domain ? "domain" : "host", name, length);
    uint64_t at = pick_pointer(&call->random, name);
    say(")");
    say_result(RAW(is_domain ? SYS_setdomainname : SYS_sethostname, at,
                   widen(&call->random, (uint64_t)length)));
}

static void op_personality(struct call *call)
{
    static const unsigned values[] = {UINT32_MAX, UINT32_MAX, UINT32_MAX, 0, 0x40000, 8, 0x40008};
    unsigned value = values[random_below(&call->random, 7)];

    say("personality(%#x)", value);
    say_result(RAW(SYS_personality, widen(&call->random, value)));
}

static void op_getcpu(struct call *call)
{
    static unsigned words[2];

    say("getcpu(");
    uint64_t cpu = pick_pointer(&call->random, &words[0]);
    uint64_t node = pick_pointer(&call->random, &words[1]);
    say(")");
    say_result(RAW(SYS_getcpu, cpu, node, pick_bad_pointer(&call->random)));
}

/* GS is what no C library uses. */
static void op_arch(struct call *call)
{
    static const struct name codes[] = {
        {"SET_GS", 0x1001}, {"SET_GS", 0x1001}, {"GET_FS", 0x1003}, {"GET_GS", 0x1004},
        {"GET_GS", 0x1004}, {"0x9999", 0x9999}, {NULL, 0},
    };
    static const uint64_t values[] = {0, 0x1234, ARENA, UINT64_MAX, 0x800000000000, 0x7ffffffff000};
    long code = pick_one(&call->random, codes);
    uint64_t value = values[random_below(&call->random, 6)], stored = 7;

    say("arch_prctl(");
    say_one(codes, code);
    if (code == 0x1001) {
        say(", %#lx)", (unsigned long)value);
        say_result(RAW(SYS_arch_prctl, code, value));
        return;
    }
    uint64_t at = pick_pointer(&call->random, &stored);
    say(")");
    say_result(RAW(SYS_arch_prctl, widen(&call->random, (uint64_t)code), at));
    if (code == 0x1004) {
        say(" %#lx", (unsigned long)stored);
    }
}

/* The heap grows and shrinks again; what is new is zero. */
static void op_break(void)
{
    long start = RAW(SYS_brk, 0), end = RAW(SYS_brk, start + 3 * (long)PAGE);
    bool is_zero = true;

    say("brk(+3 pages)");
    for (long at = start; at < end; at += 100) {
        is_zero = is_zero && *(char *)at == 0;
        *(char *)at = 1;
    }
    say(" = +%ld%s, -%ld", end - start, is_zero ? "" : " not zero", end - RAW(SYS_brk, start));
}

/* Small calls whose answer does not depend on the machine. */
static void op_thread(struct call *call)
{
    static const struct name barriers[] = {
        {"2", 2}, {"4", 4}, {"8", 8}, {"8", 8}, {"16", 16}, {"3", 3}, {"0x4000", 0x4000}, {NULL, 0},
    };
    static const struct name unshares[] = {
        {"0", 0},
        {"CLONE_FS", CLONE_FS},
        {"CLONE_FILES", CLONE_FILES},
        {"CLONE_FS|CLONE_FILES", CLONE_FS | CLONE_FILES},
        {"1", 1},
        {NULL, 0},
    };
    static uint64_t word;
    unsigned which = random_below(&call->random, 8);
    long barrier = pick_one(&call->random, barriers), flags = random_once_in(&call->random, 5);
    long unshared = pick_one(&call->random, unshares), size = 16 + 8 * flags;

    switch (which) {
    case 0:
        say("set_tid_address() = ");
        say_pid(RAW(SYS_set_tid_address, pick_pointer(&call->random, &word)));
        break;
    case 1:
        say("set_robust_list(%ld)", size);
        say_result(RAW(SYS_set_robust_list, pick_bad_pointer(&call->random), size));
        break;
    case 2:
        say("membarrier(%ld, %ld)", barrier, flags);
        say_result(RAW(SYS_membarrier, widen(&call->random, (uint64_t)barrier),
                       widen(&call->random, (uint64_t)flags), 0));
        break;
    case 3:
        say("unshare(");
        say_one(unshares, unshared);
        say(")");
        say_result(RAW(SYS_unshare, unshared));
        break;
    case 4:
        say("inotify_init1(1)");
        say_result(RAW(SYS_inotify_init1, widen(&call->random, 1)));
        break;
    case 5: /* a time that no clock is set to */
        memcpy(out_buffer, barrier > 4 ? (const int64_t[]){-1, 0} : (const int64_t[]){0, 1000001},
               16);
        say("settimeofday(%ld", barrier > 4 ? -1L : 0L);
        say_result(RAW(SYS_settimeofday, pick_pointer(&call->random, out_buffer), 1));
        break;
    case 6:
        op_break();
        break;
    default:
        say("sysinfo(");
        say_result(RAW(SYS_sysinfo, pick_pointer(&call->random, out_buffer)));
        break;
    }
}

static void op_getrandom(struct call *call)
{
    static const struct name flags[] = {
        {"0", 0}, {"1", 1}, {"2", 2}, {"4", 4}, {"6", 6}, {"8", 8}, {NULL, 0},
    };
    long flag = pick_one(&call->random, flags);
    size_t size = pick_length(&call->random) % BUFFER_SIZE;

    say("getrandom(%zu, %ld", size, flag);
    uint64_t at = pick_pointer(&call->random, out_buffer);
    say(")");
    say_result(RAW(SYS_getrandom, at, size, widen(&call->random, (uint64_t)flag)));
}

const struct op ops_system[] = {
    {"affinity", 8, 0, {{0, 0}}, op_affinity, 0, 0},
    {"schedule", 6, 0, {{0, 0}}, op_schedule, 0, 0},
    {"ioprio", 8, 0, {{0, 0}}, op_io_priority, 0, 0},
    {"uname", 4, 0, {{0, 0}}, op_uname, 0, 0},
    {"sethostname", 4, 0, {{0, 0}}, op_name_system, 0, 0},
    {"personality", 4, 0, {{0, 0}}, op_personality, 0, 0},
    {"getcpu", 2, 0, {{0, 0}}, op_getcpu, 0, 0},
    {"arch_prctl", 6, 0, {{0, 0}}, op_arch, 0, 0},
    {"thread", 8, 0, {{0, 0}}, op_thread, 0, 0},
    {"getrandom", 3, 0, {{0, 0}}, op_getrandom, 0, 0},
    {0, 0, 0, {{0, 0}}, 0, 0, 0},
};
