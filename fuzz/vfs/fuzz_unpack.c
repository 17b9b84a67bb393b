/*
 * Compressed archives, as the commands read them part by part (libvfs/tools/ops/unpack.c).
 *
 * Input: what a part holds, and after it eight bytes: its compression (or none, and the input is the file), the NULs
 * before it, whether it is there twice and holds the bytes again and again, the form of lzop, when the receiver refuses, and what is
 * damaged: a byte, by XOR, or the end.
 * Proves: a part holds what was packed, wherever it begins; damage is an error, or is nothing; nothing is read or
 * written out of bounds, and all memory comes back.
 * Does not prove: that the compressions' own libraries are right, nor, for lzma, lz4 and lzop, which do not check all
 * of what they hold, that damage is seen.
 * Oracles: the packed bytes, and a naive reader of their headers; the file, if no part is found in it.
 * Rate: 300/s
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ops/embed.h"

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
    TAIL = 8,       /* bytes after the contents */
    ROOM = 4 << 20, /* for a file, and for what it holds */
    LARGE = 300000, /* what a part has that holds its bytes again and again */
    BLOCK = 1000,   /* of lz4 and lzop, so that there are several, if a part is not large */
    LARGE_BLOCK = 1 << 18,
    WINDOW = 65536,      /* what is read at a time: some parts begin at its end */
    HEADER = 110,        /* of an entry of cpio */
    ZSTD_DESCRIPTOR = 4, /* the byte of a frame that says whether there is a checksum */
};

#define CHECK(what)                                                                                \
    do {                                                                                           \
        if (!(what)) {                                                                             \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what);                             \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* Bytes in a place that has room for all. */
struct run {
    uint8_t *data;
    size_t length;
};

static void add(struct run *run, const void *data, size_t length)
{
    CHECK(length <= ROOM - run->length);
    if (length)
        memcpy(run->data + run->length, data, length);
    run->length += length;
}

static void add_nuls(struct run *run, size_t count)
{
    CHECK(count <= ROOM - run->length);
    memset(run->data + run->length, 0, count);
    run->length += count;
}

static void add_number(struct run *run, uint32_t value, bool is_big_endian)
{
    uint8_t bytes[4];
    for (unsigned i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(value >> 8 * (is_big_endian ? 3 - i : i));
    add(run, bytes, sizeof bytes);
}

/* The compressions. */

/* How much of `size` bytes the block from `at` on holds. */
static __attribute__((unused)) size_t block_size(size_t size, size_t at)
{
    size_t most = size < LARGE ? BLOCK : LARGE_BLOCK;
    return size - at < most ? size - at : most;
}

#ifdef HAVE_ZLIB
static void pack_gzip(struct run *out, const uint8_t *data, size_t size, unsigned form)
{
    z_stream stream = {0};
    CHECK(deflateInit2(&stream, 1, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    stream.next_in = (z_const Bytef *)data;
    stream.avail_in = (uInt)size;
    stream.next_out = out->data + out->length;
    stream.avail_out = (uInt)(ROOM - out->length);
    CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    out->length = ROOM - stream.avail_out;
    deflateEnd(&stream);
}
#endif

#ifdef HAVE_BZ2
static void pack_bzip2(struct run *out, const uint8_t *data, size_t size, unsigned form)
{
    unsigned length = (unsigned)(ROOM - out->length);
    CHECK(BZ2_bzBuffToBuffCompress((char *)out->data + out->length, &length, (char *)data,
                                   (unsigned)size, 1, 0, 0) == BZ_OK);
    out->length += length;
}
#endif

#ifdef HAVE_LZMA
static void pack_xz(struct run *out, const uint8_t *data, size_t size, unsigned form)
{
    lzma_options_lzma options;
    CHECK(!lzma_lzma_preset(&options, 0));
    options.dict_size = LZMA_DICT_SIZE_MIN;
    lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, NULL}};
    CHECK(lzma_stream_buffer_encode(filters, LZMA_CHECK_CRC32, NULL, data, size, out->data,
                                    &out->length, ROOM) == LZMA_OK);
}

static void pack_lzma(struct run *out, const uint8_t *data, size_t size, unsigned form)
{
    lzma_stream stream = LZMA_STREAM_INIT;
    lzma_options_lzma options;
    CHECK(!lzma_lzma_preset(&options, 0));
    options.dict_size = LZMA_DICT_SIZE_MIN << 4; /* a size that is known for one of lzma */
    CHECK(lzma_alone_encoder(&stream, &options) == LZMA_OK);
    stream.next_in = data;
    stream.avail_in = size;
    stream.next_out = out->data + out->length;
    stream.avail_out = ROOM - out->length;
    CHECK(lzma_code(&stream, LZMA_FINISH) == LZMA_STREAM_END);
    out->length = ROOM - stream.avail_out;
    lzma_end(&stream);
}
#endif

#ifdef HAVE_ZSTD
static void pack_zstd(struct run *out, const uint8_t *data, size_t size, unsigned form)
{
    static ZSTD_CCtx *context;
    if (!context)
        context = ZSTD_createCCtx();
    CHECK(!ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 1)));
    CHECK(!ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)));
    size_t made = ZSTD_compress2(context, out->data + out->length, ROOM - out->length, data, size);
    CHECK(!ZSTD_isError(made));
    out->length += made;
}
#endif

#ifdef HAVE_LZ4
static void pack_lz4(struct run *out, const uint8_t *data, size_t size, unsigned form)
{
    static char block[LZ4_COMPRESSBOUND(LARGE_BLOCK)];
    add_number(out, 0x184c2102, false);
    for (size_t at = 0, part; at < size; at += part) {
        part = block_size(size, at);
        int made = LZ4_compress_default((const char *)data + at, block, (int)part, sizeof block);
        CHECK(made > 0);
        add_number(out, (uint32_t)made, false);
        add(out, block, (size_t)made);
    }
}
#endif

#ifdef HAVE_LZO2
/* Parts of a file of lzop that are optional. */
enum form {
    WITH_FILTER = 8,
    WITH_EXTRA = 16,
    WITH_CRC = 32,
    WITH_BLOCK_SUMS = 64,
    OLD_AND_NAMED = 128
};

static uint32_t sum_of(const void *data, size_t size, bool is_crc)
{
    return is_crc ? lzo_crc32(0, data, size) : lzo_adler32(1, data, size);
}

static void add_lzop_header(struct run *out, unsigned form)
{
    bool is_old = form & OLD_AND_NAMED, is_crc = form & WITH_CRC;
    add(out, "\x89LZO\0\r\n\x1a\n", 9);
    size_t start = out->length;
    /* Versions, method and level; flags; filter; mode and times; the name after its length. */
    add(out, is_old ? "\x09\x3f\x20\xa0\x01" : "\x10\x40\x20\xa0\x09\x40\x01\x05", is_old ? 5 : 8);
    add_number(out,
               (is_crc ? 0x1100 : 0x1) | (form & WITH_FILTER ? 0x800 : 0) |
                   (form & WITH_EXTRA ? 0x40 : 0) |
                   (form & WITH_BLOCK_SUMS ? (is_crc ? 0x200 : 0x2) : 0),
               true);
    if (form & WITH_FILTER)
        add_number(out, 1, true);
    add_nuls(out, is_old ? 8 : 12);
    if (is_old)
        add(out, "\x04name", 5);
    else
        add_nuls(out, 1);
    add_number(out, sum_of(out->data + start, out->length - start, is_crc), true);
    if (form & WITH_EXTRA) { /* its length, and a checksum after it */
        add_number(out, 5, true);
        add(out, "extrasum.", 9);
    }
}

static void pack_lzop(struct run *out, const uint8_t *data, size_t size, unsigned form)
{
    static uint8_t work[LZO1X_1_MEM_COMPRESS], block[LARGE_BLOCK + LARGE_BLOCK / 16 + 67];
    bool is_crc = form & WITH_CRC;
    add_lzop_header(out, form);
    for (size_t at = 0, part; at < size; at += part) {
        lzo_uint made;
        part = block_size(size, at);
        CHECK(lzo1x_1_compress(data + at, part, block, &made, work) == LZO_E_OK);
        bool is_stored = made >= part;
        add_number(out, (uint32_t)part, true);
        add_number(out, (uint32_t)(is_stored ? part : made), true);
        add_number(out, sum_of(data + at, part, is_crc), true);
        if (form & WITH_BLOCK_SUMS && !is_stored)
            add_number(out, sum_of(block, made, is_crc), true);
        add(out, is_stored ? data + at : block, is_stored ? part : made);
    }
    add_number(out, 0, true);
}
#endif

static const struct kind {
    void (*pack)(struct run *out, const uint8_t *data, size_t size, unsigned form);
    bool sees_damage;
    bool goes_on; /* a second part is more of the first */
} kinds[] = {
    {NULL, false, false},
#ifdef HAVE_ZLIB
    {pack_gzip, true, false},
#endif
#ifdef HAVE_BZ2
    {pack_bzip2, true, false},
#endif
#ifdef HAVE_LZMA
    {pack_xz, true, false},    {pack_lzma, false, false},
#endif
#ifdef HAVE_ZSTD
    {pack_zstd, true, false},
#endif
#ifdef HAVE_LZ4
    {pack_lz4, false, true},
#endif
#ifdef HAVE_LZO2
    {pack_lzop, false, false},
#endif
};

/* The expected outcome for a file. */

enum end { BETWEEN, INSIDE, NOT_CPIO };

/* Where the bytes end that entries of cpio begin with: between two of them, inside of one, or after
 * what is none. */
static enum end end_of(const uint8_t *data, size_t size)
{
    size_t at = 0;
    while (at < size) {
        char size_digits[9] = {0}, name_digits[9] = {0};
        if (data[at] == 0) {
            at++;
            continue;
        }
        if (data[at] != '0')
            return NOT_CPIO;
        if (size - at < HEADER)
            return INSIDE;
        if (memcmp(data + at, "070701", 6) != 0 && memcmp(data + at, "070702", 6) != 0)
            return NOT_CPIO;
        memcpy(size_digits, data + at + 54, 8);
        memcpy(name_digits, data + at + 94, 8);
        uint64_t name = strtoul(name_digits, NULL, 16) & UINT32_MAX;
        uint64_t whole =
            (HEADER + name + 3) / 4 * 4 + (strtoul(size_digits, NULL, 16) & UINT32_MAX);
        whole = (whole + 3) / 4 * 4;
        if (whole > size - at)
            return INSIDE;
        at += (size_t)whole;
    }
    return BETWEEN;
}

/* The receiver. */
struct receiver {
    struct run got;
    unsigned takes; /* pieces until it refuses; 0: no limit */
    bool refused;
};

static int put(void *context, const void *data, size_t length)
{
    struct receiver *receiver = context;
    CHECK(!receiver->refused);
    if (length > ROOM - receiver->got.length || (receiver->takes && --receiver->takes == 0)) {
        receiver->refused = true;
        return -ENOSPC;
    }
    add(&receiver->got, data, length);
    return 0;
}

static int unpack(const struct run *file, struct receiver *receiver)
{
    struct bytes message = {0};
    FILE *stream = fmemopen(file->data, file->length, "rb");
    CHECK(stream != NULL);
    int error = archive_unpack(stream, "file", put, receiver, &message);
    CHECK(error == 0 || error == -EINVAL || error == -ENOMEM ||
          (error == -ENOSPC && receiver->refused));
    CHECK(receiver->refused == (error == -ENOSPC));
    CHECK((error == 0) <= (message.length == 0) &&
          (error == 0 || receiver->refused || message.length));
    bytes_free(&message);
    fclose(stream);
    return error;
}

static bool begins_with(const struct run *run, const struct run *start)
{
    return run->length >= start->length && memcmp(run->data, start->data, start->length) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t file_room[ROOM], got_room[ROOM], wanted_room[ROOM], contents_room[ROOM];
    struct run file = {file_room, 0}, wanted = {wanted_room, 0}, contents = {contents_room, 0};
    struct receiver receiver = {.got = {got_room, 0}};
    if (size < TAIL || size > LARGE)
        return 0;
    size -= TAIL;
    const uint8_t *tail = data + size;
    const struct kind *kind = &kinds[tail[0] % (sizeof kinds / sizeof kinds[0])];
    size_t nuls = tail[1] < 128 ? tail[1] : WINDOW + 64u - tail[1];
    bool is_twice = tail[2] & 1, is_cut = tail[2] & 2, is_large = tail[2] & 4;
    size_t at = tail[4] | (size_t)tail[5] << 8 | (size_t)tail[6] << 16;
    receiver.takes = tail[3];
    add(&contents, data, size);
    if (!kind->pack) {
        unpack(&contents, &receiver);
        return 0;
    }
    while (is_large && size && contents.length < LARGE)
        add(&contents, data, size);

    add_nuls(&file, nuls);
    kind->pack(&file, contents.data, contents.length, tail[2]);
    size_t first_end = file.length;
    if (is_twice)
        kind->pack(&file, contents.data, contents.length, tail[2]);

    enum end end = end_of(contents.data, contents.length);
    add_nuls(&wanted, nuls + (-nuls & 3));
    add(&wanted, contents.data, contents.length);
    size_t first = wanted.length;
    if (is_twice && kind->goes_on) {
        add(&wanted, contents.data, contents.length);
        end = end_of(wanted.data, wanted.length);
    } else if (is_twice) {
        /* As far from a multiple of four as in the file, and then to one. */
        add_nuls(&wanted, end == NOT_CPIO ? 0 : ((first_end - first) & 3) + (-first_end & 3));
        add(&wanted, contents.data, contents.length);
    }

    size_t length = file.length;
    bool is_damaged = at < length && (is_cut || tail[7]), sees = kind->sees_damage;
    if (is_damaged && is_cut)
        file.length = at;
    else if (is_damaged)
        file.data[at] ^= tail[7];
#ifdef HAVE_ZSTD
    if (kind->pack == pack_zstd &&
        (at == nuls + ZSTD_DESCRIPTOR || at == first_end + ZSTD_DESCRIPTOR))
        sees = false;
#endif
    int error = unpack(&file, &receiver);
    if (receiver.refused)
        return 0;
    bool is_itself =
        error == 0 && receiver.got.length == file.length && begins_with(&receiver.got, &file);
    if (!is_damaged) {
        CHECK(error == (end == INSIDE ? -EINVAL : 0));
        CHECK(error ||
              (begins_with(&receiver.got, &wanted) && receiver.got.length - wanted.length <= 3));
    } else if (sees && error == 0 && !is_itself) {
        struct run start = {wanted.data, first};
        CHECK(begins_with(&receiver.got, &start));
    }
    return 0;
}
