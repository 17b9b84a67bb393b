#include <elfparse/error.h>

#include "form.h"

/*
 * The sentences. They are arrays in place, not pointers, so that the library needs no relocation.
 * In a sentence % stands before a value of the error: x found and X expected in hexadecimal, d
 * found and D expected in decimal, f found as segment permissions, i and j the indices phdr and
 * phdr2, h "program header i: " unless there is none, r and l how found and expected compare, b the
 * bits of a class and e the byte order that are expected, m and M the names of machines.
 */
struct sentence {
    int16_t code;
    char text[150];
};

static const struct sentence sentences[] = {
    {ELFPARSE_OK, "no error"},
    {ELFPARSE_EREAD, "the reader failed with %d"},
    {ELFPARSE_ESCRATCH, "%d bytes of scratch are too few, %D are needed"},
    {ELFPARSE_ERANGES, "room for %d ranges is too little, %D are needed"},
    {ELFPARSE_EARGUMENT,
     "0x%x cannot be a bound of the policy's user range or an argument of the call"},
    {ELFPARSE_ETRUNCATED, "%d bytes are too few for an ELF header of %D"},
    {ELFPARSE_EMAGIC, "not an ELF file: it begins with 0x%x, not with 0x%X"},
    {ELFPARSE_ECLASS, "not a %b-bit ELF file: EI_CLASS is %d, not %D"},
    {ELFPARSE_EDATA, "not a %e-endian ELF file: EI_DATA is %d, not %D"},
    {ELFPARSE_EVERSION, "ELF version %d, only %D exists"},
    {ELFPARSE_EOSABI, "EI_OSABI is %d: made for another system than SYSV (0) or GNU (3)"},
    {ELFPARSE_EABIVERSION, "EI_ABIVERSION is %d, not 0"},
    {ELFPARSE_EPADDING, "the padding of e_ident is not zero but 0x%x"},
    {ELFPARSE_ETYPE, "e_type %d is neither an executable (2) nor a shared object (3)"},
    {ELFPARSE_EOBJECT, "an object file (ET_REL): link it first"},
    {ELFPARSE_ECORE, "a core dump (ET_CORE), not a program"},
    {ELFPARSE_EFIXED, "a program at a fixed address (ET_EXEC) where a movable one is needed"},
    {ELFPARSE_EMACHINE, "made for machine %d%m, not for %D%M"},
    {ELFPARSE_EFLAGS, "e_flags is 0x%x, but the machine defines no flags"},
    {ELFPARSE_EEHSIZE, "e_ehsize is %d, not %D"},
    {ELFPARSE_EPHENTSIZE, "e_phentsize is %d, not %D"},
    {ELFPARSE_ENOPHDR, "no program headers: nothing says what to load"},
    {ELFPARSE_EPHNUM, "%d program headers, the limit is %D"},
    {ELFPARSE_EXNUM, "e_phnum is 0xffff (PN_XNUM): more program headers than a loader takes"},
    {ELFPARSE_EPHOFF,
     "e_phoff 0x%x must be at least 64 and a multiple of 8 (in 32-bit files 52 and 4)"},
    {ELFPARSE_EPHTABLE, "the program headers end at 0x%x, the file at 0x%X"},
    {ELFPARSE_ESHTABLE, "the section headers end at 0x%x, the file at 0x%X"},
    {ELFPARSE_ESHSTRNDX, "e_shstrndx %d does not name a string table among %D sections"},
    {ELFPARSE_ENOLOAD,
     "none of %d program headers is a segment to load (PT_LOAD, p_memsz above 0)"},
    {ELFPARSE_EFILESZ, "segment %i takes p_filesz 0x%x from the file, more than its p_memsz 0x%X"},
    {ELFPARSE_EOFFSET,
     "segment %i ends at 0x%x in the file, but the file ends at 0x%X: is it truncated?"},
    {ELFPARSE_EWRAP, "address 0x%x plus size 0x%X wraps around"},
    {ELFPARSE_EALIGN, "segment %i: p_align 0x%x is not a power of two"},
    {ELFPARSE_EALIGNLIMIT, "segment %i: p_align 0x%x is above the limit 0x%X"},
    {ELFPARSE_ECONGRUENT, "segment %i: p_vaddr 0x%x and p_offset 0x%X differ modulo the page "
                          "size or p_align: align both alike"},
    {ELFPARSE_EORDER, "segment %i at 0x%x comes after segment %j at 0x%X: sort them by address"},
    {ELFPARSE_EOVERLAP, "segment %i starts at 0x%x, before the end 0x%X of segment %j"},
    {ELFPARSE_ESHAREDPAGE, "segments %j and %i share the page 0x%x but differ in permissions, file "
                           "page or zero tail: start segment %i at 0x%X or above"},
    {ELFPARSE_EWX, "segment %i is %f, writable and executable: split it in two"},
    {ELFPARSE_ESEGFLAGS, "segment %i: p_flags 0x%x has bits besides R, W and X"},
    {ELFPARSE_EUNREADABLE, "segment %i is %f: not readable"},
    {ELFPARSE_ERANGE, "%haddress 0x%x %r 0x%X, the limit of what a program may map"},
    {ELFPARSE_EZEROPERM, "segment %i is %f but goes on with zeros after its file bytes, which "
                         "needs %F"},
    {ELFPARSE_EMEMORY, "with segment %i the program takes 0x%x bytes of memory, the limit is 0x%X"},
    {ELFPARSE_ELOADLIMIT, "segment %i is number %d to load, the limit is %D"},
    {ELFPARSE_EEMPTYLOAD, "segment %i is empty (p_memsz 0)"},
    {ELFPARSE_EBIASFIXED, "load bias 0x%x, but a program at a fixed address (ET_EXEC) takes none"},
    {ELFPARSE_EBIASALIGN, "load bias 0x%x is not a multiple of 0x%X"},
    {ELFPARSE_EBIASTWICE, "load bias 0x%x, but 0x%X was applied before"},
    {ELFPARSE_EENTRY, "e_entry 0x%x is not in the file bytes of an executable segment"},
    {ELFPARSE_ENOENTRY,
     "e_entry 0x%x is not an executable address: a shared object, not a program"},
    {ELFPARSE_EDUPLICATE,
     "program header %i has the type 0x%x of header %j, but only one is allowed"},
    {ELFPARSE_EINTERPORDER, "PT_INTERP (header %i) comes after the first PT_LOAD"},
    {ELFPARSE_EINTERPSIZE, "PT_INTERP (header %i): the path takes %d bytes, allowed are %l %D"},
    {ELFPARSE_EINTERPNUL, "PT_INTERP (header %i): the path must not be empty and its last byte, "
                          "%D, must be NUL; the first NUL is byte %d"},
    {ELFPARSE_EINTERPPATH, "PT_INTERP (header %i): the path is not absolute"},
    {ELFPARSE_EINTERP, "PT_INTERP (header %i): an interpreter is not allowed here"},
    {ELFPARSE_EBOUNDS, "%hthe contents end at 0x%x, but the file ends at 0x%X"},
    {ELFPARSE_EPHDR, "PT_PHDR (header %i): p_vaddr is 0x%x, but %w"},
    {ELFPARSE_EOUTSIDE,
     "program header %i: the bytes at address 0x%x are not file bytes of a segment"},
    {ELFPARSE_EDYNEND,
     "PT_DYNAMIC (header %i): no DT_NULL before the file bytes of its segment end"},
    {ELFPARSE_ETLSALIGN, "PT_TLS (header %i): p_align 0x%x is not a power of two"},
    {ELFPARSE_ETLSLIMIT, "PT_TLS (header %i): p_align 0x%x is above the limit 0x%X"},
    {ELFPARSE_ETLSFILESZ, "PT_TLS (header %i): p_filesz 0x%x is more than its p_memsz 0x%X"},
    {ELFPARSE_ETLSSIZE, "PT_TLS (header %i): p_memsz 0x%x is above the limit 0x%X"},
    {ELFPARSE_ESTACK, "PT_GNU_STACK (header %i) is %f: link with -z noexecstack"},
    {ELFPARSE_ERELRO, "PT_GNU_RELRO (header %i): address 0x%x is not in a writable segment, %p"},
    {ELFPARSE_ENOTE,
     "header %i: a note takes %d bytes, but %D are left (p_align: is it padded to 4 or to 8?)"},
    {ELFPARSE_ENOTELIMIT, "header %i: the notes take %d bytes, the limit is %D"},
    {ELFPARSE_EPROPERTY, "header %i: a property takes %d bytes, but %D are left in its note"},
    {ELFPARSE_ETABLE, "the size, entry size, format or length of a table is %d, but %D is right"},
    {ELFPARSE_ELINK, "index %d, but there are only %D entries"},
    {ELFPARSE_ESTRING, "the string at %d does not end within the %D bytes of its table"},
    {ELFPARSE_EBUFFER, "%d bytes of buffer are too few, %D are needed"},
    {ELFPARSE_EUNMAPPED, "address 0x%x is not in the file bytes of a segment"},
    {ELFPARSE_ENOTFOUND, "not found"},
    {ELFPARSE_ECOMPRESSED, "section %d is compressed: decompress it first"},
    {ELFPARSE_EHASH, "the hash table leads to %d where at most %D fit (symbols, steps or reads)"},
    {ELFPARSE_ERELMACHINE, "relocations of machine %d are not known"},
    {ELFPARSE_ERELTABLE, "a table for relocation has the address or size 0x%x, which does not fit "
                         "its segment or entry size (0x%X)"},
    {ELFPARSE_ERELTYPE, "relocation type %d is not known, or nobody handles it"},
    {ELFPARSE_ERELTARGET, "a relocation changes %D bytes at 0x%x, outside the program's memory"},
    {ELFPARSE_ERELTEXT, "a relocation changes memory at 0x%x, which is not writable: compile with "
                        "-fPIC"},
    {ELFPARSE_ERELSYMBOL, "a relocation names symbol %d, but there are only %D"},
    {ELFPARSE_ERELUNDEF, "a relocation needs symbol %d, which is not defined"},
    {ELFPARSE_ERELVALUE, "the value 0x%x of a relocation does not fit in %D bytes"},
    {ELFPARSE_ERELCHANGED, "a table of relocations changed while it was applied"},
    {ELFPARSE_ERELCALL, "a callback failed with %d during relocation"},
};

#define SENTENCES (sizeof(sentences) / sizeof(sentences[0]))

/* The name and the gist of each rule, in the order of enum elfparse_rule. */
struct rule {
    char name[4];
    char text[76];
};

static const struct rule rules[ELFPARSE_RULE_COUNT] = {
    {"-", ""},
    {"E1", "at least 64 bytes, beginning with the ELF magic"},
    {"E2", "class and byte order of an accepted machine"},
    {"E3", "EI_VERSION and e_version are 1"},
    {"E4", "EI_OSABI SYSV or GNU, EI_ABIVERSION 0, padding zero"},
    {"E5", "e_type is ET_EXEC or ET_DYN"},
    {"E6", "e_machine is accepted, e_flags 0 where the machine has none"},
    {"E7", "e_ehsize 64, e_phentsize 56 (in 32-bit files 52 and 32)"},
    {"E8", "1 <= e_phnum <= limit, not PN_XNUM"},
    {"E9", "e_phoff >= 64, 8-aligned (52, 4 in 32-bit files), the table inside the file"},
    {"E10", "section headers, where asked for, inside the file; e_shstrndx valid"},
    {"L1", "at least one segment to load"},
    {"L2", "p_filesz <= p_memsz"},
    {"L3", "the segment's file bytes lie in the file"},
    {"L4", "p_vaddr + p_memsz does not wrap, rounded and biased"},
    {"L5", "p_align a power of two; p_offset and p_vaddr agree modulo it and the page"},
    {"L6", "segments ascend and do not overlap"},
    {"L7", "no page shared by segments that differ"},
    {"L8", "never writable and executable; readable; no other flags"},
    {"L9", "all pages inside the user range"},
    {"L10", "a zero tail needs a writable segment"},
    {"L11", "the sum of p_memsz is under the limit"},
    {"L12", "zeros after p_filesz and after the end of the file"},
    {"L13", "segments of p_memsz 0 are ignored and reported"},
    {"O1", "e_entry inside executable file bytes"},
    {"O2", "PT_INTERP once, first, an absolute path with one NUL at its end"},
    {"O3", "PT_PHDR once, p_vaddr where the program headers are loaded"},
    {"O4", "PT_DYNAMIC once, up to DT_NULL in file bytes that are loaded"},
    {"O5", "PT_TLS once, sizes and alignment in limits, template loaded"},
    {"O6", "PT_GNU_STACK once, not executable"},
    {"O7", "PT_GNU_RELRO once, on the pages of one writable segment"},
    {"O8", "notes and properties lie within their bounds"},
    {"O9", "unknown program headers are skipped"},
    {"O10", "headers are read once and judged from the copy"},
};

/* e_machine and what it is called. */
struct machine {
    uint16_t number;
    char name[14];
};

static const struct machine machines[] = {
    {ELFPARSE_EM_386, "i386"},
    {ELFPARSE_EM_MIPS, "MIPS"},
    {ELFPARSE_EM_PPC64, "PowerPC 64"},
    {ELFPARSE_EM_S390, "s390x"},
    {ELFPARSE_EM_ARM, "ARM"},
    {ELFPARSE_EM_X86_64, "x86-64"},
    {ELFPARSE_EM_AARCH64, "AArch64"},
    {ELFPARSE_EM_RISCV, "RISC-V"},
    {ELFPARSE_EM_LOONGARCH, "LoongArch"},
};

void elfp_put(struct elfp_output *out, char c)
{
    if (out->length < out->room)
        out->buf[out->length++] = c;
}

void elfp_put_string(struct elfp_output *out, const char *text)
{
    for (; *text != '\0'; text++)
        elfp_put(out, *text);
}

void elfp_put_number(struct elfp_output *out, uint64_t value, uint32_t base)
{
    char digits[20];
    uint32_t n = 0;

    do {
        digits[n++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    while (n > 0)
        elfp_put(out, digits[--n]);
}

void elfp_put_decimal(struct elfp_output *out, uint64_t value)
{
    if (value > UINT64_MAX / 2) {
        elfp_put(out, '-');
        value = 0 - value;
    }
    elfp_put_number(out, value, 10);
}

static void put_flags(struct elfp_output *out, uint64_t flags)
{
    elfp_put(out, (flags & 4) != 0 ? 'R' : '-');
    elfp_put(out, (flags & 2) != 0 ? 'W' : '-');
    elfp_put(out, (flags & 1) != 0 ? 'X' : '-');
}

static void put_header(struct elfp_output *out, uint32_t index)
{
    if (index == ELFPARSE_NO_INDEX)
        return;
    elfp_put_string(out, "program header ");
    elfp_put_number(out, index, 10);
    elfp_put_string(out, ": ");
}

static void put_machine(struct elfp_output *out, uint64_t number)
{
    size_t i;

    for (i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
        if (machines[i].number == number) {
            elfp_put_string(out, " (");
            elfp_put_string(out, machines[i].name);
            elfp_put(out, ')');
        }
    }
}

/* Where the program headers are loaded; no segment can load them at 0. */
static void put_table(struct elfp_output *out, uint64_t address)
{
    if (address == 0) {
        elfp_put_string(out, "no segment loads the program headers");
        return;
    }
    elfp_put_string(out, "the program headers are loaded at 0x");
    elfp_put_number(out, address, 16);
}

/* Where the pages of the writable segment end that begins before an address; 0: there is none. */
static void put_segment_end(struct elfp_output *out, uint64_t end)
{
    if (end == 0) {
        elfp_put_string(out, "and none begins before it");
        return;
    }
    elfp_put_string(out, "whose pages end at 0x");
    elfp_put_number(out, end, 16);
}

static void put_value(struct elfp_output *out, const struct elfparse_error *error, char which)
{
    switch (which) {
    case 'x':
        elfp_put_number(out, error->found, 16);
        break;
    case 'X':
        elfp_put_number(out, error->expected, 16);
        break;
    case 'd':
        elfp_put_decimal(out, error->found);
        break;
    case 'D':
        elfp_put_decimal(out, error->expected);
        break;
    case 'f':
        put_flags(out, error->found);
        break;
    case 'F':
        put_flags(out, error->expected);
        break;
    case 'i':
        elfp_put_number(out, error->phdr, 10);
        break;
    case 'h':
        put_header(out, error->phdr);
        break;
    case 'w':
        put_table(out, error->expected);
        break;
    case 'p':
        put_segment_end(out, error->expected);
        break;
    case 'r':
        elfp_put_string(out, error->found < error->expected    ? "is below"
                             : error->found == error->expected ? "is not below"
                                                               : "is beyond");
        break;
    case 'b':
        elfp_put_string(out, error->expected == ELFPARSE_CLASS32 ? "32" : "64");
        break;
    case 'e':
        elfp_put_string(out, error->expected == ELFPARSE_DATAMSB ? "big" : "little");
        break;
    case 'm':
        put_machine(out, error->found);
        break;
    case 'M':
        put_machine(out, error->expected);
        break;
    case 'l':
        elfp_put_string(out, error->found < error->expected ? "at least" : "at most");
        break;
    default:
        elfp_put_number(out, error->phdr2, 10);
        break;
    }
}

static const char *find_sentence(int32_t code)
{
    size_t i;

    for (i = 0; i < SENTENCES; i++) {
        if (sentences[i].code == code)
            return sentences[i].text;
    }
    return "unknown error";
}

size_t elfparse_error_format(const struct elfparse_error *error, char *buf, size_t size)
{
    struct elfp_output out = {buf, size != 0 ? size - 1 : 0, 0};
    const char *text = find_sentence(error->code);

    if (error->rule != ELFPARSE_RULE_NONE && error->rule < ELFPARSE_RULE_COUNT) {
        elfp_put_string(&out, rules[error->rule].name);
        elfp_put_string(&out, ": ");
    }
    for (; *text != '\0'; text++) {
        if (*text == '%')
            put_value(&out, error, *++text);
        else
            elfp_put(&out, *text);
    }
    if (error->rule != ELFPARSE_RULE_NONE) {
        elfp_put_string(&out, " (file offset 0x");
        elfp_put_number(&out, error->offset, 16);
        elfp_put(&out, ')');
    }
    if (size != 0)
        buf[out.length] = '\0';
    return out.length;
}

const char *elfparse_rule_name(uint32_t rule)
{
    return rules[rule < ELFPARSE_RULE_COUNT ? rule : 0].name;
}

const char *elfparse_rule_text(uint32_t rule)
{
    return rules[rule < ELFPARSE_RULE_COUNT ? rule : 0].text;
}
