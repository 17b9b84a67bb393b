#include "call.h"
#include "world.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

unsigned char out_buffer[BUFFER_SIZE + 64], in_buffer[BUFFER_SIZE];

static const struct op *const subjects[] = {
    ops_files,    ops_data,   ops_tree,     ops_meta,       ops_pipe,      ops_process,
    ops_signal,   ops_memory, ops_identity, ops_attributes, ops_watches,   ops_futexes,
    ops_settings, ops_clocks, ops_system,   ops_locks,      ops_transfers, ops_mounts,
};

#define SUBJECTS (sizeof subjects / sizeof subjects[0])

long raw_call(int number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    long result = number;
    register uint64_t r10 __asm__("r10") = d;
    register uint64_t r8 __asm__("r8") = e;
    register uint64_t r9 __asm__("r9") = f;

    __asm__ volatile("syscall"
                     : "+a"(result)
                     : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static unsigned total_weight(void)
{
    unsigned total = 0;

    for (unsigned i = 0; i < SUBJECTS; i++) {
        for (const struct op *op = subjects[i]; op->name != NULL; op++) {
            total += op->weight;
        }
    }
    return total;
}

const struct op *call_choose(struct random *random)
{
    static unsigned total;

    if (total == 0) {
        total = total_weight();
    }
    unsigned at = random_below(random, total);
    for (unsigned i = 0; i < SUBJECTS; i++) {
        for (const struct op *op = subjects[i]; op->name != NULL; op++) {
            if (at < op->weight) {
                return op;
            }
            at -= op->weight;
        }
    }
    return &ops_files[0];
}

static void make_arguments(struct call *call)
{
    for (int i = 0; i < PARAMETERS && call->op->parameters[i].kind != NULL; i++) {
        const struct kind *kind = call->op->parameters[i].kind;
        if (kind->is_pointer && random_once_in(&call->random, 40)) {
            call->bad[i] = true;
            call->arguments[i] = pick_bad_pointer(&call->random);
        } else {
            kind->make(call, i, call->op->parameters[i].data);
        }
        call->values[i] = call->arguments[i];
        if (kind->is_int) {
            call->arguments[i] = widen(&call->random, call->arguments[i]);
        }
    }
}

static void show_arguments(struct call *call)
{
    say("%s(", call->op->name);
    for (int i = 0; i < PARAMETERS && call->op->parameters[i].kind != NULL; i++) {
        say("%s", i == 0 ? "" : ", ");
        if (call->bad[i]) {
            say("bad:%#lx", (unsigned long)call->values[i]);
        } else {
            call->op->parameters[i].kind->show(call, i, call->op->parameters[i].data);
        }
    }
    say(")");
}

void say_size_after_fault(int fd, long result)
{
    struct stat st;

    if (result == -EFAULT && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        say(" size %ld", (long)st.st_size);
    }
}

static void show_results(struct call *call)
{
    if (call->op->result == RESULT_PID && call->result > 0) {
        say(" = ");
        say_pid(call->result);
    } else if (call->op->result != RESULT_NONE) {
        say_result(call->result);
    }
    if (strstr(call->op->name, "write") != NULL) {
        say_size_after_fault((int)call->values[0], call->result);
    }
    for (int i = 0; i < PARAMETERS && call->op->parameters[i].kind != NULL; i++) {
        const struct kind *kind = call->op->parameters[i].kind;
        if (kind->after != NULL && !call->bad[i] && call->result >= 0) {
            say(" ");
            kind->after(call, i, call->op->parameters[i].data);
        }
    }
}

void call_make(struct call *call)
{
    const uint64_t *args = call->arguments;

    if (call->op->special != NULL) {
        call->op->special(call);
        return;
    }
    make_arguments(call);
    show_arguments(call);
    call->result = raw_call(call->op->number, args[0], args[1], args[2], args[3], args[4], args[5]);
    show_results(call);
}

static const struct name errors[] = {
    {"EPERM", EPERM},
    {"ENOENT", ENOENT},
    {"ESRCH", ESRCH},
    {"EINTR", EINTR},
    {"EIO", EIO},
    {"ENXIO", ENXIO},
    {"E2BIG", E2BIG},
    {"ENOEXEC", ENOEXEC},
    {"EBADF", EBADF},
    {"ECHILD", ECHILD},
    {"EAGAIN", EAGAIN},
    {"ENOMEM", ENOMEM},
    {"EACCES", EACCES},
    {"EFAULT", EFAULT},
    {"EBUSY", EBUSY},
    {"EEXIST", EEXIST},
    {"EXDEV", EXDEV},
    {"ENODEV", ENODEV},
    {"ENOTDIR", ENOTDIR},
    {"EISDIR", EISDIR},
    {"EINVAL", EINVAL},
    {"ENFILE", ENFILE},
    {"EMFILE", EMFILE},
    {"ENOTTY", ENOTTY},
    {"ETXTBSY", ETXTBSY},
    {"EFBIG", EFBIG},
    {"ENOSPC", ENOSPC},
    {"ESPIPE", ESPIPE},
    {"EROFS", EROFS},
    {"EMLINK", EMLINK},
    {"EPIPE", EPIPE},
    {"ERANGE", ERANGE},
    {"ENAMETOOLONG", ENAMETOOLONG},
    {"ENOSYS", ENOSYS},
    {"ENOTEMPTY", ENOTEMPTY},
    {"ELOOP", ELOOP},
    {"ENODATA", ENODATA},
    {"EDEADLK", EDEADLK},
    {"EOVERFLOW", EOVERFLOW},
    {"EOPNOTSUPP", EOPNOTSUPP},
    {NULL, 0},
};

void say(const char *format, ...)
{
    struct slot *slot = &world->slots[own_slot];
    size_t room = SLOT_TEXT - slot->used;
    va_list args;

    va_start(args, format);
    int length = vsnprintf(slot->text + slot->used, room, format, args);
    va_end(args);
    if (length > 0) {
        slot->used += (size_t)length < room ? (unsigned)length : (unsigned)room - 1;
    }
}

const char *error_name(int error)
{
    static char number[32];

    for (const struct name *name = errors; name->name != NULL; name++) {
        if (name->value == error) {
            return name->name;
        }
    }
    snprintf(number, sizeof number, "errno-%d", error);
    return number;
}

void say_result(long result)
{
    if (result < 0 && result > -4096) {
        say(" = %s", error_name((int)-result));
    } else {
        say(" = %ld", result);
    }
}

void say_pid(long pid)
{
    int slot = pid > 0 && pid <= INT32_MAX ? slot_of((pid_t)pid) : -1;

    if (slot >= 0) {
        say("s%d", slot);
    } else if (pid == world->director) {
        say("director");
    } else if (pid > 0 && pid < INT32_MAX) {
        say("stranger");
    } else {
        say("%ld", pid);
    }
}

static uint32_t digest(const unsigned char *bytes, size_t size)
{
    uint32_t value = 2166136261u;

    for (size_t i = 0; i < size; i++) {
        value = (value ^ bytes[i]) * 16777619u;
    }
    return value;
}

void say_bytes(const void *bytes, size_t size)
{
    const unsigned char *all = bytes;

    if (size > 8) {
        say("[%zu:%08x]", size, digest(all, size));
        return;
    }
    say("[");
    for (size_t i = 0; i < size; i++) {
        say("%02x", all[i]);
    }
    say("]");
}

void say_path(const char *path)
{
    size_t length = strlen(path);

    if (length > 48) {
        say("\"%.8s...\"", path);
        say_bytes(path, length);
    } else {
        say("\"%s\"", path);
    }
}

void say_one(const struct name *names, long value)
{
    for (; names->name != NULL; names++) {
        if (names->value == value) {
            say("%s", names->name);
            return;
        }
    }
    say("%#lx", value);
}

void say_flags(const struct name *names, long value)
{
    const char *comma = "";

    for (; names->name != NULL; names++) {
        if (names->value != 0 && (value & names->value) == names->value) {
            say("%s%s", comma, names->name);
            comma = "|";
            value &= ~names->value;
        }
    }
    if (value != 0 || *comma == '\0') {
        say("%s%#lx", comma, value);
    }
}
