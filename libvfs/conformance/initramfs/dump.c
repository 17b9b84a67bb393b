/* /init of the comparison with Linux: prints the tree that the kernel made of an archive, in the lines
 * of tests/archive_tool.c, and ends the machine. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static void print_text(const char *text)
{
    for (; *text; text++) {
        if (*text > ' ' && *text < 0x7f && *text != '\\')
            putchar(*text);
        else
            printf("\\x%02x", (unsigned char)*text);
    }
}

static unsigned sum_of(const char *path)
{
    unsigned char buf[4096];
    unsigned sum = 0;
    ssize_t got;
    int fd = open(path, O_RDONLY);
    while ((got = read(fd, buf, sizeof buf)) > 0)
        for (ssize_t i = 0; i < got; i++)
            sum = sum * 31 + buf[i];
    close(fd);
    return sum;
}

static void print_tree(const char *path);

static void print_children(const char *path)
{
    struct dirent *entry;
    char child[8192];
    DIR *dir = opendir(*path ? path : "/");
    while (dir && (entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
        print_tree(child);
    }
    if (dir)
        closedir(dir);
}

static void print_tree(const char *path)
{
    struct stat st;
    char target[4097] = "";
    const char *name = *path ? path : "/";
    if (lstat(name, &st))
        return;
    if (S_ISLNK(st.st_mode))
        target[readlink(name, target, sizeof target - 1)] = '\0';
    printf("@%o %u %u %u %lu,%u,%u ", st.st_mode, st.st_uid, st.st_gid,
           S_ISDIR(st.st_mode) ? 0 : (unsigned)st.st_nlink,
           S_ISREG(st.st_mode) ? (unsigned long)st.st_size : 0, major(st.st_rdev),
           minor(st.st_rdev));
    if (st.st_mtime >= 1700000000 && st.st_mtime < 4000000000)
        printf("now");
    else
        printf("%ld", (long)st.st_mtime);
    printf(" %u ", S_ISREG(st.st_mode) ? sum_of(name) : 0);
    print_text(name);
    printf("%s", *target ? " -> " : "");
    print_text(target);
    printf("\n");
    if (S_ISDIR(st.st_mode))
        print_children(path);
}

int main(void)
{
    print_tree("");
    printf("@end\n");
    fflush(stdout);
    fsync(1);
    reboot(RB_AUTOBOOT);
    return 0;
}
