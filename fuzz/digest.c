/*
 * digest [--expect FILE] elf:FOLDER... archive:FOLDER...: a number for all that the libraries answer about the inputs of
 * corpora, so that builds for other machines and of other compilers can be compared. Prints a line for ELF files and
 * one for archives, "NAME: N inputs, DIGEST"; with --expect, TAP: a point for each line that has to be in the file.
 *
 * A digest is the sum over the inputs of a hash of the answers, so that the order of a folder does not count.
 * Each input ends where a page without access begins.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <elfparse/elfparse.h>
#include <elfparse/file.h>
#include <umvfs/archive.h>
#include <umvfs/attr.h>
#include <umvfs/file.h>
#include <umvfs/page.h>
#include <umvfs/tree.h>
#include <umvfs/vfs.h>

#define GUARD       65536u /* bytes: a multiple of every page size */
#define RANGES_MAX  256u
#define SCRATCH     8192u
#define ENTRIES_MAX 2000u /* that are looked at in one table */
#define PAGES_MAX   256u
#define TEXT_MAX    4096u

static uint64_t hash;

static void mix_bytes(const void *data, size_t size)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
}

static void mix(uint64_t value)
{
    for (unsigned i = 0; i < 8; i++) {
        uint8_t byte = (uint8_t)(value >> 8 * i);
        mix_bytes(&byte, 1);
    }
}

static void mix_text(const char *text)
{
    mix_bytes(text, strlen(text) + 1);
}

/* ELF ------------------------------------------------------------------------------------- */

static void mix_error(const struct elfparse_error *error)
{
    char text[ELFPARSE_ERROR_MAX];
    mix((uint64_t)(int64_t)error->code);
    mix(error->rule);
    mix(error->phdr);
    mix(error->phdr2);
    mix(error->offset);
    mix(error->expected);
    mix(error->found);
    elfparse_error_format(error, text, sizeof(text));
    mix_text(text);
}

static int take_violation(void *ctx, const struct elfparse_error *error)
{
    (void)ctx;
    mix_error(error);
    return 0;
}

static void mix_range(const struct elfparse_range *range)
{
    mix(range->vaddr);
    mix(range->size);
    mix(range->offset);
    mix(range->file_bytes);
    mix(range->prot);
    mix(range->segment);
    mix(range->kind);
}

static void mix_plan(const struct elfparse_plan *plan)
{
    const uint64_t numbers[] = {plan->entry,         plan->start,        plan->end,
                                plan->align,         plan->bias,         plan->memory,
                                plan->phdr_vaddr,    plan->load_count,   plan->type,
                                plan->phnum,         plan->traits,       plan->features,
                                plan->stack_flags,   plan->stack_size,   plan->flags,
                                plan->machine,       plan->elf_class,    plan->data,
                                plan->interp.offset, plan->interp.size,  plan->tls.vaddr,
                                plan->tls.offset,    plan->tls.filesz,   plan->tls.memsz,
                                plan->tls.align,     plan->relro.vaddr,  plan->relro.size,
                                plan->dynamic.vaddr, plan->dynamic.size, plan->build_id.offset,
                                plan->build_id.size};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        mix(numbers[i]);
    mix_text(plan->interp.path ? plan->interp.path : "");
    for (uint32_t i = 0; i < plan->range_count; i++)
        mix_range(&plan->ranges[i]);
}

static void judge(const struct elfparse_reader *reader, const struct elfparse_policy *policy)
{
    static struct elfparse_range ranges[RANGES_MAX];
    static uint8_t scratch[SCRATCH];
    const struct elfparse_storage storage = {scratch, sizeof(scratch), ranges, RANGES_MAX};
    struct elfparse_plan plan;
    struct elfparse_error error = {0};
    mix((uint64_t)(int64_t)elfparse_plan_make(reader, policy, &storage, &plan, &error));
    mix_error(&error);
    if (error.code == 0) {
        mix_plan(&plan);
        mix((uint64_t)(int64_t)elfparse_plan_apply_bias(&plan, &storage, policy,
                                                        plan.align * 0x1000, &error));
        mix_plan(&plan);
        mix_error(&error);
    }
    mix((uint64_t)(int64_t)elfparse_plan_diagnose(reader, policy, &storage, &plan, take_violation,
                                                  NULL));
}

static void mix_string(const struct elfparse_file *file, const struct elfparse_extent *strings,
                       uint64_t offset)
{
    char text[TEXT_MAX];
    size_t length = 0;
    int code = elfparse_string_get(file, strings, offset, text, sizeof(text), &length, NULL);
    mix((uint64_t)(int64_t)code);
    if (code == 0) {
        mix_text(text);
        mix(length);
    }
}

static void read_symbols(const struct elfparse_file *file, const struct elfparse_section *section,
                         const struct elfparse_extent *extent)
{
    struct elfparse_cursor cursor;
    struct elfparse_symbol symbol;
    struct elfparse_extent strings = {0};
    int code = elfparse_symbols_open(file, extent, &cursor, NULL);
    mix((uint64_t)(int64_t)elfparse_section_strings(file, section, &strings, NULL));
    for (unsigned i = 0; code == 0 && i < ENTRIES_MAX; i++) {
        int got = elfparse_symbol_next(&cursor, &symbol, NULL);
        mix((uint64_t)(int64_t)got);
        if (got <= 0)
            break;
        mix(symbol.value);
        mix(symbol.size);
        mix(symbol.info);
        mix(symbol.other);
        mix(symbol.shndx);
        mix_string(file, &strings, symbol.name);
    }
    mix((uint64_t)(int64_t)code);
}

static void read_relocations(const struct elfparse_file *file, const struct elfparse_extent *extent,
                             bool with_addend)
{
    struct elfparse_cursor cursor;
    struct elfparse_rela rela;
    int code = with_addend ? elfparse_relas_open(file, extent, &cursor, NULL)
                           : elfparse_rels_open(file, extent, &cursor, NULL);
    for (unsigned i = 0; code == 0 && i < ENTRIES_MAX; i++) {
        int got = with_addend ? elfparse_rela_next(&cursor, &rela, NULL)
                              : elfparse_rel_next(&cursor, &rela, NULL);
        mix((uint64_t)(int64_t)got);
        if (got <= 0)
            break;
        mix(rela.offset);
        mix(rela.type);
        mix(rela.symbol);
        mix((uint64_t)rela.addend);
    }
    mix((uint64_t)(int64_t)code);
}

static void read_notes(const struct elfparse_file *file, const struct elfparse_extent *extent,
                       uint64_t align)
{
    struct elfparse_cursor cursor;
    struct elfparse_note note;
    int code = elfparse_notes_open(file, extent, align, &cursor, NULL);
    for (unsigned i = 0; code == 0 && i < ENTRIES_MAX; i++) {
        int got = elfparse_note_next(&cursor, &note, NULL);
        mix((uint64_t)(int64_t)got);
        if (got <= 0)
            break;
        mix(note.type);
        mix(note.name.offset);
        mix(note.name.size);
        mix(note.desc.offset);
        mix(note.desc.size);
    }
    mix((uint64_t)(int64_t)code);
}

static void read_addresses(const struct elfparse_file *file, const struct elfparse_extent *extent)
{
    struct elfparse_cursor cursor;
    uint64_t address;
    int code = elfparse_relrs_open(file, extent, &cursor, NULL);
    for (unsigned i = 0; code == 0 && i < ENTRIES_MAX; i++) {
        int got = elfparse_relr_next(&cursor, &address, NULL);
        mix((uint64_t)(int64_t)got);
        if (got <= 0)
            break;
        mix(address);
    }
    mix((uint64_t)(int64_t)code);
}

static void read_section(const struct elfparse_file *file, const struct elfparse_section *section)
{
    struct elfparse_extent extent = {0};
    struct elfparse_compression compression = {0};
    mix((uint64_t)(int64_t)elfparse_compression_get(file, section, &compression, NULL));
    mix(compression.size);
    if (elfparse_section_extent(file, section, &extent, NULL) != 0)
        return;
    mix(extent.offset);
    mix(extent.size);
    switch (section->type) {
    case ELFPARSE_SHT_SYMTAB:
    case ELFPARSE_SHT_DYNSYM:
        read_symbols(file, section, &extent);
        break;
    case ELFPARSE_SHT_RELA:
    case ELFPARSE_SHT_REL:
        read_relocations(file, &extent, section->type == ELFPARSE_SHT_RELA);
        break;
    case ELFPARSE_SHT_RELR:
        read_addresses(file, &extent);
        break;
    case ELFPARSE_SHT_NOTE:
        read_notes(file, &extent, section->addralign);
        break;
    default:
        break;
    }
}

static void read_dynamic(const struct elfparse_file *file)
{
    struct elfparse_cursor cursor;
    struct elfparse_dyn dyn;
    struct elfparse_extent strings = {0};
    struct elfparse_symbol symbol = {0};
    int code = elfparse_dynamic_open(file, &cursor, NULL);
    mix((uint64_t)(int64_t)elfparse_dynamic_strings(file, &strings, NULL));
    for (unsigned i = 0; code == 0 && i < ENTRIES_MAX; i++) {
        int got = elfparse_dynamic_next(&cursor, &dyn, NULL);
        mix((uint64_t)(int64_t)got);
        if (got <= 0)
            break;
        mix((uint64_t)dyn.tag);
        mix(dyn.value);
        if (dyn.tag == ELFPARSE_DT_NEEDED)
            mix_string(file, &strings, dyn.value);
    }
    mix((uint64_t)(int64_t)code);
    mix((uint64_t)(int64_t)elfparse_lookup(file, "main", &symbol, NULL));
    mix((uint64_t)(int64_t)elfparse_lookup(file, "a", &symbol, NULL));
    mix(symbol.value);
}

static void read_file(const struct elfparse_reader *reader)
{
    struct elfparse_file file;
    struct elfparse_error error = {0};
    struct elfparse_segment segment;
    struct elfparse_section section;
    struct elfparse_extent names = {0};
    int code = elfparse_file_open(reader, &file, &error);
    mix_error(&error);
    if (code != 0)
        return;
    mix(file.entry);
    mix(file.flags);
    mix((uint64_t)(int64_t)file.sections);
    for (uint32_t i = 0; i < ENTRIES_MAX && elfparse_segment_get(&file, i, &segment, &error) == 0;
         i++) {
        mix(segment.type);
        mix(segment.flags);
        mix(segment.offset);
        mix(segment.vaddr);
        mix(segment.filesz);
        mix(segment.memsz);
        mix(segment.align);
    }
    mix_error(&error);
    mix((uint64_t)(int64_t)elfparse_section_names(&file, &names, NULL));
    for (uint32_t i = 0; i < ENTRIES_MAX && elfparse_section_get(&file, i, &section, NULL) == 0;
         i++) {
        mix(section.type);
        mix(section.flags);
        mix(section.addr);
        mix_string(&file, &names, section.name);
        read_section(&file, &section);
    }
    read_dynamic(&file);
}

static void digest_elf(const uint8_t *data, size_t size)
{
    const struct elfparse_reader reader = elfparse_reader_memory(data, size);
    judge(&reader, &elfparse_policy_kernel);
    judge(&reader, &elfparse_policy_kernel_interp);
    judge(&reader, &elfparse_policy_linux_compat);
    read_file(&reader);
}

/* Archives -------------------------------------------------------------------------------- */

static void *get(void *ctx, size_t size)
{
    (void)ctx;
    return malloc(size);
}

static void put(void *ctx, void *ptr, size_t size)
{
    (void)ctx;
    (void)size;
    free(ptr);
}

static void *get_page(void *ctx)
{
    (void)ctx;
    return aligned_alloc(UMVFS_PAGE_SIZE, UMVFS_PAGE_SIZE);
}

static void put_page(void *ctx, void *page)
{
    (void)ctx;
    free(page);
}

static void take_warning(void *ctx, const struct umvfs_import_error *what)
{
    (void)ctx;
    mix(what->reason);
    mix((uint64_t)(int64_t)what->error);
    mix(what->offset);
    mix(what->entry);
    mix_text(what->name);
}

static void take_loss(void *ctx, uint64_t entry, uint64_t offset, const char *key, size_t len)
{
    (void)ctx;
    mix(entry);
    mix(offset);
    mix_bytes(key, len);
}

static void mix_contents(const struct umvfs_task *task, const struct umvfs_visit *visit)
{
    static uint8_t buf[8192];
    uint64_t end = visit->stat.size < PAGES_MAX * UMVFS_PAGE_SIZE ? visit->stat.size
                                                                  : PAGES_MAX * UMVFS_PAGE_SIZE;
    int64_t got;
    if (UMVFS_S_ISLNK(visit->stat.mode)) {
        int len =
            umvfs_readlink(task, visit->place, "", UMVFS_AT_EMPTY_PATH, (char *)buf, sizeof(buf));
        mix_bytes(buf, len > 0 ? (size_t)len : 0);
    } else if (UMVFS_S_ISREG(visit->stat.mode)) {
        for (uint64_t at = 0; at < end; at += (uint64_t)got) {
            got = umvfs_inode_read(umvfs_path_inode(visit->place), at, buf, sizeof(buf));
            if (got <= 0)
                break;
            mix_bytes(buf, (size_t)got);
        }
    }
}

static void mix_attributes(const struct umvfs_task *task, const struct umvfs_visit *visit)
{
    static char names[UMVFS_XATTR_LIST_MAX], value[UMVFS_XATTR_VALUE_MAX];
    int size = umvfs_listxattr(task, visit->place, "", names, sizeof(names),
                               UMVFS_AT_EMPTY_PATH | UMVFS_AT_SYMLINK_NOFOLLOW);
    mix((uint64_t)(int64_t)size);
    for (int at = 0; at < size; at += (int)strlen(names + at) + 1) {
        int length = umvfs_getxattr(task, visit->place, "", names + at, value, sizeof(value),
                                    UMVFS_AT_EMPTY_PATH | UMVFS_AT_SYMLINK_NOFOLLOW);
        mix_text(names + at);
        mix((uint64_t)(int64_t)length);
        mix_bytes(value, length > 0 ? (size_t)length : 0);
    }
}

static int take_visit(void *ctx, const struct umvfs_visit *visit)
{
    const struct umvfs_stat *st = &visit->stat;
    const uint64_t numbers[] = {st->mode,
                                st->uid,
                                st->gid,
                                st->nlink,
                                st->size,
                                st->rdev,
                                (uint64_t)st->mtime.sec,
                                st->mtime.nsec,
                                visit->depth,
                                visit->is_leaving,
                                (uint64_t)(int64_t)visit->error};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        mix(numbers[i]);
    mix_text(visit->name);
    if (!visit->is_leaving) {
        mix_contents(ctx, visit);
        mix_attributes(ctx, visit);
    }
    return 0;
}

static int take_export(void *ctx, const void *data, size_t len)
{
    size_t *left = ctx;
    if (len > *left)
        return -UMVFS_ENOSPC;
    *left -= len;
    mix_bytes(data, len);
    return 0;
}

static void import(const uint8_t *data, size_t size, enum umvfs_import_policy policy)
{
    const struct umvfs_config config = {.alloc = get,
                                        .free = put,
                                        .page_alloc = get_page,
                                        .page_put = put_page,
                                        .seed = {1, 2},
                                        .root_limits = {.max_pages = PAGES_MAX, .max_inodes = 512}};
    const struct umvfs_import_options options = {
        .policy = policy, .warn = take_warning, .lost = take_loss};
    const struct umvfs_cred root = {.caps = UMVFS_CAP_ALL};
    struct umvfs_task task = {.cred = &root};
    struct umvfs_import_error error = {0};
    if (umvfs_new(&config, &task.vfs) != 0)
        abort();
    umvfs_root(task.vfs, &task.root);
    umvfs_root(task.vfs, &task.cwd);
    mix((uint64_t)(int64_t)umvfs_import_memory(&task, NULL, "/", &options, data, size, &error));
    take_warning(NULL, &error);
    mix((uint64_t)(int64_t)umvfs_walk_tree(&task, NULL, "/", 0, take_visit, &task));
    for (int format = UMVFS_ARCHIVE_CPIO; format <= UMVFS_ARCHIVE_TAR; format++) {
        size_t left = 1u << 20;
        mix((uint64_t)(int64_t)umvfs_export(&task, NULL, "/", (enum umvfs_archive_format)format,
                                            take_export, &left));
    }
    umvfs_path_put(&task.root);
    umvfs_path_put(&task.cwd);
    if (umvfs_destroy(task.vfs) != 0)
        abort();
}

static void digest_archive(const uint8_t *data, size_t size)
{
    import(data, size, UMVFS_IMPORT_STRICT);
    import(data, size, UMVFS_IMPORT_LENIENT);
    import(data, size, UMVFS_IMPORT_LINUX);
}

/* Folders --------------------------------------------------------------------------------- */

struct corpus {
    const char *name;
    const char *prefix; /* of an argument that names a folder */
    void (*digest)(const uint8_t *data, size_t size);
    uint64_t sum;
    unsigned inputs;
};

static void fail(const char *what, const char *path)
{
    printf("Bail out! %s: %s\n", path, what);
    exit(2);
}

/* The input ends where a page without access begins. */
static void take_input(struct corpus *corpus, int fd, const char *path)
{
    struct stat st;
    size_t pages, done = 0;
    uint8_t *start, *data;
    if (fstat(fd, &st) != 0)
        fail("cannot be read", path);
    pages = ((size_t)st.st_size / GUARD + 1) * GUARD;
    start = mmap(NULL, pages + GUARD, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED || mprotect(start + pages, GUARD, PROT_NONE) != 0)
        fail("no memory", path);
    data = start + pages - st.st_size;
    while (done < (size_t)st.st_size) {
        ssize_t got = read(fd, data + done, (size_t)st.st_size - done);
        if (got <= 0)
            fail("cannot be read", path);
        done += (size_t)got;
    }
    hash = UINT64_C(0xcbf29ce484222325);
    corpus->digest(data, (size_t)st.st_size);
    corpus->sum += hash;
    corpus->inputs++;
    munmap(start, pages + GUARD);
}

static void take_folder(struct corpus *corpus, const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    if (!folder)
        fail("cannot be opened", path);
    while ((entry = readdir(folder)) != NULL) {
        int fd = openat(dirfd(folder), entry->d_name, O_RDONLY);
        struct stat st;
        if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
            take_input(corpus, fd, entry->d_name);
        if (fd >= 0)
            close(fd);
    }
    closedir(folder);
}

static void describe(const struct corpus *corpus, char *line, size_t size)
{
    snprintf(line, size, "%s: %u inputs, %016" PRIx64 "\n", corpus->name, corpus->inputs,
             corpus->sum);
}

/* Prints a point for each corpus: whether the file has its line. */
static void compare(const struct corpus *corpora, unsigned count, const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file)
        fail("cannot be opened", path);
    printf("1..%u\n", count);
    for (unsigned i = 0; i < count; i++) {
        char expected[200] = "", found[200];
        describe(&corpora[i], found, sizeof(found));
        bool same = fgets(expected, sizeof(expected), file) && strcmp(expected, found) == 0;
        if (!same)
            printf("# expected %s", expected);
        printf("%sok %u - %s", same ? "" : "not ", i + 1, found);
    }
    fclose(file);
}

static void take_argument(struct corpus *corpora, unsigned count, const char *argument)
{
    for (unsigned i = 0; i < count; i++) {
        size_t length = strlen(corpora[i].prefix);
        if (strncmp(argument, corpora[i].prefix, length) == 0) {
            take_folder(&corpora[i], argument + length);
            return;
        }
    }
    fail("neither elf:FOLDER nor archive:FOLDER", argument);
}

int main(int argc, char **argv)
{
    struct corpus corpora[] = {
        {.name = "ELF files", .prefix = "elf:", .digest = digest_elf},
        {.name = "archives", .prefix = "archive:", .digest = digest_archive}};
    const unsigned count = sizeof(corpora) / sizeof(corpora[0]);
    bool compares = argc > 2 && strcmp(argv[1], "--expect") == 0;
    for (int i = compares ? 3 : 1; i < argc; i++)
        take_argument(corpora, count, argv[i]);
    for (unsigned i = 0; i < count; i++) {
        char line[200];
        describe(&corpora[i], line, sizeof(line));
        if (corpora[i].inputs == 0)
            fail("no inputs", corpora[i].name);
        if (!compares)
            fputs(line, stdout);
    }
    if (compares)
        compare(corpora, count, argv[2]);
    return 0;
}
