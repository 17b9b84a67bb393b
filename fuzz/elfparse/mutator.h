/*
 * Mutations that know what an ELF file is. A byte flip nearly always breaks the first rule it
 * meets; these change one field to a value that matters, move headers about, and mend what the
 * loader would stop at first, so that the rules behind it are reached.
 */
#ifndef MUTATOR_H
#define MUTATOR_H

#include <stddef.h>
#include <stdint.h>

/* Changes the file in data, size bytes long and at most max, and returns its new size. */
size_t elf_mutate(uint8_t *data, size_t size, size_t max, unsigned seed);

#endif
