/* Sparse files of tar: a map of pieces, each an offset in the file and a length, and then the bytes of
 * all pieces without a gap. GNU tar's manual ("Storing Sparse Files") has the forms. The old one has
 * the map in the header and in blocks behind it; pax 0.0 and 0.1 have it in records, and pax 1.0 in
 * front of the contents as lines of decimal numbers. Pieces must be in order and inside the file. */
#include "import.h"

#include "data.h"
#include "inode.h"

/* Offsets in a header of the old form, and in a block that continues it. */
#define PIECES_AT       386u
#define MORE_AT         482u
#define REAL_SIZE       483u, 12u
#define FURTHER_MORE_AT 504u
#define PIECE_SIZE      24u
#define NUMBER_SIZE     12u
#define DIGITS_MAX      20u

struct tar_piece {
    uint64_t offset;
    uint64_t length;
};

static int next_piece(struct umvfs_import *imp);
static int further_block(struct umvfs_import *imp);
static int map_digit(struct umvfs_import *imp);

static int bad_map(struct umvfs_import *imp)
{
    return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_SPARSE);
}

void umvfs_sparse_forget(struct umvfs_import *imp)
{
    if (imp->tar.map.pieces)
        umvfs_inode_drop(imp->tar.map.pieces);
    imp->tar.map = (struct tar_map){0};
}

/* A piece is whole in a page, and in the buffer of a small file. */
static int keep_piece(struct umvfs_import *imp, const struct tar_piece *piece)
{
    struct tar_map *map = &imp->tar.map;
    int err = map->pieces ? 0 : umvfs_inode_new(imp->sb, UMVFS_S_IFREG, &map->pieces);
    if (!err) {
        int64_t done = umvfs_data_write(map->pieces, map->size, (const char *)piece, sizeof(*piece),
                                        &umvfs_copy_memory);
        err = done < 0 ? (int)done : 0;
    }
    map->size += sizeof(*piece);
    return err ? umvfs_import_fail_with(imp, UMVFS_ARCHIVE_NO_SPACE, err) : 0;
}

/* A piece of no bytes only says where the file ends. */
static int add_piece(struct umvfs_import *imp, uint64_t offset, uint64_t length)
{
    struct tar_map *map = &imp->tar.map;
    if (offset < map->end || offset > UMVFS_FILE_SIZE_MAX || length > UMVFS_FILE_SIZE_MAX - offset)
        return bad_map(imp);
    map->end = offset + length;
    map->total += length;
    return length ? keep_piece(imp, &(struct tar_piece){offset, length}) : 0;
}

int umvfs_sparse_number(struct umvfs_import *imp, uint64_t number)
{
    imp->tar.own.given ^= TAR_GIVEN_OFFSET;
    if (!(imp->tar.own.given & TAR_GIVEN_OFFSET))
        return add_piece(imp, imp->tar.map.offset, number);
    imp->tar.map.offset = number;
    return 0;
}

/* The map is complete, and `stored` bytes of the file are to come. */
static int make_file(struct umvfs_import *imp, uint64_t stored)
{
    const struct tar_map *map = &imp->tar.map;
    uint32_t given = imp->tar.own.given;
    if (!(given & TAR_GIVEN_REAL) || given & TAR_GIVEN_OFFSET || map->end > map->real ||
        map->total != stored)
        return bad_map(imp);
    imp->entry.mode |= UMVFS_S_IFREG;
    int err = umvfs_import_make(imp);
    return err ? err : next_piece(imp);
}

static int next_piece(struct umvfs_import *imp)
{
    struct tar_map *map = &imp->tar.map;
    struct tar_piece piece = {0};
    if (map->at == map->size) {
        umvfs_data_resize(imp->file, map->real);
        return umvfs_import_tar_end(imp);
    }
    umvfs_data_read(map->pieces, map->at, (char *)&piece, sizeof(piece), &umvfs_copy_memory);
    map->at += sizeof(piece);
    imp->file_at = piece.offset;
    return umvfs_import_data(imp, piece.length, next_piece);
}

/* Pieces of a block of the old form, up to the first without an offset. */
static int take_pieces(struct umvfs_import *imp, size_t at, size_t end)
{
    const char *block = imp->buf;
    int err = 0;
    for (; !err && at < end && block[at]; at += PIECE_SIZE) {
        int64_t offset = 0;
        int64_t length = 0;
        if (!umvfs_tar_number(block, at, NUMBER_SIZE, &offset) ||
            !umvfs_tar_number(block, at + NUMBER_SIZE, NUMBER_SIZE, &length))
            return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_NUMBER);
        err = add_piece(imp, (uint64_t)offset, (uint64_t)length); /* none is negative */
    }
    return err;
}

static int after_pieces(struct umvfs_import *imp, bool more)
{
    return more ? umvfs_import_collect(imp, imp->buf, TAR_BLOCK, further_block)
                : make_file(imp, imp->entry.size);
}

static int further_block(struct umvfs_import *imp)
{
    int err = take_pieces(imp, 0, FURTHER_MORE_AT);
    return err ? err : after_pieces(imp, imp->buf[FURTHER_MORE_AT]);
}

int umvfs_sparse_old(struct umvfs_import *imp)
{
    int64_t real = 0;
    bool ok = umvfs_tar_number(imp->buf, REAL_SIZE, &real);
    imp->tar.map.real = (uint64_t)real;
    if (!ok || imp->tar.map.real > UMVFS_FILE_SIZE_MAX) /* a negative one is above, too */
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_NUMBER);
    imp->tar.own.given |= TAR_GIVEN_REAL;
    int err = take_pieces(imp, PIECES_AT, MORE_AT);
    return err ? err : after_pieces(imp, imp->buf[MORE_AT]);
}

static int after_map(struct umvfs_import *imp)
{
    uint64_t map = (imp->tar.map.read + TAR_BLOCK - 1u) / TAR_BLOCK * TAR_BLOCK;
    return map > imp->entry.size ? bad_map(imp) : make_file(imp, imp->entry.size - map);
}

static int next_digit(struct umvfs_import *imp, size_t used)
{
    if (imp->tar.map.read == imp->entry.size || used > DIGITS_MAX)
        return bad_map(imp);
    imp->tar.map.read++;
    umvfs_import_collect(imp, imp->buf, used + 1u, map_digit);
    imp->have = used;
    return 0;
}

/* The first number says how many pieces there are. */
static int take_number(struct umvfs_import *imp, uint64_t number)
{
    struct tar_map *map = &imp->tar.map;
    if (map->counted) {
        map->numbers--;
        return umvfs_sparse_number(imp, number);
    }
    if (number > imp->entry.size / 4u) /* each has two digits and two newlines at least */
        return bad_map(imp);
    map->counted = true;
    map->numbers = 2 * number;
    return 0;
}

static int map_digit(struct umvfs_import *imp)
{
    size_t used = imp->have;
    uint64_t number = 0;
    if (imp->buf[used - 1u] != '\n')
        return next_digit(imp, used);
    if (!umvfs_import_parse_digits(imp->buf, used - 1u, 10, &number))
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_NUMBER);
    int err = take_number(imp, number);
    if (err)
        return err;
    if (imp->tar.map.numbers > 0)
        return next_digit(imp, 0);
    return umvfs_import_skip(imp, (TAR_BLOCK - imp->tar.map.read % TAR_BLOCK) % TAR_BLOCK,
                             after_map);
}

int umvfs_sparse_pax(struct umvfs_import *imp)
{
    return imp->tar.map.in_front ? next_digit(imp, 0) : make_file(imp, imp->entry.size);
}
