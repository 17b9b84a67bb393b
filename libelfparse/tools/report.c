#include <elfparse/file.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "report.h"

static const char *const kinds[] = {"", "file", "split", "zero"};

void prot_text(uint32_t prot, char text[4])
{
    text[0] = prot & ELFPARSE_PF_R ? 'R' : '-';
    text[1] = prot & ELFPARSE_PF_W ? 'W' : '-';
    text[2] = prot & ELFPARSE_PF_X ? 'X' : '-';
    text[3] = '\0';
}

void traits_text(uint32_t traits, char *buf, size_t size)
{
    static const char *const names[ELFPARSE_TRAIT_COUNT] = {
        "osabi",
        "abiversion",
        "padding",
        "e-flags",
        "fixed",
        "segment-flags",
        "unreadable",
        "read-only-zeros",
        "empty-segment",
        "no-entry",
        "interpreter",
        "late-interpreter",
        "relative-interpreter",
        "executable-stack",
        "damaged-notes",
    };
    size_t length = 0;

    buf[0] = '\0';
    for (uint32_t i = 0; i < ELFPARSE_TRAIT_COUNT; i++) {
        if ((traits & (1u << i)) != 0)
            length +=
                (size_t)snprintf(buf + length, size - length, "%s%s", length ? " " : "", names[i]);
    }
}

void build_id_text(const struct report *report, const struct elfparse_reader *reader, char *buf,
                   size_t size)
{
    const struct elfparse_build_id *id = &report->plan.build_id;
    uint8_t bytes[64];
    size_t count = id->size < sizeof(bytes) ? (size_t)id->size : sizeof(bytes);

    buf[0] = '\0';
    if (count == 0 || reader->read(reader->ctx, id->offset, bytes, count) < 0)
        return;
    for (size_t i = 0; i < count && 2 * i + 3 <= size; i++)
        snprintf(buf + 2 * i, 3, "%02x", bytes[i]);
}

static void print_ranges(const struct elfparse_plan *plan)
{
    puts("  address range                      prot  kind   segment  file offset  file bytes");
    for (uint32_t i = 0; i < plan->range_count; i++) {
        const struct elfparse_range *r = &plan->ranges[i];
        char prot[4];

        prot_text(r->prot, prot);
        printf("  %016" PRIx64 "-%016" PRIx64 "  %s   %-5s  %7u", r->vaddr, r->vaddr + r->size,
               prot, kinds[r->kind], r->segment);
        if (r->kind == ELFPARSE_RANGE_ZERO)
            puts("");
        else
            printf("  %11" PRIx64 "  %10" PRIx64 "\n", r->offset, r->file_bytes);
    }
}

static void print_area(const char *name, uint64_t vaddr, uint64_t size)
{
    if (size != 0)
        printf("  %-12s %#" PRIx64 ", %" PRIu64 " bytes\n", name, vaddr, size);
}

static void print_features(const struct elfparse_plan *plan)
{
    static const char *const x86[] = {" IBT", " SHSTK", ""}, *const arm[] = {" BTI", " PAC",
                                                                             " GCS"};
    const char *const *names = plan->machine == ELFPARSE_EM_AARCH64 ? arm : x86;

    printf("  %-12s", "features");
    for (uint32_t i = 0; i < 3; i++)
        fputs((plan->features >> i & 1) != 0 ? names[i] : "", stdout);
    puts("");
}

static void print_plan(const struct report *report, const struct elfparse_reader *reader)
{
    const struct elfparse_plan *plan = &report->plan;
    char text[256];

    print_ranges(plan);
    printf("  %-12s %s, span %#" PRIx64 "-%#" PRIx64 ", bias a multiple of %#" PRIx64 "\n", "type",
           plan->type == ELFPARSE_ET_EXEC ? "ET_EXEC" : "ET_DYN", plan->start, plan->end,
           plan->align);
    printf("  %-12s %#" PRIx64 "\n", "entry", plan->entry);
    printf("  %-12s %#" PRIx64 ", %u of them\n", "phdr", plan->phdr_vaddr, plan->phnum);
    if (plan->interp.path != NULL)
        printf("  %-12s %s\n", "interpreter", plan->interp.path);
    print_area("tls", plan->tls.vaddr, plan->tls.memsz);
    print_area("relro", plan->relro.vaddr, plan->relro.size);
    print_area("dynamic", plan->dynamic.vaddr, plan->dynamic.size);
    build_id_text(report, reader, text, sizeof(text));
    if (text[0] != '\0')
        printf("  %-12s %s\n", "build-id", text);
    if (plan->features != 0)
        print_features(plan);
    traits_text(plan->traits, text, sizeof(text));
    if (text[0] != '\0')
        printf("  %-12s %s\n", "traits", text);
}

static int rule_failed(const struct report *report, uint32_t rule)
{
    for (uint32_t i = 0; i < report->error_count; i++) {
        if (report->errors[i].rule == rule)
            return 1;
    }
    return 0;
}

static void print_rules(const struct report *report, const struct options *options)
{
    for (uint32_t rule = 1; rule < ELFPARSE_RULE_COUNT; rule++) {
        int failed = rule_failed(report, rule);
        const char *colour = !options->colour ? "" : failed ? "\033[31m" : "\033[32m";

        if (rule == ELFPARSE_RULE_E10)
            continue; /* sections are no business of a loader */
        printf("  %s%s%s  %-3s  %s\n", colour, failed ? "FAIL" : "pass",
               options->colour ? "\033[0m" : "", elfparse_rule_name(rule),
               elfparse_rule_text(rule));
    }
    if (report->error_count != 0 && report->errors[0].rule <= ELFPARSE_RULE_E9)
        puts("  (after a failure among E1 to E9, later rules may not have been reached)");
}

/*
 * The sentence of an error. That of a machine names the accepted one that is most like it, which
 * misleads where there are several.
 */
static void error_text(const struct report *report, const struct elfparse_error *error,
                       char text[ELFPARSE_ERROR_MAX])
{
    uint32_t machines = report->policy->machines;
    char *rest;

    elfparse_error_format(error, text, ELFPARSE_ERROR_MAX);
    rest = strstr(text, ", not for ");
    if (error->code == ELFPARSE_EMACHINE && rest != NULL && (machines & (machines - 1)) != 0)
        snprintf(rest, ELFPARSE_ERROR_MAX - (size_t)(rest - text),
                 ", which is not accepted (file offset 0x%" PRIx64 ")", error->offset);
}

static const char *verdict(const struct report *report)
{
    return report->code == 0 ? "accepted" : "refused";
}

void report_text(const struct report *report, const struct elfparse_reader *reader,
                 const struct options *options)
{
    const char *colour = report->code == 0 ? "\033[1;32m" : "\033[1;31m";
    char text[ELFPARSE_ERROR_MAX];

    printf("%s: %s%s%s\n", report->path, options->colour ? colour : "", verdict(report),
           options->colour ? "\033[0m" : "");
    for (uint32_t i = 0; i < report->error_count; i++) {
        error_text(report, &report->errors[i], text);
        printf("  %s\n", text);
    }
    if (options->explain)
        print_rules(report, options);
    if (report->code == 0)
        print_plan(report, reader);
}

void report_quiet(const struct report *report)
{
    char text[ELFPARSE_ERROR_MAX];

    if (report->code == 0) {
        printf("%s: accepted\n", report->path);
        return;
    }
    error_text(report, &report->errors[0], text);
    printf("%s: refused: %s\n", report->path, text);
}

/* d_tag (gABI, "Dynamic Section") */
#define DT_RPATH   15
#define DT_RUNPATH 29

/*
 * RFC 8259, "Strings": what must be escaped. Names are bytes and need not be UTF-8, so that those
 * above 0x7e are written as the code point of the same number, one for each byte.
 */
static void put_string(const char *text)
{
    putchar('"');
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < 0x20 || c > 0x7e)
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}

static void put_number(const char *name, uint64_t value)
{
    printf(", \"%s\": %" PRIu64, name, value);
}

static void put_text(const char *name, const char *value)
{
    printf(", \"%s\": ", name);
    put_string(value);
}

static void put_ranges(const struct elfparse_plan *plan)
{
    fputs(", \"ranges\": [", stdout);
    for (uint32_t i = 0; i < plan->range_count; i++) {
        const struct elfparse_range *r = &plan->ranges[i];
        char prot[4];

        prot_text(r->prot, prot);
        printf("%s\n   {\"vaddr\": %" PRIu64 ", \"size\": %" PRIu64 ", \"offset\": %" PRIu64
               ", \"file_bytes\": %" PRIu64
               ", \"prot\": \"%s\", \"segment\": %u, \"kind\": \"%s\"}",
               i ? "," : "", r->vaddr, r->size, r->offset, r->file_bytes, prot, r->segment,
               kinds[r->kind]);
    }
    putchar(']');
}

/* The strings of all dynamic entries with that tag, as a JSON array. */
static void put_dynamic_strings(const char *name, const struct elfparse_file *file,
                                const struct elfparse_extent *strings, int64_t tag)
{
    static char text[4096];
    struct elfparse_cursor cursor;
    struct elfparse_dyn dyn;
    const char *separator = "";

    printf(", \"%s\": [", name);
    if (elfparse_dynamic_open(file, &cursor, NULL) == 0) {
        while (elfparse_dynamic_next(&cursor, &dyn, NULL) > 0) {
            if (dyn.tag != tag ||
                elfparse_string_get(file, strings, dyn.value, text, sizeof(text), NULL, NULL) != 0)
                continue;
            fputs(separator, stdout);
            put_string(text);
            separator = ", ";
        }
    }
    putchar(']');
}

/* The libraries that the file needs and where it looks for them: nothing without PT_DYNAMIC. */
static void put_needs(const struct elfparse_reader *reader)
{
    struct elfparse_file file;
    struct elfparse_extent strings;
    uint64_t address, size;

    if (elfparse_file_open(reader, &file, NULL) != 0 ||
        elfparse_dynamic_find(&file, ELFPARSE_DT_STRTAB, &address, NULL) != 0 ||
        elfparse_dynamic_find(&file, ELFPARSE_DT_STRSZ, &size, NULL) != 0 ||
        elfparse_extent_at(&file, address, size, &strings, NULL) != 0)
        return;
    put_dynamic_strings("needed", &file, &strings, ELFPARSE_DT_NEEDED);
    put_dynamic_strings("soname", &file, &strings, ELFPARSE_DT_SONAME);
    put_dynamic_strings("rpath", &file, &strings, DT_RPATH);
    put_dynamic_strings("runpath", &file, &strings, DT_RUNPATH);
}

static void put_plan(const struct report *report, const struct elfparse_reader *reader)
{
    const struct elfparse_plan *plan = &report->plan;
    char text[256];

    put_text("type", plan->type == ELFPARSE_ET_EXEC ? "ET_EXEC" : "ET_DYN");
    put_number("machine", plan->machine);
    put_number("class", plan->elf_class == ELFPARSE_CLASS32 ? 32 : 64);
    put_text("byte_order", plan->data == ELFPARSE_DATAMSB ? "big" : "little");
    put_number("flags", plan->flags);
    put_number("entry", plan->entry);
    put_number("start", plan->start);
    put_number("end", plan->end);
    put_number("align", plan->align);
    put_number("memory", plan->memory);
    put_number("phdr_vaddr", plan->phdr_vaddr);
    put_number("phnum", plan->phnum);
    put_number("stack_flags", plan->stack_flags);
    put_text("interpreter", plan->interp.path != NULL ? plan->interp.path : "");
    put_number("tls_vaddr", plan->tls.vaddr);
    put_number("tls_size", plan->tls.memsz);
    put_number("relro_vaddr", plan->relro.vaddr);
    put_number("relro_size", plan->relro.size);
    put_number("features", plan->features);
    build_id_text(report, reader, text, sizeof(text));
    put_text("build_id", text);
    traits_text(plan->traits, text, sizeof(text));
    put_text("traits", text);
    put_needs(reader);
    put_ranges(plan);
}

static void put_error(const struct report *report, const struct elfparse_error *error)
{
    char text[ELFPARSE_ERROR_MAX];

    error_text(report, error, text);
    printf("\n   {\"code\": %d, \"rule\": \"%s\"", error->code, elfparse_rule_name(error->rule));
    if (error->phdr != ELFPARSE_NO_INDEX)
        put_number("phdr", error->phdr);
    if (error->phdr2 != ELFPARSE_NO_INDEX)
        put_number("phdr2", error->phdr2);
    put_number("offset", error->offset);
    put_number("expected", error->expected);
    put_number("found", error->found);
    put_text("text", text);
    putchar('}');
}

void report_json(const struct report *report, const struct elfparse_reader *reader, int first)
{
    fputs(first ? "\n" : ",\n", stdout);
    fputs(" {\"file\": ", stdout);
    put_string(report->path);
    printf(", \"accepted\": %s", report->code == 0 ? "true" : "false");
    fputs(", \"errors\": [", stdout);
    for (uint32_t i = 0; i < report->error_count; i++) {
        if (i != 0)
            putchar(',');
        put_error(report, &report->errors[i]);
    }
    putchar(']');
    if (report->code == 0)
        put_plan(report, reader);
    putchar('}');
}
