/* Users and groups, and limits. */
#include "kinds.h"
#include "world.h"

#include <sys/resource.h>
#include <sys/syscall.h>

#define ID      {&kind_id, 0}
#define IDS_OUT {&kind_ids_out, 0}

static const struct name resources[] = {
    {"RLIMIT_NOFILE", RLIMIT_NOFILE},
    {"RLIMIT_FSIZE", RLIMIT_FSIZE},
    {"RLIMIT_CORE", RLIMIT_CORE},
    {"99", 99},
    {NULL, 0},
};
static const struct name limit_values[] = {
    {"0", 0},         {"10", 10},       {"20", 20},     {"64", 64},
    {"1024", 1024},   {"5000", 5000},   {"5000", 5000}, {"70000", 70000},
    {"infinity", -1}, {"infinity", -1}, {"1000", 1000}, {NULL, 0},
};

/* RLIMIT_NOFILE stays above the descriptors that this program itself needs. */
static void op_prlimit(struct call *call)
{
    long pid = random_once_in(&call->random, 2) ? 0 : pick_pid(&call->random);
    long resource = pick_one(&call->random, resources);
    struct rlimit new = {(rlim_t)pick_one(&call->random, limit_values),
                         (rlim_t)pick_one(&call->random, limit_values)};
    struct rlimit old = {7, 7};
    bool sets = random_once_in(&call->random, 3);

    if (pid < 0) {
        pid = 0;
    }
    say("prlimit64(");
    say_pid(pid);
    say(", ");
    say_one(resources, resource);
    if (sets) {
        say(", {%ld, %ld}", (long)new.rlim_cur, (long)new.rlim_max);
    }
    say(")");
    long got = RAW(SYS_prlimit64, widen(&call->random, (uint64_t)pid),
                   widen(&call->random, (uint64_t)resource), sets ? &new : 0, &old);
    say_result(got);
    if (got == 0) {
        say(" {%ld, %ld}", (long)old.rlim_cur, (long)old.rlim_max);
    }
}

static void op_groups(struct call *call)
{
    unsigned groups[4] = {7, 7, 7, 7};
    unsigned count = random_below(&call->random, 4);
    bool sets = random_once_in(&call->random, 3);

    say("%s(%u)", sets ? "setgroups" : "getgroups", count);
    for (unsigned i = 0; sets && i < count; i++) {
        groups[i] = 1000 + random_below(&call->random, 4);
    }
    long got = RAW(sets ? SYS_setgroups : SYS_getgroups, widen(&call->random, count), groups);
    say_result(got);
    for (long i = 0; !sets && count > 0 && i < got && i < 4; i++) {
        say(" %u", groups[i]);
    }
}

const struct op ops_identity[] = {
    {"getuid", 1, SYS_getuid, {{0, 0}}, 0, 0, 0},
    {"geteuid", 1, SYS_geteuid, {{0, 0}}, 0, 0, 0},
    {"getgid", 1, SYS_getgid, {{0, 0}}, 0, 0, 0},
    {"getegid", 1, SYS_getegid, {{0, 0}}, 0, 0, 0},
    {"setuid", 1, SYS_setuid, {ID}, 0, 0, 0},
    {"setgid", 1, SYS_setgid, {ID}, 0, 0, 0},
    {"setreuid", 2, SYS_setreuid, {ID, ID}, 0, 0, 0},
    {"setregid", 2, SYS_setregid, {ID, ID}, 0, 0, 0},
    {"setresuid", 2, SYS_setresuid, {ID, ID, ID}, 0, 0, 0},
    {"setresgid", 2, SYS_setresgid, {ID, ID, ID}, 0, 0, 0},
    {"setfsuid", 2, SYS_setfsuid, {ID}, 0, 0, 0},
    {"setfsgid", 2, SYS_setfsgid, {ID}, 0, 0, 0},
    {"getresuid", 3, SYS_getresuid, {IDS_OUT, IDS_OUT, IDS_OUT}, 0, 0, 0},
    {"getresgid", 3, SYS_getresgid, {IDS_OUT, IDS_OUT, IDS_OUT}, 0, 0, 0},
    {"groups", 3, 0, {{0, 0}}, op_groups, 0, 0},
    {"prlimit64", 6, 0, {{0, 0}}, op_prlimit, 0, 0},
    {0, 0, 0, {{0, 0}}, 0, 0, 0},
};
