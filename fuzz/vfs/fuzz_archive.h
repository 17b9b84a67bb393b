/* What the targets for archives share: worlds to import into, and a fingerprint of a tree. */
#ifndef FUZZ_VFS_ARCHIVE_H
#define FUZZ_VFS_ARCHIVE_H

#include <umvfs/archive.h>

#include "host.h"

struct target {
    struct host host;
    struct umvfs_task task;
    bool may_have_empty_links; /* UMVFS_IMPORT_LINUX makes them */
};

void target_begin(struct target *target);
/* Destroys it and aborts if anything is left. */
void target_end(struct target *target);

/* Imports in pieces of `piece` bytes into a fresh directory "/t" of the target. Aborts if a failed
 * import leaves anything behind, or a successful one breaks an invariant. */
int target_import(struct target *target, const struct umvfs_import_options *options,
                  const uint8_t *data, size_t size, size_t piece, struct umvfs_import_error *error);

/* Aborts if more memory was asked for since `calls_before` (host.calls) than an import of so many bytes may. */
void target_check_cost(const struct target *target, uint64_t calls_before, size_t size);

/* A number that depends on every name, attribute, link and byte below "/t"; seconds: times count in
 * whole seconds, and attributes not at all. */
uint64_t target_fingerprint(struct target *target, bool seconds);

/* How many names are below "/t". */
uint64_t target_names(struct target *target);

#endif
