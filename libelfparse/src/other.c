/* The other program headers: O2 to O7, and O8 by note.c. */
#include "judge.h"

/* sizeof(Elf64_Dyn), sizeof(Elf32_Dyn) */
#define DYN_SIZE   16u
#define DYN32_SIZE 8u

/* Each function judges the header of its type, and puts what it says into the plan. */

ELFP_LOAD uint64_t field(const uint8_t *header, uint32_t at)
{
    return elfp_le64(header + at);
}

/* A segment that was taken in has all that the header names, at the same place in file and memory. */
static inline int holds_header(const uint8_t *load, const uint8_t *header)
{
    uint64_t offset = field(header, ELFP_P_OFFSET);

    return elfp_holds(load, offset, field(header, ELFP_P_FILESZ)) &&
           offset - field(load, ELFP_P_OFFSET) ==
               field(header, ELFP_P_VADDR) - field(load, ELFP_P_VADDR);
}

/* The path of size bytes, 2 or more, is absolute and has a NUL at its end. */
static inline int is_path(const uint8_t *path, uint64_t size)
{
    return path[0] == '/' && path[size - 1] == 0;
}

/*
 * A path that is relative, empty or has no NUL at its end. As for Linux it ends at its first NUL, and
 * the last byte must be one as well: linkers pad the section.
 */
static ELFP_COLD int judge_path(struct elfp_judge *judge, const uint8_t *path, uint64_t size)
{
    const uint8_t *header = judge->place[ELFP_INTERP];
    uint64_t nul = 0;

    while (nul < size && path[nul] != 0)
        nul++;
    if (nul == 0 || path[size - 1] != 0) {
        struct elfp_detail detail = {elfp_le64(header + ELFP_P_OFFSET), size - 1, nul};

        return elfp_raise(judge, ELFP_OF_OTHER, ELFP_OTHER_INTERP_NUL, header, &detail);
    }
    judge->plan->interp.path = (const char *)path;
    return path[0] != '/' && elfp_raise_traits(judge, ELFPARSE_TRAIT_INTERP_REL, header) != 0;
}

static inline int judge_contents(struct elfp_judge *judge, const uint8_t *path, uint64_t size)
{
    if (!ELFP_CONVERTS || ELFP_RARE(!is_path(path, size)))
        return judge_path(judge, path, size);
    judge->plan->interp.path = (const char *)path;
    return 0;
}

/* O2: a path that is not usual, is not to be read, or lies elsewhere. */
static ELFP_COLD int judge_other_interp(struct elfp_judge *judge, const uint8_t *header)
{
    const struct elfparse_policy *policy = judge->policy;
    uint64_t offset = field(header, ELFP_P_OFFSET), filesz = field(header, ELFP_P_FILESZ);
    uint32_t faults = elfp_check_bounds(judge, header), traits = ELFPARSE_TRAIT_INTERP;
    const uint8_t *path;

    if (filesz < 2)
        faults |= ELFP_OTHER_INTERP_LOW;
    if (filesz > policy->max_interp)
        faults |= ELFP_OTHER_INTERP_HIGH;
    if (judge->plan->load_count != 0 && header > judge->first)
        traits += ELFPARSE_TRAIT_INTERP_LATE;
    judge->plan->traits |= traits;
    if ((policy->refuse & traits) != 0 && elfp_raise_traits(judge, traits, header) != 0)
        return 1;
    judge->plan->interp.offset = offset;
    judge->plan->interp.size = filesz;
    if (faults != 0)
        return elfp_raise(judge, ELFP_OF_OTHER, faults, header, NULL);
    if ((policy->contents & ELFPARSE_READ_INTERP) == 0)
        return 0;
    path = elfp_in_head(judge, offset, filesz) || elfp_in_rest(judge, offset, filesz)
               ? elfp_scratch(judge) + offset
               : elfp_fetch_keep(judge, offset, (size_t)filesz);
    return path == NULL || judge_contents(judge, path, filesz) != 0;
}

/* O2, of nearly every path: it came with the first read, is absolute and wanted. */
static inline int is_usual_interp(const struct elfp_judge *judge, const uint8_t *header)
{
    const struct elfparse_policy *policy = judge->policy;
    uint64_t offset = field(header, ELFP_P_OFFSET), filesz = field(header, ELFP_P_FILESZ);
    const uint8_t *file = elfp_scratch(judge);

    return elfp_in_head(judge, offset, filesz) && filesz >= 2 && filesz <= policy->max_interp &&
           judge->plan->load_count != 0 && header < judge->first &&
           (policy->refuse & ELFPARSE_TRAIT_INTERP) == 0 &&
           (policy->contents & ELFPARSE_READ_INTERP) != 0 && is_path(file + offset, filesz);
}

/* O2 */
static inline int judge_interp(struct elfp_judge *judge, const uint8_t *header)
{
    uint64_t offset = field(header, ELFP_P_OFFSET);

    if (ELFP_RARE(!is_usual_interp(judge, header)))
        return judge_other_interp(judge, header);
    judge->plan->traits |= ELFPARSE_TRAIT_INTERP;
    judge->plan->interp.offset = offset;
    judge->plan->interp.size = field(header, ELFP_P_FILESZ);
    judge->plan->interp.path = (const char *)elfp_scratch(judge) + offset;
    return 0;
}

/* Bytes of the file that are mapped one after the other. */
struct elfp_extent {
    uint64_t offset;
    uint64_t size;
};

/*
 * What a load's pages show from vaddr on. A page that holds no zeros shows the file before and
 * after the segment's own bytes as well. Nothing for loads that were refused, whatever they hold.
 */
static ELFP_COLD struct elfp_extent shown_by(const struct elfp_judge *judge, const uint8_t *load,
                                             uint64_t vaddr)
{
    const struct elfp_extent nothing = {0, 0};
    uint64_t file_size = judge->reader->size, filesz = field(load, ELFP_P_FILESZ);
    uint64_t page = ELFP_PAGE(&judge->bounds);
    uint64_t start = elfp_page_floor(field(load, ELFP_P_VADDR), page);
    uint64_t end = field(load, ELFP_P_VADDR) + filesz;
    struct elfp_extent shown = {elfp_page_floor(field(load, ELFP_P_OFFSET), page) + (vaddr - start),
                                0};

    if (filesz == field(load, ELFP_P_MEMSZ))
        end = elfp_page_ceil(end, page);
    if (elfp_le32(load) != ELFPARSE_PT_LOAD || filesz == 0 || vaddr - start >= end - start ||
        shown.offset >= file_size)
        return nothing;
    shown.size = end - vaddr;
    if (shown.size > file_size - shown.offset)
        shown.size = file_size - shown.offset;
    return shown;
}

/* What the first load shows that shows size bytes or more there; fewer: none does. */
static ELFP_COLD struct elfp_extent find_shown(const struct elfp_judge *judge, uint64_t vaddr,
                                               uint64_t size)
{
    const uint8_t *load = judge->first;
    struct elfp_extent shown = {0, 0};

    for (; shown.size < size && load <= judge->last; load += ELFPARSE_PHDR_SIZE)
        shown = shown_by(judge, load, vaddr);
    return shown;
}

ELFP_COLD uint64_t elfp_find_table(const struct elfp_judge *judge)
{
    uint64_t size = (uint64_t)judge->plan->phnum * elfp_phdr_size(judge->plan);
    const uint8_t *load = judge->first;

    for (; load <= judge->last; load += ELFPARSE_PHDR_SIZE) {
        uint64_t vaddr = field(load, ELFP_P_VADDR);
        struct elfp_extent shown = shown_by(judge, load, vaddr);
        uint64_t into = judge->phoff - shown.offset;

        if (into < shown.size && size <= shown.size - into)
            return vaddr + into;
    }
    return 0;
}

/* O3: a C library takes the load bias to be AT_PHDR less p_vaddr; nobody uses the other fields. */
static inline int judge_phdr(struct elfp_judge *judge, const uint8_t *header)
{
    uint64_t vaddr = judge->plan->phdr_vaddr;

    if (ELFP_RARE(field(header, ELFP_P_VADDR) != vaddr) || ELFP_RARE(vaddr == 0))
        return elfp_raise(judge, ELFP_OF_OTHER, ELFP_OTHER_PHDR, header, NULL);
    return 0;
}

static inline uint32_t dyn_size(const struct elfp_judge *judge)
{
    return elfp_is_narrow(judge->plan) ? DYN32_SIZE : DYN_SIZE;
}

/* The entry of size bytes is a DT_NULL, in either byte order. */
static inline int is_null(const uint8_t *entry, uint32_t size)
{
    return (size == DYN_SIZE ? elfp_le64(entry) : elfp_le32(entry)) == 0;
}

/* Looks for the DT_NULL in every entry. */
static inline int find_end(struct elfp_judge *judge, const uint8_t *header,
                           struct elfp_extent shown, uint32_t size)
{
    uint64_t last = shown.size - size, into = 0;
    struct elfp_detail detail = {shown.offset + shown.size, 0, 0};
    const uint8_t *entry;

    for (; into <= last; into += size) {
        entry = elfp_fetch_view(judge, shown.offset + into, size);
        if (entry == NULL)
            return 1;
        if (is_null(entry, size)) {
            judge->plan->dynamic.size = into + size;
            return 0;
        }
    }
    return elfp_raise(judge, ELFP_OF_OTHER, ELFP_OTHER_DYN_END, header, &detail);
}

/* O4: a table that is not as large as its header says, or that lies elsewhere. */
static ELFP_COLD int search_table(struct elfp_judge *judge, const uint8_t *header)
{
    const uint32_t size = dyn_size(judge);
    struct elfp_extent shown = find_shown(judge, field(header, ELFP_P_VADDR), size);

    if (shown.size < size) {
        judge->plan->dynamic.vaddr = 0;
        /* `strip -R .dynamic` leaves such a header. Dynamic linkers pass over it in shared objects,
         * but not in the program that asks for them. */
        if (judge->plan->dynamic.size == 0 && (judge->seen >> ELFP_INTERP & 1u) == 0)
            return 0;
        return elfp_raise(judge, ELFP_OF_OTHER, ELFP_OTHER_OUTSIDE, header, NULL);
    }
    if ((judge->policy->contents & ELFPARSE_READ_DYNAMIC) != 0)
        return find_end(judge, header, shown, size);
    if (judge->plan->dynamic.size > shown.size)
        judge->plan->dynamic.size = shown.size;
    return 0;
}

/*
 * O4: a C library reads the table at p_vaddr up to DT_NULL, whatever size and offset the header
 * has. They nearly always lead to the DT_NULL at the table's end, and one look there settles it.
 */
static inline int judge_dynamic(struct elfp_judge *judge, const uint8_t *header)
{
    const uint32_t size = dyn_size(judge);
    uint64_t filesz = field(header, ELFP_P_FILESZ);
    const uint8_t *entry;

    judge->plan->dynamic.vaddr = field(header, ELFP_P_VADDR);
    judge->plan->dynamic.size = filesz;
    if (ELFP_RARE(!holds_header(judge->last, header)) || /* which lies in the file */
        ELFP_RARE(filesz == 0) || ELFP_RARE((filesz & (size - 1)) != 0))
        return search_table(judge, header);
    if ((judge->policy->contents & ELFPARSE_READ_DYNAMIC) == 0)
        return 0;
    entry = elfp_view(judge, field(header, ELFP_P_OFFSET) + filesz - size, size);
    if (ELFP_RARE(entry == NULL))
        return 1;
    return ELFP_RARE(!is_null(entry, size)) && search_table(judge, header) != 0;
}

/* O5: a C library copies the template from p_vaddr. */
static ELFP_COLD int judge_tls(struct elfp_judge *judge, const uint8_t *header)
{
    const struct elfparse_policy *policy = judge->policy;
    struct elfparse_tls *tls = &judge->plan->tls;
    struct elfp_extent shown;
    uint32_t faults = 0;

    tls->vaddr = field(header, ELFP_P_VADDR);
    tls->filesz = field(header, ELFP_P_FILESZ);
    tls->memsz = field(header, ELFP_P_MEMSZ);
    tls->align = field(header, ELFP_P_ALIGN);
    shown = find_shown(judge, tls->vaddr, tls->filesz);
    tls->offset = shown.offset;
    if (shown.size < tls->filesz)
        faults += ELFP_OTHER_OUTSIDE;
    if (tls->filesz > tls->memsz)
        faults += ELFP_OTHER_TLS_FILESZ;
    if (tls->memsz > policy->max_tls_size)
        faults += ELFP_OTHER_TLS_SIZE;
    if ((tls->align & (tls->align - 1)) != 0)
        faults += ELFP_OTHER_TLS_ALIGN;
    else if (tls->align > policy->max_tls_align)
        faults += ELFP_OTHER_TLS_LIMIT;
    if (tls->vaddr > judge->bounds.user_end)
        faults += ELFP_OTHER_TLS_RANGE;
    if (tls->align == 0)
        tls->align = 1;
    return elfp_raise(judge, ELFP_OF_OTHER, faults, header, NULL);
}

/* O6 */
static inline int judge_stack(struct elfp_judge *judge, const uint8_t *header)
{
    uint32_t flags = elfp_le32(header + ELFP_P_FLAGS);

    judge->plan->stack_flags = flags;
    judge->plan->stack_size = field(header, ELFP_P_MEMSZ);
    return ELFP_RARE((flags & ELFPARSE_PF_X) != 0) &&
           elfp_raise_traits(judge, ELFPARSE_TRAIT_EXEC_STACK, header) != 0;
}

/*
 * O7: the end of the writable load that holds vaddr, rounded up to its page; 0: it does not. The
 * rest of its first page counts: dynamic linkers begin there, and mold has a .tbss that takes no
 * memory before the load's first byte.
 */
static inline uint64_t relro_limit(const uint8_t *load, uint64_t vaddr, uint64_t page)
{
    uint64_t start = field(load, ELFP_P_VADDR), end = start + field(load, ELFP_P_MEMSZ);

    start = elfp_page_floor(start, page);
    if (vaddr - start >= end - start || elfp_le32(load) != ELFPARSE_PT_LOAD ||
        (elfp_le32(load + ELFP_P_FLAGS) & ELFPARSE_PF_W) == 0)
        return 0;
    return elfp_page_ceil(end, page);
}

/* The limit in any of them; an empty one has no pages. */
static uint64_t find_limit(const struct elfp_judge *judge, uint64_t vaddr)
{
    const uint8_t *load = judge->first;
    uint64_t limit = 0;

    for (; limit == 0 && load <= judge->last; load += ELFPARSE_PHDR_SIZE) {
        if (field(load, ELFP_P_MEMSZ) != 0)
            limit = relro_limit(load, vaddr, ELFP_PAGE(&judge->bounds));
    }
    return limit;
}

/*
 * O7, where it is not in the last segment, or passes its end. Dynamic linkers protect whole pages:
 * what ends within the page after the limit is cut there. strip leaves it so of lld's padding.
 */
static ELFP_COLD int judge_other_relro(struct elfp_judge *judge, const uint8_t *header)
{
    uint64_t vaddr = field(header, ELFP_P_VADDR), size = field(header, ELFP_P_MEMSZ);
    struct elfp_detail detail = {0, find_limit(judge, vaddr), vaddr};
    uint32_t fault = ELFP_OTHER_RELRO_START;

    if (detail.expected != 0) {
        uint64_t room = detail.expected - vaddr;

        if (size < room + ELFP_PAGE(&judge->bounds)) {
            judge->plan->relro.size = size < room ? size : room;
            return 0;
        }
        detail.found += size;
        fault = ELFP_OTHER_RELRO_END;
    }
    return elfp_raise(judge, ELFP_OF_OTHER, fault, header, &detail);
}

/* O7; an empty one protects nothing */
static inline int judge_relro(struct elfp_judge *judge, const uint8_t *header)
{
    uint64_t vaddr = field(header, ELFP_P_VADDR), size = field(header, ELFP_P_MEMSZ);
    uint64_t limit = relro_limit(judge->last, vaddr, ELFP_PAGE(&judge->bounds));

    if (ELFP_RARE(size == 0))
        return 0;
    judge->plan->relro.vaddr = vaddr;
    judge->plan->relro.size = size;
    return (ELFP_RARE(limit == 0) || ELFP_RARE(size > limit - vaddr)) &&
           judge_other_relro(judge, header) != 0;
}

static inline int has(const struct elfp_judge *judge, enum elfp_slot slot)
{
    return (judge->seen >> slot & 1u) != 0;
}

int elfp_judge_others(struct elfp_judge *judge)
{
    const uint8_t *const *place = judge->place;
    const uint8_t *property = NULL;

    if ((has(judge, ELFP_INTERP) && judge_interp(judge, place[ELFP_INTERP]) != 0) ||
        (has(judge, ELFP_PHDR) && judge_phdr(judge, place[ELFP_PHDR]) != 0) ||
        (has(judge, ELFP_DYNAMIC) && judge_dynamic(judge, place[ELFP_DYNAMIC]) != 0) ||
        (has(judge, ELFP_TLS) && judge_tls(judge, place[ELFP_TLS]) != 0) ||
        (has(judge, ELFP_STACK) && judge_stack(judge, place[ELFP_STACK]) != 0) ||
        (has(judge, ELFP_RELRO) && judge_relro(judge, place[ELFP_RELRO]) != 0))
        return 1;
    if (has(judge, ELFP_PROPERTY))
        property = place[ELFP_PROPERTY];
    if (has(judge, ELFP_NOTE))
        return elfp_judge_notes(judge, property, place[ELFP_NOTE]);
    return property == NULL ? 0 : elfp_judge_notes(judge, property, property);
}
