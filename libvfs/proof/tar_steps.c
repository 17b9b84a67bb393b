/* Eva: the readers of tar and of pax headers, for all inputs of any length, by induction. Each
 * continuation is called once, in any state that its demand allows, and each demand that it makes
 * is checked against what its continuation is proved for here. LONGEST, of a key, is 300; with
 * more, a demand must be found that does not fit. */
#define PROOF_BY_STEPS
#include "readers.c"

#include "pax.c"
#include "tar.c"

/* Reads what is not there: an alarm, unless this cannot be reached. */
#define WRONG() ((void)*(volatile char *)0)

/* What a continuation finds: dst, and how many bytes there, at least and at most. */
static void expect(const struct umvfs_import *imp, import_then then, const char *dst, size_t least,
                   size_t most)
{
    if (imp->then == then && (imp->dst != dst || imp->want < least || imp->want > most))
        WRONG();
}

static void expect_text(const struct umvfs_import *imp, import_then then, size_t least, size_t most)
{
    if (imp->then != then)
        return;
    if (imp->dst == name || imp->dst == link_name) {
        if (imp->want < least || imp->want > most)
            WRONG();
    } else {
        WRONG();
    }
}

static void expect_xattr(const struct umvfs_import *imp)
{
    if (imp->then != end_xattr)
        return;
    size_t at = (size_t)(imp->dst - imp->buf);
    if (at < 19 || at > 300 || imp->want > UMVFS_XATTR_VALUE_MAX)
        WRONG();
}

static void pending(const struct umvfs_import *imp)
{
    expect(imp, parse_block, buf, 512, 512);
    expect(imp, after_zero_block, buf, 512, 512);
    expect(imp, length_byte, buf, 1, 20);
    expect(imp, key_byte, buf, 1, 300);
    expect(imp, newline, buf, 1, 1);
    expect(imp, end_size, buf, 0, 40);
    expect(imp, end_uid, buf, 0, 40);
    expect(imp, end_gid, buf, 0, 40);
    expect(imp, end_mtime, buf, 0, 40);
    expect_text(imp, end_text, 0, UMVFS_PATH_MAX - 1);
    expect_text(imp, end_long, 2, UMVFS_PATH_MAX);
    expect_xattr(imp);
}

static void any_state(void)
{
    Frama_C_make_unknown(buf, sizeof(buf));
    Frama_C_make_unknown(name, sizeof(name));
    Frama_C_make_unknown(link_name, sizeof(link_name));
    Frama_C_make_unknown((char *)&import.tar, sizeof(import.tar));
    import.tar.global = Frama_C_interval(0, 1);
    import.entry.name_len = (size_t)Frama_C_interval(0, UMVFS_PATH_MAX - 1);
    import.entry.link_len = (size_t)Frama_C_interval(0, UMVFS_PATH_MAX - 1);
    import.entry.size = (uint64_t)Frama_C_interval(0, 1 << 30) * 8u;
    import.entry_number = (uint64_t)Frama_C_interval(0, 1);
}

static int step(import_then then, char *dst, int least, int most)
{
    any_state();
    import.dst = dst;
    import.want = import.have = (size_t)Frama_C_interval(least, most);
    return then(&import);
}

static int step_xattr(void)
{
    any_state();
    import.dst = buf + Frama_C_interval(19, LONGEST);
    import.want = import.have = (size_t)Frama_C_interval(0, UMVFS_XATTR_VALUE_MAX);
    return end_xattr(&import);
}

int main(void)
{
    import.sb = &sb;
    import.buf = buf;
    import.entry.name = name;
    import.entry.link = link_name;
    switch (Frama_C_interval(0, 19)) {
    case 0:
        return umvfs_import_tar(&import);
    case 1:
        return step(parse_block, buf, 512, 512);
    case 2:
        return step(after_zero_block, buf, 512, 512);
    case 3:
        return step(length_byte, buf, 1, 20);
    case 4:
        return step(key_byte, buf, 1, LONGEST);
    case 5:
        return step(newline, buf, 1, 1);
    case 6:
        return step(end_size, buf, 0, 40);
    case 7:
        return step(end_uid, buf, 0, 40);
    case 8:
        return step(end_gid, buf, 0, 40);
    case 9:
        return step(end_mtime, buf, 0, 40);
    case 10:
        return step(end_text, name, 0, UMVFS_PATH_MAX - 1);
    case 11:
        return step(end_text, link_name, 0, UMVFS_PATH_MAX - 1);
    case 12:
        return step(end_long, name, 2, UMVFS_PATH_MAX);
    case 13:
        return step(end_long, link_name, 2, UMVFS_PATH_MAX);
    case 14:
        return step_xattr();
    case 15:
        return step(next_block, buf, 0, UMVFS_PATH_MAX);
    case 16:
        return step(end_entry, buf, 0, UMVFS_PATH_MAX);
    case 17:
        return step(end_record, buf, 0, UMVFS_PATH_MAX);
    default:
        return step(after_end, buf, 0, UMVFS_PATH_MAX);
    }
}
