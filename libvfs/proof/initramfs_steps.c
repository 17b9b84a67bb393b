/* Eva: the reader of policy Linux, for all inputs of any length, by induction: each continuation is
 * called once, in any state that its demand allows, and what it leaves is checked against what the
 * continuations are proved for here. NAME_ROOM is smaller than UMVFS_PATH_MAX to show that the
 * proof can fail. */
#define INITRAMFS
#define PROOF_BY_STEPS
#include "readers.c"

#include "initramfs.c"

/* Reads what is not there: an alarm, unless this cannot be reached. */
#define WRONG() ((void)*(volatile char *)0)

/* What a continuation finds: dst, and how many bytes there, at least and at most. */
static void expect(const struct umvfs_import *imp, import_then then, const char *dst, size_t least,
                   size_t most)
{
    if (imp->then == then && (imp->dst != dst || imp->want < least || imp->want > most))
        WRONG();
}

static void pending(const struct umvfs_import *imp)
{
    expect(imp, parse_magic, buf, MAGIC_SIZE, MAGIC_SIZE);
    expect(imp, parse_header, buf + MAGIC_SIZE, HEADER_SIZE - MAGIC_SIZE, HEADER_SIZE - MAGIC_SIZE);
    expect(imp, skip_name_padding, name, 1, UMVFS_PATH_MAX);
    expect(imp, make_symlink, link_name, 0, UMVFS_PATH_MAX);
}

/* All but the texts, which are as long as they are said to be, and not longer than their memory. */
static int step(import_then then, char *dst, int least, int most)
{
    Frama_C_make_unknown(buf, sizeof(buf));
    Frama_C_make_unknown(name, sizeof(name));
    Frama_C_make_unknown(link_name, sizeof(link_name));
    Frama_C_make_unknown((char *)&import.cpio, sizeof(import.cpio));
    import.options.max_entries = (uint64_t)Frama_C_interval(0, 1);
    import.entry.mode = Frama_C_unsigned_int_interval(0, 0xffff);
    import.entry.size = Frama_C_unsigned_int_interval(0, UINT32_MAX);
    import.entry.name_len = (size_t)Frama_C_interval(0, UMVFS_PATH_MAX - 1);
    import.entry.link_len = (size_t)Frama_C_interval(0, UMVFS_PATH_MAX);
    import.entry_number = (uint64_t)Frama_C_interval(0, 1);
    import.offset = Frama_C_unsigned_int_interval(0, UINT32_MAX);
    import.crc = Frama_C_interval(0, 1);
    import.sum = Frama_C_unsigned_int_interval(0, UINT32_MAX);
    import.sum_wanted = Frama_C_unsigned_int_interval(0, UINT32_MAX);
    import.dst = dst;
    import.want = import.have = (size_t)Frama_C_interval(least, most);
    int err = then(&import);
    if (import.entry.name_len >= UMVFS_PATH_MAX || import.entry.link_len > UMVFS_PATH_MAX)
        WRONG();
    return err;
}

int main(void)
{
    import.sb = &sb;
    import.buf = buf;
    import.entry.name = name;
    import.entry.link = link_name;
    switch (Frama_C_interval(0, 9)) {
    case 0:
        return step(umvfs_import_initramfs, buf, 0, UMVFS_PATH_MAX);
    case 1:
        return step(next_entry, buf, 0, UMVFS_PATH_MAX);
    case 2:
        return step(start_header, buf, 0, UMVFS_PATH_MAX);
    case 3:
        return step(parse_magic, buf, MAGIC_SIZE, MAGIC_SIZE);
    case 4:
        return step(parse_header, buf + MAGIC_SIZE, HEADER_SIZE - MAGIC_SIZE,
                    HEADER_SIZE - MAGIC_SIZE);
    case 5:
        return step(skip_name_padding, name, 1, UMVFS_PATH_MAX);
    case 6:
        return step(parse_name, name, 0, UMVFS_PATH_MAX);
    case 7:
        return step(make_symlink, link_name, 0, UMVFS_PATH_MAX);
    case 8:
        return step(end_contents, buf, 0, UMVFS_PATH_MAX);
    default:
        return step(skip_padding, buf, 0, UMVFS_PATH_MAX);
    }
}
