#!/usr/bin/env python3
"""plan.py FILE [ADDRESS...]: prints what a loader would map of a program, as plan.c does, then the
function around each address. Uses the shared library (Meson's option shared) through ctypes; LD_LIBRARY_PATH has its
folder, if that is not one of the system."""
import ctypes
import sys

U16, U32, U64 = ctypes.c_uint16, ctypes.c_uint32, ctypes.c_uint64
POINTER = ctypes.c_void_p


class Reader(ctypes.Structure):
    _fields_ = [("read", POINTER), ("ctx", POINTER), ("size", U64)]


class Range(ctypes.Structure):
    _fields_ = [("vaddr", U64), ("size", U64), ("offset", U64), ("file_bytes", U64), ("prot", U32),
                ("segment", U16), ("kind", U16)]


class Storage(ctypes.Structure):
    _fields_ = [("scratch", POINTER), ("scratch_size", ctypes.c_size_t), ("ranges", POINTER),
                ("range_capacity", U32)]


class Plan(ctypes.Structure):
    _fields_ = [(name, U64) for name in
                ("entry", "start", "end", "align", "bias", "memory", "phdr_vaddr")] + [
        ("ranges", ctypes.POINTER(Range)), ("range_count", U32), ("load_count", U32), ("type", U16),
        ("phnum", U16), ("traits", U32), ("features", U32), ("stack_flags", U32), ("stack_size", U64),
        ("interp", ctypes.c_char_p), ("interp_offset", U64), ("interp_size", U64), ("tls", U64 * 5),
        ("relro", U64 * 2), ("dynamic", U64 * 2), ("build_id", U64 * 2)]


class Error(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int32), ("rule", U32), ("phdr", U32), ("phdr2", U32), ("offset", U64),
                ("expected", U64), ("found", U64)]


class Location(ctypes.Structure):
    _fields_ = [("symbol", U64), ("size", U64), ("offset", U64), ("length", ctypes.c_size_t)]


library = ctypes.CDLL("libelfparse.so.0.2")
library.elfparse_reader_memory.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
library.elfparse_reader_memory.restype = Reader
library.elfparse_symbolize.argtypes = [ctypes.POINTER(Reader), U64, ctypes.c_char_p, ctypes.c_size_t,
                                       ctypes.POINTER(Location), ctypes.POINTER(Error)]


def sentence(error):
    """The error as a sentence."""
    text = ctypes.create_string_buffer(320)
    library.elfparse_error_format(ctypes.byref(error), text, ctypes.c_size_t(len(text)))
    return text.value.decode()


def make_plan(reader):
    """The plan of a file, whose storage lives as long as the plan, or an exception with the sentence."""
    scratch = ctypes.create_string_buffer(64 + 128 * 56 + 4096 + 64)
    ranges = (Range * 192)()
    storage = Storage(ctypes.addressof(scratch), len(scratch), ctypes.addressof(ranges), len(ranges))
    plan, error = Plan(), Error()
    plan.keep = scratch, ranges
    policy = ctypes.c_char.in_dll(library, "elfparse_policy_linux_compat")
    if library.elfparse_plan_make(ctypes.byref(reader), ctypes.byref(policy), ctypes.byref(storage),
                                  ctypes.byref(plan), ctypes.byref(error)) != 0:
        raise ValueError(sentence(error))
    return plan


def function(reader, address):
    """The name of the function around an address, and the offset in it."""
    name, location, error = ctypes.create_string_buffer(256), Location(), Error()
    if library.elfparse_symbolize(ctypes.byref(reader), address, name, len(name), ctypes.byref(location),
                                  ctypes.byref(error)) != 0:
        return sentence(error)
    return f"{name.value.decode()}+{location.offset:#x}"


def main():
    with open(sys.argv[1], "rb") as file:
        data = file.read()
    reader = library.elfparse_reader_memory(data, len(data))
    try:
        plan = make_plan(reader)
    except ValueError as error:
        sys.exit(f"{sys.argv[1]}: {error}")
    for part in plan.ranges[:plan.range_count]:
        print(f"map {part.vaddr and hex(part.vaddr)}, {part.size} bytes, "
              f"{part.file_bytes} of them from offset {part.offset}")
    for address in sys.argv[2:]:
        print(f"{address}: {function(reader, int(address, 0))}")


main()
