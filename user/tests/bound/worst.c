/* The table: the worst arguments of each call that a program can make long. */
#include "bound.h"

#include <fcntl.h>

#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define FALLOCATE_KEEP_SIZE  1
#define FALLOCATE_PUNCH_HOLE 2
#define FALLOCATE_ZERO_RANGE 16

#define ANONYMOUS   (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE)
#define NO_FILE     UINT64_MAX
#define ALL_OF_THEM UINT64_MAX
#define MOVE_THERE  (MREMAP_MAYMOVE | MREMAP_FIXED)

#define PREPARE(in, function) {.group = #in, .what = #function, .prepare = function}
#define CALLS(often, in, text, name, ...)                                                          \
    {.group = #in, .what = text, .call = SYS_##name, .argument = {__VA_ARGS__}, .times = often}
#define CALL(in, text, name, ...) CALLS(1, in, text, name, __VA_ARGS__)

const struct worst worst[] = {
    PREPARE(dense, prepare_dense),
    CALL(dense, "mprotect takes a right away", mprotect, AREA, SIZE, PROT_READ),
    CALL(dense, "mprotect gives it again", mprotect, AREA, SIZE, PROT_READ | PROT_WRITE),
    CALL(dense, "fork", fork, 0),
    CALL(dense, "mremap there", mremap, AREA, SIZE, SIZE, MOVE_THERE, ELSEWHERE),
    CALL(dense, "and back", mremap, ELSEWHERE, SIZE, SIZE, MOVE_THERE, AREA),
    CALL(dense, "msync", msync, AREA, SIZE, MS_SYNC),
    CALL(dense, "madvise drops all", madvise, AREA, SIZE, MADV_DONTNEED),
    CALL(dense, "madvise makes all", madvise, AREA, SIZE, 23 /* MADV_POPULATE_WRITE */),
    CALL(dense, "mmap makes all", mmap, AREA, SIZE, PROT_READ | PROT_WRITE,
         ANONYMOUS | MAP_POPULATE, NO_FILE, 0),
    CALL(dense, "mmap over it", mmap, AREA, SIZE, PROT_READ | PROT_WRITE, ANONYMOUS | MAP_POPULATE,
         NO_FILE, 0),
    CALL(dense, "mremap makes it small", mremap, AREA, SIZE, 4096, 0),

    PREPARE(dense_end, prepare_proc),
    PREPARE(dense_end, prepare_dense),
    CALL(dense_end, "read of umbra-users", pread64, FD, BUFFER, 4096, 0),
    CALL(dense_end, "read of umbra-frames", pread64, FD2, BUFFER, 4096, 0),
    CALL(dense_end, "munmap", munmap, AREA, SIZE),
    PREPARE(dense_end, prepare_dense),
    CALL(dense_end, "getpid", getpid, 0),

    PREPARE(sparse, prepare_sparse),
    CALL(sparse, "mprotect takes a right away", mprotect, AREA, SIZE, PROT_READ),
    CALL(sparse, "mprotect gives it again", mprotect, AREA, SIZE, PROT_READ | PROT_WRITE),
    CALL(sparse, "fork", fork, 0),
    CALL(sparse, "mremap there", mremap, AREA, SIZE, SIZE, MOVE_THERE, ELSEWHERE),
    CALL(sparse, "and back", mremap, ELSEWHERE, SIZE, SIZE, MOVE_THERE, AREA),
    CALL(sparse, "mincore", mincore, AREA, 1ul << 30, AREA),
    CALL(sparse, "msync", msync, AREA, SIZE, MS_SYNC),
    CALL(sparse, "madvise drops all", madvise, AREA, SIZE, MADV_DONTNEED),

    PREPARE(sparse_end, prepare_sparse),
    CALL(sparse_end, "munmap", munmap, AREA, SIZE),
    PREPARE(sparse_end, prepare_sparse),
    CALL(sparse_end, "mmap over it", mmap, AREA, SIZE, PROT_READ, ANONYMOUS, NO_FILE, 0),
    PREPARE(sparse_end, prepare_sparse),
    CALL(sparse_end, "getpid", getpid, 0),

    PREPARE(empty, prepare_buffer),
    CALL(empty, "mmap of 32 TiB", mmap, 0x100000000000, 1ul << 45, PROT_READ | PROT_WRITE,
         ANONYMOUS, NO_FILE, 0),
    CALL(empty, "mprotect", mprotect, 0x100000000000, 1ul << 45, PROT_READ),
    CALL(empty, "mremap", mremap, 0x100000000000, 1ul << 45, 1ul << 45, MOVE_THERE, 0x400000000000),
    CALL(empty, "mincore", mincore, 0x400000000000, 1ul << 37, BUFFER),
    CALL(empty, "madvise", madvise, 0x400000000000, 1ul << 45, MADV_DONTNEED),
    CALL(empty, "munmap", munmap, 0x400000000000, 1ul << 45),

    PREPARE(heap, prepare_heap),
    CALL(heap, "brk gives it back", brk, TOP),
    PREPARE(heap, prepare_heap),
    PREPARE(heap, prepare_strings),
    CALL(heap, "execve leaves it, with 2 MiB of arguments", execve, PATH, VECTOR, VECTOR2),

    PREPARE(sparse_exec, prepare_sparse),
    PREPARE(sparse_exec, prepare_strings),
    CALL(sparse_exec, "execve", execve, PATH, VECTOR, VECTOR2),

    PREPARE(areas, prepare_proc_maps),
    CALL(areas, "fork", fork, 0),
    CALL(areas, "read of the end of maps", pread64, FD, BUFFER, BUFFER_SIZE, 1000000),
    CALL(areas, "read of maps", read, FD, BUFFER, BUFFER_SIZE),
    CALL(areas, "msync", msync, AREA, SIZE, MS_SYNC),
    CALL(areas, "madvise", madvise, AREA, SIZE, MADV_NORMAL),
    CALL(areas, "mprotect makes them one", mprotect, AREA, SIZE, PROT_READ),
    PREPARE(areas, prepare_areas),
    CALL(areas, "munmap", munmap, AREA, SIZE),
    PREPARE(areas, prepare_areas),
    CALL(areas, "mmap over them", mmap, AREA, SIZE, PROT_READ, ANONYMOUS, NO_FILE, 0),
    PREPARE(areas, prepare_areas),
    CALL(areas, "getpid", getpid, 0),

    PREPARE(locks, prepare_proc_smaps),
    CALL(locks, "mlock", mlock, AREA, SIZE),
    CALL(locks, "read of the end of smaps", pread64, FD, BUFFER, BUFFER_SIZE, 5000000),
    CALL(locks, "read of smaps", read, FD, BUFFER, BUFFER_SIZE),
    CALL(locks, "read of status", read, FD2, BUFFER, BUFFER_SIZE),
    CALL(locks, "munlockall", munlockall, 0),
    CALL(locks, "mlockall", mlockall, MCL_CURRENT),
    CALL(locks, "munlock", munlock, AREA, SIZE),
    CALL(locks, "getrandom", getrandom, BUFFER, BUFFER_SIZE, 0),

    PREPARE(locks_dense, prepare_proc_smaps_dense),
    CALL(locks_dense, "mlock", mlock, AREA, SIZE),
    CALL(locks_dense, "mlockall", mlockall, MCL_CURRENT),
    CALL(locks_dense, "read of smaps", read, FD, BUFFER, BUFFER_SIZE),
    CALL(locks_dense, "read of status", read, FD2, BUFFER, BUFFER_SIZE),
    CALL(locks_dense, "munlock", munlock, AREA, SIZE),

    PREPARE(file, prepare_sparse_file),
    PREPARE(file, prepare_second_file),
    PREPARE(file, prepare_buffer),
    CALL(file, "read of a hole", read, FD, BUFFER, BUFFER_SIZE),
    CALL(file, "pread of a hole", pread64, FD, BUFFER, BUFFER_SIZE, 1ul << 28),
    CALL(file, "write", write, FD2, BUFFER, BUFFER_SIZE),
    CALL(file, "pwrite", pwrite64, FD2, BUFFER, BUFFER_SIZE, 0),
    CALL(file, "sendfile", sendfile, FD2, FD, 0, 1ul << 27),
    CALL(file, "copy_file_range", copy_file_range, FD, 0, FD2, 0, 1ul << 27, 0),
    CALL(file, "fallocate punches a hole", fallocate, FD2,
         FALLOCATE_PUNCH_HOLE | FALLOCATE_KEEP_SIZE, 0, 1ul << 28),
    CALL(file, "fallocate makes all of it", fallocate, FD, 0, 0, 1ul << 29),
    CALL(file, "fallocate makes all zeros", fallocate, FD, FALLOCATE_ZERO_RANGE, 0, 1ul << 29),
    CALL(file, "ftruncate", ftruncate, FD, 1),
    CALL(file, "ftruncate up", ftruncate, FD, 1ul << 40),

    PREPARE(truncate, prepare_large_file),
    CALL(truncate, "truncate", truncate, PATH, 1),
    PREPARE(truncate, prepare_large_file),
    CALL(truncate, "open", open, PATH, O_RDWR | O_TRUNC, 0),
    PREPARE(truncate, prepare_large_file),
    CALL(truncate, "open for reading", open, PATH, O_RDONLY | O_TRUNC, 0),
    PREPARE(truncate, prepare_mapped_file),
    CALL(truncate, "ftruncate of a mapped one", ftruncate, FD, 0),

    PREPARE(removed, prepare_removed_file),
    CALL(removed, "close", close, FD),
    PREPARE(removed, prepare_large_file),
    CALL(removed, "close", close, FD),
    CALL(removed, "unlink", unlink, PATH),
    PREPARE(removed, prepare_large_file),
    CALL(removed, "close", close, FD),
    PREPARE(removed, prepare_second_file),
    CALL(removed, "rename over it", rename, PATH2, PATH),
    CALL(removed, "close", close, FD2),
    PREPARE(removed, prepare_removed_file),
    PREPARE(removed, map_file_again),
    CALL(removed, "close", close, FD),
    CALL(removed, "munmap", munmap, AREA, SIZE),
    PREPARE(removed, prepare_removed_file),
    CALL(removed, "getpid", getpid, 0),

    PREPARE(directory, prepare_directory),
    CALL(directory, "getdents64", getdents64, FD, BUFFER, BUFFER_SIZE),
    PREPARE(directory, leave_mount),
    CALL(directory, "umount", umount2, PATH, MNT_DETACH),

    PREPARE(links, prepare_links),
    CALL(links, "stat", stat, PATH, BUFFER),
    CALL(links, "rename", rename, PATH, PATH2),
    CALL(links, "link", link, PATH2, PATH),
    CALL(links, "open", open, PATH, O_RDONLY),
    CALL(links, "truncate", truncate, PATH, 1),
    CALL(links, "unlink", unlink, PATH),
    CALL(links, "execve", execve, PATH2, 0, 0),

    PREPARE(children, prepare_children),
    CALL(children, "read of a file of /proc", read, FD2, BUFFER, BUFFER_SIZE),
    CALL(children, "getdents64 of /proc", getdents64, FD, BUFFER, BUFFER_SIZE),
    CALL(children, "wait4", wait4, ALL_OF_THEM, 0, WNOHANG, 0),
    CALL(children, "getpriority", getpriority, 2, 0),
    CALL(children, "kill", kill, ALL_OF_THEM, SIGWINCH),
    CALL(children, "kill all", kill, ALL_OF_THEM, SIGKILL),
    CALLS(100, children, "wait4 for them", wait4, ALL_OF_THEM, 0, 0, 0),

    PREPARE(descriptors, prepare_descriptors),
    CALL(descriptors, "poll", poll, VECTOR, COUNT, 10),
    CALL(descriptors, "select", select, COUNT, BUFFER, 0, 0, BUFFER),
    CALL(descriptors, "fork", fork, 0),
    CALL(descriptors, "close_range", close_range, 3, ~0u, 0),

    PREPARE(memory, exhaust_memory),
    CALL(memory, "getpid", getpid, 0),

    PREPARE(vector, prepare_vector),
    CALL(vector, "writev", writev, FD, VECTOR, COUNT),
    CALL(vector, "preadv", preadv, FD, VECTOR, COUNT, 0),

    PREPARE(console, prepare_console),
    CALL(console, "write", write, 1, BUFFER, 65536),

    PREPARE(attributes, prepare_attributes),
    CALL(attributes, "setxattr", setxattr, PATH, PATH2, BUFFER, 3000, 0),
    CALL(attributes, "getxattr", getxattr, PATH, PATH2, BUFFER, 3000),
    CALL(attributes, "listxattr", listxattr, PATH, BUFFER, 65536),
    CALL(attributes, "removexattr", removexattr, PATH, PATH2),
    CALL(attributes, "unlink", unlink, PATH),

    PREPARE(mutexes, prepare_mutexes),
    CALL(mutexes, "exit", exit, 0),
};

const size_t worst_count = sizeof worst / sizeof worst[0];
