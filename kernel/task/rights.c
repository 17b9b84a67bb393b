#include "task/rights.h"

#include "lib/errno.h"
#include "task/process.h"

static bool may_do_other_things(const struct ids *old, const struct ids *new)
{
    return old->effective != new->effective || old->fs != new->fs;
}

/* Sets the real user of the process, and the user who is charged from now on. */
static int set_users(struct process *process, uint32_t uid, uint32_t payer_uid)
{
    struct user *old_user = process->user, *old_payer = process->payer;
    struct user *user = user_find(uid);
    if (!user)
        return -EAGAIN;
    user->processes++;
    struct user *payer = user_find(payer_uid);
    if (payer)
        payer->payers++;
    else
        old_user = user; /* nothing changes */
    old_user->processes--;
    if (!payer)
        return -EAGAIN;
    old_payer->payers--;
    process->user = user;
    process->payer = payer;
    process->passed_limit = user != old_user && user->uid != 0 &&
                            user->processes - 1 > process->limits[RLIMIT_NPROC].soft;
    user_left(old_user);
    if (old_payer != old_user)
        user_left(old_payer);
    return 0;
}

/* A change of what the process may do, if it is not only less. */
static bool gains(const struct credentials *old, const struct credentials *new)
{
    return may_do_other_things(&old->user, &new->user) ||
           may_do_other_things(&old->group, &new->group) ||
           (new->caps.permitted & ~old->caps.permitted) != 0;
}

int credentials_set(const struct credentials *wanted)
{
    struct process *process = current_process;
    int error = set_users(process, wanted->user.real, wanted->user.fs);
    if (error)
        return error;
    if (gains(&process->cred, wanted)) {
        process->undumpable = true;
        process->death_signal = 0;
    }
    process->cred = *wanted;
    process_set_floor(process);
    process_limits_changed(process);
    frame_floor = process->frame_floor;
    return 0;
}

static bool is_in_group(const struct credentials *c, uint32_t gid)
{
    bool found = c->group.fs == gid;
    for (uint32_t i = 0; i < c->nr_groups && !found; i++)
        found = c->groups[i] == gid;
    return found;
}

/* An unsafe exec gives no capability that the process did not have. Without CAP_SETUID it also takes
 * the effective ids away. */
static void downgrade(const struct credentials *old, struct credentials *new)
{
    if (!capable(CAP_SETUID) || old->no_new_privileges) {
        new->user.effective = new->user.real;
        new->group.effective = new->group.real;
    }
    new->caps.permitted &= old->caps.permitted;
}

/* User 0 gets all capabilities of the bounding set. Returns whether they are effective too. */
static bool give_root_caps(const struct credentials *old, struct credentials *new)
{
    bool has_root = !(old->secure_bits & SECURE_NOROOT);
    bool is_root = has_root && old->user.effective == 0;
    bool gets_all = is_root || (has_root && old->user.real == 0);
    new->caps.permitted = gets_all ? old->caps.bounding | old->caps.inheritable : 0;
    return is_root;
}

/* Whether new credentials are more than those of the real user. */
static bool are_secure(const struct credentials *old, const struct credentials *new,
                       bool is_effective)
{
    return new->user.effective != old->user.real || new->group.effective != old->group.real ||
           (new->user.real != 0 &&
            (is_effective || (new->caps.permitted & ~new->caps.ambient) != 0));
}

/* As Linux since 6.16 (cap_bprm_creds_from_file() in security/commoncap.c). exec ignores set-user-ID
 * bits, so that only setfsgid(2) lets the new program have a group that the old one had not. */
void credentials_for_exec(struct exec_credentials *out)
{
    const struct process *process = current_process;
    const struct credentials *old = &process->cred;
    struct credentials *new = &out->cred;
    *new = *old;
    bool is_effective = give_root_caps(old, new);
    bool is_changed = !is_in_group(old, old->group.effective);
    bool is_unsafe = old->no_new_privileges || process->fs->refs.count > 1;
    if (is_unsafe && (is_changed || (new->caps.permitted & ~old->caps.permitted) != 0))
        downgrade(old, new);
    new->user.saved = new->user.fs = new->user.effective;
    new->group.saved = new->group.fs = new->group.effective;
    if (is_changed)
        new->caps.ambient = 0;
    new->caps.permitted |= new->caps.ambient;
    new->caps.effective = is_effective ? new->caps.permitted : new->caps.ambient;
    new->secure_bits &= (uint8_t)~SECURE_KEEP_CAPS;
    out->is_secure = is_changed || are_secure(old, new, is_effective);
}

int credentials_exec(const struct exec_credentials *wanted)
{
    struct process *process = current_process;
    const struct credentials *old = &process->cred;
    bool was_undumpable = process->undumpable;
    process->undumpable =
        old->user.real != old->user.effective || old->group.real != old->group.effective;
    int error = credentials_set(&wanted->cred);
    if (error)
        process->undumpable = was_undumpable;
    else if (wanted->is_secure)
        process->death_signal = 0;
    return error;
}

static bool has_root(const struct ids *ids)
{
    return ids->real == 0 || ids->effective == 0 || ids->saved == 0;
}

void credentials_follow_user(struct credentials *wanted, const struct ids *old)
{
    const struct ids *new = &wanted->user;
    struct capabilities *caps = &wanted->caps;
    if (wanted->secure_bits & SECURE_NO_SETUID_FIXUP)
        return;
    if (has_root(old) && !has_root(new)) {
        if (!(wanted->secure_bits & SECURE_KEEP_CAPS))
            caps->permitted = caps->effective = 0;
        caps->ambient = 0;
    }
    if (old->effective == 0 && new->effective != 0)
        caps->effective = 0;
    if (old->effective != 0 && new->effective == 0)
        caps->effective = caps->permitted;
}

void credentials_follow_fs_user(struct credentials *wanted, uint32_t old_fs)
{
    struct capabilities *caps = &wanted->caps;
    if (wanted->secure_bits & SECURE_NO_SETUID_FIXUP)
        return;
    if (old_fs == 0 && wanted->user.fs != 0)
        caps->effective &= ~CAP_FILES;
    if (old_fs != 0 && wanted->user.fs == 0)
        caps->effective |= caps->permitted & CAP_FILES;
}

static bool are_all(const struct ids *ids, uint32_t id)
{
    return ids->real == id && ids->effective == id && ids->saved == id;
}

static bool may_trace(const struct process *target, uint32_t uid, uint32_t gid, uint64_t caps)
{
    const struct credentials *its = &target->cred;
    if (target == current_process || capable(CAP_SYS_PTRACE))
        return true;
    if (its->caps.permitted & ~caps)
        return false;
    if (!are_all(&its->user, uid) || !are_all(&its->group, gid))
        return false;
    return !target->aspace || !target->undumpable;
}

bool rights_to_inspect(const struct process *target)
{
    const struct credentials *own = &current_process->cred;
    return may_trace(target, own->user.fs, own->group.fs, own->caps.effective);
}

bool rights_to_attach(const struct process *target)
{
    const struct credentials *own = &current_process->cred;
    return may_trace(target, own->user.real, own->group.real, own->caps.permitted);
}

bool rights_to_signal(const struct process *target, int signal)
{
    const struct ids *own = &current_process->cred.user, *other = &target->cred.user;
    if (signal == SIGCONT && target->sid == current_process->sid)
        return true;
    return own->effective == other->saved || own->effective == other->real ||
           own->real == other->saved || own->real == other->real || capable(CAP_KILL);
}
