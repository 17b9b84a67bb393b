#include "model.h"

#include <stdlib.h>
#include <string.h>

#include <umvfs/types.h>

static bool is_dir(const struct model *m, int node)
{
    return m->node[node].type == UMVFS_S_IFDIR;
}

static bool is_link(const struct model *m, int node)
{
    return m->node[node].type == UMVFS_S_IFLNK;
}

static int new_node(struct model *m, uint32_t type)
{
    if (m->used == MODEL_NODES) {
        m->full = true;
        return -1;
    }
    struct model_node *n = &m->node[m->used];
    n->type = type;
    n->nlink = type == UMVFS_S_IFDIR ? 2 : 0;
    n->opens = n->parent = n->count = 0;
    n->target[0] = '\0';
    n->size = 0;
    n->written = 0;
    n->data = NULL;
    return m->used++;
}

void model_begin(struct model *m)
{
    m->used = 0;
    m->full = false;
    m->root = m->cwd = new_node(m, UMVFS_S_IFDIR);
}

/* Contents that no node has at the moment, all zeros. */
static unsigned char *spare[MODEL_NODES];
static int spares;

static void free_data(struct model_node *n)
{
    if (!n->data)
        return;
    memset(n->data, 0, n->written);
    spare[spares++] = n->data;
    n->data = NULL;
    n->written = 0;
}

void model_end(struct model *m)
{
    for (int i = 0; i < m->used; i++)
        free_data(&m->node[i]);
    m->used = 0;
}

static int find(const struct model *m, int dir, const char *name)
{
    for (int i = 0; i < m->node[dir].count; i++) {
        const char *other = m->node[dir].entry[i].name;
        if (other[0] == name[0] && !strcmp(other, name))
            return i;
    }
    return -1;
}

static int child(const struct model *m, int dir, const char *name)
{
    int i = find(m, dir, name);
    return i < 0 ? -1 : m->node[dir].entry[i].node;
}

static void add(struct model *m, int dir, const char *name, int node)
{
    struct model_node *d = &m->node[dir];
    if (d->count == MODEL_ENTRIES) {
        m->full = true;
        return;
    }
    strcpy(d->entry[d->count].name, name);
    d->entry[d->count++].node = node;
}

static void drop(struct model *m, int dir, int index)
{
    struct model_node *d = &m->node[dir];
    d->count--;
    memmove(&d->entry[index], &d->entry[index + 1],
            (size_t)(d->count - index) * sizeof(d->entry[0]));
}

enum { MODEL_TEXT = 65536 };

struct walk {
    char *text; /* MODEL_TEXT bytes */
    char *at;   /* in text: what is left to walk */
    int root;
    int cur;
    unsigned links;
    unsigned resolve;
    bool slash; /* one came after the last component */
};

/* Puts the text of a link in front of the rest of a path, which is in text. */
static void splice(struct model *m, char *text, const char *target, const char *rest)
{
    size_t a = strlen(target);
    size_t b = strlen(rest);
    if (a + b + 2 > MODEL_TEXT) {
        m->full = true;
        *text = '\0';
        return;
    }
    memmove(text + a + 1, rest, b + 1);
    memcpy(text, target, a);
    text[a] = b > 0 ? '/' : '\0';
}

static int start(const struct model *m, const char *path, unsigned resolve, int *root, int *cur)
{
    bool scoped = resolve & (UMVFS_RESOLVE_BENEATH | UMVFS_RESOLVE_IN_ROOT);
    *root = scoped ? m->cwd : m->root;
    *cur = *path == '/' ? *root : m->cwd;
    return *path == '/' && resolve & UMVFS_RESOLVE_BENEATH ? -UMVFS_EXDEV : 0;
}

static int go_up(const struct model *m, int root, int *cur, unsigned resolve)
{
    if (*cur == root)
        return resolve & UMVFS_RESOLVE_BENEATH ? -UMVFS_EXDEV : 0;
    *cur = m->node[*cur].parent;
    return 0;
}

/* The text after the component that text starts with; component gets it, or its first 255 bytes,
 * and *len its length. */
static char *cut(char *text, char *component, size_t *len)
{
    size_t n = 0;
    while (text[n] && text[n] != '/')
        n++;
    size_t keep = n < 256 ? n : 255;
    memcpy(component, text, keep);
    component[keep] = '\0';
    *len = n;
    while (text[n] == '/')
        n++;
    return text + n;
}

static int kind_of(const char *name)
{
    if (name[0] != '.')
        return MODEL_NAME;
    return !strcmp(name, ".") ? MODEL_DOT : !strcmp(name, "..") ? MODEL_DOTDOT : MODEL_NAME;
}

/* Follows a link: what is left to walk becomes its target and then rest. */
static int follow_link(struct model *m, struct walk *w, int node, const char *rest)
{
    if (w->resolve & UMVFS_RESOLVE_NO_SYMLINKS || ++w->links > UMVFS_SYMLINK_MAX)
        return -UMVFS_ELOOP;
    if (m->node[node].target[0] == '/') {
        if (w->resolve & UMVFS_RESOLVE_BENEATH)
            return -UMVFS_EXDEV;
        w->cur = w->root;
    }
    splice(m, w->text, m->node[node].target, rest);
    w->at = w->text;
    return 0;
}

/* One component: 1 if there are more, 0 if *p is the result; otherwise *p is scratch. */
static int step(struct model *m, struct walk *w, enum model_mode mode, struct model_place *p)
{
    while (*w->at == '/')
        w->at++;
    p->parent = p->node = w->cur;
    p->kind = MODEL_ROOT;
    p->slash = w->slash;
    if (!*w->at)
        return 0;
    if (!is_dir(m, w->cur))
        return -UMVFS_ENOTDIR;
    size_t len;
    char *rest = cut(w->at, p->name, &len);
    bool last = !*rest;
    bool too_long = len > UMVFS_NAME_MAX;
    /* A removed directory has no names, not even too long ones. */
    int unnamed = m->node[w->cur].nlink ? -UMVFS_ENAMETOOLONG : -UMVFS_ENOENT;
    if (too_long && !(last && mode <= MODEL_CREATE))
        return unnamed;
    w->slash |= last && w->at[len] == '/';
    p->slash = w->slash;
    p->kind = kind_of(p->name);
    if (p->kind == MODEL_NAME)
        p->node = too_long ? unnamed : child(m, w->cur, p->name);
    bool link = p->node >= 0 && is_link(m, p->node);
    bool follow = link && (!last || mode == MODEL_FOLLOW || (mode == MODEL_NOFOLLOW && w->slash) ||
                           (mode == MODEL_CREATE && !w->slash));
    if (follow) {
        int err = follow_link(m, w, p->node, rest);
        return err ? err : 1;
    }
    if (last && mode <= MODEL_CREATE)
        return 0;
    if (p->kind == MODEL_DOTDOT) {
        int err = go_up(m, w->root, &w->cur, w->resolve);
        if (err)
            return err;
        p->node = w->cur;
    }
    if (p->node < 0)
        return -UMVFS_ENOENT;
    w->cur = p->node;
    if (last && w->slash && !is_dir(m, p->node))
        return -UMVFS_ENOTDIR;
    w->at = rest;
    return !last;
}

int model_resolve(struct model *m, const char *path, enum model_mode mode, unsigned resolve,
                  struct model_place *out)
{
    static char text[MODEL_TEXT];
    struct walk w = {.text = text, .at = text, .resolve = resolve};
    size_t len = strlen(path);
    if (len >= UMVFS_PATH_MAX)
        return -UMVFS_ENAMETOOLONG;
    if (!len)
        return -UMVFS_ENOENT;
    memcpy(text, path, len + 1);
    int err = start(m, path, resolve, &w.root, &w.cur);
    int more = err ? err : 1;
    while (more > 0)
        more = step(m, &w, mode, out);
    return more;
}

int model_lookup(struct model *m, const char *path, bool follow, unsigned resolve)
{
    struct model_place p;
    int err = model_resolve(m, path, follow ? MODEL_FOLLOW : MODEL_NOFOLLOW, resolve, &p);
    return err ? err : p.node;
}

static void put(struct model *m, int node)
{
    if (m->node[node].nlink == 0 && m->node[node].opens == 0)
        free_data(&m->node[node]);
}

int model_make(struct model *m, const char *path, uint32_t type, const char *target)
{
    struct model_place p;
    if (type == UMVFS_S_IFLNK && !*target)
        return -UMVFS_ENOENT;
    int err = model_resolve(m, path, MODEL_PARENT, 0, &p);
    if (err)
        return err;
    if (p.kind != MODEL_NAME || p.node >= 0)
        return -UMVFS_EEXIST;
    if (p.node == -UMVFS_ENAMETOOLONG)
        return p.node;
    if (p.slash && type != UMVFS_S_IFDIR)
        return -UMVFS_ENOENT;
    if (m->node[p.parent].nlink == 0)
        return -UMVFS_ENOENT;
    int node = new_node(m, type);
    if (node < 0)
        return 0;
    if (type == UMVFS_S_IFDIR) {
        m->node[node].parent = p.parent;
        m->node[p.parent].nlink++;
    } else {
        m->node[node].nlink = 1;
    }
    if (target)
        strcpy(m->node[node].target, target);
    add(m, p.parent, p.name, node);
    return 0;
}

int model_link(struct model *m, const char *from, const char *to, bool follow)
{
    struct model_place p;
    int node = model_lookup(m, from, follow, 0);
    if (node < 0)
        return node;
    int err = model_resolve(m, to, MODEL_PARENT, 0, &p);
    if (err)
        return err;
    if (p.kind != MODEL_NAME || p.node >= 0)
        return -UMVFS_EEXIST;
    if (p.node == -UMVFS_ENAMETOOLONG)
        return p.node;
    if (p.slash)
        return -UMVFS_ENOENT;
    if (m->node[p.parent].nlink == 0)
        return -UMVFS_ENOENT;
    if (is_dir(m, node))
        return -UMVFS_EPERM;
    m->node[node].nlink++;
    add(m, p.parent, p.name, node);
    return 0;
}

/* The link counts when a name of node in dir goes. */
static void uncount(struct model *m, int dir, int node)
{
    if (is_dir(m, node)) {
        m->node[node].nlink = 0;
        m->node[dir].nlink--;
    } else {
        m->node[node].nlink--;
    }
    put(m, node);
}

int model_remove(struct model *m, const char *path, bool dir)
{
    struct model_place p;
    int err = model_resolve(m, path, MODEL_PARENT, 0, &p);
    if (err)
        return err;
    if (p.kind != MODEL_NAME) {
        static const int rmdir_errors[] = {[MODEL_DOT] = -UMVFS_EINVAL,
                                           [MODEL_DOTDOT] = -UMVFS_ENOTEMPTY,
                                           [MODEL_ROOT] = -UMVFS_EBUSY};
        return dir ? rmdir_errors[p.kind] : -UMVFS_EISDIR;
    }
    if (p.node < 0)
        return p.node == -1 ? -UMVFS_ENOENT : p.node;
    if (!dir && is_dir(m, p.node))
        return -UMVFS_EISDIR;
    if ((dir || p.slash) && !is_dir(m, p.node))
        return -UMVFS_ENOTDIR;
    if (dir && m->node[p.node].count > 0)
        return -UMVFS_ENOTEMPTY;
    uncount(m, p.parent, p.node);
    drop(m, p.parent, find(m, p.parent, p.name));
    return 0;
}

static bool is_above(const struct model *m, int node, int below)
{
    for (; below != node; below = m->node[below].parent) {
        if (below == m->root)
            return false;
    }
    return true;
}

static int check_rename(const struct model *m, const struct model_place *a,
                        const struct model_place *b, unsigned flags)
{
    bool exchange = flags & UMVFS_RENAME_EXCHANGE;
    if (a->kind != MODEL_NAME)
        return -UMVFS_EBUSY;
    if (b->kind != MODEL_NAME)
        return flags & UMVFS_RENAME_NOREPLACE ? -UMVFS_EEXIST : -UMVFS_EBUSY;
    if (a->node < 0)
        return a->node == -1 ? -UMVFS_ENOENT : a->node;
    if (m->node[b->parent].nlink == 0)
        return -UMVFS_ENOENT; /* also if that is below what is renamed */
    if (b->node < -1 || (exchange && b->node < 0))
        return b->node == -1 ? -UMVFS_ENOENT : b->node;
    if (b->node >= 0 && flags & UMVFS_RENAME_NOREPLACE)
        return -UMVFS_EEXIST;
    if (exchange && b->slash && !is_dir(m, b->node))
        return -UMVFS_ENOTDIR;
    if (!is_dir(m, a->node) && (a->slash || (!exchange && b->slash)))
        return -UMVFS_ENOTDIR;
    if (is_dir(m, a->node) && is_above(m, a->node, b->parent))
        return -UMVFS_EINVAL;
    if (b->node >= 0 && is_dir(m, b->node) && is_above(m, b->node, a->parent))
        return exchange ? -UMVFS_EINVAL : -UMVFS_ENOTEMPTY;
    if (a->node == b->node)
        return 0;
    if (b->node < 0 || exchange)
        return 0;
    if (is_dir(m, a->node) != is_dir(m, b->node))
        return is_dir(m, a->node) ? -UMVFS_ENOTDIR : -UMVFS_EISDIR;
    return is_dir(m, b->node) && m->node[b->node].count > 0 ? -UMVFS_ENOTEMPTY : 0;
}

static void set_parent(struct model *m, int node, int from, int to)
{
    if (!is_dir(m, node))
        return;
    m->node[node].parent = to;
    m->node[from].nlink--;
    m->node[to].nlink++;
}

int model_rename(struct model *m, const char *from, const char *to, unsigned flags)
{
    struct model_place a, b;
    int err = model_resolve(m, from, MODEL_PARENT, 0, &a);
    if (!err)
        err = model_resolve(m, to, MODEL_PARENT, 0, &b);
    if (!err)
        err = check_rename(m, &a, &b, flags);
    if (err || a.node == b.node)
        return err;
    int i = find(m, a.parent, a.name);
    int j = find(m, b.parent, b.name);
    if (j >= 0) {
        m->node[b.parent].entry[j].node = a.node;
        if (flags & UMVFS_RENAME_EXCHANGE) {
            m->node[a.parent].entry[i].node = b.node;
            set_parent(m, b.node, b.parent, a.parent);
        } else {
            uncount(m, b.parent, b.node);
            drop(m, a.parent, i);
        }
    } else if (a.parent == b.parent) {
        strcpy(m->node[a.parent].entry[i].name, b.name);
    } else {
        drop(m, a.parent, i);
        add(m, b.parent, b.name, a.node);
    }
    set_parent(m, a.node, a.parent, b.parent);
    return 0;
}

int model_open(struct model *m, const char *path, uint32_t flags)
{
    struct model_place p;
    bool excl = flags & UMVFS_O_EXCL;
    int err = model_resolve(m, path, excl ? MODEL_PARENT : MODEL_CREATE, 0, &p);
    if (err)
        return err;
    if (p.kind != MODEL_NAME)
        return excl ? -UMVFS_EEXIST : -UMVFS_EISDIR;
    if (p.slash)
        return -UMVFS_EISDIR;
    if (p.node < -1)
        return p.node;
    if (p.node >= 0 && excl)
        return -UMVFS_EEXIST;
    if (p.node >= 0 && is_dir(m, p.node))
        return -UMVFS_EISDIR;
    if (p.node < 0 && m->node[p.parent].nlink == 0)
        return -UMVFS_ENOENT;
    if (p.node < 0) {
        p.node = new_node(m, UMVFS_S_IFREG);
        if (p.node < 0)
            return -UMVFS_ENOSPC;
        m->node[p.node].nlink = 1;
        add(m, p.parent, p.name, p.node);
    }
    m->node[p.node].opens++;
    return p.node;
}

void model_close(struct model *m, int node)
{
    m->node[node].opens--;
    put(m, node);
}

/* The contents of a node, of which the bytes before `end` are about to change. */
static unsigned char *bytes_of(struct model *m, int node, uint64_t end)
{
    struct model_node *n = &m->node[node];
    if (!n->data)
        n->data = spares > 0 ? spare[--spares] : calloc(1, MODEL_DATA);
    if (end > n->written)
        n->written = end;
    return n->data;
}

void model_write(struct model *m, int node, uint64_t at, const unsigned char *bytes, size_t len)
{
    memcpy(bytes_of(m, node, at + len) + at, bytes, len);
    if (len > 0 && at + len > m->node[node].size)
        m->node[node].size = at + len;
}

void model_zero(struct model *m, int node, uint64_t from, uint64_t to)
{
    if (to > m->node[node].written)
        to = m->node[node].written;
    if (from < to)
        memset(bytes_of(m, node, to) + from, 0, to - from);
}

void model_resize(struct model *m, int node, uint64_t size)
{
    if (size < m->node[node].size)
        model_zero(m, node, size, MODEL_DATA);
    m->node[node].size = size;
}
