#!/usr/bin/env python3
"""Disassembles the kernel and checks which functions contain dangerous instructions: those that
open user memory, write control registers or MSRs, load descriptor tables, return to ring 3, or change
registers of programs.  Reports in TAP.

    test_instructions.py OBJDUMP KERNEL

Each row is an instruction and the only functions that may contain it.  The instruction in another
function fails, and so does a row that finds no instruction.
"""
import re
import subprocess
import sys

WAITING = r'cpu_idle|cpu_interrupt_window'
ENDING = r'power_\w+|machine_off'

RULES = (
    # what, instruction, functions
    ('user memory is opened', r'stac', r'usercopy_(bytes|zero|string|fpu_(save|load))'),
    ('user memory is closed', r'clac', r'usercopy_(bytes|zero|string|fpu_(save|load))|entry_common'),
    ('CR0 is written', r'mov .*,%cr0', r'boot_entry|features_enable'),
    ('CR3 is written', r'mov .*,%cr3', r'boot_entry|tlb_(switch|flush_all)'),
    ('CR4 is written', r'mov .*,%cr4', r'boot_entry|features_enable|kernel_map_init'),
    ('an MSR is written', r'wrmsr',
     r'boot_entry|features_enable|descriptors_init|user_state_(load|switch)|user_base_write'),
    ('the GDT is loaded', r'lgdt', r'boot_entry|descriptors_init'),
    ('the IDT is loaded', r'lidt', r'descriptors_init'),
    ('the task register is loaded', r'ltr', r'descriptors_init'),
    ('IRET', r'iret\w*', r'entry_return'),
    ('SYSRET', r'sysret\w*', r'entry_syscall(32)?'),
    ('translations are dropped', r'invlpg', r'tlb_flush_page'),
    ('interrupts are let in', r'sti', WAITING),
    ('the processor halts', r'hlt', rf'{WAITING}|{ENDING}|no_long_mode'),
    ("a program's registers are saved", r'fxsave64',
     r'user_state_(save|switch)|fpu_state_save|usercopy_fpu_save'),
    ("a program's registers are loaded", r'fxrstor64',
     r'user_state_(load|switch)|fpu_state_load|usercopy_fpu_load'),
    ('the same with AVX: saved', r'xsave64',
     r'user_state_(save|switch)|fpu_state_save|usercopy_fpu_save'),
    ('the same with AVX: loaded', r'xrstor64',
     r'user_state_(load|switch)|fpu_state_load|usercopy_fpu_load'),
    ('what a program may use of them', r'xsetbv', r'features_enable'),
)

# What the kernel has nowhere at all.
NEVER = (
    ('vector or floating-point registers', r'.*%([xyz]mm|st|mm)\d*.*'),
    ('SWAPGS, segment bases by instruction', r'(swapgs|(rd|wr)[fg]sbase).*'),
    ('protection keys, other forms of XSAVE', r'(wrpkru|xsave(?!64)\w*|xrstor(?!64)\w*).*'),
    ('flags by POPF', r'popf\w*.*'),
    ('far jumps, calls and returns', r'(lcall|lret|rex.W lret|rex.W ljmp).*'),
    ('writes to debug registers', r'mov .*,%db\d+'),
)

FUNCTION = re.compile(r'^[0-9a-f]+ <([^>]+)>:$')
INSTRUCTION = re.compile(r'^ *[0-9a-f]+:\t(.+?)\s*$')
DATA = re.compile(r'early_\w+|no_long_mode_text|header\w*')  # of boot.S, beside its code
SUFFIX = re.compile(r'(\.(isra|constprop|part|cold)(\.\d+)?)+$|\.\d+$')


def instructions(objdump, kernel):
    """Each instruction with the function that contains it."""
    text = subprocess.run([objdump, '-d', '--no-show-raw-insn', kernel], check=True,
                          capture_output=True, text=True).stdout
    function = ''
    for line in text.splitlines():
        if match := FUNCTION.match(line):
            function = SUFFIX.sub('', match[1])
        elif not DATA.fullmatch(function) and (match := INSTRUCTION.match(line)):
            yield function, re.sub(r'\s+', ' ', match[1])


def main():
    code = list(instructions(*sys.argv[1:3]))
    points = []
    for what, instruction, functions in RULES:
        places = {function for function, text in code if re.fullmatch(instruction + r'( .*)?', text)}
        wrong = sorted(place for place in places if not re.fullmatch(functions, place))
        points.append((places and not wrong, f'{what} in {", ".join(sorted(places)) or "nothing"}',
                       wrong))
    for what, instruction in NEVER:
        wrong = sorted({f'{function}: {text}' for function, text in code
                        if re.fullmatch(instruction, text)})
        points.append((not wrong, f'none: {what}', wrong))
    guarded = {function for function, text in code if '<__stack_chk_fail>' in text}
    points.append((len(guarded) > 50, f'{len(guarded)} functions check a canary', []))
    for number, (good, text, wrong) in enumerate(points, 1):
        for place in wrong:
            print(f'# not allowed: {place}')
        print(f'{"ok" if good else "not ok"} {number} - {text}')
    print(f'1..{len(points)}')
    sys.exit(not all(point[0] for point in points))


if __name__ == '__main__':
    main()
