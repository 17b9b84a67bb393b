#!/usr/bin/env python3
"""test_corpus.py LIST...: corpus.py, and that the committed lists are as it writes them."""
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import corpus  # noqa: E402

LISTS: list[str] = []


class Lists(unittest.TestCase):
    """The committed lists."""

    def test_each_is_what_would_be_written(self):
        self.assertGreater(len(LISTS), 0)
        for path in LISTS:
            with self.subTest(path), tempfile.TemporaryDirectory() as work:
                copy = os.path.join(work, 'copy')
                with open(path, encoding='utf-8') as text, open(copy, 'w', encoding='utf-8') as out:
                    before = text.read()
                    out.write(before)
                entries = corpus.read(path)
                corpus.write(copy, entries)
                with open(copy, encoding='utf-8') as text:
                    self.assertEqual(before, text.read())
                for entry in entries:
                    if entry.reason == corpus.COVERAGE:
                        self.assertEqual(entry.name, corpus.name_of(entry.data))


class Commands(unittest.TestCase):
    """Each command on a small list."""

    def setUp(self):
        work = tempfile.TemporaryDirectory()
        self.addCleanup(work.cleanup)
        self.list = os.path.join(work.name, 'list.txt')
        self.folder = os.path.join(work.name, 'folder')
        self.input = os.path.join(work.name, 'input')
        corpus.write(self.list, [corpus.Entry('b', 'a reason', b'\0b'), corpus.Entry('a', corpus.COVERAGE, b'a')])
        with open(self.input, 'wb') as out:
            out.write(b'new')

    def names(self):
        return [entry.name for entry in corpus.read(self.list)]

    def add(self, line):
        with open(self.list, 'a', encoding='utf-8') as out:
            out.write(line + '\n')

    def test_unpack_makes_the_files_and_no_others(self):
        os.makedirs(self.folder)
        with open(os.path.join(self.folder, 'stale'), 'wb'):
            pass
        corpus.unpack(self.list, self.folder)
        self.assertEqual(sorted(os.listdir(self.folder)), ['a', 'b'])
        with open(os.path.join(self.folder, 'b'), 'rb') as file:
            self.assertEqual(file.read(), b'\0b')

    def test_a_maker_adds_files_but_replaces_none(self):
        maker = self.input + '.sh'
        with open(maker, 'w', encoding='utf-8') as out:
            out.write('#!/bin/sh\necho made >"$1/${MADE:-c}"\n')
        os.chmod(maker, 0o755)
        corpus.unpack(self.list, self.folder, maker)
        self.assertEqual(sorted(os.listdir(self.folder)), ['a', 'b', 'c'])
        os.environ['MADE'] = 'a'
        self.addCleanup(os.environ.pop, 'MADE')
        with self.assertRaises(FileExistsError):
            corpus.unpack(self.list, self.folder, maker)

    def test_pack_keeps_reasons_and_drops_coverage_that_is_gone(self):
        corpus.unpack(self.list, self.folder)
        os.remove(os.path.join(self.folder, 'a'))
        os.remove(os.path.join(self.folder, 'b'))
        os.link(self.input, os.path.join(self.folder, 'x'))
        self.assertEqual(corpus.pack(self.list, self.folder), 2)
        self.assertEqual(sorted(self.names()), sorted(['b', corpus.name_of(b'new')]))

    def test_adopt_adds_a_line_in_order(self):
        corpus.adopt(self.list, self.input, 'ab', 'found by a test')
        self.assertEqual(self.names(), ['a', 'ab', 'b'])
        with self.assertRaisesRegex(ValueError, 'already, as ab'):
            corpus.adopt(self.list, self.input, 'z', 'again')

    def test_adopt_gives_a_reason_to_what_coverage_had(self):
        with open(self.input, 'wb') as out:
            out.write(b'a')
        corpus.adopt(self.list, self.input, 'named', 'found by a test')
        self.assertEqual(self.names(), ['b', 'named'])

    def test_what_is_no_entry_is_refused_with_its_line(self):
        for line, wanted in (('c\tr', '2 columns'), ('c/d\tr\tYQ==', 'file name'), ('c\t\tYQ==', 'no reason'),
                             ('c\tr\tY', 'c: '), ('b\tr\tYWI=', 'twice'), ('c\tr\tYQ==', 'same input'),
                             ('aa\tr\tYWI=', 'comes after')):
            with self.subTest(line):
                self.setUp()
                self.add(line)
                with self.assertRaisesRegex(ValueError, ':3: .*' + wanted):
                    corpus.read(self.list)


if __name__ == '__main__':
    LISTS = sys.argv[1:]
    unittest.main(argv=sys.argv[:1])
