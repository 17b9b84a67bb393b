/* Metadata of files: stat, modes, owners, times, access. */
#include "kinds.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TIMES  {&kind_times, 0}
#define ID     {&kind_id, 0}
#define STATFS {&kind_statfs, 0}

static const struct name stat_flags[] = {
    {"0", 0},
    {"AT_SYMLINK_NOFOLLOW", AT_SYMLINK_NOFOLLOW},
    {"AT_EMPTY_PATH", AT_EMPTY_PATH},
    {"AT_NO_AUTOMOUNT", AT_NO_AUTOMOUNT},
    {"0x1", 1},
    {NULL, 0},
};
static const struct name owner_flags[] = {
    {"0", 0},
    {"AT_SYMLINK_NOFOLLOW", AT_SYMLINK_NOFOLLOW},
    {"AT_EMPTY_PATH", AT_EMPTY_PATH},
    {"0x1", 1},
    {NULL, 0},
};
static const struct name time_flags[] = {
    {"0", 0},
    {"AT_SYMLINK_NOFOLLOW", AT_SYMLINK_NOFOLLOW},
    {"0x1", 1},
    {NULL, 0},
};
static const struct name access_modes[] = {
    {"F_OK", F_OK}, {"R_OK", R_OK}, {"W_OK", W_OK}, {"X_OK", X_OK}, {"RWX", 7}, {"8", 8}, {NULL, 0},
};
static const struct name access_flags[] = {
    {"0", 0},  {"AT_EACCESS", AT_EACCESS}, {"AT_SYMLINK_NOFOLLOW", AT_SYMLINK_NOFOLLOW}, {"0x1", 1},
    {NULL, 0},
};

const struct op ops_meta[] = {
    {"stat", 16, SYS_stat, {PATH, STAT}, 0, 0, 0},
    {"lstat", 14, SYS_lstat, {PATH, STAT}, 0, 0, 0},
    {"fstat", 20, SYS_fstat, {FD, STAT}, 0, 0, 0},
    {"newfstatat", 10, SYS_newfstatat, {DIRECTORY, PATH, STAT, FLAGS(stat_flags)}, 0, 0, 0},
    {"statfs", 3, SYS_statfs, {PATH, STATFS}, 0, 0, 0},
    {"fstatfs", 3, SYS_fstatfs, {FD, STATFS}, 0, 0, 0},
    {"chmod", 10, SYS_chmod, {PATH, MODE}, 0, 0, 0},
    {"fchmod", 8, SYS_fchmod, {FD, MODE}, 0, 0, 0},
    {"fchmodat", 5, SYS_fchmodat, {DIRECTORY, PATH, MODE}, 0, 0, 0},
    {"chown", 6, SYS_chown, {PATH, ID, ID}, 0, 0, 0},
    {"lchown", 4, SYS_lchown, {PATH, ID, ID}, 0, 0, 0},
    {"fchown", 5, SYS_fchown, {FD, ID, ID}, 0, 0, 0},
    {"fchownat", 4, SYS_fchownat, {DIRECTORY, PATH, ID, ID, FLAGS(owner_flags)}, 0, 0, 0},
    {"utimensat", 14, SYS_utimensat, {DIRECTORY, PATH, TIMES, ONE(time_flags)}, 0, 0, 0},
    {"futimens", 8, SYS_utimensat, {FD, ZERO, TIMES, ZERO}, 0, 0, 0},
    {"access", 8, SYS_access, {PATH, ONE(access_modes)}, 0, 0, 0},
    {"faccessat2",
     6,
     SYS_faccessat2,
     {DIRECTORY, PATH, ONE(access_modes), FLAGS(access_flags)},
     0,
     0,
     0},
    {"umask", 5, SYS_umask, {MODE}, 0, 0, 0},
    {0, 0, 0, {{0, 0}}, 0, 0, 0},
};
