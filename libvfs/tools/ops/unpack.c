/*
 * Compressed archives: each part of a file is unpacked by the library of its compression, which says
 * where the part ends. The libraries are optional; a compression without its library is named.
 *
 * The reader of raw files of libarchive 3.6 is no replacement: it joins parts that follow one another, and refuses xz and
 * zstd before other bytes.
 */
#include "embed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_ZLIB
#include <zlib.h>
#endif
#ifdef HAVE_BZ2
#include <bzlib.h>
#endif
#ifdef HAVE_LZMA
#include <lzma.h>
#endif
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif
#ifdef HAVE_LZ4
#include <lz4.h>
#endif
#ifdef HAVE_LZO2
#include <lzo/lzo1x.h>
#endif

enum {
    WINDOW = 65536,         /* bytes of the file, and of what a part holds, at a time */
    CPIO_HEADER = 110,      /* of an entry */
    CPIO_MAGIC = 6,         /* its first bytes */
    TAR_HEADER = 512,       /* of an entry */
    LZ4_MAGIC = 0x184c2102, /* of the form that Linux reads (lz4 -l) */
    LZ4_BLOCK = 8 << 20,    /* what a block of it holds */
    LZO_BLOCK = 1 << 18,    /* what a block of lzop holds */
    ZSTD_SKIPPABLE =
        0x184d2a50, /* the magic of a frame without contents; the lowest four bits are free */
};
#define MEMORY_MAX ((uint64_t)256 << 20) /* what a decoder may need: xz -9 takes 65 MiB */

/* Where the entries of cpio begin and end in the bytes that are handed on. */
struct entries {
    char header[CPIO_HEADER];
    size_t have;   /* bytes of the header so far */
    uint64_t left; /* bytes until the next header */
    bool is_not_cpio;
};

struct unpack {
    FILE *file;
    char window[WINDOW];
    size_t at, end;  /* the unread bytes of the window */
    uint64_t offset; /* of the first of them, in the file */

    archive_put *put;
    void *context;
    uint64_t handed_on; /* bytes */
    bool refused;       /* by put */
    struct entries entries;

    const char *compression; /* of the part at hand, or NULL outside of parts */
    uint64_t part;           /* where it begins in the file */
    const char *problem;     /* what is wrong with it */
    char out[WINDOW];
};

/* The file and the receiver. */

/* Reads until `want` bytes are in the window, or the file ends. Returns how many there are. */
static size_t fill(struct unpack *u, size_t want)
{
    if (u->end - u->at < want) {
        memmove(u->window, u->window + u->at, u->end - u->at);
        u->end -= u->at;
        u->at = 0;
        while (u->end < want && !feof(u->file) && !ferror(u->file))
            u->end += fread(u->window + u->end, 1, WINDOW - u->end, u->file);
    }
    return u->end - u->at;
}

static void take(struct unpack *u, size_t length)
{
    u->at += length;
    u->offset += length;
}

static int fail(struct unpack *u, const char *problem, int error)
{
    u->problem = problem;
    return error;
}

static int damaged(struct unpack *u)
{
    return fail(u, "damaged", -EINVAL);
}

static int ends_early(struct unpack *u)
{
    return ferror(u->file) ? -EIO : fail(u, "it ends too early", -EINVAL);
}

static int hand_on(struct unpack *u, const char *data, size_t length)
{
    int error = length ? u->put(u->context, data, length) : 0;
    u->handed_on += length;
    u->refused = error != 0;
    return error;
}

static uint32_t little_endian(const char *at)
{
    const unsigned char *byte = (const unsigned char *)at;
    return byte[0] | (uint32_t)byte[1] << 8 | (uint32_t)byte[2] << 16 | (uint32_t)byte[3] << 24;
}

/* The entries of cpio. */

static uint64_t number(const struct entries *entries, size_t at)
{
    char digits[9] = {0};
    memcpy(digits, entries->header + at, 8);
    return strtoul(digits, NULL, 16) & UINT32_MAX;
}

static uint64_t aligned(uint64_t size)
{
    return (size + 3) & ~UINT64_C(3);
}

static void read_header(struct entries *entries)
{
    entries->have = 0;
    entries->is_not_cpio = memcmp(entries->header, "070701", CPIO_MAGIC) != 0 &&
                           memcmp(entries->header, "070702", CPIO_MAGIC) != 0;
    entries->left =
        aligned(aligned(CPIO_HEADER + number(entries, 94)) + number(entries, 54)) - CPIO_HEADER;
}

/* Whether the bytes so far end with an entry, or with NULs after it. */
static bool is_between(const struct entries *entries)
{
    return entries->left == 0 && entries->have == 0;
}

/* Follows the entries through the next bytes. Returns how many of them come before the first that
 * neither an entry nor NULs after one can have. */
static size_t follow(struct entries *entries, const char *data, size_t length)
{
    size_t at = 0;
    while (at < length && !entries->is_not_cpio) {
        if (entries->left) {
            uint64_t part = entries->left < length - at ? entries->left : length - at;
            entries->left -= part;
            at += (size_t)part;
        } else if (entries->have == 0 && data[at] == '\0') {
            at++;
        } else if (entries->have == 0 && data[at] != '0') {
            return at;
        } else {
            entries->header[entries->have++] = data[at++];
            if (entries->have == CPIO_HEADER)
                read_header(entries);
        }
    }
    return length;
}

/* Contents of a compressed part. */
static int hand_on_contents(struct unpack *u, const char *data, size_t length)
{
    struct entries *entries = &u->entries;
    if (!entries->is_not_cpio && follow(entries, data, length) < length)
        entries->is_not_cpio = true;
    return hand_on(u, data, length);
}

/* The compressions that are streams. */

enum step { STEP_MORE, STEP_ENDED, STEP_DAMAGED, STEP_TOO_LARGE, STEP_NO_MEMORY };

/* Decodes what it can of the *unread bytes of `in` into the *room bytes of `out`, and takes from both
 * sizes what it has used. */
typedef enum step decode(void *decoder, const char *in, size_t *unread, char *out, size_t *room);

static int end_of_part(struct unpack *u, enum step step)
{
    switch (step) {
    case STEP_ENDED:
        return 0;
    case STEP_TOO_LARGE:
        return fail(u, "it needs more than 256 MiB of memory", -EINVAL);
    case STEP_NO_MEMORY:
        return -ENOMEM;
    default:
        return damaged(u);
    }
}

static __attribute__((unused)) int unpack_stream(struct unpack *u, decode *decode_piece,
                                                 void *decoder)
{
    enum step step = STEP_MORE;
    int error = 0;
    while (!error && step == STEP_MORE) {
        size_t had = fill(u, 1), unread = had, room = WINDOW;
        step = decode_piece(decoder, u->window + u->at, &unread, u->out, &room);
        if (step == STEP_MORE && unread == had && room == WINDOW)
            return had ? damaged(u) : ends_early(u);
        take(u, had - unread);
        error = hand_on_contents(u, u->out, WINDOW - room);
    }
    return error ? error : end_of_part(u, step);
}

#ifdef HAVE_ZLIB
static enum step decode_gzip(void *decoder, const char *in, size_t *unread, char *out, size_t *room)
{
    z_stream *stream = decoder;
    stream->next_in = (z_const Bytef *)in;
    stream->avail_in = (uInt)*unread;
    stream->next_out = (Bytef *)out;
    stream->avail_out = (uInt)*room;
    int status = inflate(stream, Z_NO_FLUSH);
    *unread = stream->avail_in;
    *room = stream->avail_out;
    if (status == Z_STREAM_END)
        return STEP_ENDED;
    if (status == Z_MEM_ERROR)
        return STEP_NO_MEMORY;
    return status == Z_OK || status == Z_BUF_ERROR ? STEP_MORE : STEP_DAMAGED;
}

static int unpack_gzip(struct unpack *u)
{
    z_stream stream = {0};
    if (inflateInit2(&stream, MAX_WBITS + 16) != Z_OK) /* 16: with a header of gzip */
        return -ENOMEM;
    int error = unpack_stream(u, decode_gzip, &stream);
    inflateEnd(&stream);
    return error;
}
#endif

#ifdef HAVE_BZ2
static enum step decode_bzip2(void *decoder, const char *in, size_t *unread, char *out,
                              size_t *room)
{
    bz_stream *stream = decoder;
    stream->next_in = (char *)in;
    stream->avail_in = (unsigned)*unread;
    stream->next_out = out;
    stream->avail_out = (unsigned)*room;
    int status = BZ2_bzDecompress(stream);
    *unread = stream->avail_in;
    *room = stream->avail_out;
    if (status == BZ_STREAM_END)
        return STEP_ENDED;
    if (status == BZ_MEM_ERROR)
        return STEP_NO_MEMORY;
    return status == BZ_OK ? STEP_MORE : STEP_DAMAGED;
}

static int unpack_bzip2(struct unpack *u)
{
    bz_stream stream = {0};
    if (BZ2_bzDecompressInit(&stream, 0, 0) != BZ_OK)
        return -ENOMEM;
    int error = unpack_stream(u, decode_bzip2, &stream);
    BZ2_bzDecompressEnd(&stream);
    return error;
}
#endif

#ifdef HAVE_LZMA
static enum step decode_lzma(void *decoder, const char *in, size_t *unread, char *out, size_t *room)
{
    lzma_stream *stream = decoder;
    stream->next_in = (const uint8_t *)in;
    stream->avail_in = *unread;
    stream->next_out = (uint8_t *)out;
    stream->avail_out = *room;
    lzma_ret status = lzma_code(stream, LZMA_RUN);
    *unread = stream->avail_in;
    *room = stream->avail_out;
    switch (status) {
    case LZMA_STREAM_END:
        return STEP_ENDED;
    case LZMA_OK:
    case LZMA_BUF_ERROR:
        return STEP_MORE;
    case LZMA_MEMLIMIT_ERROR:
        return STEP_TOO_LARGE;
    case LZMA_MEM_ERROR:
        return STEP_NO_MEMORY;
    default:
        return STEP_DAMAGED;
    }
}

static int unpack_xz(struct unpack *u)
{
    lzma_stream stream = LZMA_STREAM_INIT;
    if (lzma_stream_decoder(&stream, MEMORY_MAX, 0) != LZMA_OK)
        return -ENOMEM;
    int error = unpack_stream(u, decode_lzma, &stream);
    lzma_end(&stream);
    return error;
}

static int unpack_lzma(struct unpack *u)
{
    lzma_stream stream = LZMA_STREAM_INIT;
    if (lzma_alone_decoder(&stream, MEMORY_MAX) != LZMA_OK)
        return -ENOMEM;
    int error = unpack_stream(u, decode_lzma, &stream);
    lzma_end(&stream);
    return error;
}
#endif

#ifdef HAVE_ZSTD
static enum step decode_zstd(void *decoder, const char *in, size_t *unread, char *out, size_t *room)
{
    ZSTD_inBuffer input = {in, *unread, 0};
    ZSTD_outBuffer output = {out, *room, 0};
    size_t left = ZSTD_decompressStream(decoder, &output, &input);
    *unread -= input.pos;
    *room -= output.pos;
    if (ZSTD_isError(left))
        return STEP_DAMAGED;
    return left ? STEP_MORE : STEP_ENDED;
}

/* The library refuses frames that need more than 128 MiB. */
static int unpack_zstd(struct unpack *u)
{
    ZSTD_DCtx *decoder = ZSTD_createDCtx();
    if (!decoder)
        return -ENOMEM;
    int error = unpack_stream(u, decode_zstd, decoder);
    ZSTD_freeDCtx(decoder);
    return error;
}
#endif

/* The compressions that are blocks. */

/* Takes the next bytes of the file, as many as are wanted. */
static __attribute__((unused)) int read_bytes(struct unpack *u, char *out, size_t want)
{
    for (size_t have = 0, part; have < want; have += part) {
        part = fill(u, 1);
        if (!part)
            return ends_early(u);
        if (part > want - have)
            part = want - have;
        memcpy(out + have, u->window + u->at, part);
        take(u, part);
    }
    return 0;
}

#ifdef HAVE_LZ4
static int unpack_lz4_block(struct unpack *u, size_t size, char *block, char *contents)
{
    int error = read_bytes(u, block, size);
    if (error)
        return error;
    int made = LZ4_decompress_safe(block, contents, (int)size, LZ4_BLOCK);
    return made < 0 ? damaged(u) : hand_on_contents(u, contents, (size_t)made);
}

/* Blocks after their sizes, up to the end of the file or a size of 0. After the magic of more of them
 * they go on in the same part, as for Linux. */
static int unpack_lz4(struct unpack *u)
{
    char *block = malloc(LZ4_COMPRESSBOUND(LZ4_BLOCK)), *contents = malloc(LZ4_BLOCK);
    int error = block && contents ? 0 : -ENOMEM;
    take(u, 4);
    while (!error) {
        size_t have = fill(u, 4);
        uint32_t size = have < 4 ? 0 : little_endian(u->window + u->at);
        if (have > 0 && have < 4 && u->window[u->at])
            error = ends_early(u);
        if (error || size == 0)
            break;
        take(u, 4);
        if (size == LZ4_MAGIC)
            continue;
        error = size > LZ4_COMPRESSBOUND(LZ4_BLOCK) ? damaged(u)
                                                    : unpack_lz4_block(u, size, block, contents);
    }
    free(block);
    free(contents);
    return error;
}
#endif

#ifdef HAVE_LZO2
enum {
    LZOP_ADLER_CONTENTS = 0x1,
    LZOP_ADLER_BLOCK = 0x2,
    LZOP_EXTRA = 0x40,
    LZOP_CRC_CONTENTS = 0x100,
    LZOP_CRC_BLOCK = 0x200,
    LZOP_FILTER = 0x800,
    LZOP_CRC_HEADER = 0x1000,
    LZOP_MAGIC = 9,
    LZOP_VERSION = 0x0940, /* from which on the header is longer */
};

static uint32_t big_endian(const char *at, size_t size)
{
    uint32_t value = 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | (unsigned char)at[i];
    return value;
}

static int read_number(struct unpack *u, uint32_t *out)
{
    char bytes[4];
    int error = read_bytes(u, bytes, sizeof bytes);
    if (!error)
        *out = big_endian(bytes, sizeof bytes);
    return error;
}

static uint32_t checksum(bool is_crc, const char *data, size_t size)
{
    const unsigned char *bytes = (const unsigned char *)data;
    return is_crc ? lzo_crc32(0, bytes, size) : lzo_adler32(1, bytes, size);
}

/* Takes a checksum, if there is one: 0 if not. */
static int read_sum(struct unpack *u, bool is_there, uint32_t *out)
{
    *out = 0;
    return is_there ? read_number(u, out) : 0;
}

/* An extra field, which has a length before it and a checksum after it, is passed over. */
static int skip_extra(struct unpack *u)
{
    uint32_t left;
    char byte;
    int error = read_number(u, &left);
    for (uint64_t i = 0; !error && i < (uint64_t)left + 4; i++)
        error = read_bytes(u, &byte, 1);
    return error;
}

/* The magic; versions, method and level; flags, filter, mode and times; a name with its length; the
 * checksum of all that after the magic. */
static int read_lzop_header(struct unpack *u, uint32_t *flags)
{
    static const char magic[LZOP_MAGIC] = "\x89LZO\0\r\n\x1a\n";
    char header[LZOP_MAGIC + 32 + 255]; /* the largest, with the longest name */
    uint32_t wanted;
    if (fill(u, sizeof magic + 2) < sizeof magic + 2)
        return ends_early(u);
    bool is_long = big_endian(u->window + u->at + LZOP_MAGIC, 2) >= LZOP_VERSION;
    size_t flags_at = LZOP_MAGIC + (is_long ? 8 : 5), size = flags_at + 4;
    int error = read_bytes(u, header, size);
    if (error)
        return error;
    *flags = big_endian(header + flags_at, 4);
    size_t more = (*flags & LZOP_FILTER ? 4u : 0u) + (is_long ? 12u : 8u) + 1u;
    error = read_bytes(u, header + size, more);
    if (error)
        return error;
    size += more;
    size_t name = (unsigned char)header[size - 1];
    error = read_bytes(u, header + size, name);
    if (!error)
        error = read_number(u, &wanted);
    if (error)
        return error;
    uint32_t sum =
        checksum(*flags & LZOP_CRC_HEADER, header + LZOP_MAGIC, size + name - LZOP_MAGIC);
    if (memcmp(header, magic, sizeof magic) != 0 || sum != wanted)
        return damaged(u);
    return *flags & LZOP_EXTRA ? skip_extra(u) : 0;
}

/* Unpacks a block of which `size` bytes become `made`; a block of the same size is stored. The
 * checksums of what it holds tell all damage, so that those of the block are not compared. */
static int unpack_lzop_block(struct unpack *u, uint32_t flags, size_t size, size_t made,
                             char *block, char *contents)
{
    uint32_t adler, crc, other;
    lzo_uint length = made;
    int error = read_sum(u, flags & LZOP_ADLER_CONTENTS, &adler);
    if (!error)
        error = read_sum(u, flags & LZOP_CRC_CONTENTS, &crc);
    if (!error)
        error = read_sum(u, size < made && flags & LZOP_ADLER_BLOCK, &other);
    if (!error)
        error = read_sum(u, size < made && flags & LZOP_CRC_BLOCK, &other);
    if (!error)
        error = read_bytes(u, block, size);
    if (error)
        return error;
    if (size == made)
        memcpy(contents, block, size);
    else if (lzo1x_decompress_safe((const unsigned char *)block, size, (unsigned char *)contents,
                                   &length, NULL) != LZO_E_OK ||
             length != made)
        return damaged(u);
    if ((flags & LZOP_ADLER_CONTENTS && checksum(false, contents, made) != adler) ||
        (flags & LZOP_CRC_CONTENTS && checksum(true, contents, made) != crc))
        return damaged(u);
    return hand_on_contents(u, contents, made);
}

static int unpack_lzop(struct unpack *u)
{
    static char block[LZO_BLOCK], contents[LZO_BLOCK];
    uint32_t flags, made, size;
    int error = lzo_init() == LZO_E_OK ? read_lzop_header(u, &flags) : -ENOSYS;
    while (!error) {
        error = read_number(u, &made);
        if (error || made == 0)
            break;
        error = read_number(u, &size);
        if (!error && (made > LZO_BLOCK || size > made || size == 0))
            error = damaged(u);
        if (!error)
            error = unpack_lzop_block(u, flags, size, made, block, contents);
    }
    return error;
}
#endif

/* The parts. */

/* A compression by the name that umvfs_archive_compression gives it. */
static const struct compression {
    const char *name;
    const char *magic; /* of the form that is unpacked, if the name is that of several */
    int (*unpack)(struct unpack *u);
} compressions[] = {
#ifdef HAVE_ZLIB
    {"gzip", "\x1f\x8b", unpack_gzip},
#endif
#ifdef HAVE_BZ2
    {"bzip2", "", unpack_bzip2},
#endif
#ifdef HAVE_LZMA
    {"xz", "", unpack_xz},
    {"lzma", "", unpack_lzma},
#endif
#ifdef HAVE_ZSTD
    {"zstd", "", unpack_zstd},
#endif
#ifdef HAVE_LZ4
    {"lz4", "\x02\x21", unpack_lz4},
#endif
#ifdef HAVE_LZO2
    {"lzo", "", unpack_lzop},
#endif
    {NULL, NULL, NULL},
};

/* Hands on NULs until the next byte is at the same place modulo four as byte `offset` of a part or file. */
static int align(struct unpack *u, uint64_t offset)
{
    static const char zeros[4];
    return hand_on(u, zeros, (size_t)((offset - u->handed_on) & 3));
}

static int unpack_part(struct unpack *u, const char *name)
{
    const struct compression *way = compressions;
    u->compression = name;
    u->part = u->offset;
    while (way->name && (strcmp(way->name, name) != 0 ||
                         memcmp(u->window + u->at, way->magic, strlen(way->magic)) != 0))
        way++;
    if (!way->name)
        return fail(u, umvfs_archive_reason_text(UMVFS_ARCHIVE_COMPRESSED), -EINVAL);
    bool is_cpio = !u->entries.is_not_cpio;
    int error = is_cpio ? align(u, 0) : 0;
    if (!error)
        error = way->unpack(u);
    if (!error && !u->entries.is_not_cpio) {
        if (!is_between(&u->entries))
            return fail(u, "an entry does not end with it", -EINVAL);
        error = align(u, u->offset);
    }
    if (!error)
        u->compression = NULL;
    return error;
}

/* How many of the window's `length` bytes are not compressed: all, if what is there cannot be followed. */
static size_t plain_part(struct unpack *u, size_t length)
{
    const char *data = u->window + u->at;
    if (!u->entries.is_not_cpio)
        return follow(&u->entries, data, length);
    size_t zeros = 0;
    while (zeros < length && data[zeros] == '\0')
        zeros++;
    return zeros;
}

/* Whether the file begins with a header of tar, whose name may look like the magic of a compression. */
static bool is_tar(const char *data, size_t length)
{
    char digits[9] = {0};
    uint64_t sum = 0;
    if (length < TAR_HEADER)
        return false;
    memcpy(digits, data + 148, 8);
    for (size_t i = 0; i < TAR_HEADER; i++)
        sum += i < 148 || i >= 156 ? (unsigned char)data[i] : (unsigned char)' ';
    return strtoul(digits, NULL, 8) == sum;
}

/* What zstd's format lets stand between frames and before them, and holds no contents; pzstd writes one
 * before each frame. */
static bool is_skippable(const char *data, size_t length)
{
    return length >= 4 && (little_endian(data) & ~UINT32_C(15)) == ZSTD_SKIPPABLE;
}

static int skip_frame(struct unpack *u)
{
    u->compression = "zstd";
    u->part = u->offset;
    if (fill(u, 8) < 8)
        return ends_early(u);
    uint64_t left = 8 + (uint64_t)little_endian(u->window + u->at + 4);
    while (left > 0) {
        size_t piece = fill(u, 1);
        if (!piece)
            return ends_early(u);
        if (piece > left)
            piece = (size_t)left;
        take(u, piece);
        left -= piece;
    }
    u->compression = NULL;
    return 0;
}

static int unpack_parts(struct unpack *u)
{
    bool has_parts = !is_tar(u->window, fill(u, TAR_HEADER));
    size_t length;
    int error = 0;
    while (!error && (length = fill(u, CPIO_MAGIC)) > 0) {
        bool was_not_cpio = u->entries.is_not_cpio;
        size_t plain = has_parts ? plain_part(u, length) : length;
        const char *name = NULL;
        if (plain == 0 && is_skippable(u->window + u->at, length)) {
            error = skip_frame(u);
            continue;
        }
        if (plain == 0)
            name = umvfs_archive_compression(u->window + u->at, length);
        if (name) {
            error = unpack_part(u, name);
            continue;
        }
        has_parts = has_parts && plain && u->entries.is_not_cpio == was_not_cpio;
        plain = plain ? plain : length;
        error = hand_on(u, u->window + u->at, plain);
        take(u, plain);
    }
    return error;
}

int archive_unpack(FILE *file, const char *path, archive_put *put, void *context,
                   struct bytes *message)
{
    struct unpack *u = calloc(1, sizeof *u);
    if (!u)
        return -ENOMEM;
    u->file = file;
    u->put = put;
    u->context = context;
    int error = unpack_parts(u);
    if (!error && ferror(file))
        error = -EIO;
    if (u->refused && u->compression)
        bytes_printf(message, ", in the %s part at offset %" PRIu64, u->compression, u->part);
    else if (error && !u->refused && u->problem)
        bytes_printf(message, "%s: offset %" PRIu64 ": %s: %s (EINVAL)", path, u->part,
                     u->compression, u->problem);
    else if (error && !u->refused)
        bytes_printf(message, "%s: %s", path, strerror(-error));
    free(u);
    return error;
}
