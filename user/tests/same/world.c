#include "world.h"

#include <errno.h>
#include <sys/mman.h>

int own_slot = -1;

int world_map(void)
{
    void *got = mmap(WORLD_ADDRESS, sizeof *world, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                     WORLD_FD, 0);

    return got == MAP_FAILED ? errno : 0;
}

int inode_ordinal(uint64_t device, uint64_t number)
{
    for (int i = 0; i < world->inodes; i++) {
        if (world->inode[i].device == device && world->inode[i].number == number) {
            return i + 1;
        }
    }
    if (world->inodes == INODES) {
        return 0;
    }
    world->inode[world->inodes].device = device;
    world->inode[world->inodes].number = number;
    return ++world->inodes;
}

int slot_of(pid_t pid)
{
    for (int i = world->born - 1; i >= 0; i--) {
        if (world->slots[i].pid == pid) {
            return i;
        }
    }
    return -1;
}
