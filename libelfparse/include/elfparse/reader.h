/*
 * Where the bytes of a file come from. The library reads through this callback only, so a file may
 * lie in memory, in a page cache or on a disk; nothing assumes that two reads of one place agree.
 */
#ifndef ELFPARSE_READER_H
#define ELFPARSE_READER_H

#include <elfparse/base.h>

ELFPARSE_BEGIN_DECLS

struct elfparse_reader {
    /*
     * Copies exactly len bytes that start at offset into buf and returns 0; returns a negative
     * value if it cannot, and then the bytes of buf are unspecified. The library never asks for a
     * byte at or past size, nor for len 0, and hands out pointers into the caller's own storage
     * only.
     */
    int (*read)(void *ctx, uint64_t offset, void *buf, size_t len);
    void *ctx;     /* passed to read unchanged; the library does not look at it */
    uint64_t size; /* the file's length in bytes; 0 is an empty file */
};

/*
 * A reader over size bytes at data. The reader keeps both pointers: data and the returned struct
 * must outlive every use of it. data may change meanwhile; then each read sees what is there at
 * that time.
 */
struct elfparse_reader elfparse_reader_memory(const void *data, size_t size);

ELFPARSE_END_DECLS

#endif
