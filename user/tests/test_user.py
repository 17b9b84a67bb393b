#!/usr/bin/env python3
"""Host tests of init, the test runner, the archive tool, the fault table and the README, in TAP.

    test_user.py --build DIRECTORY --source DIRECTORY [unittest options]

DIRECTORY is user/ in the build and in the source tree.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

BUILD = Path()
SOURCE = Path()
ADDR = "0x[0-9a-f]+"


def run(*command, **options):
    return subprocess.run([str(word) for word in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=600, check=False, **options)


class TemporaryDirectory(unittest.TestCase):
    def setUp(self):
        self.directory = Path(tempfile.mkdtemp(prefix="umbra-user-"))
        self.addCleanup(shutil.rmtree, self.directory)

    def write(self, name, text):
        path = self.directory / name
        path.write_text(text)
        return path


class Init(TemporaryDirectory):
    def init(self, units):
        path = self.write("units", units)
        result = run(BUILD / "init", path)
        return result.returncode, result.stdout.replace(str(path), "units")

    def test_success_of_every_unit_is_status_0(self):
        status, text = self.init("# comment\n\na wait /bin/echo one two # more\nb once /bin/true\n")
        self.assertEqual(status, 0, text)
        self.assertIn("one two\n", text)
        self.assertRegex(text, r"init: a \(pid \d+\) ended with status 0\n")
        self.assertRegex(text, r"init: b \(pid \d+\) ended with status 0\n")
        self.assertIn("every one succeeded\n", text)

    def test_a_failing_unit_is_status_1(self):
        for mode in ("wait", "once"):
            status, text = self.init(f"a {mode} /bin/false\n")
            self.assertEqual(status, 1, text)
            self.assertRegex(text, r"init: a \(pid \d+\) ended with status 1\n")

    def test_a_unit_that_is_killed_is_named_with_its_signal(self):
        status, text = self.init(f"a wait {BUILD}/fault null-read\n")
        self.assertEqual(status, 1, text)
        self.assertRegex(text, r"init: a \(pid \d+\) was ended by signal 11, Segmentation fault")

    def test_wait_units_run_one_after_the_other(self):
        _, text = self.init("a wait /bin/sleep 0.2\nb wait /bin/echo second\n")
        self.assertLess(text.index("init: a (pid"), text.index("second"))

    def test_a_missing_program_is_named_and_the_others_run(self):
        status, text = self.init("a wait /nowhere/x\nb wait /bin/echo still here\n")
        self.assertEqual(status, 1)
        self.assertIn("init: a: cannot start /nowhere/x: No such file or directory\n", text)
        self.assertIn("still here\n", text)

    def test_respawn_starts_again_and_is_stopped_at_the_end(self):
        status, text = self.init("r respawn /bin/true\na wait /bin/sleep 1\n")
        self.assertEqual(status, 0, text)
        self.assertGreaterEqual(text.count("init: r "), 2)

    def test_respawn_gives_up_a_unit_that_fails_every_time(self):
        status, text = self.init("r respawn /bin/false\na wait /bin/sleep 3\n")
        self.assertEqual(status, 1, text)
        self.assertIn("init: r failed 5 times in a row, given up\n", text)

    def test_malformed_lists_are_refused_with_the_line(self):
        many_words = " ".join(["/bin/true"] + ["x"] * 24)
        cases = {
            "a\n": "1: the mode is missing",
            "# one\n\na often /bin/true\n": "3: the mode must be wait, once or respawn",
            "a wait\n": "1: the command is missing",
            "a wait # /bin/true\n": "1: the command is missing",
            "a wait true\n": "1: the command is not an absolute path",
            f"a wait {many_words}\n": "1: the command has too many words",
            "a wait /bin/true\n" * 33: "33: there are too many units",
        }
        for units, wrong in cases.items():
            status, text = self.init(units)
            self.assertEqual(status, 1, text)
            self.assertIn(f"init: units:{wrong}\n", text)
            self.assertNotIn("ended", text, "nothing may run of a malformed list")

    def test_limits_of_the_list_are_exact(self):
        status, text = self.init("a wait /bin/true\n" * 32)
        self.assertEqual(status, 0, text)
        line = "a wait /bin/true\n#"
        status, text = self.init(line + "x" * (8192 - len(line)))
        self.assertEqual(status, 0, text)
        status, text = self.init(line + "x" * (8193 - len(line)))
        self.assertEqual((status, text.count("File too large")), (1, 1), text)

    def test_a_missing_list_is_named(self):
        result = run(BUILD / "init", "/nowhere/units")
        self.assertEqual(result.returncode, 1)
        self.assertIn("init: /nowhere/units: No such file or directory\n", result.stdout)


class Runner(TemporaryDirectory):
    def runner(self, text):
        for name in ("run", "child", "calls"):
            shutil.copy(BUILD / "tests" / name, self.directory)
        self.write("list", text)
        result = run(self.directory / "run", "list")
        self.check_numbers(result.stdout)
        return result.returncode, result.stdout

    def check_numbers(self, text):
        numbers = [int(n) for n in re.findall(r"^(?:not )?ok (\d+) ", text, re.M)]
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)), text)
        self.assertIn(f"\n1..{len(numbers)}\n", text)

    def test_the_points_of_two_programs_are_one_stream(self):
        status, text = self.runner("child 5 exit 0\nchild 5 exit 0\n")
        self.assertEqual(status, 0, text)
        self.assertIn("1..2\n", text)

    def test_a_program_with_failing_points_fails(self):
        status, text = self.runner("calls 5\nchild 5 exit 1\nchild 5 exit 0\n")
        self.assertEqual(status, 1, text)
        self.assertEqual(text.count("not ok") >= 1, True, text)
        self.assertIn("# child ended with exit 1\n", text)
        self.assertRegex(text, r"\nok \d+ - child ran to its end")

    def test_a_program_that_crashes_fails(self):
        status, text = self.runner("child 5 kill 11\nchild 5 exit 0\n")
        self.assertEqual(status, 1, text)
        self.assertIn("# child ended with signal 11\n", text)

    def test_a_program_that_hangs_is_ended(self):
        for mode in ("spin", "sleep 30000"):
            status, text = self.runner(f"child 1 {mode}\n")
            self.assertEqual(status, 1, text)
            self.assertRegex(text, r"# child ended with signal (9|14)\n")

    def test_a_missing_program_fails_unless_it_may_be_missing(self):
        status, text = self.runner("nothing 5\n")
        self.assertEqual(status, 1, text)
        self.assertIn("# nothing cannot be started: No such file or directory\n", text)
        status, text = self.runner("?nothing 5\n")
        self.assertEqual(status, 0, text)
        self.assertIn("ok 1 - nothing # SKIP it was not built\n", text)

    def test_malformed_and_missing_lists_fail(self):
        for wrong in ("child\n", "child x\n", "child 0\n", "child 5 1 2 3 4 5 6 7 8\n"):
            status, text = self.runner(wrong)
            self.assertEqual(status, 1, text)
            self.assertIn("list:1 is PROGRAM SECONDS", text)
        self.assertEqual(run(self.directory / "run", "nowhere").returncode, 1)


class Archive(TemporaryDirectory):
    def make(self, entries, *options):
        path = self.write("entries", entries)
        out = self.directory / "out.cpio"
        result = run(sys.executable, SOURCE / "tools/mkinitrd.py", "--output", out, *options, path)
        return result, out

    def test_the_same_entries_in_any_order_give_the_same_bytes(self):
        source = self.write("x", "content")
        lines = [f"file /a/x 0644 {source}\n", "dir /b 0700\n", "link /a/y x\n",
                 "node /dev/null 0666 c 1 3\n"]
        _, out = self.make("".join(lines))
        first = out.read_bytes()
        os.utime(source, (1, 1))
        _, out = self.make("".join(lines[::-1]))
        self.assertEqual(first, out.read_bytes())

    @unittest.skipUnless(shutil.which("cpio"), "cpio is not installed (Debian package cpio)")
    def test_cpio_reads_it(self):
        source = self.write("x", "content")
        _, out = self.make(f"file /bin/x 4755 {source}\nlink /a x\nnode /dev/tty 0666 c 5 0\n")
        with out.open("rb") as archive:
            listing = run("cpio", "-itv", "--numeric-uid-gid", stdin=archive).stdout
        self.assertRegex(listing, r"-rwsr-xr-x +1 0 +0 +7 .* bin/x\n")
        self.assertRegex(listing, r"lrwxrwxrwx .* a -> x\n")
        self.assertRegex(listing, r"crw-rw-rw- +1 0 +0 +5, +0 .* dev/tty\n")
        self.assertRegex(listing, r"drwxr-xr-x +2 .* bin\n")

    def test_an_absent_optional_source_is_left_out_aloud(self):
        result, out = self.make("file? /bin/b 0755 ${b}\nlink? /bin/sh b ${b}\n", "--set", "b", "")
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertIn("warning: /bin/b is left out", result.stdout)
        self.assertNotIn(b"bin", out.read_bytes())

    def test_a_program_whose_interpreter_is_missing_is_told(self):
        program = BUILD / "tests" / "dynamic-musl"
        result, _ = self.make(f"file /b 0755 {program}\n")
        self.assertIn("warning: /b is dynamically linked and its /lib/ld-musl-x86_64.so.1 is not",
                      result.stdout)
        result, _ = self.make(f"file /b 0755 {program}\n"
                              f"file /lib/ld-musl-x86_64.so.1 0755 {program}\n")
        self.assertNotIn("/b is", result.stdout)

    def test_wrong_entries_are_refused_with_the_line(self):
        for wrong in ("what /x 0644", "file /x 0644 /nowhere/y", "file /x 0644 ${unset}",
                      "dir /../x 0755", "node /x 0644 c", "dir /a 0755\nlink /a b"):
            result, out = self.make("\n" + wrong + "\n")
            self.assertNotEqual(result.returncode, 0, wrong)
            self.assertRegex(result.stdout, r"entries:[23]: ")
            self.assertFalse(out.exists())


class Faults(unittest.TestCase):
    def setUp(self):
        lines = (SOURCE / "faults.tsv").read_text().splitlines()
        self.table = [line.split("\t") for line in lines if line and not line.startswith("#")]

    def test_the_table_has_the_programs_modes(self):
        modes = run(BUILD / "fault", "list").stdout.split()
        self.assertEqual([row[0] for row in self.table], modes)

    def test_each_line_is_a_pattern_that_starts_with_the_signal(self):
        for mode, signal, pattern in self.table:
            re.compile(pattern.replace("ADDR", ADDR))
            self.assertTrue(signal + ": " in pattern or pattern == "", mode)

    def test_an_unknown_mode_is_told(self):
        result = run(BUILD / "fault", "nothing")
        self.assertEqual((result.returncode, "usage" in result.stdout), (2, True))

    def test_a_link_called_as_the_mode_works(self):
        with tempfile.TemporaryDirectory() as directory:
            link = Path(directory) / "divide"
            link.symlink_to(BUILD / "fault")
            self.assertEqual(run(link).returncode, -8)


class Readme(unittest.TestCase):
    """The tables of README.md against the files that they describe."""

    def names(self, header):
        text = (SOURCE / "README.md").read_text()
        rows = re.search(rf"^\| {header} \|.*\n\| --- .*\n((?:\|.*\n)+)", text, re.MULTILINE)[1]
        return [name for row in rows.splitlines()
                for name in re.findall(r"`([^`]+)`", row.split("|")[1])]

    def test_the_table_of_tests_has_each_test_of_the_lists_once(self):
        listed = [line.split()[0] for path in (SOURCE / "tests").glob("*.list")
                  for line in path.read_text().splitlines() if line and line[0] not in "#?"]
        self.assertEqual(sorted(self.names("test")), sorted(listed))

    def test_the_lists_have_each_test_of_the_build_once(self):
        build = (SOURCE / "tests/meson.build").read_text()
        for name, path in {"guest": "tests", "guest_mm": "tests-mm",
                           "guest_edge": "tests-edge"}.items():
            block = re.search(rf"^{name}_tests = \{{(.*?)^\}}", build, re.MULTILINE | re.DOTALL)[1]
            lines = (SOURCE / f"tests/{path}.list").read_text().splitlines()
            self.assertEqual(sorted(re.findall(r"'(\w+)':", block)),
                             sorted(line.split()[0] for line in lines
                                    if line and line[0] not in "#?"), path)

    def test_the_table_of_files_has_the_programs_of_the_build(self):
        build = (SOURCE / "meson.build").read_text()
        programs = re.findall(r"'(\w+)'", re.search(r"foreach name : \[(.*)\]", build)[1])
        files = self.names("file")
        for name in [*programs, "stops"]:
            self.assertIn(name + ".c", files)
        for name in files:
            self.assertTrue((SOURCE / name).exists(), name)


class Demo(unittest.TestCase):
    def test_hello_finds_its_memory_right(self):
        result = run(BUILD / "hello", "a", "b")
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertIn("16384 bytes, all zero", result.stdout)
        for part, permissions in (("stack", "rw-"), ("bss", "rw-"), ("data", "rw-"),
                                  ("rodata", "r--"), ("text", "r-x")):
            self.assertRegex(result.stdout, rf"\n    {part} +{permissions}  0x[0-9a-f]{{16}} ")

    def test_maps_draws_from_the_top_down(self):
        result = run(BUILD / "maps")
        self.assertEqual(result.returncode, 0, result.stdout)
        lines = re.findall(r"^  (0x[0-9a-f]{16}) \+-", result.stdout, re.MULTILINE)
        addresses = [int(line, 16) for line in lines]
        self.assertEqual(addresses, sorted(addresses, reverse=True))
        self.assertGreaterEqual(len(addresses), 8)

    def test_poweroff_asks_before_it_does_it(self):
        result = run(BUILD / "poweroff")
        self.assertEqual((result.returncode, "-f" in result.stdout), (1, True))


class TapResult(unittest.TestResult):
    """Prints a point for each test, with the reason of a failure as comments."""

    def __init__(self, *_):
        super().__init__()
        self.points = 0

    def point(self, test, good=True, reason="", directive=""):
        self.points += 1
        name = test.id().removeprefix("__main__.").replace("_", " ")
        print(f"{'ok' if good else 'not ok'} {self.points} - {name}{directive}")
        for line in reason.splitlines():
            print(f"# {line}")

    def addSuccess(self, test):
        self.point(test)

    def addSkip(self, test, reason):
        self.point(test, directive=f" # SKIP {reason}")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.point(test, False, self.failures[-1][1])

    def addError(self, test, err):
        super().addError(test, err)
        self.point(test, False, self.errors[-1][1])


class TapRunner:
    def run(self, tests):
        result = TapResult()
        tests(result)
        print(f"1..{result.points}")
        return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--source", type=Path, required=True)
    paths, rest = parser.parse_known_args()
    SOURCE = paths.source.resolve()
    # A list of units separates its words by blanks: the programs get a path without any.
    with tempfile.TemporaryDirectory(prefix="umbra-user-", dir="/tmp") as links:
        BUILD = Path(links) / "build"
        BUILD.symlink_to(paths.build.resolve())
        unittest.main(argv=[sys.argv[0], *rest], testRunner=TapRunner())
