// list ARCHIVE FILE: imports a cpio or tar archive, lists its top directory and prints a file: C++20.
// Build: c++ -std=c++20 list.cpp $(pkg-config --cflags --libs vfs) -o list
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string_view>
#include <vector>

#include <umvfs/archive.h>
#include <umvfs/file.h>

static_assert(UMVFS_VERSION >= UMVFS_VERSION_NUMBER(0, 2, 0));

// An instance with a task that may do everything.
class Tree {
  public:
    umvfs_cred cred{.uid = 0, .gid = 0, .caps = UMVFS_CAP_ALL, .group_count = 0, .groups = nullptr};
    umvfs_task task{};

    Tree()
    {
        umvfs_config config{};
        config.alloc = [](void *, std::size_t size) { return std::malloc(size); };
        config.free = [](void *, void *object, std::size_t) { std::free(object); };
        config.page_alloc = [](void *) { return std::aligned_alloc(UMVFS_PAGE_SIZE, UMVFS_PAGE_SIZE); };
        config.page_put = [](void *, void *page) { std::free(page); };
        config.seed[0] = 1; // random, in a program that takes archives from strangers
        if (umvfs_new(&config, &task.vfs) != 0)
            std::abort();
        task.cred = &cred;
        umvfs_root(task.vfs, &task.root);
        umvfs_root(task.vfs, &task.cwd);
    }
    ~Tree()
    {
        umvfs_path_put(&task.root);
        umvfs_path_put(&task.cwd);
        umvfs_destroy(task.vfs);
    }
    Tree(const Tree &) = delete;
    Tree &operator=(const Tree &) = delete;
};

static int print_entry(void *, const char *name, std::size_t len, std::uint64_t, unsigned, std::uint64_t)
{
    std::printf("%.*s\n", static_cast<int>(len), name);
    return 0;
}

int main(int argc, char **argv)
{
    std::ifstream in{argc == 3 ? argv[1] : "", std::ios::binary};
    if (!in)
        return 1;
    const std::vector<char> bytes{std::istreambuf_iterator<char>{in}, {}};
    Tree tree;
    umvfs_import_error error;
    if (umvfs_import_memory(&tree.task, nullptr, "/", nullptr, bytes.data(), bytes.size(), &error) != 0) {
        std::fprintf(stderr, "%s\n", umvfs_archive_reason_text(error.reason));
        return 1;
    }
    umvfs_file file;
    if (umvfs_open(&tree.task, nullptr, "/", UMVFS_O_DIRECTORY, 0, 0, &file) != 0)
        return 1;
    umvfs_readdir(&file, print_entry, nullptr);
    umvfs_close(&file);
    if (umvfs_open(&tree.task, nullptr, argv[2], UMVFS_O_RDONLY, 0, 0, &file) != 0)
        return 1;
    char piece[512];
    for (std::int64_t got; (got = umvfs_read(&file, piece, sizeof piece)) > 0;)
        std::fwrite(piece, 1, static_cast<std::size_t>(got), stdout);
    umvfs_close(&file);
}
