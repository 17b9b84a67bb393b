/* User and group ids, and the capabilities that come with them: credentials(7). */
#include "lib/errno.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "task/process.h"
#include "task/rights.h"

#define UNCHANGED UINT32_MAX

static bool has(const struct ids *ids, uint32_t id)
{
    return id == ids->real || id == ids->effective || id == ids->saved;
}

/* cap: the capability to take any id, here and below. */
static long set_one(struct ids *ids, uint32_t id, unsigned cap)
{
    if (id == UNCHANGED)
        return -EINVAL;
    if (capable(cap))
        ids->real = ids->saved = id;
    else if (id != ids->real && id != ids->saved)
        return -EPERM;
    ids->effective = ids->fs = id;
    return 0;
}

/* The saved id is set to the effective one if the call sets the real id, or sets the effective id
 * to a value other than the real id. */
static long set_two(struct ids *ids, uint32_t real, uint32_t effective, unsigned cap)
{
    struct ids new = *ids;
    if (real != UNCHANGED && !capable(cap) && real != ids->real && real != ids->effective)
        return -EPERM;
    if (effective != UNCHANGED && !capable(cap) && !has(ids, effective))
        return -EPERM;
    if (real != UNCHANGED)
        new.real = real;
    if (effective != UNCHANGED)
        new.effective = effective;
    if (real != UNCHANGED || (effective != UNCHANGED && effective != ids->real))
        new.saved = new.effective;
    new.fs = new.effective;
    *ids = new;
    return 0;
}

static bool is_as_it_was(uint32_t wanted, uint32_t id)
{
    return wanted == UNCHANGED || wanted == id;
}

/* The id for files becomes the effective one, also if only another one is set. */
static long set_three(struct ids *ids, uint32_t real, uint32_t effective, uint32_t saved,
                      unsigned cap)
{
    const uint32_t wanted[] = {real, effective, saved};
    if (is_as_it_was(real, ids->real) && is_as_it_was(effective, ids->effective) &&
        is_as_it_was(effective, ids->fs) && is_as_it_was(saved, ids->saved))
        return 0;
    for (unsigned i = 0; i < 3; i++)
        if (wanted[i] != UNCHANGED && !capable(cap) && !has(ids, wanted[i]))
            return -EPERM;
    if (real != UNCHANGED)
        ids->real = real;
    if (effective != UNCHANGED)
        ids->effective = effective;
    if (saved != UNCHANGED)
        ids->saved = saved;
    ids->fs = ids->effective;
    return 0;
}

static long get_three(const struct ids *ids, user_t real, user_t effective, user_t saved)
{
    if (copy_to_user(real, &ids->real, sizeof(ids->real)) != 0 ||
        copy_to_user(effective, &ids->effective, sizeof(ids->effective)) != 0 ||
        copy_to_user(saved, &ids->saved, sizeof(ids->saved)) != 0)
        return -EFAULT;
    return 0;
}

/* Returns the old id, whether or not it changed. */
static long set_fs(struct ids *ids, uint32_t id, unsigned cap)
{
    uint32_t old = ids->fs;
    if (id != UNCHANGED && (capable(cap) || has(ids, id) || id == old))
        ids->fs = id;
    return old;
}

#define USER  (&current_process->cred.user)
#define GROUP (&current_process->cred.group)

/* Sets the ids of the current process, unless `error` is not 0. */
static long commit_user(const struct ids *wanted, long error)
{
    struct credentials cred = current_process->cred;
    cred.user = *wanted;
    credentials_follow_user(&cred, &current_process->cred.user);
    int refused = error >= 0 ? credentials_set(&cred) : 0;
    return refused ? refused : error;
}

static long commit_group(const struct ids *wanted, long error)
{
    struct credentials cred = current_process->cred;
    cred.group = *wanted;
    int refused = error >= 0 ? credentials_set(&cred) : 0;
    return refused ? refused : error;
}

long sys_getuid(void)
{
    return USER->real;
}

long sys_geteuid(void)
{
    return USER->effective;
}

long sys_getgid(void)
{
    return GROUP->real;
}

long sys_getegid(void)
{
    return GROUP->effective;
}

long sys_setuid(unsigned uid)
{
    struct ids wanted = *USER;
    return commit_user(&wanted, set_one(&wanted, uid, CAP_SETUID));
}

long sys_setgid(unsigned gid)
{
    struct ids wanted = *GROUP;
    return commit_group(&wanted, set_one(&wanted, gid, CAP_SETGID));
}

long sys_setreuid(unsigned ruid, unsigned euid)
{
    struct ids wanted = *USER;
    return commit_user(&wanted, set_two(&wanted, ruid, euid, CAP_SETUID));
}

long sys_setregid(unsigned rgid, unsigned egid)
{
    struct ids wanted = *GROUP;
    return commit_group(&wanted, set_two(&wanted, rgid, egid, CAP_SETGID));
}

long sys_setresuid(unsigned ruid, unsigned euid, unsigned suid)
{
    struct ids wanted = *USER;
    return commit_user(&wanted, set_three(&wanted, ruid, euid, suid, CAP_SETUID));
}

long sys_setresgid(unsigned rgid, unsigned egid, unsigned sgid)
{
    struct ids wanted = *GROUP;
    return commit_group(&wanted, set_three(&wanted, rgid, egid, sgid, CAP_SETGID));
}

long sys_getresuid(user_t ruid, user_t euid, user_t suid)
{
    return get_three(USER, ruid, euid, suid);
}

long sys_getresgid(user_t rgid, user_t egid, user_t sgid)
{
    return get_three(GROUP, rgid, egid, sgid);
}

long sys_setfsuid(unsigned uid)
{
    struct credentials cred = current_process->cred;
    uint32_t old = (uint32_t)set_fs(&cred.user, uid, CAP_SETUID);
    credentials_follow_fs_user(&cred, old);
    int refused = credentials_set(&cred);
    return refused ? refused : (long)old;
}

long sys_setfsgid(unsigned gid)
{
    struct ids wanted = *GROUP;
    return commit_group(&wanted, set_fs(&wanted, gid, CAP_SETGID));
}

long sys_getgroups(int size, user_t list)
{
    const struct credentials *cred = &current_process->cred;
    if (size < 0)
        return -EINVAL;
    if (size == 0)
        return cred->nr_groups;
    if ((unsigned)size < cred->nr_groups)
        return -EINVAL;
    int error = copy_to_user(list, cred->groups, cred->nr_groups * sizeof(cred->groups[0]));
    return error ? error : (long)cred->nr_groups;
}

/* Sorted, as Linux keeps them. */
static void insert_group(uint32_t *groups, int nr, uint32_t group)
{
    for (; nr > 0 && groups[nr - 1] > group; nr--)
        groups[nr] = groups[nr - 1];
    groups[nr] = group;
}

long sys_setgroups(int size, user_t list)
{
    struct credentials *cred = &current_process->cred;
    uint32_t groups[GROUPS_MAX];
    if (!capable(CAP_SETGID))
        return -EPERM;
    if (size < 0 || size > GROUPS_MAX)
        return -EINVAL;
    int error = copy_from_user(groups, list, (size_t)size * sizeof(groups[0]));
    if (error)
        return error;
    for (int i = 0; i < size; i++)
        if (groups[i] == UINT32_MAX) /* no group */
            return -EINVAL;
    for (int i = 0; i < size; i++)
        insert_group(cred->groups, i, groups[i]);
    cred->nr_groups = (uint32_t)size;
    return 0;
}

/* capget(2) and capset(2). */

#define VERSION_1 0x19980330u
#define VERSION_2 0x20071026u
#define VERSION_3 0x20080522u

struct header {
    uint32_t version;
    int pid;
};
struct words {
    uint32_t effective, permitted, inheritable;
};

/* The number of words of a version. Writes the latest version if it is unknown. -EFAULT,
 * -EINVAL. */
static int words_of_version(user_t header)
{
    uint32_t version;
    const uint32_t known = VERSION_3;
    if (copy_from_user(&version, header, sizeof(version)) != 0)
        return -EFAULT;
    if (version == VERSION_1)
        return 1;
    if (version == VERSION_2 || version == VERSION_3)
        return 2;
    return copy_to_user(header, &known, sizeof(known)) != 0 ? -EFAULT : -EINVAL;
}

static void words_of(const struct process *process, struct words out[2])
{
    const struct capabilities *caps = &process->cred.caps;
    for (unsigned i = 0; i < 2; i++)
        out[i] = (struct words){(uint32_t)(caps->effective >> 32 * i),
                                (uint32_t)(caps->permitted >> 32 * i),
                                (uint32_t)(caps->inheritable >> 32 * i)};
}

long sys_capget(user_t header, user_t data)
{
    int32_t pid;
    struct words words[2];
    int count = words_of_version(header);
    if (count < 0 || user_is_null(data))
        return count == -EINVAL && user_is_null(data) ? 0 : count < 0 ? count : 0;
    /* the version is read already: a program could change it */
    if (copy_from_user(&pid, user_add(header, offsetof(struct header, pid)), sizeof(pid)) != 0)
        return -EFAULT;
    if (pid < 0)
        return -EINVAL;
    LENDING();
    const struct process *process = pid == 0 ? current_process : process_peek(pid);
    if (!process)
        return -ESRCH;
    words_of(process, words);
    return copy_to_user(data, words, (size_t)count * sizeof(words[0]));
}

/* Whether the current process may have these sets. */
static bool may_have(const struct capabilities *wanted)
{
    const struct capabilities *caps = &current_process->cred.caps;
    if (!capable(CAP_SETPCAP) && (wanted->inheritable & ~(caps->inheritable | caps->permitted)))
        return false;
    return !(wanted->inheritable & ~(caps->inheritable | caps->bounding)) &&
           !(wanted->permitted & ~caps->permitted) && !(wanted->effective & ~wanted->permitted);
}

static long set_capabilities(const struct words words[2])
{
    struct credentials cred = current_process->cred;
    struct capabilities *caps = &cred.caps;
    caps->effective = (words[0].effective | (uint64_t)words[1].effective << 32) & CAP_ALL;
    caps->permitted = (words[0].permitted | (uint64_t)words[1].permitted << 32) & CAP_ALL;
    caps->inheritable = (words[0].inheritable | (uint64_t)words[1].inheritable << 32) & CAP_ALL;
    caps->ambient &= caps->permitted & caps->inheritable;
    return may_have(caps) ? credentials_set(&cred) : -EPERM;
}

long sys_capset(user_t header, user_t data)
{
    int32_t pid;
    struct words wanted[2] = {{0, 0, 0}, {0, 0, 0}};
    int count = words_of_version(header);
    if (count < 0)
        return count;
    /* the version is read already: a program could change it */
    if (copy_from_user(&pid, user_add(header, offsetof(struct header, pid)), sizeof(pid)) != 0)
        return -EFAULT;
    if (pid != 0 && pid != current_process->pid)
        return -EPERM;
    if (copy_from_user(wanted, data, (size_t)count * sizeof(wanted[0])) != 0)
        return -EFAULT;
    return set_capabilities(wanted);
}
