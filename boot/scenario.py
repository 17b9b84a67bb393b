#!/usr/bin/env python3
"""Runs one scenario: boots umbra under Bochs's debugger, stops it at the scenario's stops, and
compares the page tables with the expected ones.  Reports in TAP.

A scenario is a TOML file (see boot/README.md):

    title = "..."
    words = ["init=/bin/demo", "stop=exec"]      # the kernel's command line

    [[step]]
    stop = "exec"                                # run to this stop of the kernel
    program = "/bin/demo"                        # of this program
    stack_pages = 32                             # optional
    on_demand = true                             # optional: pages may come with their first use

With --broken REGEX the kernel has a planted fault: the scenario must complain about it with a text
that matches the expression, and only this is reported as success.
"""
import argparse
import pathlib
import re
import sys
import tempfile
import tomllib

import cpio
import iso
import machine
import tools
from bochs import check, image, live, paging
from bochs.debugger import Debugger
from guest_tap import Tap


class Report:
    """Collects complaints: as TAP points, or, for a broken kernel, to be searched later."""

    def __init__(self, tap, broken):
        self._tap = tap
        self._broken = broken
        self.complaints = []

    def check(self, text, complaints):
        """One check with all its complaints."""
        found = list(complaints)
        self.complaints += [f'{text}: {complaint}' for complaint in found]
        for complaint in found[:check.COMPLAINTS_MAX]:
            self._tap.comment(complaint)
        if len(found) > check.COMPLAINTS_MAX:
            self._tap.comment(f'... {len(found)} complaints in all')
        if not self._broken:
            self._tap.point(not found, text)

    def found(self):
        """Whether the planted fault was found, so that the rest is of no interest."""
        return bool(self._broken) and any(re.search(self._broken, text)
                                          for text in self.complaints)

    def finish(self):
        """For a broken kernel: whether the fault was found."""
        if self._broken:
            self._tap.point(self.found(), f'the planted fault is found: {self._broken}')
        self._tap.finish()


class Scenario:
    """A scenario that runs on one machine."""

    def __init__(self, plan, archive, cpu, report):
        self._plan = plan
        self._files = cpio.files(archive)
        self._cpu = cpu
        self._report = report
        self._earlier = []

    def program(self, path):
        """The program from the guest's archive, as readelf reads it."""
        if path not in self._files:
            raise image.ImageError(f'{path} is not a file of the archive')
        with tempfile.TemporaryDirectory(prefix='umbra-elf.') as scratch:
            return image.read(path, self._files[path], pathlib.Path(scratch))

    def run(self, boot_image):
        with Debugger(boot_image, self._cpu) as debugger:
            for number, step in enumerate(self._plan['step'], 1):
                stop = debugger.run_to(step['stop'], step['program'])
                self._step(debugger, stop, step, f'step {number}, {stop.name} of {stop.path}')
                if self._report.found():
                    break

    def _step(self, debugger, stop, step, where):
        program = self.program(step['program'])
        wanted = program.rights() | image.stack_rights(step.get('stack_pages', image.STACK_PAGES))
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


def parse():
    parser = argparse.ArgumentParser(description='Run one scenario under Bochs.')
    parser.add_argument('--kernel', required=True)
    parser.add_argument('--initrd', required=True)
    parser.add_argument('--cpu', choices=machine.CPU_MODELS, default=machine.DEFAULT_CPU)
    parser.add_argument('--broken', metavar='REGEX', help='the complaint that has to come')
    parser.add_argument('scenario', type=pathlib.Path)
    return parser.parse_args()


def main():
    args = parse()
    plan = tomllib.loads(args.scenario.read_text())
    tap = Tap()
    report = Report(tap, args.broken)
    tap.comment(f'{plan["title"]}, on {args.cpu}')
    archive = pathlib.Path(args.initrd).read_bytes()
    try:
        if 'program' in plan:
            scenario = live.LiveScenario(plan, archive, args.cpu, report, args.kernel)
        else:
            scenario = Scenario(plan, archive, args.cpu, report)
        with tempfile.TemporaryDirectory(prefix='umbra-scenario.') as scratch:
            boot_image = pathlib.Path(scratch, 'umbra.iso')
            iso.make(boot_image, args.kernel, args.initrd, plan['words'])
            scenario.run(boot_image)
    except (tools.ToolError, *live.ERRORS) as error:
        for line in str(error).splitlines():
            tap.comment(line)
        report.check('the scenario runs to its end', ['it stopped early'])
    report.finish()
    sys.exit(1 if tap.failed else 0)


if __name__ == '__main__':
    main()
