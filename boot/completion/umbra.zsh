#compdef umbra
# Completion of umbra for zsh: put this file as _umbra into a folder of $fpath.
_umbra() {
    local -a commands common
    commands=(
        'run:run a program in the kernel'
        'debug:a debugger of address spaces'
        'map:show the address spaces, as text and as a page'
        'tutorial:paging step by step'
        'lab:find the fault of a planted kernel'
        'test:run the tests'
        'fuzz:run a fuzz target'
        'bench:print the measures'
        'prove:run the proofs'
        'doctor:check this machine'
        'completion:print the completion for a shell'
        'clean:remove build/'
        'help:list the commands'
    )
    if (( CURRENT == 2 )); then
        _describe command commands
        return
    fi
    common=(
        '*--with[pack a file or folder too]:path:_files'
        '--initrd[another cpio archive]:file:_files'
        '--append[words for the kernel]:words:'
        '--help[say more]'
        '*:program:_files'
    )
    case $words[2] in
    run)
        _arguments $common '--qemu[under QEMU]' '--kvm[under QEMU with KVM]' \
            '--uefi[under QEMU by UEFI]' '--smp[processors of QEMU]:number:' \
            '--limit[stop after this time]:seconds:' \
            '--cpu[the CPU of Bochs]:model:(core2_penryn_t9600 corei7_skylake_x tigerlake)' \
            '--memory[the memory of the machine]:MB:'
        ;;
    debug)
        _arguments $common '*--at[where to stop]:point:' '*--do[a command]:command:' \
            '--core[a core file]:file:_files' '--planted[a kernel with a fault]:name:' \
            '--stay[ask for commands after those of --do]' '--gdb[gdb and QEMU]' '--mi[the same for an editor]' \
            '--cpu[the CPU of Bochs]:model:(core2_penryn_t9600 corei7_skylake_x tigerlake)' \
            '--memory[the memory of the machine]:MB:'
        ;;
    map)
        _arguments $common '*--at[when to look]:point:' '--html[write the page]:file:_files' \
            '--text[print the text]' '--json[print the data]' \
            '--timeline[at each exec, fork, fault, exit]'
        ;;
    tutorial) _arguments '--html[write a page]' '--check[play the chapters]' '--help[say more]' '*:chapter:(1 2 3 4 5 6 7 8)' ;;
    lab) _arguments '--help[say more]' '1:what:(list check 1 2 3 4 5 6 7 8 9 10)' ;;
    test)
        _arguments '--list[list the tests]' '--num-processes[tests at a time]:number:' \
            '--repeat[how often]:number:' '--maxfail[stop after so many failures]:number:' \
            '--help[say more]' '*:suite:(unit fuzz guest bochs proof mutation page)'
        ;;
    bench)
        _arguments '--help[say more]' \
            '*:part:(build boot instructions frames memory libraries kbench)'
        ;;
    completion) _arguments '--help[say more]' '1:shell:(bash zsh)' ;;
    help) _describe command commands ;;
    *) _arguments '--help[say more]' ;;
    esac
}
_umbra "$@"
