#!/usr/bin/env python3
"""Checks of what strangers take of a library: check.py PART PREFIX VERSION SOURCE-ROOT FILE...

abi             SHARED ARCHIVE: version, SONAME, exported names, and the interface as it was committed
amalgamation    SOURCE ARCHIVE EXAMPLE: compiles for several machines, and answers as the archive
examples        SHARED ARCHIVE: those in Rust, C++20 and Python do what they should
documents       Doxygen and the manual pages have no warnings
describe        SHARED: writes the description that `abi` compares with
pages           FOLDER: writes the HTML of Doxygen there

The checks write TAP. One whose program is not installed is skipped and names the Debian package.
"""
import ctypes
import io
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile

PART, PREFIX, VERSION, ROOT = sys.argv[1:5]
FILES = [pathlib.Path(name).resolve() for name in sys.argv[5:]]
FOLDER = pathlib.Path(ROOT).resolve() / {"elfparse": "libelfparse", "umvfs": "libvfs"}[PREFIX]
INCLUDE = FOLDER / "include"
PACKAGE = pathlib.Path(ROOT).resolve() / {"elfparse": "libelfparse", "umvfs": "libvfs"}[PREFIX] / "package"
ABI = PACKAGE / f"{PREFIX}.abi"
STRICT = ["-std=c17", "-O0", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wvla", "-Werror"]
COMPILERS = {"gcc": "gcc", "powerpc64-linux-gnu-gcc": "gcc-powerpc64-linux-gnu",
             "i686-linux-gnu-gcc": "gcc-i686-linux-gnu"}
TARGETS = ["x86_64-none-elf", "aarch64-none-elf", "riscv64-none-elf"]
# What may be asked of the surroundings.
WANTED = {"memcpy", "memmove", "memset", "memcmp"}
# The damage of a copy of a program: offset and bytes, of which each breaks another rule.
DAMAGE = [(0, b"\0"), (4, b"\7"), (16, b"\1"), (18, b"\0\0"), (32, b"\xff" * 8), (54, b"\3"), (24, b"\1" * 8)]


class Skip(Exception):
    """Something is not installed."""


def tool(name, package):
    """The path of a program; skips the check without it."""
    path = shutil.which(name)
    if not path:
        raise Skip(f"{name} is not installed (Debian package {package})")
    return path


def run(*words, **more):
    """Runs a program: status, standard output and errors."""
    done = subprocess.run([str(word) for word in words], capture_output=True, check=False, **more)
    return done.returncode, done.stdout, done.stderr


def good(*words, **more):
    """Runs a program that must succeed without a warning; its output."""
    status, output, errors = run(*words, **more)
    text = errors.decode(errors="replace").strip()
    assert status == 0 and not text, f"{' '.join(map(str, words))[:300]}: status {status}: {text[:2000]}"
    return output


def names(file, *options):
    """The names that nm lists."""
    return {line.split()[-1].split("@")[0] for line in good("nm", *options, file).decode().splitlines()
            if len(line.split()) > 1}


def declared():
    """Every word of the public headers."""
    text = "".join(path.read_text() for path in (INCLUDE / PREFIX).glob("*.h"))
    return set(re.findall(r"\w+", re.sub(r"/\*.*?\*/", "", text, flags=re.S)))


def abi_version(_work):
    """Headers and library have the version of the project."""
    major, minor, patch = map(int, VERSION.split("."))
    upper = PREFIX.upper()
    first = {"elfparse": "elfparse/base.h", "umvfs": "umvfs/types.h"}[PREFIX]
    text = f'#include <{first}>\n{upper}_VERSION_STRING {upper}_VERSION\n'
    words = good("cc", "-E", "-P", "-I", INCLUDE, "-", input=text.encode()).decode().splitlines()[-1]
    assert words.split('"')[1] == VERSION, words
    number = major * 1000000 + minor * 1000 + patch
    assert f"(({major}) * 1000000 + ({minor}) * 1000 + ({patch}))" in words, words
    library = ctypes.CDLL(str(FILES[0]))
    assert library[f"{PREFIX}_version"]() == number
    name = {"elfparse": "libelfparse", "umvfs": "libvfs"}[PREFIX]
    wanted = f"{name}.so.{major}.{minor}" if major == 0 else f"{name}.so.{major}"
    assert f"[{wanted}]" in good("readelf", "-d", FILES[0]).decode(), f"SONAME is not {wanted}"


def abi_names(_work):
    """What is exported is what the headers declare, and nothing else."""
    exported = names(FILES[0], "-D", "--defined-only")
    declared_here = names(FILES[1], "-g", "--defined-only") & declared()
    assert len(exported) > 40 and exported == declared_here, sorted(exported ^ declared_here)
    assert names(FILES[0], "-D", "--undefined-only") - WANTED <= {
        "__cxa_finalize", "__gmon_start__", "_ITM_deregisterTMCloneTable", "_ITM_registerTMCloneTable",
        "__stack_chk_fail"}


def abi_description(work):
    """The interface has lost and changed nothing since its description was committed."""
    tool("abidiff", "abigail-tools")
    if b".debug_info" not in good("readelf", "-S", "-W", FILES[0]):
        raise Skip("the library was built without debug information")
    now = describe(work / "now")
    committed = ABI.read_text()
    assert committed.count("<function-decl") > 40
    status, output, errors = run("abidiff", "--no-added-syms", ABI, now)
    assert status == 0, (output + errors).decode()[:3000]


def describe(path):
    """Writes the description of the interface."""
    good("abidw", "--headers-dir", INCLUDE, "--drop-private-types", "--no-show-locs", "--no-comp-dir-path",
         "--no-corpus-path", "--out-file", path, FILES[0])
    return path


def amalgamation_compiles(work):
    """The amalgamation compiles without a warning, freestanding, and asks for nothing new."""
    found = {name: [name] for name in COMPILERS if shutil.which(name)}
    if shutil.which("clang-19"):
        found |= {target: ["clang-19", "--target=" + target] for target in TARGETS}
    if len(found) < len(COMPILERS) + len(TARGETS):
        packages = ", ".join([*COMPILERS.values(), "clang-19"])
        raise Skip(f"a compiler is not installed (Debian packages {packages})")
    jobs = {}
    for name, words in found.items():
        out = work / f"{name}.o"
        jobs[name] = subprocess.Popen([*words, *STRICT, "-ffreestanding", "-c", FILES[0], "-o", out],
                                      stderr=subprocess.PIPE)
    for name, job in jobs.items():
        errors = job.communicate()[1].decode()
        assert job.returncode == 0 and not errors, f"{name}: {errors[:2000]}"
        beyond = names(work / f"{name}.o", "-u") - WANTED
        assert not {word for word in beyond if not word.startswith((".", "__", "_GLOBAL"))}, beyond


def amalgamation_answers(work):
    """The example with the amalgamation answers as with the archive."""
    (work / PREFIX).mkdir()
    for header in (INCLUDE / PREFIX).glob("*.h"):
        (work / PREFIX / header.name).write_text(f'#include "../{PREFIX}.h"\n')
    shutil.copy(FILES[0].with_suffix(".h"), work)
    flags = ["-std=c17", "-O0", "-D_GNU_SOURCE"]
    good("cc", *flags, "-I", work, FILES[2], FILES[0], "-o", work / "one")
    good("cc", *flags, "-I", INCLUDE, FILES[2], FILES[1], "-o", work / "archive")
    verdicts = set()
    for name in inputs(work):
        answer = run(work / "archive", name)
        assert answer == run(work / "one", name), name
        verdicts.add(answer[0])
    assert verdicts == {0, 1}, "not both accepted and refused files"


def inputs(work):
    """Files to try: whole and damaged ones."""
    if PREFIX == "umvfs":
        archive = make_archive()
        whole = [work / "whole.tar"]
        whole[0].write_bytes(archive)
        damage = [(0, b"/"), (100, b"x"), (148, b"9"), (156, b"Z"), (1024, b"\xff" * 512)]
    else:
        whole = [pathlib.Path(os.path.realpath(path)) for path in ("/bin/sh", "/bin/tar", sys.executable)]
        archive, damage = whole[0].read_bytes(), DAMAGE
    for count, (offset, what) in enumerate(damage):
        path = work / f"damaged-{count}"
        path.write_bytes(archive[:offset] + what + archive[offset + len(what):])
        whole.append(path)
    return whole


def make_archive():
    """An archive with a directory, a file in it, a link and two files."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, kind, text in (("etc", tarfile.DIRTYPE, b""),
                                 ("etc/motd", tarfile.REGTYPE, b"hello\n" * 2000),
                                 ("empty", tarfile.REGTYPE, b""), ("link", tarfile.SYMTYPE, b"")):
            entry = tarfile.TarInfo(name)
            entry.type, entry.size, entry.mode, entry.linkname = kind, len(text), 0o755, "etc/motd"
            archive.addfile(entry, io.BytesIO(text))
    return out.getvalue()


def options(source):
    """The options of the compiler in the head of an example, before the name of the file."""
    command = re.search(r"^//!? Build: \S+ (.*)$", source.read_text(), re.M)[1]
    return command[:command.index(source.name)].split()


def example(work, language):
    """The command of an example, built."""
    source = FOLDER / "examples" / {"elfparse": "plan", "umvfs": "list"}[PREFIX]
    library = [f"-L{FILES[0].parent}", "-l" + {"elfparse": "elfparse", "umvfs": "vfs"}[PREFIX]]
    out = work / language
    if language == "rs":
        compiler = shutil.which("rustc", path="/usr/bin") or tool("rustc", "rustc")
        good(compiler, *options(source.with_suffix(".rs")), "-D", "warnings", source.with_suffix(".rs"),
             *library, "-l", "c", "-o", out, cwd=work)
        return [out]
    if language == "cpp":
        good(tool("c++", "g++"), *options(source.with_suffix(".cpp")), "-Wall", "-Wextra", "-Werror", "-I", INCLUDE,
             source.with_suffix(".cpp"), *library, "-o", out)
        return [out]
    if language == "c":
        good("cc", "-I", INCLUDE, source.with_suffix(".c"), FILES[1], "-o", out)
        return [out]
    return [sys.executable, source.with_suffix(".py")]


def with_library():
    """The environment in which a program finds the shared library."""
    return os.environ | {"LD_LIBRARY_PATH": str(FILES[0].parent), "PYTHONDONTWRITEBYTECODE": "1"}


def try_example(work, language):
    """An example in this language gives the right answers."""
    command = example(work, language)
    if PREFIX == "umvfs":
        good_path, bad_path = inputs(work)[:2]
        status, output, errors = run(*command, good_path, "/link", env=with_library())
        expected = b".\n..\n" + b"etc\nempty\nlink\n" + b"hello\n" * 2000
        top, contents = output.split(b"hello\n", 1)
        assert status == 0 and sorted(top.split()) == sorted(b". .. etc empty link".split()), (output, errors)
        assert len(output) == len(expected) and contents == b"hello\n" * 1999
        status, output, errors = run(*command, bad_path, "/link", env=with_library())
        assert (status, output, errors.count(b"\n")) == (1, b"", 1) and len(errors) > 10, errors
        return
    other = example(work, "c")
    for name in inputs(work):
        want, got = run(*other, name), run(*command, name, env=with_library())
        assert want == got and (want[1] or want[2]), f"{name}: {got} instead of {want}"


def python_symbols(work):
    """The example in Python names the function around an address."""
    (work / "a.c").write_text("int around(int x) { return x * 3; }\nint main(void) { return around(0); }\n")
    good("cc", "-O0", work / "a.c", "-o", work / "a")
    address = next(line.split()[0] for line in good("nm", work / "a").decode().splitlines()
                   if line.endswith(" T around"))
    inside = hex(int(address, 16) + 2)
    output = good(*example(work, "py"), work / "a", "0x" + address, inside, env=with_library())
    assert output.decode().splitlines()[-2:] == [f"0x{address}: around+0x0", f"{inside}: around+0x2"]


def documents_doxygen(work):
    """Doxygen makes pages of the headers without a warning, with the contracts in them."""
    pages = write_pages(work)
    assert {path.stem for path in (INCLUDE / PREFIX).glob("*.h")} <= {page.split("_8h")[0] for page in pages}
    page, sentence = {"elfparse": ("plan_8h.html", "Reads the headers through reader, judges them under policy"),
                      "umvfs": ("vfs_8h.html", "Makes an instance with an empty root file system")}[PREFIX]
    assert sentence in pages[page]


def write_pages(folder):
    """Writes the pages of Doxygen: their texts by name."""
    tool("doxygen", "doxygen")
    title = {"elfparse": "libelfparse", "umvfs": "libvfs"}[PREFIX]
    good("doxygen", "-", cwd=folder, input=doxyfile(folder, title).encode())
    return {path.name: path.read_text() for path in (folder / "html").glob("*.html")}


def doxyfile(folder, title):
    """The settings of Doxygen; comments that are not marked are documentation, too."""
    filters = shlex.join([sys.executable, str(pathlib.Path(__file__).resolve()), "filter", PREFIX, VERSION, ROOT])
    return f"""PROJECT_NAME={title}
PROJECT_NUMBER={VERSION}
OUTPUT_DIRECTORY="{folder}"
INPUT="{INCLUDE / PREFIX}"
EXTRACT_ALL=YES
GENERATE_LATEX=NO
OPTIMIZE_OUTPUT_FOR_C=YES
MARKDOWN_SUPPORT=NO
AUTOLINK_SUPPORT=NO
HAVE_DOT=NO
WARN_AS_ERROR=FAIL_ON_WARNINGS
WARN_IF_UNDOCUMENTED=NO
QUIET=YES
INPUT_FILTER="{filters}"
FILTER_PATTERNS=
MACRO_EXPANSION=YES
EXPAND_ONLY_PREDEF=YES
PREDEFINED={PREFIX.upper()}_BEGIN_DECLS= {PREFIX.upper()}_END_DECLS=
"""


def filter_comments(path):
    """A header with its comments marked as Doxygen wants them: before what they describe, or after."""
    text = pathlib.Path(path).read_text()
    text = re.sub(r"([;,{(0-9a-zA-Z_)\\]) *(/\*)(?=[^\n]*)", r"\1 /**<", text)
    text = re.sub(r"^(\s*)/\*(?!\*)", r"\1/**", text, flags=re.M)
    marked = re.sub(r"/\*\*.*?\*/", lambda match: re.sub(r"([<>#%&])(?<!/\*\*<)", r"\\\1", match[0]), text,
                    flags=re.S)
    return re.sub(r"\A(/\*\*)", r"\1 \\file\n *\n", marked)


def documents_manual(_work):
    """The manual page has no mistake."""
    page = PACKAGE / f"{PREFIX}.3"
    output = run(tool("mandoc", "mandoc"), "-T", "lint", "-W", "warning", page)
    assert output[:2] == (0, b""), output
    text = page.read_text()
    headers = {path.stem for path in (INCLUDE / PREFIX).glob("*.h")} - {"elfparse"}
    assert {name for name in headers if f"<{PREFIX}/{name}.h>" not in text} == set()


def languages():
    """The checks of each example."""
    checks = {language: (lambda work, name=language: try_example(work, name)) for language in ("rs", "cpp", "py")}
    if PREFIX == "elfparse":
        checks["symbols"] = python_symbols
    return checks


def main():
    if PART == "filter":
        sys.stdout.write(filter_comments(FILES[0]))
        return
    if PART == "describe":
        describe(ABI)
        return
    if PART == "pages":
        FILES[0].mkdir(parents=True, exist_ok=True)
        write_pages(FILES[0])
        return
    checks = {
        "abi": {"version": abi_version, "names": abi_names, "description": abi_description},
        "amalgamation": {"compiles": amalgamation_compiles, "answers": amalgamation_answers},
        "examples": languages(),
        "documents": {"doxygen": documents_doxygen, "manual": documents_manual},
    }[PART]
    print(f"1..{len(checks)}")
    for number, (name, check) in enumerate(checks.items(), 1):
        with tempfile.TemporaryDirectory() as work:
            try:
                check(pathlib.Path(work))
                print(f"ok {number} - {PREFIX} {name}", flush=True)
            except Skip as reason:
                print(f"ok {number} - {PREFIX} {name} # SKIP {reason}", flush=True)
            except (AssertionError, OSError) as reason:
                print("".join(f"# {line}\n" for line in str(reason).splitlines()), end="")
                print(f"not ok {number} - {PREFIX} {name}", flush=True)


main()
