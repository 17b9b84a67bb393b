#!/usr/bin/env python3
"""What linkers and editors write, judged and run: matrix.py ELFPARSE [--all] [--seed N] [--verbose]

Builds programs and shared objects with every linker, compiler, option and editor in turn, so that
each two of these values meet at least once (--all: 6 times as many files). Each file is run by this
machine's Linux and judged by the command elfparse under both policies:

  what Linux runs is accepted under linux-compat, or is refused by a rule that a row of
  fuzz/divergences.tsv with the judge "matrix" allows for such a case; what Linux's execve refuses
  is refused; the policy kernel refuses more only by a rule of ISOLATION.

A tool that is missing is named and its values are left out. Exit status 0: all agree, 1: some file
does not, 77: there is no linker but the compiler's own.
"""

import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

FUZZ = Path(__file__).resolve().parents[2] / "fuzz"
sys.path.append(str(FUZZ))
import divergences  # noqa: E402

PROGRAM = """
#include <stdio.h>
static int data = 3, bss[5000];
static __thread volatile int tls = 4;
static const char *const names[] = {"a", "b"};
int unused(int x) { return x * bss[7]; }
__attribute__((constructor)) static void begin(void) { bss[4999] = data + tls; }
int main(int argc, char **argv) { return printf("%s%d\\n", names[argc & 1], bss[4999]) != 3; }
"""

SHARED = """
static int data = 3, bss[5000];
__thread char zero;
static const char *const names[] = {"a", "b"};
int *const pointer = &data;
const char *name(int i) { return names[i & 1]; }
int unused(int x) { return x * bss[7]; }
int answer(void) { bss[4999] = 39; return bss[4999] + *pointer + zero; }
"""

DATA_ONLY = "int value = 42; int *pointer = &value; __thread char zero;\n"

BARE = """
static volatile int data = 3, bss[5000];
int unused(int x) { return x * bss[7]; }
void _start(void)
{
    long status = data != 3 || bss[17] != 0;
    __asm__ volatile("syscall" : : "a"(60L), "D"(status) : "rcx", "r11");
    __builtin_unreachable();
}
"""

# dlopen, and a look at what the object has.
LOADER = """
#include <dlfcn.h>
int main(int argc, char **argv)
{
    void *object = dlopen(argv[1], RTLD_NOW);
    int (*answer)(void) = 0;
    int *value = 0;
    if (object == 0) return 2;
    *(void **)&answer = dlsym(object, "answer");
    value = dlsym(object, "value");
    return answer ? answer() != 42 : value ? *value != 42 : 3;
}
"""

# One with thread-local storage that is aligned to more than a page.
ALIGNED = PROGRAM.replace("__thread", "__thread __attribute__((aligned(65536)))")

SOURCES = {"static": PROGRAM, "static-pie": ALIGNED, "pie": PROGRAM, "no-pie": PROGRAM,
           "shared": SHARED, "data-only": DATA_ONLY, "nostdlib": BARE, "nostdlib-pie": BARE}
CODE = {"static": [], "static-pie": ["-fPIE"], "pie": ["-fPIE"], "no-pie": ["-fno-pie"],
        "shared": ["-fPIC"], "data-only": ["-fPIC"], "nostdlib": ["-fno-pie"],
        "nostdlib-pie": ["-fPIE"]}
LINK = {"static": ["-static"], "static-pie": ["-static-pie"], "pie": ["-pie"],
        "no-pie": ["-no-pie"], "shared": ["-shared"], "data-only": ["-shared", "-nostdlib"],
        "nostdlib": ["-nostdlib", "-static", "-no-pie"],
        "nostdlib-pie": ["-nostdlib", "-static-pie"]}

# tool: Debian package
COMPILERS = {"gcc": "gcc", "clang-19": "clang-19", "musl-gcc": "musl-tools"}
LINKERS = {"ld.bfd": "binutils", "ld.gold": "binutils", "ld.lld-19": "lld-19", "mold": "mold"}
EDITORS = {"strip": "binutils", "objcopy": "binutils", "eu-strip": "elfutils",
           "patchelf": "patchelf", "sh": "dash", "truncate": "coreutils", "llvm-strip-19": "llvm-19",
           "llvm-objcopy-19": "llvm-19"}

# value: flags, and the linkers that know them (none named: all)
OPTIONS = {
    "build-id": {"-": [], "none": ["--build-id=none"], "sha1": ["--build-id=sha1"],
                 "uuid": ["--build-id=uuid"]},
    "relro": {"-": [], "off": ["-z", "norelro"], "now": ["-z", "relro", "-z", "now"]},
    "separate": {"-": [], "yes": ["-z", "separate-code"], "no": ["-z", "noseparate-code"],
                 "loads": ["-z", "separate-loadable-segments"]},
    "page": {"-": [], "64K": ["-z", "max-page-size=65536"],
             "2M": ["-z", "max-page-size=0x200000"],
             "64K-common": ["-z", "max-page-size=65536", "-z", "common-page-size=65536"]},
    "hash": {"-": [], "sysv": ["--hash-style=sysv"], "gnu": ["--hash-style=gnu"],
             "both": ["--hash-style=both"]},
    "relr": {"-": [], "bfd": ["-z", "pack-relative-relocs"], "other": ["--pack-dyn-relocs=relr"]},
    "layout": {"-": [], "-N": ["-N"], "-n": ["-n"], "gc": ["--gc-sections"],
               "rosegment": ["--no-rosegment"], "execstack": ["-z", "execstack"],
               "base": ["-Ttext-segment=0x7f0000000000"], "image-base": ["--image-base=0x7f0000000000"],
               "eh": ["--eh-frame-hdr"]},
}
KNOWN_BY = {
    ("separate", "yes"): {"ld.bfd", "ld.lld-19", "mold"},
    ("separate", "no"): {"ld.bfd", "ld.lld-19", "mold"},
    ("separate", "loads"): {"ld.lld-19", "mold"},
    ("page", "64K-common"): {"ld.bfd", "ld.gold", "ld.lld-19"},
    ("relr", "bfd"): {"ld.bfd"},
    ("relr", "other"): {"ld.lld-19", "mold"},
    ("layout", "-N"): {"ld.bfd", "ld.gold", "ld.lld-19", "mold"},
    ("layout", "-n"): {"ld.bfd", "ld.gold", "ld.lld-19"},
    ("layout", "rosegment"): {"ld.lld-19"},
    ("layout", "base"): {"ld.bfd", "ld.gold"},
    ("layout", "image-base"): {"ld.lld-19", "mold"},
}

SAME = "/lib64/ld-linux-x86-64.so.2"
EDITS = {
    "-": [],
    "strip": [["strip", "FILE"]],
    "strip-debug": [["strip", "-g", "FILE"]],
    "objcopy": [["objcopy", "FILE"]],
    "objcopy-add": [["objcopy", "--add-section", ".extra=FILE", "FILE"]],
    "objcopy-compress": [["objcopy", "--compress-debug-sections", "FILE"]],
    "eu-strip": [["eu-strip", "FILE"]],
    "llvm-strip": [["llvm-strip-19", "--strip-sections", "FILE"]],
    "llvm-objcopy": [["llvm-objcopy-19", "--strip-unneeded", "FILE"]],
    "rpath": [["patchelf", "--set-rpath", "/opt/a/long/path/that/does/not/fit:/opt/lib", "FILE"]],
    "interpreter": [["patchelf", "--set-interpreter", "/lib64/../lib64/./ld-linux-x86-64.so.2",
                     "FILE"]],
    "rpath-strip": [["patchelf", "--set-rpath", "/opt/a/long/path/that/does/not/fit", "FILE"],
                    ["strip", "FILE"]],
    "needed": [["patchelf", "--add-needed", "libm.so.6", "FILE"]],
    # AppImage's mark in e_ident and a file system after the program, here of 5 GiB of zeros
    "appimage": [["sh", "-c", "printf 'AI\\002' | dd of='FILE' bs=1 seek=8 conv=notrunc"],
                 ["truncate", "-s", "5G", "FILE"]],
}

# Rules by which linux-compat refuses what Linux runs, and the cases where it may.
NAMED = divergences.read(FUZZ / "divergences.tsv", "matrix")
# Rules by which the policy kernel may refuse more.
ISOLATION = {"O1", "O2", "O6"}


def axes_here():
    """The axes, without the values whose tools are missing."""
    def there(tools):
        found = []
        for tool, package in tools.items():
            if shutil.which(tool):
                found.append(tool)
            else:
                print(f"skipped: {tool} is not installed (Debian package {package})")
        return found

    editors = set(there(EDITORS))
    axes = {"kind": list(SOURCES), "compiler": there(COMPILERS), "linker": there(LINKERS)}
    axes.update({name: list(values) for name, values in OPTIONS.items()})
    axes["edit"] = [name for name, commands in EDITS.items()
                    if all(command[0] in editors for command in commands)]
    return axes


def possible(case):
    """No two values of the (perhaps partial) case exclude each other."""
    linker, kind, compiler = case.get("linker"), case.get("kind"), case.get("compiler")
    for name in OPTIONS:
        known = KNOWN_BY.get((name, case.get(name)))
        if known and linker and linker not in known:
            return False
    if compiler == "musl-gcc" and (linker not in (None, "ld.bfd") or
                                   kind not in (None, "static", "no-pie", "nostdlib")):
        return False
    dynamic = kind in (None, "pie", "no-pie", "shared", "data-only")
    if case.get("edit") in ("rpath", "rpath-strip", "needed") and not dynamic:
        return False
    if case.get("edit") == "interpreter" and (kind not in (None, "pie", "no-pie") or
                                              compiler == "musl-gcc"):
        return False
    if case.get("edit") == "appimage" and kind in ("shared", "data-only"):
        return False  # Linux does not look at the mark, but dlopen does
    if case.get("edit") == "needed" and compiler == "musl-gcc":
        return False
    if case.get("layout") in ("-N", "-n") and kind not in (None, "static", "nostdlib"):
        return False  # they look for static libraries alone
    if case.get("layout") in ("-N", "-n") and case.get("page") not in (None, "-"):
        return False
    if case.get("layout") in ("base", "image-base") and \
            kind not in (None, "pie", "nostdlib-pie"):
        return False
    if linker == "ld.gold" and kind in ("static-pie", "nostdlib-pie"):
        return False  # it has no --no-dynamic-linker
    if kind in ("static", "static-pie") and case.get("relr") == "bfd":
        return False  # asks for a version of libc that static libc does not have
    return True


def pairs_of(case):
    return set(itertools.combinations(sorted(case.items()), 2))


def fill(case, axes, missing, rng):
    """Completes the case with the values that bring most of the missing pairs; None: impossible."""
    names = [name for name in axes if name not in case]
    rng.shuffle(names)
    for name in names:
        fits = [value for value in axes[name] if possible({**case, name: value})]
        if not fits:
            return None
        rng.shuffle(fits)
        case = {**case, name: max(fits, key=lambda value: len(
            {tuple(sorted([(name, value), item])) for item in case.items()} & missing))}
    return case


def pairwise(axes, rng):
    missing = {pair for a, b in itertools.combinations(sorted(axes), 2)
               for pair in itertools.product([(a, v) for v in axes[a]], [(b, v) for v in axes[b]])
               if possible(dict(pair))}
    cases = []
    for pair in sorted(missing):
        if pair not in missing:
            continue
        tries = [fill(dict(pair), axes, missing, rng) for _ in range(4)]
        tries = [case for case in tries if case]
        if tries:
            best = max(tries, key=lambda case: len(pairs_of(case) & missing))
            missing -= pairs_of(best)
            cases.append(best)
        else:
            missing.discard(pair)  # only together with a third value that excludes one of them
    return cases


class Work:
    """A directory with the objects that every link starts from."""

    def __init__(self, directory, compilers):
        self.directory = Path(directory)
        (self.directory / "ld").mkdir()
        for linker in LINKERS:
            path = shutil.which(linker)
            if path:
                name = {"mold": "ld.mold", "ld.lld-19": "ld.lld"}.get(linker, linker)
                (self.directory / "ld" / name).symlink_to(path)
        self.loader = self.directory / "loader"
        self.compile_loader()
        for compiler in compilers:
            for kind, source in SOURCES.items():
                self.compile(compiler, kind, source)

    def compile_loader(self):
        source = self.directory / "loader.c"
        source.write_text(LOADER)
        subprocess.run(["gcc", "-O1", source, "-o", self.loader, "-ldl"], check=True)

    def object(self, compiler, kind):
        return self.directory / f"{compiler}-{kind}.o"

    def compile(self, compiler, kind, source):
        path = self.directory / f"{kind}.c"
        path.write_text(source)
        subprocess.run([compiler, "-O1", "-g", "-ffunction-sections", "-fno-stack-protector",
                        *CODE[kind], "-c", path, "-o", self.object(compiler, kind)], check=True)

    def link(self, case, out):
        flavour = {"ld.bfd": "bfd", "ld.gold": "gold", "ld.lld-19": "lld", "mold": "mold"}
        command = [case["compiler"], "-B", self.directory / "ld", *LINK[case["kind"]],
                   self.object(case["compiler"], case["kind"]), "-o", out]
        if case["compiler"] != "musl-gcc":
            command.insert(1, "-fuse-ld=" + flavour[case["linker"]])
        for name, values in OPTIONS.items():
            for flag in values[case[name]]:
                command.append("-Wl," + flag)
        return subprocess.run(command, capture_output=True, text=True)

    def edit(self, case, out):
        for command in EDITS[case["edit"]]:
            words = [word.replace("FILE", str(out)) for word in command]
            done = subprocess.run(words, capture_output=True, text=True)
            if done.returncode != 0:
                return done
        return None


def run(work, case, out):
    """'runs', 'fails' (it starts and does wrong), or 'refused' by execve."""
    command = [work.loader, out] if case["kind"] in ("shared", "data-only") else [out]
    try:
        done = subprocess.run(command, capture_output=True, timeout=60)
    except OSError:
        return "refused"
    return "runs" if done.returncode == 0 else f"fails with {done.returncode}"


def judge(elfparse, policy, out):
    done = subprocess.run([elfparse, "--json", "--policy", policy, out], capture_output=True)
    verdict = json.loads(done.stdout)[0]
    return None if verdict["accepted"] else verdict["errors"][0]


def disagreement(case, linux, compat, kernel):
    """What is wrong, or None."""
    if linux == "runs" and compat and not any(
            row.what == compat["rule"] and row.there.search(" " + describe(case)) for row in NAMED):
        return "Linux runs it, linux-compat refuses it: " + compat["text"]
    if linux == "refused" and not compat:
        return "execve refuses it, linux-compat accepts it"
    if kernel and not compat and kernel["rule"] not in ISOLATION:
        return "linux-compat accepts it, kernel refuses it: " + kernel["text"]
    if kernel and not compat and kernel["rule"] == "O2" and case["edit"] != "interpreter":
        return "kernel refuses the interpreter: " + kernel["text"]
    if compat and not kernel:
        return "kernel accepts it, linux-compat refuses it: " + compat["text"]
    return None


def try_case(work, elfparse, number, case):
    """(state, text): what became of the case."""
    out = work.directory / f"file{number}"
    done = work.link(case, out)
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if "error" in line or "ld" in line]
        return "not linked", (lines or [done.stderr])[0][:160]
    edited = work.edit(case, out)
    if edited:
        return "not edited", edited.stderr.strip()[:160]
    linux = run(work, case, out)
    compat = judge(elfparse, "linux-compat", out)
    kernel = judge(elfparse, "kernel", out)
    wrong = disagreement(case, linux, compat, kernel)
    if not wrong:
        out.unlink()
        return (f"{compat['rule']} (Linux: {linux})" if compat else linux), ""
    return "WRONG", wrong


def describe(case):
    return " ".join(f"{name}={value}" for name, value in case.items() if value != "-")


def main(arguments):
    elfparse = Path(arguments[0]).resolve()
    seed = int(arguments[arguments.index("--seed") + 1]) if "--seed" in arguments else 1
    axes = axes_here()
    if len(axes["linker"]) < 2:
        return 77
    cases = []
    for round_ in range(6 if "--all" in arguments else 1):
        cases += pairwise(axes, random.Random(seed + round_))
    states = {}
    with tempfile.TemporaryDirectory() as directory:
        work = Work(directory, axes["compiler"])
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            results = pool.map(lambda item: try_case(work, elfparse, *item), enumerate(cases))
            for case, (state, text) in zip(cases, results):
                states[state] = states.get(state, 0) + 1
                if text or "--verbose" in arguments:
                    print(f"{state}: {describe(case)}: {text}")
    print(f"{len(cases)} files: " + ", ".join(f"{n} {state}" for state, n in sorted(states.items())))
    made = len(cases) - states.get("not linked", 0) - states.get("not edited", 0)
    if "WRONG" in states or states.get("runs", 0) < made // 2 or made < len(cases) // 2:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
