/* capget(2) and capset(2). */
#include "lib/errno.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "syscall/user.h"
#include "task/process.h"
#include "task/rights.h"

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
