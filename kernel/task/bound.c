#include "task/bound.h"

#include "arch/cpu.h"
#include "arch/entry.h"
#include "dev/print.h"
#include "lib/cmdline.h"
#include "lib/variable.h"
#include "mm/slab.h"
#include "task/process.h"

bool bound_on SEALED = false;

typedef const char *name_fn(uint64_t number);
static name_fn *call_name SEALED = NULL;
static struct bound_piece
    *pieces; /* BOUND_ROWS of them; NULL before the first, or without memory */
static uint64_t piece_start;
static bool piece_is_open;

bool bound_init(const char *(*name_of_call)(uint64_t number))
{
    call_name = name_of_call;
    bound_on = cmdline_value("bound") != NULL;
    return bound_on;
}

static void open_piece(void)
{
    piece_is_open = true;
    piece_start = cpu_rdtsc();
}

void bound_begin(unsigned row)
{
    if (!pieces)
        pieces = slab_alloc_zeroed(BOUND_ROWS * sizeof(*pieces));
    current_thread->bound_row = (uint16_t)row;
    current_thread->work |= WORK_BOUND;
    open_piece();
}

/* execve(2) and rt_sigreturn(2) make another frame of theirs: then the arguments are not known any more. */
static void keep(struct bound_piece *piece, uint64_t length)
{
    const struct trap_frame *frame = thread_frame(current_thread);
    bool has_arguments = frame->vector == VEC_SYSCALL;
    *piece = (struct bound_piece){.longest = length};
    if (has_arguments) {
        const uint64_t registers[] = {frame->rdi, frame->rsi, frame->rdx,
                                      frame->r10, frame->r8,  frame->r9};
        for (unsigned i = 0; i < 6; i++)
            piece->argument[i] = registers[i];
    }
}

void bound_pause(void)
{
    uint64_t length = cpu_rdtsc() - piece_start;
    if (!piece_is_open)
        return;
    piece_is_open = false;
    if (pieces && length > pieces[current_thread->bound_row].longest)
        keep(&pieces[current_thread->bound_row], length);
}

void bound_resume(void)
{
    if (current_thread->work & WORK_BOUND)
        open_piece();
}

void bound_switch(const struct thread *next)
{
    bound_pause();
    if (next->work & WORK_BOUND)
        open_piece();
}

void bound_end(void)
{
    bound_pause();
    current_thread->work &= ~WORK_BOUND;
}

const char *bound_row_name(unsigned row)
{
    static const char *const others[] = {"page-fault", "exception", "interrupt"};
    const char *name = row < BOUND_CALLS ? call_name(row) : others[row - BOUND_CALLS];
    return name ? name : "no-such-call";
}

struct bound_piece bound_row_piece(unsigned row)
{
    return pieces ? pieces[row] : (struct bound_piece){0};
}

void bound_print(void)
{
    for (unsigned row = 0; bound_on && row < BOUND_ROWS; row++) {
        struct bound_piece piece = bound_row_piece(row);
        const uint64_t *a = piece.argument;
        if (piece.longest > 0)
            print("bound: %s %lu (%#lx, %#lx, %#lx, %#lx, %#lx, %#lx)", bound_row_name(row),
                  piece.longest, a[0], a[1], a[2], a[3], a[4], a[5]);
    }
}
