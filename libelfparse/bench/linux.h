/* Linux as a judge of files: does execve take one? */
#ifndef BENCH_LINUX_H
#define BENCH_LINUX_H

#include <stddef.h>
#include <stdint.h>

/*
 * Hands size bytes to execve and stops what comes of it before its first instruction, or kills it
 * after a second. 1: it would run; 0: it is refused, or killed by execve itself; -1: this cannot be
 * told here (no memfd, no ptrace).
 */
int linux_runs(const uint8_t *file, size_t size);

#endif
