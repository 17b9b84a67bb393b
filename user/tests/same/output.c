#include "output.h"

#include "world.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char output[1 << 16];
static size_t output_used;

void print_flush(void)
{
    for (size_t at = 0; at < output_used;) {
        ssize_t done = write(STDOUT_FILENO, output + at, output_used - at);
        if (done <= 0) {
            break;
        }
        at += (size_t)done;
    }
    output_used = 0;
}

static void print(const char *text, size_t size)
{
    if (size > sizeof output - output_used) {
        print_flush();
    }
    memcpy(output + output_used, text, size);
    output_used += size;
}

void print_line(int slot, const char *text)
{
    char head[48];
    int length = snprintf(head, sizeof head, "%u.%u s%d ", world->episode, world->index, slot);

    print(head, (size_t)length);
    print(text, strlen(text));
    print("\n", 1);
    if (world->verbose) {
        print_flush();
    }
}

void print_slot(int slot, const char *after)
{
    struct slot *s = &world->slots[slot];
    static char line[SLOT_TEXT + 64];

    snprintf(line, sizeof line, "%s%s", s->text, after);
    s->used = 0;
    s->text[0] = '\0';
    if (line[0] != '\0') {
        print_line(slot, line);
    }
}
