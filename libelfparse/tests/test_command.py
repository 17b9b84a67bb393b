#!/usr/bin/env python3
"""test_command.py ELFPARSE CORPUS: the command's options, exit codes and output, over the fuzzing corpus."""
import json
import os
import pty
import resource
import subprocess
import sys
import tempfile
import unittest

COMMAND = SEEDS = None


def run(*arguments, **options):
    options.setdefault('env', {k: v for k, v in os.environ.items() if k != 'NO_COLOR'})
    return subprocess.run([COMMAND, *arguments], capture_output=True, **options)


def on_terminal(*arguments, **env):
    """What the command writes to a terminal."""
    try:
        leader, follower = pty.openpty()
    except OSError as error:
        reason = f'no pseudo-terminal can be opened, is /dev/pts mounted? ({error.strerror or error})'
        print('skipped: the output to a terminal:', reason, file=sys.stderr)
        raise unittest.SkipTest(reason) from error
    child = subprocess.Popen([COMMAND, *arguments], stdout=follower, stderr=follower,
                             env={**{k: v for k, v in os.environ.items() if k != 'NO_COLOR'}, **env})
    os.close(follower)
    text = b''
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        text += part
    os.close(leader)
    child.wait()
    return text


class Command(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.good = cls.strip('image-linux-compat-linux')
        cls.other = cls.strip('l8-wx')

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def path(cls, name, data=None):
        path = os.path.join(cls.folder.name, name)
        if data is not None:
            with open(path, 'wb') as file:
                file.write(data)
        return path

    @classmethod
    def strip(cls, seed):
        """A seed without its last byte, which is for the fuzzer."""
        with open(os.path.join(SEEDS, seed), 'rb') as file:
            return cls.path(seed + '.elf', file.read()[:-1])

    def check(self, done, code, *texts):
        self.assertEqual(done.returncode, code, done)
        for text in texts:
            self.assertIn(text, done.stdout.decode('latin-1'))

    def test_accepted_prints_the_plan(self):
        done = run(self.good)
        self.check(done, 0, self.good, 'accepted', 'R-X', '/lib64/ld-linux-x86-64.so.2')
        self.assertEqual(done.stderr, b'')

    def test_refused_names_rule_and_headers(self):
        self.check(run(self.other), 1, 'refused', 'L8', 'segment 3')

    def test_quiet_is_one_line_a_file(self):
        for flag in ('--quiet', '-q'):
            done = run(flag, self.good, self.other)
            self.check(done, 1, 'accepted', 'refused')
            self.assertEqual(done.stdout.count(b'\n'), 2)

    def test_of_several_machines_none_is_named(self):
        with open(self.good, 'rb') as file:
            data = bytearray(file.read())
        data[18:20] = (50).to_bytes(2, 'little')  # e_machine: Itanium
        foreign = self.path('itanium.elf', bytes(data))
        one = 'made for machine 50, not for 183 (AArch64) (file'
        several = 'made for machine 50, which is not accepted (file'
        for options in ((), ('-q',), ('-j',)):
            self.check(run(*options, '-m', 'aarch64', foreign), 1, one)
            self.check(run(*options, '-m', 'aarch64', '-m', 'riscv64', foreign), 1, several)
            self.check(run(*options, '-m', 'any', foreign), 1, several)

    def test_policies(self):
        relative = self.strip('o2-a-relative-path-linux-compat-linux')
        self.check(run('-q', relative), 0)
        self.check(run('-q', '--policy', 'linux-compat', relative), 0)
        self.check(run('-q', '--policy', 'kernel', relative), 1, 'O2')
        self.check(run('-q', '-p', 'kernel', self.good), 0)
        self.check(run('-q', '--policy=kernel-interp', relative), 0)

    def test_an_unknown_policy_is_named(self):
        done = run('--policy', 'lenient', self.good)
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"unknown policy 'lenient'", done.stderr)

    def test_all_errors_lists_more_than_the_first(self):
        with open(self.good, 'rb') as file:
            data = bytearray(file.read())
        data[20] = 9  # E3
        data[52] = 9  # E7
        bent = self.path('bent.elf', data)
        first = run(bent)
        self.check(first, 1, 'E3')
        self.assertNotIn(b'E7', first.stdout)
        for flag in ('--all-errors', '-a'):
            self.check(run(flag, bent), 1, 'E3', 'E7')

    def test_explain_lists_every_rule(self):
        for flag in ('--explain', '-e'):
            done = run(flag, self.good)
            rules = [f'E{n}' for n in range(1, 10)] + [f'L{n}' for n in range(1, 14)] + [f'O{n}' for n in range(1, 10)]
            self.check(done, 0, *rules, 'pass')
            self.assertNotIn(b'FAIL', done.stdout)
        self.check(run('--explain', self.other), 1, 'pass  E1', 'FAIL  L8', 'FAIL  O1')

    def test_json_is_json(self):
        with open(self.good, 'rb') as file:
            odd = self.path('odd "\\\n\xe9 name.elf', file.read())
        done = run('--json', self.good, self.other, self.path('missing'), odd)
        self.check(done, 2)
        good, other, strange = json.loads(done.stdout)
        self.assertTrue(good['accepted'])
        self.assertEqual(good['errors'], [])
        self.assertEqual(good['file'], self.good)
        self.assertEqual(good['interpreter'], '/lib64/ld-linux-x86-64.so.2')
        self.assertEqual(good['ranges'][0]['vaddr'], good['start'])
        self.assertEqual({r['kind'] for r in good['ranges']}, {'file', 'split', 'zero'})
        self.assertFalse(other['accepted'])
        self.assertEqual(other['errors'][0]['rule'], 'L8')
        self.assertNotIn('ranges', other)
        self.assertEqual(strange['file'].encode('latin-1'), os.fsencode(odd))

    def test_json_without_any_file_that_can_be_read(self):
        for files in ([self.path('missing')], [self.good, self.path('missing')], [self.path('missing'), self.good]):
            done = run('-j', *files)
            self.check(done, 2)
            self.assertEqual(len(json.loads(done.stdout)), len(files) - 1)

    def test_json_of_every_seed(self):
        seeds = sorted(os.path.join(SEEDS, name) for name in os.listdir(SEEDS))
        for flag in ([], ['--all-errors']):
            done = run('--json', *flag, *seeds)
            self.check(done, 1)
            self.assertEqual([r['file'] for r in json.loads(done.stdout)], seeds)

    def test_what_cannot_be_read(self):
        secret = self.path('secret', b'x')
        os.chmod(secret, 0)
        cases = [(self.path('missing'), b'No such file'), (self.folder.name, b'not a regular file'),
                 ('/dev/null', b'not a regular file')]
        if os.geteuid() != 0:  # root may read anything
            cases.append((secret, b'Permission denied'))
        for path, reason in cases:
            done = run('-q', path, self.good)
            self.check(done, 2, 'accepted')
            self.assertIn(reason, done.stderr)
            self.assertIn(os.fsencode(path), done.stderr)

    def test_unreadable_for_others(self):
        if os.geteuid() != 0:
            reason = 'only root can become somebody else; the test before covers the others'
            print('skipped: files that others may not read:', reason, file=sys.stderr)
            self.skipTest(reason)
        shared = tempfile.mkdtemp()
        os.chmod(shared, 0o755)
        try:
            path = os.path.join(shared, 'secret')
            with open(path, 'wb') as file:
                file.write(b'x')
            os.chmod(path, 0)
            tool = os.path.join(shared, 'elfparse')
            with open(COMMAND, 'rb') as source, open(tool, 'wb') as copy:
                copy.write(source.read())
            os.chmod(tool, 0o755)
            done = subprocess.run([tool, path], capture_output=True, user=65534)
            self.assertEqual(done.returncode, 2)
            self.assertIn(b'Permission denied', done.stderr)
        finally:
            subprocess.check_call(['rm', '-rf', shared])

    def test_empty_and_tiny_files_are_refused(self):
        for data in (b'', b'\x7fELF'):
            self.check(run('-q', self.path('tiny', data)), 1, 'E1')

    def test_worst_outcome_decides_the_exit_code(self):
        missing = self.path('missing')
        self.check(run('-q', self.other, self.good), 1)
        self.check(run('-q', self.other, missing, self.good), 2)

    def test_wrong_usage(self):
        for arguments in ([], ['--policy', 'none', self.good], ['--nonsense', self.good], ['--policy']):
            done = run(*arguments)
            self.check(done, 3)
            self.assertIn(b'usage: elfparse', done.stderr)
            self.assertEqual(done.stdout, b'')

    def test_help(self):
        for flag in ('--help', '-h'):
            self.check(run(flag), 0, 'usage: elfparse', '--policy', '--all-errors', '--explain', '--json', '--quiet')

    def test_colours_on_a_terminal_alone(self):
        self.assertNotIn(b'\x1b', run(self.other).stdout)
        self.assertIn(b'\x1b[', on_terminal(self.other))
        self.assertNotIn(b'\x1b', on_terminal(self.other, NO_COLOR='1'))
        self.assertNotIn(b'\x1b', on_terminal('--json', self.other))

    def test_output_that_cannot_be_written(self):
        with open('/dev/full', 'wb') as full:
            done = subprocess.run([COMMAND, self.good], stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b'standard output', done.stderr)

    def test_thousands_of_files(self):
        """More files than descriptors, so that one that is not closed shows."""
        def few():
            resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))

        files = [self.good, self.other] * 3000
        done = run('-q', *files, preexec_fn=few)
        self.check(done, 1)
        self.assertEqual(done.stdout.count(b'\n'), len(files))
        self.assertEqual(done.stderr, b'')


if __name__ == '__main__':
    COMMAND, SEEDS = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
