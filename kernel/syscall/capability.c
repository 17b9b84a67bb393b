/* capabilities(7): an effective user 0 has all of them, but perhaps not those over files, which
 * another effective user can have. */
#include "lib/errno.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "syscall/user.h"
#include "task/process.h"

#define VERSION_1 0x19980330u
#define VERSION_2 0x20071026u
#define VERSION_3 0x20080522u
#define CAP_ALL   ((1ull << 41) - 1) /* as many as Linux 6.1 has */
#define CAP_FILES 0x10800021full /* CAP_CHOWN to CAP_FSETID, and others that setfsuid(2) drops */

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
    const struct ids *ids = &process->cred.user;
    uint64_t effective = ids->effective == 0 ? CAP_ALL & ~CAP_FILES : 0;
    if (!process->cred.lacks_file_caps)
        effective |= CAP_FILES;
    uint64_t permitted = ids->real == 0 || ids->effective == 0 || ids->saved == 0 ? CAP_ALL : 0;
    out[0] = (struct words){(uint32_t)effective, (uint32_t)permitted, 0};
    out[1] = (struct words){(uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), 0};
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

static bool same_words(const struct words *x, const struct words *y)
{
    return x->effective == y->effective && x->permitted == y->permitted &&
           x->inheritable == y->inheritable;
}

/* Capabilities cannot be changed: only the current set is accepted. */
long sys_capset(user_t header, user_t data)
{
    int32_t pid;
    struct words wanted[2] = {{0, 0, 0}, {0, 0, 0}}, present[2];
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
    words_of(current_process, present);
    const uint32_t mask = (uint32_t)(CAP_ALL >> 32);
    wanted[1].effective &= mask;
    wanted[1].permitted &= mask;
    wanted[1].inheritable &= mask;
    bool same = same_words(&wanted[0], &present[0]) && same_words(&wanted[1], &present[1]);
    return same ? 0 : -EPERM;
}
