#!/usr/bin/env python3
"""run.py and its parts, over fake targets (fake_target.sh) and one of ten lines that crashes."""
import fcntl
import glob
import json
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import types
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
FUZZ = os.path.dirname(HERE)
sys.path.insert(0, FUZZ)
import corpus  # noqa: E402
from driver import build, campaign, engines, finds, table  # noqa: E402

C_TARGET = r'''
#include <stdint.h>
#include <stdlib.h>
static __attribute__((noinline)) int beyond(volatile const uint8_t *data, size_t size) { return data[size]; }
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return size > 3 && data[0] == 'b' && data[1] == 'u' ? beyond(data, size) & 0 : 0;
}
'''


class Driver(unittest.TestCase):
    """A folder with fake targets, their table, and a state folder."""

    def setUp(self):
        work = tempfile.TemporaryDirectory()
        self.addCleanup(work.cleanup)
        self.work, self.base = work.name, os.path.join(work.name, 'state')
        self.programs = os.path.join(self.work, 'programs')
        os.mkdir(self.programs)
        os.mkdir(os.path.join(self.work, 'corpus'))
        self.table = os.path.join(self.work, 'targets.txt')
        with open(self.table, 'w', encoding='utf-8') as out:
            for name in ('good', 'crash', 'flaky', 'broken', 'gone', 'other'):
                out.write(f'fuzz_{name} fuzz_{name} some.dict 100 address\n')
                shutil.copy(os.path.join(HERE, 'fake_target.sh'), os.path.join(self.programs, 'fuzz_' + name))
        corpus.write(os.path.join(self.work, 'corpus', 'fuzz_crash.txt'), [])

    def command(self, *words):
        return [sys.executable, os.path.join(FUZZ, 'run.py'), '--table', self.table, '--programs', self.programs,
                '--corpus', self.base, *words]

    def umbra(self, *words, status=0):
        done = subprocess.run(self.command(*words), capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def finds(self, kind):
        found, top = {}, os.path.join(self.base, kind)
        for name in os.listdir(top) if os.path.isdir(top) else []:
            with open(os.path.join(top, name, 'record.json'), encoding='utf-8') as text:
                found[name] = json.load(text)
        return found

    def log(self, name):
        with open(os.path.join(self.programs, f'fuzz_{name}.log'), encoding='utf-8') as text:
            return text.read()


class Runs(Driver):
    """Fuzzing."""

    def test_what_a_target_is_given(self):
        printed = self.umbra('good', '--runs', '700', '--jobs', '1', '--seed', '40')
        self.assertRegex(printed, r'fuzz_good +700 ')
        wanted = r'-seed=41 -max_len=100 .*-runs=700 -dict=\S+/some.dict \S+/fuzz_good/corpus'
        self.assertRegex(self.log('good'), wanted)
        printed = self.umbra('good', '--runs', '300', '--jobs', '1', '--seed', '50')
        self.assertRegex(printed, r'fuzz_good +1,000 ', 'a second run resumes the totals')
        self.assertEqual(sorted(os.listdir(os.path.join(self.base, 'fuzz_good', 'corpus'))), ['keep-41', 'keep-51'])
        self.assertRegex(self.umbra('status', 'good'), r'fuzz_good +1,000 +500 +25 +2 +\ds +0')

    def test_a_crash_is_filed_once_with_all_that_is_known(self):
        printed = self.umbra('crash', '--time', '1', '--jobs', '1', '--seed', '7', status=1)
        self.assertEqual(printed.count('NEW FIND'), 2, printed)
        self.assertIn('again', printed)
        found = self.finds('finds')
        self.assertEqual(len(found), 2)
        name = next(name for name in found if 'take_one' in name)
        record, folder = found[name], os.path.join(self.base, 'finds', name)
        self.assertTrue(name.startswith('heap-buffer-overflow-take_one-'))
        self.assertEqual((record['kind'], record['stack']), ('heap-buffer-overflow', ['take_one', 'parse']))
        self.assertEqual((record['target'], record['seed'], record['replays']), ('fuzz_crash', 8, '10/10'))
        self.assertGreater(record['count'], 1)
        for key in ('commit', 'compiler', 'command', 'first', 'last', 'sanitizer', 'engine'):
            self.assertTrue(record[key], key)
        for file, wanted in (('input', 'one'), ('original', 'one and 8\n')):
            with open(os.path.join(folder, file), encoding='utf-8') as text:
                self.assertEqual(text.read(), wanted, file)
        with open(os.path.join(folder, 'report.txt'), encoding='utf-8') as text:
            self.assertIn('in take_one /src/parse.c:10:3', text.read())
        self.assertIn('2 finds', self.umbra('status'))
        self.assertIn('crashed: heap-buffer-overflow-take_one', self.umbra('replay', folder + '/input', status=1))
        self.assertIn('3 bytes instead of 10', self.umbra('minimise', folder + '/original'))
        self.assertIn('has a line one', self.umbra('adopt', folder + '/input', '--name', 'one', '--reason', 'a test'))
        entry, = corpus.read(os.path.join(self.work, 'corpus', 'fuzz_crash.txt'))
        self.assertEqual((entry.name, entry.reason, entry.data), ('one', 'a test', b'one'))

    def test_a_target_that_fails_on_a_committed_input_is_given_up(self):
        seeds = os.path.join(self.programs, 'fuzz_crash.seeds')
        os.mkdir(seeds)
        with open(os.path.join(seeds, 'committed'), 'w', encoding='utf-8') as out:
            out.write('two\n')
        printed = self.umbra('crash', '--time', '9', '--jobs', '1', status=1)
        self.assertIn('fuzz_crash is given up, it fails on a committed input', printed)
        self.assertEqual({record['count'] for record in self.finds('finds').values()}, {1})

    def test_a_find_of_every_slice_is_not_said_every_time(self):
        printed = self.umbra('crash', '--time', '4', '--jobs', '1', status=1)
        record = next(record for record in self.finds('finds').values() if 'take_one' in record['stack'])
        said = [line for line in printed.splitlines() if line.startswith('again') and 'take_one' in line]
        self.assertEqual(len(said), record['count'].bit_length() - 1, printed)
        self.assertGreater(record['count'], 2)

    def test_what_does_not_always_crash_is_filed_apart(self):
        printed = self.umbra('flaky', '--time', '1', '--jobs', '1', status=1)
        self.assertEqual(self.finds('finds'), {})
        record, = self.finds('unstable').values()
        self.assertEqual(record['replays'], '5/10')
        self.assertIn('unstable', printed)

    def test_a_target_that_cannot_start_is_given_up_and_the_others_run(self):
        printed = self.umbra('broken', 'good', '--time', '1', '--jobs', '1', status=1)
        self.assertIn('fuzz_broken is given up, it ended with 1: no such option', printed)
        self.assertIn('given up: fuzz_broken', printed)
        self.assertIn('args:', self.log('good'))

    def test_a_program_that_is_removed_meanwhile_is_given_up_and_the_others_run(self):
        printed = self.umbra('gone', 'good', '--time', '4', '--jobs', '1', status=1)
        self.assertRegex(printed, r'fuzz_gone is given up, it cannot go on: .*No such file or directory: \S*/fuzz_gone')
        self.assertIn('given up: fuzz_gone', printed)
        self.assertNotIn('Traceback', printed)
        self.assertIn('args:', self.log('good'))

    def test_every_target_has_a_share(self):
        self.umbra('good', 'other', '--time', '2', '--jobs', '1')
        self.assertGreaterEqual(self.log('good').count('args:'), 1)
        self.assertGreaterEqual(self.log('other').count('args:'), 1)

    def test_interrupt_ends_everything_and_keeps_what_was_found(self):
        child = subprocess.Popen(self.command('good', 'other', '--jobs', '2'), stdout=subprocess.PIPE, text=True)
        while not all(os.path.exists(os.path.join(self.base, name, 'corpus')) and
                      os.listdir(os.path.join(self.base, name, 'corpus')) for name in ('fuzz_good', 'fuzz_other')):
            time.sleep(0.05)
        started = time.monotonic()
        child.send_signal(signal.SIGINT)
        printed = child.communicate(timeout=20)[0]
        self.assertEqual(child.returncode, 0, printed)
        self.assertLess(time.monotonic() - started, 8)
        self.assertIn('stopped', self.log('good') + self.log('other'))
        self.assertRegex(self.umbra('status'), r'fuzz_good +50')

    def test_a_terminal_has_a_screen_with_a_line_a_target(self):
        leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack('HHHH', 40, 120, 0, 0))
        child = subprocess.Popen(self.command('good', '--time', '1', '--jobs', '1'), stdout=follower)
        os.close(follower)
        text = b''
        try:
            while part := os.read(leader, 65536):
                text += part
        except OSError:  # the other end is closed
            pass
        os.close(leader)
        self.assertEqual(child.wait(), 0)
        self.assertIn(b'\x1b[', text)
        self.assertRegex(text.decode(), r'fuzz_good .* \*')


class Commands(Driver):
    """What runs nothing, and what is refused."""

    def test_a_file_that_is_not_there(self):
        self.assertIn('nosuch: no such file', self.umbra('replay', 'nosuch', status=2))

    def test_merge_keeps_what_the_engine_keeps(self):
        folder = os.path.join(self.base, 'fuzz_good', 'corpus')
        os.makedirs(folder)
        for name in ('keep-1', 'keep-2', 'old'):
            with open(os.path.join(folder, name), 'w', encoding='utf-8') as out:
                out.write(name)
        self.assertIn('fuzz_good: 2 inputs of 3 stay', self.umbra('merge', '--plain', 'good'))
        self.assertEqual(sorted(os.listdir(folder)), ['keep-1', 'keep-2'])

    def test_what_is_wrong_is_said(self):
        for words, wanted in ((['nothing'], "no fuzz target 'nothing'"), (['--time', 'x'], 'is not a time'),
                              (['--runs', '0'], 'not a number above 0'), (['--sanitizer', 'x'], 'invalid choice'),
                              (['adopt', self.table], '--reason'), (['replay'], 'FILE'), (['minimise'], 'FILE'),
                              (['replay', self.table], 'Say --target'),
                              (['--corpus', os.path.join(table.ROOT, 'build', 'x')], 'below build/')):
            with self.subTest(words):
                done = subprocess.run(self.command(*words), capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 2)
                self.assertIn(wanted, done.stderr)

    def test_output_that_nobody_reads_ends_it(self):
        for words in (['status'], ['good', '--time', '50']):
            with self.subTest(words):
                child = subprocess.Popen(self.command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                         text=True)
                child.stdout.close()
                self.assertEqual(('', 141), (child.stderr.read(), child.wait(30)))
                child.stderr.close()

    def test_names_fit_into_their_column(self):
        self.assertLessEqual(max(map(len, table.read())), table.NAME)

    def test_a_full_disk_is_said(self):
        with open('/dev/full', 'w', encoding='utf-8') as full:
            done = subprocess.run(self.command('status'), stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual((2, 'umbra: No space left on device\n'), (done.returncode, done.stderr))

    def test_the_help_has_every_option_and_command(self):
        with open(os.path.join(table.ROOT, 'boot', 'help.txt'), encoding='utf-8') as text:
            usage = text.read().split('\n== fuzz\n')[1].split('\n== ')[0]
        with open(os.path.join(FUZZ, 'run.py'), encoding='utf-8') as text:
            source = text.read()
        known = set(re.findall(r"add_argument\('(--[a-z]+)'", source)) - {'--table', '--programs'}
        self.assertEqual(known, set(re.findall(r'--[a-z]+', usage)))
        for command in ('replay', 'minimise', 'merge', 'status', 'coverage', 'adopt'):
            self.assertIn(f"'{command}':", source)
            self.assertRegex(usage, rf'(?m)^  {command} ')

    def test_the_state_folder_is_the_users(self):
        environ = dict(os.environ, XDG_STATE_HOME=os.path.join(self.work, 'xdg'))
        words = self.command('good', '--runs', '5', '--jobs', '1')
        words = [word for word in words if word not in ('--corpus', self.base)]
        subprocess.run(words, env=environ, check=True, capture_output=True)
        self.assertTrue(os.path.exists(os.path.join(self.work, 'xdg/umbra/fuzz/fuzz_good/state.json')))


class Parts(Driver):
    """Parts of the driver, and a target that is compiled."""

    def test_what_afl_leaves_is_kept(self):
        state = table.State(self.base, table.read(self.table)['fuzz_good'])
        state.save()
        share = types.SimpleNamespace(state=state, program='program', seeds=None, runs_left=77)
        piece = campaign.Slice(share, 1, types.SimpleNamespace(seed=1, engine='afl'), 9)
        self.assertIn('-E 77 --', ' '.join(piece.command))
        out = os.path.join(piece.work, 'out', 'default')
        for folder, name, data in (('queue', 'id:000000,orig:seed', 'old'), ('queue', 'id:000001,src:0', 'new'),
                                   ('crashes', 'id:000000,sig:06', 'bad'), ('hangs', 'README.txt', '')):
            os.makedirs(os.path.join(out, folder), exist_ok=True)
            with open(os.path.join(out, folder, name), 'w', encoding='utf-8') as file:
                file.write(data)
        for found, wanted in ((1700000000, 1700000000), (0, 1700000000)):
            with open(os.path.join(out, 'fuzzer_stats'), 'w', encoding='utf-8') as file:
                file.write(f'execs_done : 90\nedges_found : 5\nexecs_per_sec : 8.5\nlast_find : {found}\n')
            piece.collect_afl()
            self.assertEqual((piece.executions, piece.features, piece.rate, state.last_new), (90, 5, 8, wanted))
        self.assertEqual((state.corpus_size(), len(piece.artifacts())), (1, 1))

    def compile(self, environ, name='fuzz_other'):
        source = os.path.join(self.work, 'target.c')
        with open(source, 'w', encoding='utf-8') as out:
            out.write(C_TARGET)
        builder = build.Builder(self.programs, environ)
        os.remove(os.path.join(self.programs, name))
        return builder.build({'name': name, 'args': [], 'optional': [], 'sources': [source], 'no-asan': []})

    def write_inputs(self):
        folder = os.path.join(self.base, 'fuzz_other', 'corpus')
        os.makedirs(folder)
        for name, data in (('a', b'fine'), ('b', b'bug and more'), ('c', b'fine too'), ('d', b'bugs')):
            with open(os.path.join(folder, name), 'wb') as out:
                out.write(data)
        return folder

    def test_no_attribute_is_of_one_compiler_alone(self):
        folders = [os.path.join(table.ROOT, folder) for folder in (
            'fuzz', 'fuzz/vfs', 'libvfs/include', 'libvfs/src', 'libvfs/tests', 'libvfs/tools', 'libelfparse/include',
            'libelfparse/src', 'kernel')]
        for compiler in filter(shutil.which, ('gcc', 'clang-19')):
            for path in glob.glob(f'{FUZZ}/**/*.c', recursive=True):
                words = [compiler, '-fsyntax-only', '-fsanitize=address', *(f'-I{part}' for part in folders), path]
                done = subprocess.run(words, capture_output=True, text=True, check=False, errors='replace')
                self.assertNotRegex(done.stderr, 'attribute.*(ignored|unknown)', f'{compiler} {path}')

    def test_the_compiler_alone_replays_a_corpus(self):
        self.compile(engines.compilers('replay', 'address'))
        folder = self.write_inputs()
        printed = self.umbra('other', '--engine', 'replay', status=1)
        self.assertIn('fuzz_other: 4 of 4 inputs, 2 crashed', printed)
        self.assertIn(folder + '/b crashed', printed)
        self.assertIn(folder + '/d crashed', printed)
        self.assertIn('in beyond', printed)

    @unittest.skipUnless(engines.first('clang-19', 'clang'), 'clang is not installed')
    def test_the_fuzzer_finds_and_minimises_a_bug(self):
        self.compile(engines.compilers('libfuzzer', 'address'))
        os.makedirs(os.path.join(self.base, 'fuzz_other', 'corpus'))
        with open(os.path.join(self.base, 'fuzz_other', 'corpus', 'seed'), 'wb') as out:
            out.write(b'an input that is longer than it needs to be')
        with open(os.path.join(self.work, 'some.dict'), 'w', encoding='utf-8') as out:
            out.write('"bug"\n')
        self.umbra('other', '--time', '2', '--jobs', '1', '--seed', '3', '--minimise', '1', status=1)
        (name, record), = self.finds('finds').items()
        self.assertEqual(record['stack'][0], 'beyond')
        self.assertLessEqual(os.path.getsize(os.path.join(self.base, 'finds', name, 'input')), 5)

    def test_crashes_are_told_apart_by_stack_and_check(self):
        text = 'a.c:{}: x == {}\n==1== ERROR: libFuzzer: deadly signal\n    #0 0x1 in abort a\n    #1 0x2 in {} b.c:1\n'
        cases = ((1, 'y', 'f'), (2, 'y', 'f'), (1, 'z', 'f'), (1, 'y', 'g'))
        keys = [finds.Crash(text.format(*words)).key() for words in cases]
        self.assertEqual(keys[0], keys[1])
        self.assertEqual(len(set(keys)), 3)

    def test_the_table_names_what_exists(self):
        for target in table.read().values():
            self.assertTrue(os.path.exists(target.list), target.list)
            if target.dictionary:
                self.assertTrue(os.path.exists(target.dictionary), target.dictionary)


CRASH = """#include <stddef.h>
#include <stdlib.h>

static __attribute__((noinline)) int beyond_the_end(volatile char *bytes)
{
    return bytes[4];
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    char *bytes = calloc(1, 4);
    int found = bytes ? beyond_the_end(bytes) + (size ? data[0] : 0) : 0;

    free(bytes);
    return found < 0;
}
"""


class Names(unittest.TestCase):
    """The report of a crash in a fuzz target names function and line, which takes a symbolizer that the sanitizers'
    runtime can find."""

    def test_a_crash_names_its_functions(self):
        if not (shutil.which('llvm-symbolizer-19') or shutil.which('llvm-symbolizer')):
            print('skipped: llvm-symbolizer-19 is not installed (Debian package llvm-19)')
            sys.exit(77)
        with tempfile.TemporaryDirectory() as work:
            with open(os.path.join(work, 'crash.c'), 'w', encoding='utf-8') as source:
                source.write(CRASH)
            words = ['-g', '-O1', '-fsanitize=fuzzer,address', 'crash.c', '-o', 'crash']
            subprocess.run([os.environ['FUZZ_CLANG'], *words],
                           cwd=work, check=True)
            done = subprocess.run(['./crash', '-runs=1'], cwd=work, capture_output=True, text=True, errors='replace',
                                  check=False)
        self.assertNotEqual(done.returncode, 0, 'the target did not crash')
        self.assertRegex(done.stderr, r'in beyond_the_end .*crash\.c:6')


if __name__ == '__main__':
    unittest.main()
