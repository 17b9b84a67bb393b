#!/usr/bin/env python3
"""list.py ARCHIVE FILE: imports a cpio or tar archive, lists its top directory and prints a file. Uses
the shared library (Meson's option shared) through ctypes; LD_LIBRARY_PATH has its folder, if that is not one of the
system."""
import ctypes
import sys

U8, U32, U64 = ctypes.c_uint8, ctypes.c_uint32, ctypes.c_uint64
POINTER, SIZE = ctypes.c_void_p, ctypes.c_size_t
ALLOC = ctypes.CFUNCTYPE(POINTER, POINTER, SIZE)
FREE = ctypes.CFUNCTYPE(None, POINTER, POINTER, SIZE)
PAGE_ALLOC = ctypes.CFUNCTYPE(POINTER, POINTER)
PAGE_PUT = ctypes.CFUNCTYPE(None, POINTER, POINTER)
EMIT = ctypes.CFUNCTYPE(ctypes.c_int, POINTER, POINTER, SIZE, U64, ctypes.c_uint, U64)
O_DIRECTORY = 0o200000


class Config(ctypes.Structure):
    _fields_ = [("ctx", POINTER), ("alloc", ALLOC), ("free", FREE), ("page_alloc", PAGE_ALLOC),
                ("page_get", POINTER), ("page_put", PAGE_PUT), ("now", POINTER), ("unmap", POINTER),
                ("hole_filled", POINTER), ("inode_free", POINTER), ("late", POINTER), ("late_above", U32),
                ("seed", U64 * 2), ("root_limits", U64 * 3), ("root_mode_uid_gid", U32 * 3),
                ("protected", U8 * 4)]


class Cred(ctypes.Structure):
    _fields_ = [("uid", U32), ("gid", U32), ("caps", U32), ("group_count", U32), ("groups", POINTER)]


class Path(ctypes.Structure):
    _fields_ = [("mount", POINTER), ("dentry", POINTER)]


class Task(ctypes.Structure):
    _fields_ = [("vfs", POINTER), ("cred", ctypes.POINTER(Cred)), ("root", Path), ("cwd", Path),
                ("umask", U32)]


class File(ctypes.Structure):
    _fields_ = [("path", Path), ("inode", POINTER), ("flags", U32), ("state", U32), ("offset", U64),
                ("end_cookie", U64), ("private_data", POINTER)]


class ImportError_(ctypes.Structure):
    _fields_ = [("reason", ctypes.c_int), ("error", ctypes.c_int), ("offset", U64), ("entry", U64),
                ("compression", ctypes.c_char_p), ("name", ctypes.c_char * 256)]


libc = ctypes.CDLL(None)
libc.malloc.restype = libc.aligned_alloc.restype = POINTER
libc.malloc.argtypes, libc.aligned_alloc.argtypes, libc.free.argtypes = [SIZE], [SIZE, SIZE], [POINTER]
library = ctypes.CDLL("libvfs.so.0.2")
library.umvfs_read.restype = ctypes.c_int64
library.umvfs_archive_reason_text.restype = ctypes.c_char_p


class Tree:
    """An instance with a task that may do everything."""

    def __init__(self):
        self.config = Config(
            alloc=ALLOC(lambda _, size: libc.malloc(size)), free=FREE(lambda _, object, size: libc.free(object)),
            page_alloc=PAGE_ALLOC(lambda _: libc.aligned_alloc(4096, 4096)),
            page_put=PAGE_PUT(lambda _, page: libc.free(page)),
            seed=(1, 2))  # random, in a program that takes archives from strangers
        self.cred = Cred(caps=0x7f)
        self.task = Task(cred=ctypes.pointer(self.cred))
        if library.umvfs_new(ctypes.byref(self.config), ctypes.byref(self.task)) != 0:  # vfs is first
            raise MemoryError
        vfs = POINTER(self.task.vfs)
        library.umvfs_root(vfs, ctypes.byref(self.task.root))
        library.umvfs_root(vfs, ctypes.byref(self.task.cwd))

    def take(self, archive):
        """Imports an archive into the root."""
        error = ImportError_()
        if library.umvfs_import_memory(ctypes.byref(self.task), None, b"/", None, archive, SIZE(len(archive)),
                                       ctypes.byref(error)) != 0:
            raise ValueError(library.umvfs_archive_reason_text(error.reason).decode())

    def open(self, name, flags=0):
        """Opens a file."""
        file = File()
        error = library.umvfs_open(ctypes.byref(self.task), None, name.encode(), flags, 0, 0, ctypes.byref(file))
        if error:
            raise OSError(-error, name)
        return file

    def list(self, name):
        """The names in a directory."""
        names = []

        def emit(_ctx, entry, length, _ino, _type, _next):
            names.append(ctypes.string_at(entry, length).decode())
            return 0
        file = self.open(name, O_DIRECTORY)
        library.umvfs_readdir(ctypes.byref(file), EMIT(emit), None)
        library.umvfs_close(ctypes.byref(file))
        return names

    def read(self, name):
        """The contents of a file."""
        file, piece, contents = self.open(name), ctypes.create_string_buffer(512), b""
        while (got := library.umvfs_read(ctypes.byref(file), piece, SIZE(len(piece)))) > 0:
            contents += piece.raw[:got]
        library.umvfs_close(ctypes.byref(file))
        return contents


def main():
    tree = Tree()
    with open(sys.argv[1], "rb") as file:
        try:
            tree.take(file.read())
        except ValueError as error:
            sys.exit(str(error))
    for name in tree.list("/"):
        print(name)
    sys.stdout.write(tree.read(sys.argv[2]).decode())


main()
