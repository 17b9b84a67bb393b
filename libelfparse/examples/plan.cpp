// Prints what a loader would map of the program named on the command line, as plan.c does: C++20.
// Build: c++ -std=c++20 plan.cpp $(pkg-config --cflags --libs elfparse) -o plan
#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <span>
#include <vector>

#include <elfparse/elfparse.h>

static_assert(ELFPARSE_VERSION >= ELFPARSE_VERSION_NUMBER(0, 2, 0));

int main(int argc, char **argv)
{
    std::ifstream file{argc == 2 ? argv[1] : "", std::ios::binary};
    if (!file)
        return 1;
    const std::vector<char> bytes{std::istreambuf_iterator<char>{file}, {}};
    const elfparse_reader reader = elfparse_reader_memory(bytes.data(), bytes.size());

    std::array<unsigned char, ELFPARSE_SCRATCH_SIZE(128, 4096)> scratch;
    std::array<elfparse_range, 64 * ELFPARSE_RANGES_PER_LOAD> ranges;
    const elfparse_storage storage{.scratch = scratch.data(), .scratch_size = scratch.size(),
                                   .ranges = ranges.data(), .range_capacity = ranges.size()};
    elfparse_plan plan;
    elfparse_error error;
    if (elfparse_plan_make(&reader, &elfparse_policy_linux_compat, &storage, &plan, &error) != 0) {
        std::array<char, ELFPARSE_ERROR_MAX> text;
        elfparse_error_format(&error, text.data(), text.size());
        std::fprintf(stderr, "%s: %s\n", argv[1], text.data());
        return 1;
    }
    for (const elfparse_range &range : std::span{plan.ranges, plan.range_count})
        std::printf("map %#llx, %llu bytes, %llu of them from offset %llu\n",
                    static_cast<unsigned long long>(range.vaddr),
                    static_cast<unsigned long long>(range.size),
                    static_cast<unsigned long long>(range.file_bytes),
                    static_cast<unsigned long long>(range.offset));
}
