/* Converts bytes to operations of four bytes each. The first byte's low bits choose the operation,
 * its high bits whether an allocation fails in it; the others give its arguments. */
#include <stdio.h>
#include <stdlib.h>

#include "host/cpu.h"
#include "host/ram.h"
#include "tests/model.h"

struct op {
    uint8_t kind, a, b, c;
};

/* a: space (2 bits), zone (2), misc (4). b: page of the zone (5), protection (3). c: number of
 * pages (4), misc (4). */
static unsigned space_of(const struct op *op)
{
    return (op->a & 3) % MODEL_SPACES;
}

static unsigned page_of(const struct op *op)
{
    return (op->a >> 2 & 3u) % ZONES * ZONE_PAGES + (op->b & 31u);
}

static unsigned prot_of(const struct op *op)
{
    return op->b >> 5;
}

static unsigned count_of(const struct op *op)
{
    return (op->c & 15) + 1;
}

static void map(struct model *m, const struct op *op)
{
    struct model_mapping mapping = {
        .first = page_of(op),
        .pages = count_of(op),
        .prot = prot_of(op),
        .file = -1,
        .replace = op->c & 16,
    };
    if ((op->a >> 4) == 15)
        mapping.flags = VMA_GROWSDOWN;
    model_map(m, space_of(op), &mapping);
}

/* Pages beyond the largest file of the model are not mapped. */
static void map_file(struct model *m, const struct op *op)
{
    struct model_mapping mapping = {
        .first = page_of(op),
        .pages = count_of(op),
        .prot = prot_of(op),
        .flags = (op->c & 32) ? VMA_SHARED : 0,
        .file = (op->c >> 6) % MODEL_FILES,
        .file_page = op->a >> 4,
        .replace = op->c & 16,
    };
    if (op->c >> 6 == 3)
        mapping.flags |= VMA_GROWSDOWN;
    if (mapping.file_page + mapping.pages > FILE_PAGES)
        mapping.pages = FILE_PAGES - mapping.file_page;
    if ((mapping.flags & VMA_SHARED) && mapping.file == 2) { /* as if open for reading only */
        mapping.flags |= VMA_NO_WRITE;
        mapping.prot &= ~PROT_WRITE;
    }
    model_map(m, space_of(op), &mapping);
}

static void access(struct model *m, const struct op *op)
{
    static const unsigned accesses[] = {ACCESS_READ, ACCESS_WRITE, ACCESS_EXEC, ACCESS_WRITE};
    model_access(m, page_of(op), accesses[op->c & 3], op->c | 0x100);
}

static void file_op(struct model *m, const struct op *op)
{
    unsigned file = op->a % MODEL_FILES, page = op->b % FILE_PAGES;
    switch (op->c & 3) {
    case 0:
    case 1:
        model_file_write(m, file, page, op->c | 0x200);
        break;
    case 2:
        model_file_truncate(m, file, page * PAGE_SIZE + (op->c & 4 ? 2048 : 0));
        break;
    default:
        model_file_punch(m, file, page, (op->c >> 4) + 1);
    }
}

static void process_op(struct model *m, const struct op *op)
{
    switch (op->c & 3) {
    case 0:
        model_create(m, space_of(op));
        break;
    case 1:
        model_exit(m, space_of(op));
        break;
    case 2:
        model_run(m, space_of(op));
        break;
    default:
        model_clone(m, space_of(op), (op->b & 3) % MODEL_SPACES);
    }
}

/* For debugging a finding: with SCRIPT_TRACE=1 in the environment it prints each operation. */
static void trace(unsigned n, const struct op *op)
{
    static const char *const names[16] = {
        "map",      "map",   "map file",      "map file", "unmap",   "protect", "brk",    "discard",
        "populate", "place", "kernel access", "file",     "process", "access",  "access", "access"};
    static int wanted = -1;
    if (wanted < 0)
        wanted = getenv("SCRIPT_TRACE") != NULL;
    if (wanted)
        fprintf(stderr, "%3u %-13s space %u page %#lx prot %u count %u a %#x b %#x c %#x fail %u\n",
                n, names[op->kind & 15], space_of(op), model_address(page_of(op)).value,
                prot_of(op), count_of(op), op->a, op->b, op->c, op->kind >> 4);
}

static void perform(struct model *m, const struct op *op)
{
    switch (op->kind & 15) {
    case 0:
    case 1:
        map(m, op);
        break;
    case 2:
    case 3:
        map_file(m, op);
        break;
    case 4:
        model_unmap(m, space_of(op), page_of(op), count_of(op));
        break;
    case 5:
        model_protect(m, space_of(op), page_of(op), count_of(op), prot_of(op));
        break;
    case 6:
        model_brk(m, space_of(op), op->b % ZONE_PAGES, op->c);
        break;
    case 7:
        model_discard(m, space_of(op), page_of(op), count_of(op));
        break;
    case 8:
        model_populate(m, space_of(op), page_of(op), count_of(op));
        break;
    case 9:
        model_find_place(m, space_of(op), page_of(op), count_of(op));
        break;
    case 10:
        model_kernel_access(m, space_of(op), page_of(op), op->c & 1, op->c | 0x300);
        break;
    case 11:
        file_op(m, op);
        break;
    case 12:
        process_op(m, op);
        break;
    default:
        access(m, op);
    }
}

void script_run(const uint8_t *data, size_t size)
{
    static struct model model;
    model_start(&model);
    for (unsigned n = 0; n < SCRIPT_OPS_MAX && size >= 4; n++, data += 4, size -= 4) {
        const struct op op = {data[0], data[1], data[2], data[3]};
        unsigned fail = op.kind >> 5;
        alloc_fail_at(fail > 3 ? fail - 3 : 0, op.kind & 16);
        trace(n, &op);
        perform(&model, &op);
        alloc_fail_at(0, false);
        model_check(&model, n % 64 == 63);
    }
    model_stop(&model);
}
