#include "diff.h"

#include <string.h>

#include "ops/op.h"

#define COUNT_OF(array)     (sizeof(array) / sizeof((array)[0]))
#define PICK(random, array) ((array)[random_below((random), COUNT_OF(array))])

enum { SLOTS_USED = 8 };

/* How often each operation comes, out of the sum of all. */
static const unsigned char weights[OP_COUNT] = {
    [OP_ACCESS] = 10,    [OP_CHMOD] = 12,     [OP_CHOWN] = 10,       [OP_CLOSE] = 3,
    [OP_FALLOCATE] = 12, [OP_FCHMOD] = 2,     [OP_FCHOWN] = 2,       [OP_FGETXATTR] = 1,
    [OP_FLINK] = 6,      [OP_FLISTXATTR] = 1, [OP_FREMOVEXATTR] = 1, [OP_FSETXATTR] = 1,
    [OP_FSTAT] = 10,     [OP_FTRUNCATE] = 10, [OP_FUTIMENS] = 3,     [OP_GETXATTR] = 4,
    [OP_LCHOWN] = 4,     [OP_LGETXATTR] = 1,  [OP_LINK] = 25,        [OP_LINKF] = 8,
    [OP_LIST] = 6,       [OP_LISTXATTR] = 3,  [OP_LLISTXATTR] = 1,   [OP_LREMOVEXATTR] = 1,
    [OP_LS] = 12,        [OP_LSEEK] = 12,     [OP_LSETXATTR] = 1,    [OP_LSTAT] = 15,
    [OP_LUTIMENS] = 3,   [OP_MAKE] = 40,      [OP_MKDIR] = 60,       [OP_MKNOD] = 6,
    [OP_OPEN] = 80,      [OP_OPENAT2] = 20,   [OP_PREAD] = 12,       [OP_PWRITE] = 20,
    [OP_READ] = 10,      [OP_READLINK] = 6,   [OP_REMOVE] = 45,      [OP_REMOVEXATTR] = 3,
    [OP_RENAME] = 80,    [OP_RMDIR] = 20,     [OP_SAME] = 4,         [OP_SETXATTR] = 6,
    [OP_STAT] = 15,      [OP_SYMLINK] = 25,   [OP_TRUNCATE] = 10,    [OP_UMASK] = 1,
    [OP_UNLINK] = 25,    [OP_UTIMENS] = 6,    [OP_WRITE] = 12,
};

static enum op_code pick_code(struct random *random)
{
    unsigned sum = 0;
    for (size_t i = 0; i < OP_COUNT; i++)
        sum += weights[i];
    unsigned at = random_below(random, sum);
    size_t code = 0;
    while (at >= weights[code])
        at -= weights[code++];
    return (enum op_code)code;
}

static void add_component(struct random *random, struct bytes *line)
{
    static const char *const plain[] = {"a", "b", "c", "d", "e", "f"};
    static const char *const odd[] = {".", "..", "..", ".", "{n*255}", "{n*256}", "", "A", "aa"};
    bytes_text(line, random_below(random, 100) < 86 ? PICK(random, plain) : PICK(random, odd));
}

/* A path that was not used before, as far as this function knows. */
static void add_new_path(struct random *random, struct bytes *line)
{
    size_t start = line->length;
    if (random_below(random, 100) < 10)
        bytes_printf(line, "%%%u:", random_below(random, SLOTS_USED));
    else if (random_below(random, 100) < 12)
        bytes_push(line, '/');
    unsigned depth = 1 + random_below(random, 3) * random_below(random, 2);
    for (unsigned i = 0; i < depth; i++) {
        if (i)
            bytes_push(line, '/');
        add_component(random, line);
    }
    if (line->length == start)
        bytes_text(line, "\"\"");
}

/* A path of the pool, perhaps with one more component, or a new one, which then joins the pool. */
static void add_path(struct generator *generator, struct bytes *line)
{
    struct random *random = &generator->random;
    size_t start = line->length;
    unsigned way = random_below(random, 100);
    const struct bytes *known =
        generator->used ? &generator->pool[random_below(random, (unsigned)generator->used)] : NULL;
    if (known && way < 75)
        bytes_append(line, known->data, known->length);
    if (known && way >= 60 && way < 75) {
        bytes_push(line, '/');
        add_component(random, line);
    }
    if (!known || way >= 75)
        add_new_path(random, line);
    if (way >= 60 && line->length - start < 40 && line->data[start] != '"') {
        struct bytes *slot = &generator->pool[random_below(random, POOL_SIZE)];
        if (generator->used < POOL_SIZE)
            slot = &generator->pool[generator->used++];
        bytes_clear(slot);
        bytes_append(slot, line->data + start, line->length - start);
    }
    if (random_below(random, 100) < 4 && line->data[start] != '"')
        bytes_push(line, '/');
}

static void add_data(struct generator *generator, enum op_code code, struct bytes *line)
{
    struct random *random = &generator->random;
    static const unsigned lengths[] = {1, 5, 100, 2048, 2049, 4096, 4097, 9000, 30000};
    if (code == OP_SYMLINK)
        add_path(generator, line);
    else if (code == OP_WRITE || code == OP_PWRITE)
        bytes_printf(line, "{%c*%u}", 'a' + (int)random_below(random, 26), PICK(random, lengths));
    else
        bytes_printf(line, "{v*%u}", random_below(random, 60));
}

/* Flags joined by |, each with a chance of `percent`; starts with `first`. */
static void add_flags(struct random *random, struct bytes *line, const char *first,
                      const char *const *names, size_t count, unsigned percent)
{
    bytes_text(line, first);
    for (size_t i = 0; i < count; i++)
        if (random_below(random, 100) < percent)
            bytes_printf(line, "|%s", names[i]);
}

static void add_open_flags(struct random *random, struct bytes *line)
{
    static const char *const modes[] = {"RDONLY", "WRONLY", "RDWR", "RDWR", "RDONLY"};
    static const char *const flags[] = {"CREAT", "CREAT", "EXCL", "TRUNC", "APPEND", "NOFOLLOW"};
    static const char *const whole[] = {"PATH",
                                        "PATH|NOFOLLOW",
                                        "PATH|DIRECTORY",
                                        "RDONLY|DIRECTORY",
                                        "RDWR|TMPFILE",
                                        "WRONLY|TMPFILE|EXCL",
                                        "RDONLY|DIRECTORY|NOFOLLOW",
                                        "RDONLY|NOATIME"};
    if (random_below(random, 100) < 35)
        bytes_text(line, PICK(random, whole));
    else
        add_flags(random, line, PICK(random, modes), flags, COUNT_OF(flags), 25);
}

static void add_offset(struct random *random, struct bytes *line)
{
    static const char *const edges[] = {"0",     "1",    "2047",         "2048", "2049",
                                        "4095",  "4096", "4097",         "8192", "20480",
                                        "65536", "-1",   "1099511627776"};
    if (random_below(random, 100) < 60)
        bytes_text(line, PICK(random, edges));
    else
        bytes_printf(line, "%u", random_below(random, 50000));
}

static void add_length(struct random *random, enum op_code code, struct bytes *line)
{
    if (code == OP_READ || code == OP_PREAD)
        bytes_printf(line, "%u", 1 + random_below(random, 40000));
    else if (code == OP_FALLOCATE)
        bytes_printf(line, "%u", random_below(random, 100) < 3 ? 0 : random_below(random, 60000));
    else if (code == OP_TRUNCATE || code == OP_FTRUNCATE)
        add_offset(random, line);
    else
        bytes_printf(line, "%u", random_below(random, 70));
}

static void add_resolve(struct random *random, struct bytes *line)
{
    static const char *const flags[] = {"NO_SYMLINKS", "BENEATH", "IN_ROOT", "NO_MAGICLINKS"};
    add_flags(random, line, "NONE", flags, COUNT_OF(flags), 30);
}

/* The kinds of words that are picked from a list. */
#define WORDS(...)                                                                                 \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }
static const char *const *const word_lists[128] = {
    ['a'] = WORDS("F", "R", "W", "X", "R|W", "R|X", "R|W|X"),
    ['g'] = WORDS("0", "1", "2", "3", "-1"),
    ['i'] = WORDS("type,mode,nlink,uid,gid,size,rdev,mtime"),
    ['m'] = WORDS("0755", "0700", "0777", "0644", "0000", "01777", "02775", "04755", "06777",
                  "0711", "0444", "0222", "0111", "0666"),
    ['n'] = WORDS("user.a", "user.b", "user.c", "user.d", "{n*256}"),
    ['t'] = WORDS("now", "omit", "1", "1000.5", "100000", "-5"),
    ['u'] = WORDS("0", "1", "2", "3", "-1"),
    ['v'] = WORDS("1:3"),
    ['w'] = WORDS("SET", "CUR", "END", "DATA", "HOLE", "DATA", "HOLE"),
    ['y'] = WORDS("file", "dir", "fifo", "char", "socket", "symlink"),
    ['F'] = WORDS("PUNCH_HOLE|KEEP_SIZE", "PUNCH_HOLE|KEEP_SIZE", "PUNCH_HOLE"),
    ['R'] = WORDS("NONE", "NOREPLACE", "EXCHANGE", "EXCHANGE", "NOREPLACE|EXCHANGE"),
    ['X'] = WORDS("ANY", "CREATE", "REPLACE"),
};

/* The same in a stream that reserves room: see struct generator. */
static const char *const *const reserving_whence = WORDS("SET", "CUR", "END");
static const char *const *const reserving_flags =
    WORDS("ALLOCATE", "KEEP_SIZE", "PUNCH_HOLE|KEEP_SIZE", "PUNCH_HOLE|KEEP_SIZE");

static void add_listed(struct random *random, const char *const *words, struct bytes *line)
{
    unsigned count = 0;
    while (words[count])
        count++;
    bytes_text(line, words[random_below(random, count)]);
}

static void add_word(struct generator *generator, enum op_code code, char kind, struct bytes *line)
{
    struct random *random = &generator->random;
    switch (kind) {
    case 'd':
        add_data(generator, code, line);
        break;
    case 'f':
        add_open_flags(random, line);
        break;
    case 'l':
        add_length(random, code, line);
        break;
    case 'o':
        add_offset(random, line);
        break;
    case 'p':
    case 'q':
        add_path(generator, line);
        break;
    case 'r':
        add_resolve(random, line);
        break;
    case 's':
        bytes_printf(line, "%u", random_below(random, SLOTS_USED));
        break;
    case 'm':
        /* openat2 refuses a mode that is not used. */
        if (code == OP_OPENAT2 && !strstr(line->data, "CREAT") && !strstr(line->data, "TMPFILE"))
            bytes_text(line, random_below(random, 20) ? "0" : "0644");
        else
            add_listed(random, word_lists['m'], line);
        break;
    default:
        if (generator->reserves && (kind == 'w' || kind == 'F'))
            add_listed(random, kind == 'w' ? reserving_whence : reserving_flags, line);
        else
            add_listed(random, word_lists[(unsigned char)kind], line);
    }
}

void generator_start(struct generator *generator, uint64_t seed, uint64_t round)
{
    *generator =
        (struct generator){.random = random_seed(seed * 1000003 + round), .reserves = round % 2};
}

void generator_end(struct generator *generator)
{
    for (size_t i = 0; i < POOL_SIZE; i++)
        bytes_free(&generator->pool[i]);
}

void generate_line(struct generator *generator, struct bytes *line)
{
    static const char *const callers[] = {"@1 ", "@2 ", "@1:2 ", "@2:3,1 ", "@3:1,2 "};
    struct random *random = &generator->random;
    enum op_code code = pick_code(random);
    if (random_below(random, 100) < 25)
        bytes_text(line, PICK(random, callers));
    bytes_text(line, op_table[code].name);
    for (const char *kind = op_table[code].arguments; *kind; kind++) {
        /* The fields of a stat are always given, other optional words half of the time. */
        if (*kind == '?' && kind[1] != 'i' && code != OP_OPEN && random_below(random, 2))
            break;
        if (*kind == '?')
            continue;
        bytes_push(line, ' ');
        add_word(generator, code, *kind, line);
    }
}
