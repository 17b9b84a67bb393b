#include "call.h"

#include "kinds.h"
#include "world.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

unsigned char out_buffer[BUFFER_SIZE + 64], in_buffer[BUFFER_SIZE];

static const struct op *const subjects[] = {
    ops_files,   ops_data,   ops_tree,   ops_meta,     ops_pipe,
    ops_process, ops_signal, ops_memory, ops_identity,
};

#define SUBJECTS (sizeof subjects / sizeof subjects[0])

long raw_call(int number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    long result = number;
    register uint64_t r10 __asm__("r10") = d;
    register uint64_t r8 __asm__("r8") = e;
    register uint64_t r9 __asm__("r9") = f;

    __asm__ volatile("syscall"
                     : "+a"(result)
                     : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static unsigned total_weight(void)
{
    unsigned total = 0;

    for (unsigned i = 0; i < SUBJECTS; i++) {
        for (const struct op *op = subjects[i]; op->name != NULL; op++) {
            total += op->weight;
        }
    }
    return total;
}

const struct op *call_choose(struct random *random)
{
    static unsigned total;

    if (total == 0) {
        total = total_weight();
    }
    unsigned at = random_below(random, total);
    for (unsigned i = 0; i < SUBJECTS; i++) {
        for (const struct op *op = subjects[i]; op->name != NULL; op++) {
            if (at < op->weight) {
                return op;
            }
            at -= op->weight;
        }
    }
    return &ops_files[0];
}

static void make_arguments(struct call *call)
{
    for (int i = 0; i < PARAMETERS && call->op->parameters[i].kind != NULL; i++) {
        const struct kind *kind = call->op->parameters[i].kind;
        if (kind->is_pointer && random_once_in(&call->random, 40)) {
            call->bad[i] = true;
            call->arguments[i] = pick_bad_pointer(&call->random);
        } else {
            kind->make(call, i, call->op->parameters[i].data);
        }
        call->values[i] = call->arguments[i];
        if (kind->is_int) {
            call->arguments[i] = widen(&call->random, call->arguments[i]);
        }
    }
}

static void show_arguments(struct call *call)
{
    say("%s(", call->op->name);
    for (int i = 0; i < PARAMETERS && call->op->parameters[i].kind != NULL; i++) {
        say("%s", i == 0 ? "" : ", ");
        if (call->bad[i]) {
            say("bad:%#lx", (unsigned long)call->values[i]);
        } else {
            call->op->parameters[i].kind->show(call, i, call->op->parameters[i].data);
        }
    }
    say(")");
}

void say_size_after_fault(int fd, long result)
{
    struct stat st;

    if (result == -EFAULT && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        say(" size %ld", (long)st.st_size);
    }
}

static void show_results(struct call *call)
{
    if (call->op->result == RESULT_PID && call->result > 0) {
        say(" = ");
        say_pid(call->result);
    } else if (call->op->result != RESULT_NONE) {
        say_result(call->result);
    }
    if (strstr(call->op->name, "write") != NULL) {
        say_size_after_fault((int)call->values[0], call->result);
    }
    for (int i = 0; i < PARAMETERS && call->op->parameters[i].kind != NULL; i++) {
        const struct kind *kind = call->op->parameters[i].kind;
        if (kind->after != NULL && !call->bad[i] && call->result >= 0) {
            say(" ");
            kind->after(call, i, call->op->parameters[i].data);
        }
    }
}

void call_make(struct call *call)
{
    const uint64_t *args = call->arguments;

    if (call->op->special != NULL) {
        call->op->special(call);
        return;
    }
    make_arguments(call);
    show_arguments(call);
    call->result = raw_call(call->op->number, args[0], args[1], args[2], args[3], args[4], args[5]);
    show_results(call);
}
