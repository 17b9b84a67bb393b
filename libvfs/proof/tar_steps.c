/* Eva: the readers of tar and of pax headers, for all inputs of any length, by induction. Each
 * continuation is called once, in any state that its demand allows, and each demand that it makes
 * is checked against what its continuation is proved for here. LONGEST, of a key, is 300; with
 * more, a demand must be found that does not fit. */
#define PROOF_BY_STEPS
#include "readers.c"

#include "pax.c"

#include "tar.c"
#include "tar_sparse.c"
#ifdef FIELDS
#include "field.c"
#endif

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
    if (at < 20 || at > 300 || imp->want > UMVFS_XATTR_VALUE_MAX)
        WRONG();
}

/* Both the name, of one byte at least, and the value are in buf. */
static void expect_encoded(const struct umvfs_import *imp)
{
    if (imp->then != end_encoded)
        return;
    size_t at = (size_t)(imp->dst - imp->buf);
    if (at < 24 || at > 300 || imp->want > UMVFS_OBJECT_MAX - 300)
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
    expect(imp, end_real, buf, 0, 40);
    expect(imp, end_major, buf, 0, 40);
    expect(imp, end_minor, buf, 0, 40);
    expect(imp, end_offset, buf, 0, 40);
    expect(imp, end_length, buf, 0, 40);
    expect(imp, map_byte, buf, 1, 20);
    expect(imp, further_block, buf, 512, 512);
    expect(imp, map_digit, buf, 1, 21);
    expect_xattr(imp);
    expect_encoded(imp);
}

static void any_state(void)
{
    Frama_C_make_unknown(buf, sizeof(buf));
    Frama_C_make_unknown(name, sizeof(name));
    Frama_C_make_unknown(link_name, sizeof(link_name));
    Frama_C_make_unknown((char *)&import.tar, sizeof(import.tar));
    import.tar.global = Frama_C_interval(0, 1);
    import.tar.map.counted = Frama_C_interval(0, 1);
    import.tar.map.in_front = Frama_C_interval(0, 1);
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

/* The value of an attribute, behind its key. */
static int step_xattr(import_then then, int least, int most)
{
    any_state();
    import.dst = buf + Frama_C_interval(least, LONGEST);
    import.want = import.have = (size_t)Frama_C_interval(0, most);
    return then(&import);
}

#ifdef FIELDS
/* The functions of a header's fields, for any block and any field. */
static int fields(void)
{
    int64_t number = 0;
    uint64_t value = 0;
    size_t len = Frama_C_interval(0, 1) ? 8 : 12;
    size_t at = (size_t)Frama_C_interval(0, 500);
    any_state();
    switch (Frama_C_interval(0, 4)) {
    case 0:
        return umvfs_tar_is_zero(buf);
    case 3:
        return umvfs_import_parse_digits(buf + at, (size_t)Frama_C_interval(0, 40),
                                         (unsigned)Frama_C_interval(8, 16), &value);
    case 1:
        return umvfs_tar_checksum_matches(buf);
    case 2:
        return umvfs_tar_number(buf, at, len, &number);
    default:
        return (int)umvfs_tar_append(name, (size_t)Frama_C_interval(0, 156), buf,
                                     (size_t)Frama_C_interval(0, 345),
                                     (size_t)Frama_C_interval(0, 155));
    }
}
#else
/* They answer anything, from the bytes that they are proved to stay in. */
bool umvfs_tar_is_zero(const char *block)
{
    return block[0] + block[TAR_BLOCK - 1u] && Frama_C_interval(0, 1);
}

bool umvfs_tar_checksum_matches(const char *block)
{
    return block[0] + block[TAR_BLOCK - 1u] && Frama_C_interval(0, 1);
}

bool umvfs_tar_number(const char *block, size_t at, size_t len, int64_t *out)
{
    if (at > 500 || (len != 8 && len != 12))
        WRONG();
    Frama_C_make_unknown((char *)out, sizeof(*out));
    return block[at] + block[at + len - 1u] && Frama_C_interval(0, 1);
}

size_t umvfs_tar_append(char *dst, size_t len, const char *block, size_t at, size_t max)
{
    if (len > 156 || at > 345 || max > 155)
        WRONG();
    Frama_C_make_unknown(dst + len, max + 1u);
    return len + (size_t)Frama_C_interval(0, (int)max);
}
#endif

static int header(void)
{
    switch (Frama_C_interval(0, 9)) {
    case 0:
        return umvfs_import_tar(&import);
    case 1:
        return step(parse_block, buf, 512, 512);
    case 2:
        return step(after_zero_block, buf, 512, 512);
    case 3:
        return step(end_long, name, 2, UMVFS_PATH_MAX);
    case 4:
        return step(end_long, link_name, 2, UMVFS_PATH_MAX);
    case 5:
        return step(next_block, buf, 0, UMVFS_PATH_MAX);
    case 6:
        return step(umvfs_import_tar_end, buf, 0, UMVFS_PATH_MAX);
    case 7:
        return step(after_end, buf, 0, UMVFS_PATH_MAX);
    default:
        return step(ignore, buf, 0, UMVFS_PATH_MAX);
    }
}

static int record(void)
{
    switch (Frama_C_interval(0, 9)) {
    case 0:
        return step(length_byte, buf, 1, 20);
    case 1:
        return step(key_byte, buf, 1, LONGEST);
    case 2:
        return step(newline, buf, 1, 1);
    case 3:
        return step(end_size, buf, 0, 40);
    case 4:
        return step(end_uid, buf, 0, 40);
    case 5:
        return step(end_gid, buf, 0, 40);
    case 6:
        return step(end_mtime, buf, 0, 40);
    case 7:
        return step(end_text, name, 0, UMVFS_PATH_MAX - 1);
    case 8:
        return step(end_text, link_name, 0, UMVFS_PATH_MAX - 1);
    default:
        return step(end_record, buf, 0, UMVFS_PATH_MAX);
    }
}

static int sparse_or_attribute(void)
{
    switch (Frama_C_interval(0, 11)) {
    case 0:
        return step(end_real, buf, 0, 40);
    case 1:
        return step(end_major, buf, 0, 40);
    case 2:
        return step(end_minor, buf, 0, 40);
    case 3:
        return step(end_offset, buf, 0, 40);
    case 4:
        return step(end_length, buf, 0, 40);
    case 5:
        return step(map_byte, buf, 1, 20);
    case 6:
        return step(further_block, buf, 512, 512);
    case 7:
        return step(map_digit, buf, 1, 21);
    case 8:
        return step(next_piece, buf, 0, UMVFS_PATH_MAX);
    case 9:
        return step(after_map, buf, 0, UMVFS_PATH_MAX);
    case 10:
        return step_xattr(end_xattr, 20, UMVFS_XATTR_VALUE_MAX);
    default:
        return step_xattr(end_encoded, 24, UMVFS_OBJECT_MAX - 300);
    }
}

int main(void)
{
    import.sb = &sb;
    import.buf = buf;
    import.entry.name = name;
    import.entry.link = link_name;
#ifdef FIELDS
    return fields();
#else
    return PART();
#endif
}
