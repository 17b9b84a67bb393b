#include "probe.h"
#include "proc.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

int in_child(int (*act)(void *argument), void *argument)
{
    pid_t pid = fork();

    if (pid == 0) {
        _exit(act(argument));
    }
    return pid > 0 ? wait_for(pid) : NOT_RUN;
}

static int read_byte(void *address)
{
    (void)*(volatile char *)address;
    return 0;
}

static int write_byte(void *address)
{
    volatile char *byte = address;

    *byte = *byte;
    return 0;
}

static int call_address(void *address)
{
    __asm__ volatile("call *%0" : : "r"(address) : "memory", "cc");
    return 0;
}

static int signal_of(int (*act)(void *), uintptr_t address)
{
    int status = in_child(act, (void *)address);

    return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

int read_signal(const volatile void *address)
{
    return signal_of(read_byte, (uintptr_t)address);
}

int write_signal(volatile void *address)
{
    return signal_of(write_byte, (uintptr_t)address);
}

int call_signal(const void *address)
{
    return signal_of(call_address, (uintptr_t)address);
}

int all_are(const void *start, size_t size, unsigned char value)
{
    const unsigned char *bytes = start;
    unsigned char difference = 0;

    for (size_t i = 0; i < size; i++) {
        difference |= (unsigned char)(bytes[i] ^ value);
    }
    return difference == 0;
}

unsigned char file_byte(size_t offset)
{
    return (unsigned char)(offset * 13 % 241 + 1);
}

int temporary_file(size_t size)
{
    static unsigned number;
    char path[64];
    unsigned char bytes[512];

    snprintf(path, sizeof path, "/tmp/umbra-test-%d-%u", getpid(), number++);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd < 0 || unlink(path) != 0) {
        return -1;
    }
    for (size_t offset = 0; offset < size;) {
        size_t part = size - offset < sizeof bytes ? size - offset : sizeof bytes;
        for (size_t i = 0; i < part; i++) {
            bytes[i] = file_byte(offset + i);
        }
        if (write(fd, bytes, part) != (ssize_t)part) {
            close(fd);
            return -1;
        }
        offset += part;
    }
    return fd;
}

long free_memory(void)
{
    struct sysinfo info = {0};

    return sysinfo(&info) == 0 ? (long)(info.freeram * info.mem_unit) : -1;
}
