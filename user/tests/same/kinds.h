/* The kinds of parameters, and how their values are picked. */
#ifndef UMBRA_SAME_KINDS_H
#define UMBRA_SAME_KINDS_H

#include "call.h"

extern const struct kind kind_fd, kind_directory, kind_path, kind_path_bare, kind_length, kind_in,
    kind_out, kind_offset, kind_mode, kind_one, kind_flags, kind_wide_flags, kind_number, kind_open,
    kind_stat, kind_statfs, kind_pair, kind_times, kind_vector_in, kind_vector_out, kind_link_text,
    kind_pid, kind_signal, kind_set_in, kind_set_out, kind_set_size, kind_ids_out, kind_id,
    kind_null, kind_device;

#define FD        {&kind_fd, 0}
#define DIRECTORY {&kind_directory, 0}
#define PATH      {&kind_path, 0}
#define NEW_PATH  {&kind_path, "new"} /* in two of three cases a name that is probably free */
#define LENGTH    {&kind_length, 0}
#define IN        {&kind_in, 0}
#define OUT       {&kind_out, 0}
#define OFFSET    {&kind_offset, 0}
#define MODE      {&kind_mode, 0}
#define OPENFLAGS {&kind_open, 0}
#define PIDS      {&kind_pid, 0}
#define SIGNALS   {&kind_signal, 0}
#define SET_IN    {&kind_set_in, 0}
#define SET_OUT   {&kind_set_out, 0}
#define SET_SIZE  {&kind_set_size, 0}
#define ZERO      {&kind_null, 0}
#define STAT      {&kind_stat, 0}
/* One value, or several or-ed, of a table of struct name; 32 bits wide, or (WIDE_) 64. */
#define ONE(table)   {&kind_one, table}
#define FLAGS(table) {&kind_flags, table}

/* Functions that draw a value, for operations that make their arguments themselves. */
int pick_fd(struct random *random);
const char *pick_path(struct random *random, int buffer);
const char *pick_new_path(struct random *random, int buffer);
uint64_t pick_bad_pointer(struct random *random);
long pick_one(struct random *random, const struct name *names);
long pick_flags(struct random *random, const struct name *names);
int pick_signal(struct random *random);
long pick_pid(struct random *random);
uint64_t pick_set(struct random *random);
size_t pick_length(struct random *random);

/* Sets random upper bits, now and then, in an argument that Linux takes as 32 bits. */
uint64_t widen(struct random *random, uint64_t value);

#endif
