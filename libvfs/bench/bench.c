/* What libvfs costs, next to floors measured in the same run: a hash walk without permissions, the
 * host's tmpfs by system call, memcpy of the same pages. CPU time, median of several rounds,
 * without what printing the paths takes. Prints a table and asserts nothing. Usage: vfs-bench
 * [look-up [DEPTH ENTRIES]|instructions|create|read|locks|tree [FILES in the large tree]]. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "name.h"
#include "radix.h"

#include <umvfs/attr.h>
#include <umvfs/file.h>
#include <umvfs/lock.h>
#include <umvfs/page.h>
#include <umvfs/tree.h>

#define ROUNDS 15
#define MOST   5 /* functions measured together */

static const char tmpfs_dir[] = "/dev/shm/vfs-bench";
static struct slab slab;
static struct umvfs_task task;
static const struct umvfs_cred user = {.uid = 1000, .gid = 1000};
static const struct umvfs_cred root = {.caps = UMVFS_CAP_ALL};

static double now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* For each of several functions the median over rounds of the time that one call of fn(n) takes for
 * each of n things. The rounds of all are interleaved, so that what else the machine does meets all
 * alike. */
static void measure_all(size_t count, void (*const fn[])(size_t n), size_t n, double *out)
{
    double times[MOST][ROUNDS];
    for (int round = -1; round < ROUNDS; round++) {
        for (size_t i = 0; i < count; i++) {
            double start = now_ns();
            fn[i](n);
            times[i][round < 0 ? 0 : round] = (now_ns() - start) / (double)n;
        }
    }
    for (size_t i = 0; i < count; i++) {
        qsort(times[i], ROUNDS, sizeof(times[i][0]), by_value);
        out[i] = times[i][ROUNDS / 2];
    }
}

static void must(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "vfs-bench: %s failed\n", what);
        exit(1);
    }
}

static void start(void)
{
    struct umvfs_config config = slab_config(&slab);
    must(umvfs_new(&config, &task.vfs) == 0, "umvfs_new");
    task.cred = &root;
    umvfs_root(task.vfs, &task.root);
    umvfs_root(task.vfs, &task.cwd);
}

static void stop(void)
{
    umvfs_path_put(&task.root);
    umvfs_path_put(&task.cwd);
    must(umvfs_destroy(task.vfs) == 0, "umvfs_destroy");
    must(slab.used == 0, "giving everything back");
}

/* Look-up --------------------------------------------------------------------------------- */

#define PATHS 16384
static char paths[PATHS][512]; /* in libvfs and for the floor */
static char host_paths[PATHS][600];
static size_t path_count; /* a power of two */
static volatile uint64_t sink;

static void make_name(char *name, size_t i)
{
    sprintf(name, "file%zu", i);
}

/* A chain of `depth` directories of `entries` entries each, the last component being a file. */
static void build_tree(unsigned depth, size_t entries, struct floor *floor[2], bool on_host)
{
    char dir[400] = "";
    char path[600];
    char name[32];
    mkdir(tmpfs_dir, 0755);
    for (unsigned level = 1; level <= depth; level++) {
        size_t fill = level == depth || entries <= 1000 ? entries : 1000;
        for (size_t i = 0; i < fill; i++) {
            make_name(name, i);
            sprintf(path, "%s/%s", dir, name);
            if (level < depth && i == entries / 2 % fill)
                must(umvfs_mkdir(&task, NULL, path, 0755) == 0, "mkdir");
            else
                must(umvfs_mknod(&task, NULL, path, 0644, 0) == 0, "mknod");
            floor_add(floor[0], dir, name);
            floor_add(floor[1], dir, name);
            sprintf(path, "%s%s/%s", tmpfs_dir, dir, name);
            if (!on_host)
                continue;
            if (level < depth && i == entries / 2 % fill)
                mkdir(path, 0755);
            else
                close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
        }
        if (level < depth) {
            make_name(name, entries / 2 % fill);
            strcat(dir, "/");
            strcat(dir, name);
        }
    }
    path_count = entries > 100000 ? PATHS : PATHS / 4;
    for (size_t i = 0; i < path_count; i++) {
        make_name(name, (i * 2654435761u) % entries);
        sprintf(paths[i], "%s/%s", dir, name);
        sprintf(host_paths[i], "%s%s", tmpfs_dir, paths[i]);
    }
}

static struct floor *floors[2]; /* FNV-1a, keyed */

static void look_up_floor(const struct floor *floor, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += floor_walk(floor, paths[i & (path_count - 1)]);
    sink = sum;
}

static void look_up_fnv(size_t n)
{
    look_up_floor(floors[0], n);
}

static void look_up_keyed(size_t n)
{
    look_up_floor(floors[1], n);
}

static void look_up_vfs(size_t n)
{
    struct umvfs_path place;
    for (size_t i = 0; i < n; i++) {
        must(umvfs_lookup(&task, NULL, paths[i & (path_count - 1)], 0, 0, &place) == 0, "lookup");
        umvfs_path_put(&place);
    }
}

static void look_up_tmpfs(size_t n)
{
    struct stat st;
    for (size_t i = 0; i < n; i++)
        must(stat(host_paths[i & (path_count - 1)], &st) == 0, "stat");
}

/* Of the host's file system only up to 100,000 entries: more would take long to make. */
static void bench_look_up_in(unsigned depth, size_t entries)
{
    static void (*const fns[])(size_t) = {look_up_fnv, look_up_keyed, look_up_vfs, look_up_tmpfs};
    char command[64];
    double ns[4];
    size_t names = depth * (entries < 1000 ? entries : 1000) + entries;
    bool on_host = entries <= 100000;
    start();
    floors[0] = floor_new(names, false);
    floors[1] = floor_new(names, true);
    build_tree(depth, entries, floors, on_host);
    task.cred = &user;
    measure_all(on_host ? 4 : 3, fns, PATHS, ns);
    task.cred = &root;
    printf("%2u of %-7zu entries %6.1f %8.1f %8.1f %8.2f %8.2f", depth, entries, ns[0], ns[1],
           ns[2], ns[2] / ns[0], ns[2] / ns[1]);
    printf(on_host ? " %10.0f\n" : "\n", ns[3]);
    floor_free(floors[0]);
    floor_free(floors[1]);
    stop();
    snprintf(command, sizeof(command), "rm -rf %s", tmpfs_dir);
    must(system(command) == 0, "rm");
}

static const unsigned depths[] = {1, 4, 16};
static const size_t sizes[] = {10, 1000, 100000, 1000000};

static void bench_look_up(void)
{
    printf("                      hash walk by             times the walk by\n"
           "look-up, ns             FNV-1a    keyed   libvfs   FNV-1a    keyed   tmpfs stat()\n");
    for (size_t d = 0; d < 3; d++) {
        for (size_t s = 0; s < 4; s++)
            bench_look_up_in(depths[d], sizes[s]);
    }
}

/* The instructions of one look-up by a function above, as callgrind counts them: the copying of the
 * path and the compare with the result are in it. */
static double count_instructions(const char *self, const char *function, unsigned depth,
                                 size_t entries)
{
    char command[512], line[256];
    double count = 0;
    snprintf(command, sizeof(command),
             "valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect=%s %s "
             "look-up %u %zu 2>&1",
             function, self, depth, entries);
    FILE *out = popen(command, "r");
    must(out != NULL, "popen");
    while (fgets(line, sizeof(line), out)) {
        const char *at = strstr(line, "Collected : ");
        if (at)
            count = strtod(at + strlen("Collected : "), NULL);
    }
    must(pclose(out) == 0 && count > 0, "valgrind");
    return count / ((ROUNDS + 1) * PATHS);
}

static void bench_instructions(const char *self)
{
    printf("look-up, instructions     keyed   libvfs   times the walk\n");
    for (size_t d = 0; d < 3; d++) {
        for (size_t s = 0; s < 4; s++) {
            double bare = count_instructions(self, "look_up_keyed", depths[d], sizes[s]);
            double vfs = count_instructions(self, "look_up_vfs", depths[d], sizes[s]);
            printf("%2u of %-7zu entries %8.0f %8.0f %8.2f\n", depths[d], sizes[s], bare, vfs,
                   vfs / bare);
            fflush(stdout);
        }
    }
}

/* Create and unlink ----------------------------------------------------------------------- */

static void create_and_unlink(size_t n)
{
    char name[32];
    for (size_t i = 0; i < n; i++) {
        sprintf(name, "/new%zu", i);
        must(umvfs_mknod(&task, NULL, name, 0644, 0) == 0, "mknod");
        must(umvfs_unlink(&task, NULL, name) == 0, "unlink");
    }
}

static void print_names(size_t n)
{
    char name[32];
    for (size_t i = 0; i < n; i++) {
        sprintf(name, "/new%zu", i);
        sink = (uint64_t)name[4];
    }
}

/* Names that all meet in one bucket of 512 under a key that is not the instance's: what somebody
 * who does not know the key can do. */
static void next_colliding(char *name)
{
    static const uint64_t seed[2] = {1, 2};
    static struct umvfs_name_keys keys;
    static unsigned number;
    if (!number)
        umvfs_name_keys(&keys, seed);
    for (struct umvfs_name n;;) {
        n = (struct umvfs_name){.text = name, .len = (size_t)sprintf(name, "old%u", number++)};
        if (umvfs_name_mix(&keys, umvfs_name_sum(&keys, &n)) % 512 == 7)
            return;
    }
}

static void bench_create_among(size_t entries, bool colliding)
{
    static void (*const fns[])(size_t) = {create_and_unlink, print_names};
    double ns[2];
    char path[32] = "/";
    start();
    for (size_t i = 0; i < entries; i++) {
        if (colliding)
            next_colliding(path + 1);
        else
            sprintf(path, "/old%zu", i);
        must(umvfs_mknod(&task, NULL, path, 0644, 0) == 0, "mknod");
    }
    measure_all(2, fns, 20000, ns);
    printf("in %-6zu %s %10.0f\n", entries, colliding ? "chosen to collide" : "entries          ",
           ns[0] - ns[1]);
    stop();
}

static void bench_create(void)
{
    printf("\ncreate and unlink, ns each pair\n");
    bench_create_among(10, false);
    bench_create_among(1000, false);
    bench_create_among(100000, false);
    bench_create_among(10000, true);
}

/* Reading --------------------------------------------------------------------------------- */

#define MEGABYTE 1048576u
static char buffer[MEGABYTE];
static void *pages[MEGABYTE / UMVFS_PAGE_SIZE]; /* the file's own */
static struct umvfs_file file;
static size_t chunk;

static void read_vfs(size_t n)
{
    for (size_t at = 0; at < n; at += chunk)
        must(umvfs_pread(&file, buffer, chunk, at % MEGABYTE) == (int64_t)chunk, "read");
}

static void write_vfs(size_t n)
{
    for (size_t at = 0; at < n; at += chunk)
        must(umvfs_pwrite(&file, buffer, chunk, at % MEGABYTE) == (int64_t)chunk, "write");
}

/* The length of a page, which the compiler does not know: it calls memcpy, as the library does. */
static volatile size_t page_size = UMVFS_PAGE_SIZE;

/* The same bytes of the same pages in the same order. */
static void read_memcpy(size_t n)
{
    size_t len = page_size;
    for (size_t at = 0; at < n; at += chunk) {
        for (size_t i = 0; i < chunk; i += UMVFS_PAGE_SIZE)
            memcpy(buffer + i, pages[(at + i) % MEGABYTE / UMVFS_PAGE_SIZE], len);
        __asm__ volatile("" : : "r"(buffer) : "memory");
    }
}

/* The same, where each page is found as it must be: from the inode down the index of two levels
 * that a file of a megabyte has. Nothing is checked. */
static void read_bare(size_t n)
{
    size_t len = page_size;
    for (size_t at = 0; at < n; at += chunk) {
        for (size_t i = 0; i < chunk; i += UMVFS_PAGE_SIZE) {
            uint64_t index = (at + i) % MEGABYTE / UMVFS_PAGE_SIZE;
            const struct umvfs_radix_node *node = file.inode->u.data.root;
            node = node->slot[index >> RADIX_PAGE_BITS];
            memcpy(buffer + i, node->slot[umvfs_radix_slot(RADIX_PAGE_BITS, 0, index)], len);
        }
        __asm__ volatile("" : : "r"(buffer) : "memory");
    }
}

static void write_memcpy(size_t n)
{
    size_t len = page_size;
    for (size_t at = 0; at < n; at += chunk) {
        for (size_t i = 0; i < chunk; i += UMVFS_PAGE_SIZE)
            memcpy(pages[(at + i) % MEGABYTE / UMVFS_PAGE_SIZE], buffer + i, len);
        __asm__ volatile("" : : "r"(buffer) : "memory");
    }
}

static void bench_read(void)
{
    static void (*const fns[])(size_t) = {read_memcpy, read_bare, read_vfs, write_memcpy,
                                          write_vfs};
    static const size_t chunks[] = {UMVFS_PAGE_SIZE, MEGABYTE};
    double ns[MOST];
    start();
    must(umvfs_open(&task, NULL, "/f", UMVFS_O_RDWR | UMVFS_O_CREAT, 0644, 0, &file) == 0, "open");
    memset(buffer, 'x', sizeof(buffer));
    must(umvfs_write(&file, buffer, MEGABYTE) == MEGABYTE, "write");
    for (size_t i = 0; i < MEGABYTE / UMVFS_PAGE_SIZE; i++)
        must(umvfs_page_get(file.inode, i, UMVFS_PAGE_READ, &pages[i]) == 0, "page_get");
    printf("\nns a page       memcpy  by a bare index     read  of memcpy  of the bare    memcpy  "
           "overwrite  of memcpy\n");
    for (size_t i = 0; i < 2; i++) {
        chunk = chunks[i];
        measure_all(5, fns, 32 * MEGABYTE, ns);
        for (size_t j = 0; j < 5; j++)
            ns[j] *= UMVFS_PAGE_SIZE;
        printf("%7zu bytes %8.1f %16.1f %8.1f %9.0f%% %11.0f%% %9.1f %10.1f %9.0f%%\n", chunk,
               ns[0], ns[1], ns[2], 100 * ns[0] / ns[2], 100 * ns[1] / ns[2], ns[3], ns[4],
               100 * ns[3] / ns[4]);
    }
    umvfs_close(&file);
    stop();
}

/* Locks ------------------------------------------------------------------------------------ */

#define RANGES 100000u
#define PLACES 16384u /* that an operation is measured at, in an order without a pattern */

/* A node of a balanced binary tree, as large as a cache line: what a look-up costs at least. */
struct bare {
    struct bare *child[2];
    uint64_t key;
    char rest[40];
};

static struct umvfs_locks locks;
static struct bare *bare_root;
static uint64_t places[PLACES];
static const char lock_file[1];
static const char lock_owner[3];

static uint64_t any(uint64_t below)
{
    static uint64_t state = 1;
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (state >> 33) % below;
}

/* Range i is of byte 4 * i, write locks of two owners in turn. */
static struct umvfs_lock lock_at(uint64_t i, uint64_t byte, unsigned owner)
{
    return (struct umvfs_lock){.file = lock_file,
                               .owner = &lock_owner[owner],
                               .start = 4 * i + byte,
                               .end = 4 * i + byte,
                               .type = UMVFS_LOCK_WRITE};
}

static void set_lock(uint64_t i, uint64_t byte, unsigned owner, enum umvfs_lock_type type)
{
    struct umvfs_lock lock = lock_at(i, byte, owner);
    lock.type = type;
    must(umvfs_lock_set(&locks, &lock, NULL) == 0, "lock_set");
}

static void *lock_alloc(void *ctx, size_t size)
{
    return slab_config(ctx).alloc(ctx, size);
}

static void lock_free(void *ctx, void *object, size_t size)
{
    slab_config(ctx).free(ctx, object, size);
}

static void lock_wake(void *ctx, struct umvfs_lock_waiter *waiter)
{
    (void)ctx;
    (void)waiter;
}

/* The tree of the keys from first to last; its nodes lie in memory as the locks do. */
static struct bare *build_bare(struct bare *nodes, const uint64_t *order, uint64_t first,
                               uint64_t past)
{
    uint64_t middle = first + (past - first) / 2;
    struct bare *node = &nodes[order[middle]];
    if (first == past)
        return NULL;
    node->key = 4 * middle;
    node->child[0] = build_bare(nodes, order, first, middle);
    node->child[1] = build_bare(nodes, order, middle + 1, past);
    return node;
}

static void walk_bare(size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        const struct bare *node = bare_root;
        uint64_t key = 4 * places[i % PLACES];
        while (node && node->key != key)
            node = node->child[node->key < key];
        sum += node != NULL;
    }
    must(sum == n, "bare walk");
}

static void ask_for_conflicts(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct umvfs_lock lock = lock_at(places[i % PLACES], 0, 2);
        struct umvfs_lock found;
        must(umvfs_lock_get(&locks, &lock, &found) && found.start == lock.start, "lock_get");
    }
}

/* The three that follow each make two operations. */
static void set_and_unset(size_t n)
{
    for (size_t i = 0; i < n; i += 2) {
        set_lock(places[i % PLACES], 2, 2, UMVFS_LOCK_WRITE);
        set_lock(places[i % PLACES], 2, 2, UMVFS_LOCK_NONE);
    }
}

static void change_type(size_t n)
{
    for (size_t i = 0; i < n; i += 2) {
        uint64_t place = places[i % PLACES];
        set_lock(place, 0, place & 1, UMVFS_LOCK_READ);
        set_lock(place, 0, place & 1, UMVFS_LOCK_WRITE);
    }
}

/* Unsets all places, then sets them again: no operation finds what another has just touched. */
static void unset_then_set(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t place = places[i % (n / 2)];
        set_lock(place, 0, place & 1, i < n / 2 ? UMVFS_LOCK_NONE : UMVFS_LOCK_WRITE);
    }
}

static void shuffle(uint64_t *order, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        order[i] = i;
    for (uint64_t i = count - 1; i > 0; i--) {
        uint64_t other = any(i + 1), was = order[i];
        order[i] = order[other];
        order[other] = was;
    }
}

static void bench_locks(void)
{
    static void (*const fns[])(size_t) = {walk_bare, ask_for_conflicts, set_and_unset, change_type,
                                          unset_then_set};
    const struct umvfs_lock_config config = {
        .alloc = lock_alloc, .free = lock_free, .wake = lock_wake, .ctx = &slab};
    static uint64_t order[RANGES];
    struct bare *nodes = calloc(RANGES, sizeof(*nodes));
    double ns[MOST];
    must(nodes != NULL, "calloc");
    umvfs_locks_init(&locks, &config, 1);
    shuffle(order, RANGES);
    bare_root = build_bare(nodes, order, 0, RANGES);
    memcpy(places, order, sizeof(places));
    shuffle(order, RANGES);
    uint64_t before = slab.used;
    for (size_t i = 0; i < RANGES; i++)
        set_lock(order[i], 0, order[i] & 1, UMVFS_LOCK_WRITE);
    printf("\nlocks, ns an operation among %u ranges, %.0f bytes each\n", RANGES,
           (double)(slab.used - before) / RANGES);
    measure_all(5, fns, PLACES, ns);
    printf("bare walk %.0f, get %.0f, set and unset %.0f, change %.0f, unset all and set %.0f\n",
           ns[0], ns[1], ns[2], ns[3], ns[4]);
    for (unsigned owner = 0; owner < 2; owner++)
        umvfs_lock_release(&locks, lock_file, &lock_owner[owner], UMVFS_LOCK_POSIX);
    must(slab.used == before, "giving all locks back");
    free(nodes);
}

/* A large tree ---------------------------------------------------------------------------- */

static void path_of(char *path, size_t i, size_t per_dir)
{
    sprintf(path, "/d%zu/file%zu", i / per_dir, i);
}

static double path_cost(size_t files, size_t per_dir)
{
    char path[64];
    double begin = now_ns();
    for (size_t i = 0; i < files; i++) {
        path_of(path, i, per_dir);
        sink = (uint64_t)path[2];
    }
    return (now_ns() - begin) / (double)files;
}

static int count_file(void *ctx, const char *name, size_t len, uint64_t ino, unsigned type,
                      uint64_t next)
{
    (void)len, (void)ino, (void)type, (void)next;
    *(size_t *)ctx += name[0] == 'f';
    return 0;
}

/* Lists all directories of the tree: ns an entry. */
static double list_cost(size_t files, size_t per_dir)
{
    char path[64];
    size_t found = 0;
    double begin = now_ns();
    for (size_t i = 0; i < files; i += per_dir) {
        sprintf(path, "/d%zu", i / per_dir);
        must(umvfs_open(&task, NULL, path, UMVFS_O_DIRECTORY, 0, 0, &file) == 0, "open");
        must(umvfs_readdir(&file, count_file, &found) == 0, "readdir");
        umvfs_close(&file);
    }
    must(found == files, "listing all");
    return (now_ns() - begin) / (double)files;
}

static void bench_tree(size_t files, size_t per_dir)
{
    char path[64];
    start();
    uint64_t before = slab.used;
    double printing = path_cost(files, per_dir);
    double begin = now_ns();
    for (size_t i = 0; i < files; i++) {
        if (i % per_dir == 0) {
            sprintf(path, "/d%zu", i / per_dir);
            must(umvfs_mkdir(&task, NULL, path, 0755) == 0, "mkdir");
        }
        path_of(path, i, per_dir);
        must(umvfs_mknod(&task, NULL, path, 0644, 0) == 0, "mknod");
    }
    double create = (now_ns() - begin) / (double)files - printing;
    double bytes = (double)(slab.used - before) / (double)files;
    double list = list_cost(files, per_dir);
    begin = now_ns();
    for (size_t i = 0; i < files; i++) {
        path_of(path, i, per_dir);
        must(umvfs_unlink(&task, NULL, path) == 0, "unlink");
    }
    double unlink = (now_ns() - begin) / (double)files - printing;
    printf("%7zu files in directories of %-7zu %4.0f bytes a file, create %4.0f ns, list %3.0f ns, "
           "delete %4.0f ns\n",
           files, per_dir, bytes, create, list, unlink);
    stop();
}

int main(int argc, char **argv)
{
    const char *only = argc > 1 ? argv[1] : "";
    size_t files = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000000;
    if (argc > 3 && !strcmp(only, "look-up"))
        bench_look_up_in((unsigned)strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10));
    else if (!*only || !strcmp(only, "look-up"))
        bench_look_up();
    if (!strcmp(only, "instructions"))
        bench_instructions(argv[0]);
    if (!*only || !strcmp(only, "create"))
        bench_create();
    if (!*only || !strcmp(only, "read"))
        bench_read();
    if (!*only || !strcmp(only, "locks"))
        bench_locks();
    if (*only && strcmp(only, "tree") != 0)
        return 0;
    printf("\n");
    bench_tree(files, 100);
    bench_tree(files, 1000);
    bench_tree(files, files);
    return 0;
}
