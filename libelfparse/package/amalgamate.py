#!/usr/bin/env python3
"""Writes a library as one header and one source: amalgamate.py PREFIX VERSION OUTPUT LIBRARY SOURCE...

PREFIX.h holds the public headers, each after those that it includes; PREFIX.c includes it and holds the
internal headers and all sources. Macros that a source defines end with it. A static function or
constant whose name several sources use gets the name of its source in front.
"""
import pathlib
import re
import sys

INCLUDE = re.compile(r'^#include ([<"])([^>"]+)[>"]\n', re.M)
MACRO = re.compile(r"^#define (\w+)", re.M)
STATIC = re.compile(r"^static (?:inline |const )*[\w ]*?\*?(\w+)(?:\(|\[| =)", re.M)
ENUM = re.compile(r"^enum[^;{]*\{(.*?)\}", re.M | re.S)
COMMENT = re.compile(r"/\*.*?\*/", re.S)
# Inline functions of internal headers that nobody calls; clang sees no header around them here.
UNUSED = """#ifdef __clang__
#pragma clang diagnostic ignored "-Wunused-function"
#endif
"""
TAG = re.compile(r"^(?:struct|enum|union) (\w+) \{", re.M)


class Library:
    """The files of a library, and which were written already."""

    def __init__(self, prefix, folder):
        self.prefix = prefix
        self.include = folder / "include"
        self.sources = folder / "src"
        self.seen = set()

    def public(self, match):
        """What stands instead of an #include in a public header."""
        path = self.include / match[2]
        if match[1] == "<" and path.exists():
            return self.once(path, self.public)
        return match[0]

    def private(self, match):
        """What stands instead of an #include in a source or internal header."""
        if match[1] == '"':
            return self.once(self.sources / match[2], self.private)
        return "" if (self.include / match[2]).exists() else match[0]

    def once(self, path, how):
        """The text of a file with its includes, the first time."""
        if path in self.seen:
            return ""
        self.seen.add(path)
        return INCLUDE.sub(how, path.read_text(encoding="utf-8"))


def names(text):
    """What a source defines for itself, besides macros."""
    constants = {word.split("=")[0].strip() for body in ENUM.findall(COMMENT.sub("", text))
                 for word in body.split(",")}
    return set(STATIC.findall(text)) | set(TAG.findall(text)) | constants - {""}


def rename(text, name, stem):
    """The text with a name that others use as well made its own; members and strings keep theirs."""
    pattern = rf'("(?:\\.|[^"\\\n])*")|(?<![\w.])(?<!->){name}(?!\w)'
    return re.sub(pattern, lambda match: match[1] or f"{stem}_{name}", text)


def head(prefix, version, what):
    return (f"/* {prefix} {version}: {what}, made by `ninja amalgamation` of umbra.\n"
            " * SPDX-License-Identifier: MIT */\n")


def main():
    prefix, version, output, folder = sys.argv[1:5]
    sources = [pathlib.Path(source) for source in sys.argv[5:]]
    library = Library(prefix, pathlib.Path(folder))
    output = pathlib.Path(output)

    parts = [head(prefix, version, "all public headers")]
    headers = sorted((library.include / prefix).glob("*.h"))
    parts += [library.once(header, library.public) for header in headers]
    (output / f"{prefix}.h").write_text("".join(parts), encoding="utf-8")

    texts = {source: source.read_text(encoding="utf-8") for source in sources}
    own = {source: names(text) for source, text in texts.items()}
    shared = {name for source in sources for name in own[source]
              if sum(name in other for other in own.values()) > 1}
    parts = [head(prefix, version, "all sources"), f'#include "{prefix}.h"\n', UNUSED]
    for source in sources:
        text = texts[source]
        for name in sorted(own[source] & shared):
            text = rename(text, name, source.stem)
        parts.append(INCLUDE.sub(library.private, text))
        parts += [f"#undef {name}\n" for name in MACRO.findall(texts[source])]
    (output / f"{prefix}.c").write_text("".join(parts), encoding="utf-8")

    read = sorted(str(path) for path in library.seen | set(sources))
    (output / f"{prefix}.d").write_text(f"{output / prefix}.h {output / prefix}.c: "
                                        + " ".join(read) + "\n", encoding="utf-8")


main()
