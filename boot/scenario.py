#!/usr/bin/env python3
"""Runs one scenario: boots umbra under Bochs's debugger, stops it at the scenario's stops, and
compares the page tables with the expected ones.  Reports in TAP.

A scenario is a table of bochs/scenarios.toml (see boot/README.md):

    [demo]
    title = "..."
    words = ["init=/bin/demo", "stop=exec"]      # the kernel's command line

    [[demo.step]]
    stop = "exec"                                # run to this stop of the kernel
    program = "/bin/demo"                        # of this program
    stack_pages = 32                             # optional
    on_demand = true                             # optional: pages may come with their first use

Of a machine that does not come to its next stop the backtraces of all tasks are printed.

With --broken REGEX the kernel has a planted fault: the scenario must complain about it with a text
that matches the expression, and only this is reported as success. Several scenarios run at the same time.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import tomllib

import aftermath
import cpio
import iso
import machine
import tools
from bochs import check, live, model, paging
from bochs.debugger import Debugger, HangError
from debugger.bochs import Stopped
from guest_tap import Tap
from tutorial.chapter import debug_line

LIMIT = 300  # seconds to the next stop
PLANS = tomllib.loads(pathlib.Path(__file__).with_name('bochs').joinpath('scenarios.toml').read_text())


class Report:
    """Collects complaints: as TAP points, or, for a broken kernel, to be searched later."""

    def __init__(self, tap, broken, line_to=lambda where: None):
        """line_to(where) is the command line of the debugger to a step, from its "step N, ..."."""
        self._tap = tap
        self._broken = broken
        self._line_to = line_to
        self._told = None
        self.complaints = []

    def check(self, text, complaints):
        """One check with all its complaints."""
        found = list(complaints)
        self.complaints += [f'{text}: {complaint}' for complaint in found]
        for complaint in found[:check.COMPLAINTS_MAX]:
            self._tap.comment(complaint)
        if len(found) > check.COMPLAINTS_MAX:
            self._tap.comment(f'... {len(found)} complaints in all')
        if found and self._line_to(text) not in (None, self._told):
            self._told = self._line_to(text)
            self._tap.comment(f'to be there: {self._told}')
        if not self._broken:
            self._tap.point(not found, text)

    def hangs(self, lines):
        """The tasks of a machine that did not come to its next stop, all of them."""
        for line in lines:
            self._tap.comment(line)
        self.complaints.append('hang: ' + ' '.join(lines))

    def found(self):
        """Whether the planted fault was found, so that the rest is of no interest."""
        return bool(self._broken) and any(re.search(self._broken, text)
                                          for text in self.complaints)

    def finish(self):
        """For a broken kernel: whether the fault was found."""
        if self._broken:
            self._tap.point(self.found(), f'the planted fault is found: {self._broken}')
        self._tap.finish()


def planted(kernel):
    """The options of the debugger for this kernel: its planted fault is in its name."""
    match = re.fullmatch(r'umbra\.(\w+)\.elf', pathlib.Path(kernel).name)
    return ['--planted', match[1]] if match else []


def line_to(plan, machine_options, where):
    """The command line of the debugger that goes to a step of a scenario; `where` begins with "step N"."""
    match = re.match(r'step (\d+)', where)
    if match is None:
        return None
    points = [':'.join([step['stop'], *([step['program']] if 'program' in step else [])])
              for step in plan['step'][:int(match[1])]]
    words, arguments = plan['words'], []
    if '--' in words:
        words, arguments = words[:words.index('--')], words[words.index('--') + 1:]
    init = [word.removeprefix('init=') for word in words if word.startswith('init=')]
    append = ' '.join(word for word in words if not word.startswith(('stop=', 'init=', 'noaslr')))
    options = [*(['--append', append] if append else []), *machine_options]
    return debug_line(['--at', points[0], *options, '--', *init, *arguments],
                      [f'until {point}' for point in points[1:]])


def explain_hang(debugger, report, kernel, archive):
    """Stops the machine, and complains with the backtraces of all tasks."""
    debugger.interrupt()
    report.hangs(list(aftermath.tasks(Stopped(debugger), kernel, cpio.files(archive))))


class Scenario:
    """A scenario that runs on one machine."""

    def __init__(self, plan, archive, cpu, report):
        self.limit = LIMIT
        self._plan = plan
        self._files = cpio.files(archive)
        self._cpu = cpu
        self._report = report
        self._earlier = []

    def program(self, path):
        """The program from the guest's archive, as readelf reads it."""
        if path not in self._files:
            raise model.ImageError(f'{path} is not a file of the archive')
        with tempfile.TemporaryDirectory(prefix='umbra-elf.') as scratch:
            return model.read_program(path, self._files[path], pathlib.Path(scratch))

    def start(self, boot_image):
        """The machine of this scenario."""
        return Debugger(boot_image, self._cpu, limit=LIMIT)

    def steps(self, debugger):
        """Runs the machine from stop to stop, and checks."""
        for number, step in enumerate(self._plan['step'], 1):
            stop = debugger.run_to(step['stop'], step['program'])
            debugger.allow(self.limit)
            self._step(debugger, stop, step, f'step {number}, {stop.name} of {stop.path}')
            if self._report.found():
                break

    def _step(self, debugger, stop, step, where):
        program = self.program(step['program'])
        wanted = program.rights() | model.stack_rights(step.get('stack_pages', model.STACK_PAGES))
        on_demand = step.get('on_demand', False)
        control = debugger.control()
        space = paging.walk(debugger, control.cr3)

        def point(text, complaints):
            self._report.check(f'{where}: {text}', complaints)

        point('CR3 is the address space that the kernel names',
              [] if control.cr3 == stop.cr3 else [f'CR3 is {control.cr3:#x}, not {stop.cr3:#x}'])
        point('the user half is what readelf and the stack ask for, page by page',
              check.user_half(space, wanted, on_demand))
        if not on_demand:
            point("the segments hold the file's bytes, then zeros",
                  check.contents(debugger, program))
        point('no page is writable and executable', check.write_xor_execute(space))
        point('no page of the kernel half is accessible to user code',
              check.kernel_half_closed(space))
        point('the frames of the kernel text have no writable alias',
              check.kernel_text_unaliased(space))
        point('no writable user page shares its frame, none is a page table',
              check.frames_apart(space))
        point('the kernel half is shared', check.kernel_half_shared(space, self._earlier))
        point("the processor's protections are on", check.protections_on(control, self._cpu))
        point('the walk agrees with `page`', check.page_command_agrees(debugger, space))
        point('the walk agrees with `info tab`', check.linear_ranges_agree(debugger, space))
        self._earlier.append(space)


def run(scenario, boot_image, explain):
    """Runs a scenario; `explain` is called with the machine if it hangs."""
    with scenario.start(boot_image) as debugger:
        try:
            scenario.steps(debugger)
        except HangError:
            explain(debugger)
            raise


def run_all(args):
    """Several scenarios, each in a process of its own, --jobs at a time: a point for each, and what it printed
    if it failed. Returns the status."""
    options = ['--kernel', args.kernel, '--initrd', args.initrd, '--cpu', args.cpu, '--limit', str(args.limit),
               *(['--broken', args.broken] if args.broken else [])]

    def start(name):
        return subprocess.run([sys.executable, __file__, *options, name], capture_output=True, text=True, check=False)

    tap = Tap()
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for name, done in zip(args.scenario, pool.map(start, args.scenario)):
            tap.point(done.returncode == 0, name)
            if done.returncode != 0:
                for line in (done.stdout + done.stderr).splitlines():
                    if not line.startswith('ok '):
                        tap.comment(line.removeprefix('# '))
    tap.finish()
    return int(tap.failed > 0)


def parse():
    parser = argparse.ArgumentParser(description='Run one scenario under Bochs.')
    parser.add_argument('--kernel', required=True)
    parser.add_argument('--initrd', required=True)
    parser.add_argument('--cpu', choices=machine.CPU_MODELS, default=machine.DEFAULT_CPU)
    parser.add_argument('--broken', metavar='REGEX', help='the complaint that has to come')
    parser.add_argument('--limit', type=int, default=LIMIT, metavar='SECONDS',
                        help='of wall time, from one stop to the next')
    parser.add_argument('--jobs', type=int, default=os.cpu_count(), metavar='N',
                        help='how many scenarios at a time (default: one for each processor)')
    parser.add_argument('scenario', nargs='+', choices=PLANS, metavar='SCENARIO', help=', '.join(PLANS))
    return parser.parse_args()


def main():
    tools.end_by_signals()
    args = parse()
    if len(args.scenario) > 1:
        sys.exit(run_all(args))
    plan = PLANS[args.scenario[0]]
    tap = Tap()
    options = ['--cpu', args.cpu, '--initrd', args.initrd, *planted(args.kernel)]
    report = Report(tap, args.broken, lambda where: line_to(plan, options, where))
    tap.comment(f'{plan["title"]}, on {args.cpu}')
    archive = pathlib.Path(args.initrd).read_bytes()
    try:
        if 'program' in plan:
            scenario = live.LiveScenario(plan, archive, args.cpu, report, args.kernel)
        else:
            scenario = Scenario(plan, archive, args.cpu, report)
        scenario.limit = args.limit
        with tempfile.TemporaryDirectory(prefix='umbra-scenario.') as scratch:
            boot_image = pathlib.Path(scratch, 'umbra.iso')
            iso.make(boot_image, args.kernel, args.initrd, plan['words'])
            run(scenario, boot_image,
                lambda debugger: explain_hang(debugger, report, args.kernel, archive))
    except (tools.ToolError, *live.ERRORS) as error:
        for line in str(error).splitlines():
            tap.comment(line)
        report.check('the scenario runs to its end', ['it stopped early'])
    report.finish()
    sys.exit(1 if tap.failed else 0)


if __name__ == '__main__':
    tools.tap_main(main)
