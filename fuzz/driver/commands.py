"""The commands besides running: replay, minimise, merge, status, adopt."""
import os
import shutil
import subprocess
import sys

from . import engines, finds, table

lists = engines.corpus_lists


def replay(options, targets, base):
    """Runs inputs once, with the report on the screen. The status says whether one crashed."""
    if not options.words:
        raise table.Error('replay FILE... [--target TARGET]')
    programs, bad = engines.Programs(options), 0
    for path in map(os.path.abspath, options.words):
        target = finds.target_of(path, targets, options.target)
        program = programs.path(target)
        print(f'{target.name}: {path}\n  to debug: gdb --args {finds.shell([program, path])}', flush=True)
        crash, text = finds.run_once(program, path, engines.environment())
        if crash:
            bad += 1
            sys.stdout.write(text)
            print(f'crashed: {crash.key()}')
        else:
            print('no crash')
    return 1 if bad else 0


def minimise(options, targets, base):
    """Writes FILE.min, a smaller input with the same stack."""
    if not options.words:
        raise table.Error('minimise FILE... [--target TARGET]')
    programs = engines.Programs(options)
    for path in map(os.path.abspath, options.words):
        target = finds.target_of(path, targets, options.target)
        program, environ = programs.path(target), engines.environment()
        crash, _ = finds.run_once(program, path, environ)
        if not crash:
            raise table.Error(f'{path} does not crash {target.name}')
        small = finds.shrink(program, path, crash, environ, int(options.time or 60))
        if small:
            os.replace(small, path + '.min')
            print(f'{path}.min: {os.path.getsize(path + ".min")} bytes instead of {os.path.getsize(path)}')
        else:
            print(f'no smaller input than {os.path.getsize(path)} bytes was found')
    return 0


def merge_into(program, target, out, folders):
    command = [program, '-merge=1', f'-max_len={max(target.max_len, 1 << 16)}', out] + [f for f in folders if f]
    done = subprocess.run(command, env=engines.environment(), capture_output=True, text=True, check=False,
                          errors='replace')
    if done.returncode:
        sys.stderr.write(done.stderr[-4000:])
        raise table.Error(f'{target.name}: the merge failed')


def merge(options, targets, base):
    """Minimises corpora by the target's features: the state folder's, or the committed one together with it."""
    programs = engines.Programs(options)
    for target in table.choose(targets, options.words):
        kept = table.State(base, target)
        program, seeds = programs.path(target), programs.seeds(target)
        os.makedirs(kept.corpus, exist_ok=True)
        new = kept.corpus + '.merged'
        shutil.rmtree(new, ignore_errors=True)
        os.makedirs(new)
        if options.committed:
            merge_committed(program, target, new, seeds, kept.corpus)
            shutil.rmtree(new)
            continue
        before = kept.corpus_size()
        merge_into(program, target, new, [kept.corpus])
        shutil.rmtree(kept.corpus)
        os.rename(new, kept.corpus)
        print(f'{target.name}: {kept.corpus_size()} inputs of {before} stay')
    return 0


def merge_committed(program, target, new, seeds, corpus):
    """Inputs with a reason stay; of the others those that reach what nothing before them does."""
    entries = lists.read(target.list)
    named = [entry for entry in entries if entry.reason != lists.COVERAGE]
    if target.corpus == 'elfparse':  # whose seeds are made
        shutil.copytree(seeds, new, dirs_exist_ok=True)
    for entry in named:
        with open(os.path.join(new, entry.name), 'wb') as out:
            out.write(entry.data)
    before = set(os.listdir(new))
    merge_into(program, target, new, [seeds, corpus])
    found = {entry.data: entry for entry in named}
    for name in set(os.listdir(new)) - before:
        with open(os.path.join(new, name), 'rb') as file:
            data = file.read()
        found.setdefault(data, lists.Entry(lists.name_of(data), lists.COVERAGE, data))
    lists.write(target.list, found.values())
    print(f'{target.name}: {target.list} has {len(found)} inputs, it had {len(entries)}')


def status(options, targets, base):
    print(table.HEAD)
    for target in table.choose(targets, options.words):
        print(table.row(table.State(base, target)))
    found = finds.all_finds(base)
    print(f'\n{len(found)} finds' + (':' if found else f' below {base}'))
    for folder, record in found:
        print('  ' + finds.describe(folder, record))
    return 0


def adopt(options, targets, base):
    """An input becomes a line of its target's committed corpus."""
    if len(options.words) != 1 or not options.reason:
        raise table.Error('adopt FILE --reason TEXT [--name NAME] [--target TARGET]')
    path = os.path.abspath(options.words[0])
    target = finds.target_of(path, targets, options.target)
    if not target.list:
        raise table.Error(f'{target.name} has no committed corpus')
    with open(path, 'rb') as file:
        name = options.name or lists.name_of(file.read())
    try:
        lists.adopt(target.list, path, name, options.reason)
    except ValueError as error:
        raise table.Error(str(error)) from error
    print(f'{target.list} has a line {name}; commit it, and write a unit test if it is a rule of its own')
    return 0
