#compdef umbra
# Completion of umbra for zsh: put this file as _umbra into a folder of $fpath.
_umbra() {
    local -a commands common
    commands=(
        'run:run a program in the kernel'
        'debug:Bochs debugger, stopped before the first user instruction'
        'map:print the address map'
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
            '--limit[stop after this time]:seconds:' \
            '--cpu[the CPU of Bochs]:model:(core2_penryn_t9600 corei7_skylake_x tigerlake)' \
            '--memory[the memory of the machine]:MB:'
        ;;
    debug)
        _arguments $common \
            '--cpu[the CPU of Bochs]:model:(core2_penryn_t9600 corei7_skylake_x tigerlake)' \
            '--memory[the memory of the machine]:MB:'
        ;;
    map) _arguments $common ;;
    test)
        _arguments '--list[list the tests]' '--num-processes[tests at a time]:number:' \
            '--repeat[how often]:number:' '--maxfail[stop after so many failures]:number:' \
            '--help[say more]' '*:suite:(unit fuzz guest bochs proof mutation)'
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
