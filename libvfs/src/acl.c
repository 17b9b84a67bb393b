#include "perm.h"

#include "inode.h"
#include "memory.h"

#define VERSION     2u /* of the form that the value of an attribute has */
#define HEADER_SIZE 4u
#define ENTRY_SIZE  8u
#define NO_ID       UINT32_MAX
#define RIGHTS      2u /* offsets in an entry, which begins with its tag */
#define ID          4u

/* The tags of entries, in the order in which a list has them. */
#define TAG_USER_OBJ  0x01u /* the owner */
#define TAG_USER      0x02u /* users, by id */
#define TAG_GROUP_OBJ 0x04u /* the owning group */
#define TAG_GROUP     0x08u /* groups, by id */
#define TAG_MASK      0x10u /* what users, groups and the owning group have at most */
#define TAG_OTHER     0x20u
#define TAGS_WITH_ID  (TAG_USER | TAG_GROUP)

static const struct {
    char text[25];
    uint8_t len;
    uint16_t flag; /* of an inode that has one */
} names[] = {[ACL_ACCESS] = {"system.posix_acl_access", 23, INODE_ACL},
             [ACL_DEFAULT] = {"system.posix_acl_default", 24, INODE_DEFAULT_ACL}};

enum acl_type umvfs_acl_type(const char *name, size_t len)
{
    unsigned type = ACL_DEFAULT;
    while (type > ACL_NONE && (len != names[type].len || memcmp(name, names[type].text, len) != 0))
        type--;
    return (enum acl_type)type;
}

static uint32_t get16(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8;
}

static uint32_t get32(const uint8_t *p)
{
    return get16(p) | get16(p + 2) << 16;
}

static uint32_t tag_of(const uint8_t *entry)
{
    return get16(entry);
}

static uint32_t rights_of(const uint8_t *entry)
{
    return get16(entry + RIGHTS);
}

static uint32_t id_of(const uint8_t *entry)
{
    return get32(entry + ID);
}

/* A list as the value of an attribute has it, after the header. */
struct acl {
    const uint8_t *entries, *end;
};

/* Of a value that parse() has accepted; empty for NULL. */
static struct acl acl_in(const void *value, size_t size)
{
    const uint8_t *bytes = value;
    return bytes ? (struct acl){bytes + HEADER_SIZE, bytes + size} : (struct acl){NULL, NULL};
}

/* The number of entries of a value, of which nothing but the form is checked, or an error. */
static int parse(const void *value, size_t size)
{
    if (size == 0)
        return 0;
    if (size < HEADER_SIZE)
        return -UMVFS_EINVAL;
    if (get32(value) != VERSION)
        return -UMVFS_EOPNOTSUPP;
    if ((size - HEADER_SIZE) % ENTRY_SIZE != 0)
        return -UMVFS_EINVAL;
    struct acl acl = acl_in(value, size);
    for (const uint8_t *entry = acl.entries; entry < acl.end; entry += ENTRY_SIZE) {
        uint32_t tag = tag_of(entry);
        bool is_tag = tag != 0 && tag <= TAG_OTHER && (tag & (tag - 1u)) == 0;
        if (!is_tag || (tag & TAGS_WITH_ID && id_of(entry) == NO_ID))
            return -UMVFS_EINVAL;
    }
    return (int)((size - HEADER_SIZE) / ENTRY_SIZE);
}

static bool is_valid(const void *value, size_t size)
{
    uint32_t last = 0, seen = 0;
    struct acl acl = acl_in(value, size);
    for (const uint8_t *entry = acl.entries; entry < acl.end; entry += ENTRY_SIZE) {
        uint32_t tag = tag_of(entry);
        if (tag < last || (tag == last && !(tag & TAGS_WITH_ID)) || rights_of(entry) > 7u)
            return false;
        last = tag;
        seen |= tag;
    }
    const uint32_t needed = TAG_USER_OBJ | TAG_GROUP_OBJ | TAG_OTHER;
    return (seen & needed) == needed && (!(seen & TAGS_WITH_ID) || seen & TAG_MASK);
}

bool umvfs_acl_is_valid(const void *value, size_t size)
{
    return parse(value, size) > 0 && is_valid(value, size);
}

/* The permissions that a list gives owner, group class and others, which are those of the mode; *is_more: it has
 * entries that a mode cannot say. */
static uint32_t mode_of(struct acl acl, bool *is_more)
{
    uint32_t mode = 0, group = 0;
    *is_more = false;
    for (const uint8_t *entry = acl.entries; entry < acl.end; entry += ENTRY_SIZE) {
        uint32_t tag = tag_of(entry), rights = rights_of(entry);
        if (tag == TAG_USER_OBJ)
            mode |= rights << 6;
        else if (tag == TAG_OTHER)
            mode |= rights;
        else if (tag == TAG_GROUP_OBJ || tag == TAG_MASK)
            group = rights; /* the mask stands behind it */
        *is_more |= tag & (TAGS_WITH_ID | TAG_MASK);
    }
    return mode | group << 3;
}

/* The list of an inode; NULL if it has none of that type. */
static uint8_t *value_of(const struct umvfs_inode *inode, enum acl_type type, size_t *size)
{
    return umvfs_xattr_value(inode, names[type].text, names[type].len, size);
}

static uint32_t mask_of(struct acl acl)
{
    for (const uint8_t *entry = acl.entries; entry < acl.end; entry += ENTRY_SIZE) {
        if (tag_of(entry) == TAG_MASK)
            return rights_of(entry);
    }
    return 7;
}

/* Whether the entry is one of this user's or of one of its groups, the owner's apart. */
static bool is_about(const uint8_t *entry, const struct umvfs_inode *inode,
                     const struct umvfs_cred *cred)
{
    switch (tag_of(entry)) {
    case TAG_USER:
        return id_of(entry) == cred->uid;
    case TAG_GROUP_OBJ:
        return umvfs_in_group(cred, inode->gid);
    case TAG_GROUP:
        return umvfs_in_group(cred, id_of(entry));
    default:
        return false;
    }
}

bool umvfs_acl_allows(const struct umvfs_inode *inode, const struct umvfs_cred *cred,
                      uint32_t wanted)
{
    size_t size;
    const uint8_t *value = value_of(inode, ACL_ACCESS, &size);
    struct acl acl = acl_in(value, size);
    uint32_t mask = mask_of(acl);
    bool is_member = false;
    for (const uint8_t *entry = acl.entries; entry < acl.end; entry += ENTRY_SIZE) {
        bool grants = (wanted & ~rights_of(entry)) == 0;
        if (tag_of(entry) == TAG_OTHER)
            return !is_member && grants;
        if (!is_about(entry, inode, cred))
            continue;
        if (tag_of(entry) == TAG_USER || grants) /* of several groups one that grants it decides */
            return grants && (wanted & ~mask) == 0;
        is_member = true;
    }
    return false;
}

/* Writes the permissions of a mode into the entries that stand for them. */
static void take_mode(uint8_t *value, size_t size, uint32_t mode)
{
    uint8_t *group = NULL;
    for (uint8_t *entry = value + HEADER_SIZE; entry < value + size; entry += ENTRY_SIZE) {
        uint32_t tag = tag_of(entry);
        if (tag == TAG_USER_OBJ)
            entry[RIGHTS] = mode >> 6 & 7u;
        else if (tag == TAG_OTHER)
            entry[RIGHTS] = mode & 7u;
        else if (tag == TAG_GROUP_OBJ || tag == TAG_MASK)
            group = entry; /* the mask stands behind it */
    }
    if (group)
        group[RIGHTS] = mode >> 3 & 7u;
}

void umvfs_acl_follow_mode(struct umvfs_inode *inode)
{
    size_t size;
    uint8_t *value = value_of(inode, ACL_ACCESS, &size);
    take_mode(value, size, inode->mode);
}

static void set_permissions(struct umvfs_inode *inode, uint32_t permissions)
{
    inode->mode = (uint16_t)((inode->mode & ~0777u) | permissions);
}

/* Notes whether the inode has a list of that type. Its entries without an id get the one that Linux shows. */
static void note(struct umvfs_inode *inode, enum acl_type type)
{
    size_t size;
    uint8_t *value = value_of(inode, type, &size);
    inode->flags &= (uint16_t)~names[type].flag;
    if (!value)
        return;
    inode->flags |= names[type].flag;
    for (uint8_t *entry = value + HEADER_SIZE; entry < value + size; entry += ENTRY_SIZE) {
        if (!(tag_of(entry) & TAGS_WITH_ID))
            memset(entry + ID, 0xff, 4);
    }
}

int umvfs_acl_set(struct umvfs_inode *inode, const struct umvfs_cred *cred, enum acl_type type,
                  const void *value, size_t size)
{
    if (size > UMVFS_XATTR_VALUE_MAX)
        return -UMVFS_ENOSPC; /* nobody looks at more bytes, and the caller need not have them */
    int count = parse(value, size);
    bool is_more = count > 0;
    if (count < 0)
        return count;
    if (umvfs_is_foreign(inode) || umvfs_is_link(inode))
        return -UMVFS_EOPNOTSUPP;
    if (type == ACL_DEFAULT && !umvfs_is_dir(inode))
        return count > 0 ? -UMVFS_EACCES : 0;
    if (!umvfs_owns(inode, cred))
        return -UMVFS_EPERM;
    if (count > 0 && !is_valid(value, size))
        return -UMVFS_EINVAL;
    uint32_t permissions = inode->mode & 0777u;
    if (count > 0 && type == ACL_ACCESS)
        permissions = mode_of(acl_in(value, size), &is_more);
    int err = 0;
    if (is_more)
        err = umvfs_xattr_store(inode, names[type].text, names[type].len, value, size, 0);
    else
        umvfs_xattr_drop(inode, names[type].text, names[type].len);
    if (err)
        return err;
    note(inode, type);
    set_permissions(inode, permissions);
    if (type == ACL_ACCESS && !umvfs_in_group(cred, inode->gid) &&
        !umvfs_capable(cred, UMVFS_CAP_FSETID))
        inode->mode &= (uint16_t)~UMVFS_S_ISGID;
    umvfs_touch_ctime(inode);
    return 0;
}

static int append(struct umvfs_inode *inode, enum acl_type type, const void *value, size_t size)
{
    return umvfs_xattr_append(inode->sb, &inode->xattrs, names[type].text, names[type].len, value,
                              size);
}

int umvfs_acl_inherit(const struct umvfs_inode *dir, struct umvfs_inode *inode)
{
    size_t size;
    const uint8_t *value = value_of(dir, ACL_DEFAULT, &size);
    bool is_more;
    int err = 0;
    set_permissions(inode, inode->mode & mode_of(acl_in(value, size), &is_more));
    if (is_more)
        err = append(inode, ACL_ACCESS, value, size);
    if (!err && umvfs_is_dir(inode))
        err = append(inode, ACL_DEFAULT, value, size);
    if (err)
        return err;
    note(inode, ACL_ACCESS);
    note(inode, ACL_DEFAULT);
    if (is_more)
        umvfs_acl_follow_mode(inode);
    return 0;
}

bool umvfs_acl_adopt(struct umvfs_inode *inode)
{
    size_t size;
    bool is_more = true;
    if (value_of(inode, ACL_DEFAULT, &size) && !umvfs_is_dir(inode))
        return false;
    const uint8_t *value = value_of(inode, ACL_ACCESS, &size);
    if (value && umvfs_is_link(inode))
        return false;
    if (value)
        set_permissions(inode, mode_of(acl_in(value, size), &is_more));
    if (!is_more)
        umvfs_xattr_drop(inode, names[ACL_ACCESS].text, names[ACL_ACCESS].len);
    note(inode, ACL_ACCESS);
    note(inode, ACL_DEFAULT);
    return true;
}
