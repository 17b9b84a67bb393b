#include "report.h"

#include <inttypes.h>
#include <stdio.h>

#include <elfparse/file.h>

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
    static const char *const kinds[] = {"", "file", "split", "zero"};

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

static void put_error(const struct elfparse_error *error)
{
    char text[ELFPARSE_ERROR_MAX];

    elfparse_error_format(error, text, sizeof(text));
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
        put_error(&report->errors[i]);
    }
    putchar(']');
    if (report->code == 0)
        put_plan(report, reader);
    putchar('}');
}
