#compdef umbra
# Completion of umbra for zsh: put this file as _umbra into a folder of $fpath.
_umbra() {
    local -a commands common tests
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
    tests=(
        '--list[list the tests]' '--no-stdsplit[one stream]' '--print-errorlogs[logs of failures]'
        '--gdb[under gdb]' '--no-rebuild[build nothing]' '--verbose[say more]' '--quiet[say less]'
        '--maxfail[stop after so many failures]:number:' '--repeat[how often]:number:'
        '--num-processes[tests at a time]:number:' '--timeout-multiplier[longer limits]:number:'
        '--wrapper[run tests by it]:command:' '--test-args[more arguments]:words:'
        '--gdb-path[which gdb]:file:_files' '--setup[which setup]:name:' '--help[say more]'
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
        _arguments $tests '*--suite[tests of a suite]:suite:(unit fuzz guest bochs proof mutation page)' \
            '*--no-suite[not those]:suite:(unit fuzz guest bochs proof mutation page)' \
            '*:suite:(unit fuzz guest bochs proof mutation page)'
        ;;
    prove) _arguments $tests '*:test:' ;;
    fuzz)
        _arguments '--plain[lines instead of a screen]' '--committed[those of the repository]' \
            '--time[stop after this time]:time:' '--runs[stop after so many]:number:' \
            '--jobs[processes at a time]:number:' '--seed[the first seed]:number:' \
            '--sanitizer[which one]:kind:(address memory integer none)' \
            '--engine[which one]:engine:(libfuzzer afl replay)' '--corpus[the folder]:folder:_files -/' \
            '--minimise[seconds for a find]:seconds:' '--html[a report]:folder:_files -/' \
            '--reason[why it is kept]:text:' '--name[of the input]:name:' '--target[of the file]:target:' \
            '--help[say more]' '*:target:(all replay minimise merge status coverage adopt)'
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
