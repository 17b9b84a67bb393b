#include "syscall/trace.h"

#include "dev/print.h"
#include "lib/cmdline.h"
#include "lib/variable.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "task/process.h"

#define LINE_MAX   440 /* bytes after PID and COMM, so that the whole line is below PRINT_MAX */
#define PIECES_MAX 400
#define PIDS_MAX   8
#define ITEM_MAX   32

#define EXIT       60
#define EXIT_GROUP 231

/* The selection of the command line. */
static struct {
    uint64_t number[SYSCALLS_MAX / 64]; /* bits of the calls */
    int pid[PIDS_MAX];
    unsigned pids; /* 0: all processes */
} wanted SEALED = {{0}, {0}, 0};

/* A call that has begun. */
struct traced {
    struct made_call call;
    int pid;
    char comm[COMM_SIZE];
    bool begun;           /* its first line is on the console */
    unsigned first_after; /* the first argument that is printed after the call */
    uint16_t
        end[ARGUMENTS_MAX]; /* in `pieces`: where the text of the argument, with its NUL, ends */
    char pieces[PIECES_MAX];
};

/* The call that has begun and is not printed yet; NULL: none. */
static struct traced *unprinted;

static const char *name_of_call(const struct traced *t)
{
    return t->call.info->name ? t->call.info->name : "unknown";
}

static int number_of(const char *text)
{
    unsigned value = 0;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || value > PID_MAX)
            return -1;
        value = value * 10 + (unsigned)(*text - '0');
    }
    return (int)value;
}

static bool want_name(const char *name)
{
    for (uint64_t number = 0; number < SYSCALLS_MAX; number++) {
        const char *known = call_info(number)->name;
        if (!known || strcmp(known, name) != 0)
            continue;
        wanted.number[number / 64] |= 1ull << number % 64;
        return true;
    }
    return false;
}

/* Returns true if the item is the name of a call. */
static bool want_item(const char *item)
{
    int pid = number_of(item);
    if (pid > 0 && wanted.pids < PIDS_MAX)
        wanted.pid[wanted.pids++] = pid;
    else if (strcmp(item, "all") != 0 && want_name(item))
        return true;
    else if (strcmp(item, "all") != 0)
        print("trace: there is no system call %s", item);
    return false;
}

bool trace_init(void)
{
    const char *list = cmdline_value("trace");
    bool names = false;
    unprinted = NULL;
    memset(&wanted, 0, sizeof(wanted));
    if (!list || !*list)
        return false;
    while (*list) {
        char item[ITEM_MAX] = {0};
        for (unsigned i = 0; *list && *list != ','; list++)
            if (i < sizeof(item) - 1)
                item[i++] = *list;
        if (*list)
            list++;
        names |= want_item(item);
    }
    if (!names)
        memset(wanted.number, 0xff, sizeof(wanted.number));
    return true;
}

bool trace_wants(uint64_t number)
{
    if (!(wanted.number[number / 64] >> number % 64 & 1))
        return false;
    for (unsigned i = 0; i < wanted.pids; i++)
        if (wanted.pid[i] == current_process->pid)
            return true;
    return wanted.pids == 0;
}

static void print_line(const struct traced *t, struct text *text)
{
    text->buf[text->used] = '\0';
    print("trace: %d %s: %s", t->pid, t->comm, text->buf);
}

static const char *piece(const struct traced *t, unsigned index)
{
    return t->pieces + (index > 0 ? t->end[index - 1] : 0);
}

static void put_piece(struct text *text, const struct traced *t, unsigned index, bool first)
{
    if (!first)
        text_put(text, ", ", 2);
    text_put(text, piece(t, index), strlen(piece(t, index)));
}

/* Prints the beginning of a call before the line of another call. */
static void print_unfinished(void)
{
    char line[LINE_MAX];
    struct text text = {0, line, sizeof(line) - 1, 0, false};
    struct traced *t = unprinted;
    if (!t)
        return;
    text_printf(&text, "%s(", name_of_call(t));
    for (unsigned i = 0; i < t->first_after; i++)
        put_piece(&text, t, i, i == 0);
    text_printf(&text, "%s<unfinished ...>", t->first_after > 0 ? ", " : "");
    t->begun = true;
    unprinted = NULL;
    print_line(t, &text);
}

static bool is_known_before(enum meaning meaning)
{
    return meaning != MEANS_OUT && meaning != MEANS_INOUT && meaning != MEANS_BYTES_OUT &&
           meaning != MEANS_OUT_STRING;
}

/* Stores the text that is known before the call, while user memory has the values that the call
 * will find. */
static void begin(struct traced *t)
{
    const struct call_info *info = t->call.info;
    struct text text = {0, t->pieces, sizeof(t->pieces), 0, false};
    t->first_after = info->count;
    for (unsigned i = 0; i < info->count; i++) {
        text.size = sizeof(t->pieces) - (info->count - i); /* room for the remaining NULs */
        decode_before(&text, &t->call, i);
        t->pieces[text.used++] = '\0';
        t->end[i] = (uint16_t)text.used;
        if (t->first_after == info->count && !is_known_before(info->argument[i].meaning))
            t->first_after = i;
    }
    print_unfinished();
    unprinted = t;
}

static void print_rest(struct text *text, const struct traced *t, long result)
{
    const struct call_info *info = t->call.info;
    unsigned first = t->begun ? t->first_after : 0;
    for (unsigned i = first; i < info->count; i++) {
        put_piece(text, t, i, i == first);
        decode_after(text, &t->call, i, result, piece(t, i));
    }
    text_printf(text, ") = ");
    decode_result(text, &t->call, result);
}

static void finish(struct traced *t, long result)
{
    char line[LINE_MAX];
    struct text text = {0, line, sizeof(line) - 1, 0, false};
    if (unprinted == t)
        unprinted = NULL;
    print_unfinished();
    text_printf(&text, t->begun ? "<... %s resumed> " : "%s(", name_of_call(t));
    print_rest(&text, t, result);
    print_line(t, &text);
}

static struct traced *traced_create(uint64_t number, const struct trap_frame *frame)
{
    struct traced *t = slab_alloc(sizeof(*t));
    if (!t)
        return NULL;
    *t = (struct traced){
        .call = {call_info(number),
                 {frame->rdi, frame->rsi, frame->rdx, frame->r10, frame->r8, frame->r9}},
        .pid = current_process->pid};
    memcpy(t->comm, current_thread->comm, sizeof(t->comm));
    return t;
}

static bool returns(uint64_t number)
{
    return number != EXIT && number != EXIT_GROUP;
}

static void print_last(const struct traced *t)
{
    char line[LINE_MAX];
    struct text text = {0, line, sizeof(line) - 1, 0, false};
    print_unfinished();
    text_printf(&text, "%s(%s) = ?", name_of_call(t), piece(t, 0));
    print_line(t, &text);
}

long trace_call(uint64_t number, syscall_fn call, const struct trap_frame *frame)
{
    struct traced *t = traced_create(number, frame);
    if (!t) /* no memory to print it */
        return call(frame);
    begin(t);
    if (!returns(number)) {
        unprinted = NULL;
        print_last(t);
        slab_free(t);
        return call(frame);
    }
    long result = call(frame);
    finish(t, result);
    slab_free(t);
    return result;
}
