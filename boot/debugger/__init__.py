"""The debugger of `./umbra debug`: commands over the memory and registers of a stopped machine.

    memory.py   physical memory, page by page: the one thing that a machine must provide
    tables.py   page tables: the walk of one address, all leaves, differences
    types.py    structures of the kernel by their DWARF descriptions
    kernel.py   processes, areas, files and frames of the stopped kernel
    elf.py      symbols and source lines of an ELF file
    cfi.py      call frame information; unwind.py: backtraces from it
    session.py  a stopped machine with all of this; commands.py: what is printed about it
    space.py    the address spaces of a stopped machine as data, for `umbra map`
    core.py     the stopped machine as a core file, and the commands over such a file
    stops.py    the points at which the machine can stop, and the breakpoints for them
    bochs.py    the machine under Bochs; chance.c makes it do the same in each run
    gdb_machine.py  the machine under QEMU, from inside gdb
    driver.py   runs either machine between the points; prompt.py: the line editor for Bochs
"""
