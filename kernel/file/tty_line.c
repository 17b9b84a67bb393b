#include "file/tty_line.h"

#include "dev/console.h"
#include "file/tty.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "task/process.h"

#define OUTPUT_FLAGS (OPOST | OLCUC | ONLCR | OCRNL | ONOCR | ONLRET | XTABS)
#define KEY(letter)  ((letter) ^ 0x40) /* with control */
#define DELETE       127
#define MARK         0xff /* of PARMRK, which comes twice for itself */
#define TAB_COLUMNS  8

struct tty tty;

void tty_line_init(void)
{
    tty.termios = (struct termios){
        .iflag = ICRNL | IXON,
        .oflag = OPOST | ONLCR,
        .cflag = 0x1cb2, /* 115200, 8 bits, CREAD, HUPCL */
        .lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
        .cc = {[VINTR] = KEY('C'),
               [VQUIT] = KEY('\\'),
               [VERASE] = DELETE,
               [VKILL] = KEY('U'),
               [VEOF] = KEY('D'),
               [VMIN] = 1,
               [VSTART] = KEY('Q'),
               [VSTOP] = KEY('S'),
               [VSUSP] = KEY('Z'),
               [VREPRINT] = KEY('R'),
               [VDISCARD] = KEY('O'),
               [VWERASE] = KEY('W'),
               [VLNEXT] = KEY('V')},
    };
    tty.start = tty.ready = tty.end = 0;
    tty.next_is_plain = false;
    tty.column = tty.line_column = 0;
    tty.stopped = tty.stopped_by_program = false;
    tty.echo_start = tty.echo_end = 0;
    wait_queue_init(&tty.waiters);
}

static bool in_flag(uint32_t bit)
{
    return tty.termios.iflag & bit;
}

static bool out_flag(uint32_t bit)
{
    return tty.termios.oflag & bit;
}

/* A key that is NUL is switched off. */
static bool is_key(uint8_t c, unsigned key)
{
    return c != 0 && c == tty.termios.cc[key];
}

static bool is_control(uint8_t c)
{
    return c < ' ' || c == DELETE;
}

/* A byte of UTF-8 that is not the first one of its character. */
static bool is_continuation(uint8_t c)
{
    return in_flag(IUTF8) && (c & 0xc0) == 0x80;
}

/* A letter of Latin-1. */
static bool is_letter(uint8_t c)
{
    uint8_t letter = c | 0x20;
    return (letter >= 'a' && letter <= 'z') || (c >= 0xc0 && c != 0xd7 && c != 0xf7);
}

/* The last small letters, 0xdf and 0xff, become what is 0x20 before them, as on Linux. */
static uint8_t to_upper(uint8_t c)
{
    bool is_small = is_letter(c) && (c == 0xdf || c & 0x20);
    return is_small ? (uint8_t)(c - 0x20) : c;
}

static uint8_t to_lower(uint8_t c)
{
    return is_letter(c) && c != 0xdf ? c | 0x20 : c;
}

/* Of words: digits, letters and the underscore. */
static bool is_of_word(uint8_t c)
{
    return (c >= '0' && c <= '9') || is_letter(c) || c == '_';
}

/* Output */

static void put_byte(uint8_t c)
{
    console_write_plain((const char *)&c, 1);
}

static void line_starts(void)
{
    tty.column = tty.line_column = 0;
}

static void follow_column(uint8_t c)
{
    if (c == '\n' || c == '\r')
        line_starts();
    else if (c == '\t')
        tty.column = (tty.column / TAB_COLUMNS + 1) * TAB_COLUMNS;
    else if (c == '\b')
        tty.column -= tty.column > 0;
    else if (!is_control(c) && !is_continuation(c))
        tty.column++;
}

/* Only what follows the last line feed counts. */
static void follow_columns(const char *text, size_t size)
{
    size_t from = size;
    while (from > 0 && text[from - 1] != '\n')
        from--;
    if (from > 0)
        line_starts();
    for (; from < size; from++)
        follow_column((uint8_t)text[from]);
}

static void put_tab(void)
{
    unsigned columns = TAB_COLUMNS - tty.column % TAB_COLUMNS;
    tty.column += columns;
    for (; columns > 0; columns--)
        put_byte(' ');
}

static void put_line_feed(void)
{
    if (out_flag(ONLCR)) {
        line_starts();
        console_write("\n", 1);
        return;
    }
    if (out_flag(ONLRET))
        tty.column = 0;
    tty.line_column = tty.column;
    put_byte('\n');
}

static void put_carriage_return(void)
{
    if (out_flag(ONOCR) && tty.column == 0)
        return;
    if (!out_flag(OCRNL) || out_flag(ONLRET))
        line_starts();
    put_byte(out_flag(OCRNL) ? '\n' : '\r');
}

/* One byte of output under OPOST. */
static void put_processed(uint8_t c)
{
    if (c == '\n') {
        put_line_feed();
    } else if (c == '\r') {
        put_carriage_return();
    } else if (c == '\t' && (tty.termios.oflag & XTABS) == XTABS) {
        put_tab();
    } else {
        c = out_flag(OLCUC) ? to_upper(c) : c;
        follow_column(c);
        put_byte(c);
    }
}

/* Out of line, so that tty_put() stays short: a program waits for it at each write. */
static __attribute__((noinline)) void put_all_processed(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        put_processed((uint8_t)text[i]);
}

/* The usual setting goes to the console in one piece, which has a carriage return for each line feed. */
void tty_put(const char *text, size_t size)
{
    if (!out_flag(OPOST)) {
        console_write_plain(text, size);
    } else if ((tty.termios.oflag & OUTPUT_FLAGS) == (OPOST | ONLCR)) {
        follow_columns(text, size);
        console_write(text, size);
    } else {
        put_all_processed(text, size);
    }
}

/* Echo: what is to be shown goes into a ring, which is emptied at once, unless output has stopped. */

enum echo {
    ECHO_BYTE,
    ECHO_MARK,       /* 0xff, which Linux does not process */
    ECHO_CONTROL,    /* ^ and the letter of a control character */
    ECHO_ERASED_TAB, /* with the columns of the text before it, and TO_LINE_START */
    ECHO_LINE_START, /* a line begins at the cursor */
};

#define TO_LINE_START 0x80u /* there is no other tab before it in the line */

/* Goes back over a tab, which was after the end of the line. */
static void show_erased_tab(uint8_t before)
{
    unsigned columns = (before & ~TO_LINE_START) + (before & TO_LINE_START ? tty.line_column : 0);
    for (columns = TAB_COLUMNS - columns % TAB_COLUMNS; columns > 0; columns--) {
        put_byte('\b');
        tty.column -= tty.column > 0;
    }
}

static void show_echo(enum echo kind, uint8_t c)
{
    switch (kind) {
    case ECHO_BYTE:
        tty_put((const char *)&c, 1);
        break;
    case ECHO_MARK:
        put_byte(MARK);
        tty.column++;
        break;
    case ECHO_CONTROL:
        put_byte('^');
        put_byte(KEY(c));
        tty.column += 2;
        break;
    case ECHO_ERASED_TAB:
        show_erased_tab(c);
        break;
    case ECHO_LINE_START:
        tty.line_column = tty.column;
        break;
    }
}

static void show_echoes(void)
{
    while (!tty.stopped && tty.echo_start != tty.echo_end) {
        uint16_t entry = tty.echoes[tty.echo_start++ % ECHO_SIZE];
        show_echo((enum echo)(entry >> 8), (uint8_t)entry);
    }
}

/* An echo is lost if the ring is full. */
static void add_echo(enum echo kind, uint8_t c)
{
    if (tty.echo_end - tty.echo_start < ECHO_SIZE)
        tty.echoes[tty.echo_end++ % ECHO_SIZE] = (uint16_t)((unsigned)kind << 8 | c);
    show_echoes();
}

static void echo_plain(char c)
{
    add_echo(ECHO_BYTE, (uint8_t)c);
}

/* A control character shows as ^ and its letter. */
static void echo(uint8_t c)
{
    bool is_shown = tty_flag(ECHOCTL) && is_control(c) && c != '\t';
    add_echo(is_shown ? ECHO_CONTROL : c == MARK ? ECHO_MARK : ECHO_BYTE, c);
}

static void echo_erased_column(void)
{
    echo_plain('\b');
    echo_plain(' ');
    echo_plain('\b');
}

/* The text before a tab that was after the end of the edited line, for ECHO_ERASED_TAB. */
static uint8_t columns_before_tab(void)
{
    unsigned columns = 0;
    for (unsigned at = tty.end; at != tty.ready; at--) {
        uint8_t c = (uint8_t)tty.input[(at - 1) % INPUT_SIZE];
        if (c == '\t')
            return (uint8_t)(columns % TAB_COLUMNS);
        if (is_control(c))
            columns += tty_flag(ECHOCTL) ? 2 : 0;
        else if (!is_continuation(c))
            columns++;
    }
    return (uint8_t)(columns % TAB_COLUMNS | TO_LINE_START);
}

static void echo_erased(uint8_t c, bool by_erase_key)
{
    if (!tty_flag(ECHO))
        return;
    if (by_erase_key && !tty_flag(ECHOE)) {
        echo(tty.termios.cc[VERASE]);
    } else if (c == '\t') {
        add_echo(ECHO_ERASED_TAB, columns_before_tab());
    } else {
        if (is_control(c) && tty_flag(ECHOCTL))
            echo_erased_column();
        if (!is_control(c) || tty_flag(ECHOCTL))
            echo_erased_column();
    }
}

/* Flow control */

/* As far as no program has stopped it. */
static void start_output(void)
{
    if (!tty.stopped || tty.stopped_by_program)
        return;
    tty.stopped = false;
    show_echoes();
    sched_wake_all(&tty.waiters);
}

/* The keys that stop and start output. Returns false for all other bytes. */
static bool control_flow(uint8_t c)
{
    if (!in_flag(IXON))
        return false;
    if (is_key(c, VSTART))
        start_output();
    else if (is_key(c, VSTOP))
        tty.stopped = true;
    else
        return false;
    return true;
}

int tty_flow(uint64_t action)
{
    uint8_t key = tty.termios.cc[action == TCIOFF ? VSTOP : VSTART];
    switch (action) {
    case TCOOFF:
        tty.stopped = tty.stopped_by_program = true;
        return 0;
    case TCOON:
        if (tty.stopped_by_program) {
            tty.stopped_by_program = false;
            start_output();
        }
        return 0;
    case TCIOFF:
    case TCION:
        if (key)
            put_byte(key);
        return 0;
    default:
        return -EINVAL;
    }
}

/* Input */

/* If the ring is full, the byte is lost. Only the second of the two bytes that PARMRK makes can be. */
static void append(unsigned c)
{
    if (tty.end - tty.start < INPUT_SIZE)
        tty.input[tty.end++ % INPUT_SIZE] = (uint16_t)c;
}

static void make_ready(void)
{
    tty.ready = tty.end;
    sched_wake_all(&tty.waiters);
}

void tty_flush_input(void)
{
    tty.start = tty.ready = tty.end;
}

/* Finds the last character of the edited line: its first byte, and where it begins. False: there is none,
 * or only a part of one. */
static bool last_character(uint8_t *first, unsigned *at)
{
    unsigned i = tty.end;
    uint8_t c;
    do {
        if (i == tty.ready)
            return false;
        c = (uint8_t)tty.input[--i % INPUT_SIZE];
    } while (is_continuation(c));
    *first = c;
    *at = i;
    return true;
}

static void erase_word_or_line(bool only_word)
{
    uint8_t c;
    unsigned at;
    bool in_word = false;
    while (last_character(&c, &at)) {
        if (only_word && in_word && !is_of_word(c))
            return;
        in_word |= is_of_word(c);
        tty.end = at;
        echo_erased(c, false);
    }
}

static void erase_character(void)
{
    uint8_t c;
    unsigned at;
    if (!last_character(&c, &at))
        return;
    tty.end = at;
    echo_erased(c, true);
}

static void erase_line(void)
{
    if (tty_flag(ECHO) && tty_flag(ECHOE) && tty_flag(ECHOK) && tty_flag(ECHOKE)) {
        erase_word_or_line(false);
        return;
    }
    if (tty.end == tty.ready)
        return;
    tty.end = tty.ready;
    if (tty_flag(ECHO))
        echo(tty.termios.cc[VKILL]);
    if (tty_flag(ECHO) && tty_flag(ECHOK))
        echo_plain('\n');
}

static void reprint(void)
{
    echo(tty.termios.cc[VREPRINT]);
    echo_plain('\n');
    for (unsigned at = tty.ready; at != tty.end; at++)
        echo((uint8_t)tty.input[at % INPUT_SIZE]);
}

/* A byte that is no key. */
static void take_plain(uint8_t c, bool is_line_feed)
{
    if (tty_flag(ECHO)) {
        if (tty.ready == tty.end)
            add_echo(ECHO_LINE_START, 0);
        if (is_line_feed)
            echo_plain('\n');
        else
            echo(c);
    }
    if (c == MARK && in_flag(PARMRK))
        append(c);
    append(c);
    if (!tty_flag(ICANON))
        sched_wake_all(&tty.waiters);
}

static void end_line(unsigned last)
{
    append(last | LINE_ENDS);
    make_ready();
}

/* Keys that edit the line or end it. Returns false for all other bytes. */
static bool edit_line(uint8_t c)
{
    bool is_extended = tty_flag(IEXTEN);
    if (is_key(c, VERASE)) {
        erase_character();
    } else if (is_key(c, VKILL)) {
        erase_line();
    } else if (is_extended && is_key(c, VWERASE)) {
        erase_word_or_line(true);
    } else if (is_extended && is_key(c, VLNEXT)) {
        tty.next_is_plain = true;
        if (tty_flag(ECHO) && tty_flag(ECHOCTL)) {
            echo_plain('^');
            echo_plain('\b');
        }
    } else if (is_extended && tty_flag(ECHO) && is_key(c, VREPRINT)) {
        reprint();
    } else if (c == '\n') {
        if (tty_flag(ECHO | ECHONL))
            echo_plain('\n');
        end_line('\n');
    } else if (is_key(c, VEOF)) {
        end_line('\0'); /* END_OF_FILE */
    } else if (is_key(c, VEOL) || (is_extended && is_key(c, VEOL2))) {
        take_plain(c, false);
        tty.input[(tty.end - 1) % INPUT_SIZE] |= LINE_ENDS;
        make_ready();
    } else {
        return false;
    }
    return true;
}

/* The signal of a key, or 0. */
static int signal_of(uint8_t c)
{
    if (!tty_flag(ISIG))
        return 0;
    return is_key(c, VINTR) ? SIGINT : is_key(c, VQUIT) ? SIGQUIT : is_key(c, VSUSP) ? SIGTSTP : 0;
}

static void send_signal(int signal, uint8_t c)
{
    tty_signal_foreground(signal);
    if (!tty_flag(NOFLSH)) {
        tty_flush_input();
        tty.echo_start = tty.echo_end;
    }
    if (in_flag(IXON))
        start_output();
    if (tty_flag(ECHO))
        echo(c);
}

static void take_byte(uint8_t c)
{
    if (in_flag(ISTRIP))
        c &= 0x7f;
    if (in_flag(IUCLC) && tty_flag(IEXTEN))
        c = to_lower(c);
    bool is_plain = tty.next_is_plain;
    tty.next_is_plain = false;
    if (!is_plain && control_flow(c))
        return;
    int signal = is_plain ? 0 : signal_of(c);
    if (signal) {
        send_signal(signal, c);
        return;
    }
    if (in_flag(IXON) && in_flag(IXANY))
        start_output();
    if (is_plain) {
        take_plain(c, false);
        return;
    }
    if (c == '\r' && in_flag(IGNCR))
        return;
    bool becomes_line_feed = c == '\r' && in_flag(ICRNL);
    if (becomes_line_feed)
        c = '\n';
    else if (c == '\n' && in_flag(INLCR))
        c = '\r';
    if (!tty_flag(ICANON) || !edit_line(c))
        take_plain(c, becomes_line_feed);
}

/* Whether the ring takes another byte. A line that fills it is still edited and can be ended: each byte
 * more replaces its last one. */
static bool has_room(void)
{
    unsigned used = tty.end - tty.start;
    if (used < INPUT_SIZE - 1)
        return true;
    if (!tty_flag(ICANON) || tty.ready != tty.start)
        return false;
    if (used == INPUT_SIZE)
        tty.end--;
    return true;
}

/* If the ring is full, the byte stays in the port, and the sender waits. */
void console_input_interrupt(void)
{
    char c;
    while (has_room() && console_read_byte(&c))
        take_byte((uint8_t)c);
}

/* All that was typed becomes one line, or plain bytes. */
static void join_input(void)
{
    tty.next_is_plain = false;
    for (unsigned at = tty.start; at != tty.end; at++)
        tty.input[at % INPUT_SIZE] &= 0xff;
    if (tty.start != tty.end && tty_flag(ICANON))
        tty.input[(tty.end - 1) % INPUT_SIZE] |= LINE_ENDS;
    tty.ready = tty_flag(ICANON) ? tty.end : tty.start;
    sched_wake_all(&tty.waiters);
}

void tty_set(const struct termios *wanted)
{
    bool changes = (tty.termios.lflag ^ wanted->lflag) & ICANON;
    bool had_keys = in_flag(IXON);
    tty.termios = *wanted;
    if (had_keys && !in_flag(IXON))
        start_output();
    if (changes)
        join_input();
}
