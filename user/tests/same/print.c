#include "print.h"

#include "world.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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
