# Completion of ./umbra for bash: source this file. The options are those of the help texts.
_umbra() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}
    local commands='run debug map tutorial lab test fuzz bench prove doctor completion clean help --version --help'
    local options=
    local tests='--list --no-stdsplit --print-errorlogs --gdb --no-rebuild --verbose --quiet --maxfail --repeat --wrapper'
    tests="$tests --num-processes --timeout-multiplier --test-args --gdb-path --setup --help"
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word")
        return
    fi
    case $before in
    --cpu)
        mapfile -t COMPREPLY < <(compgen -W 'core2_penryn_t9600 corei7_skylake_x tigerlake' -- "$word")
        return
        ;;
    --sanitizer)
        mapfile -t COMPREPLY < <(compgen -W 'address memory integer none' -- "$word")
        return
        ;;
    --engine)
        mapfile -t COMPREPLY < <(compgen -W 'libfuzzer afl replay' -- "$word")
        return
        ;;
    --suite | --no-suite)
        mapfile -t COMPREPLY < <(compgen -W 'unit fuzz guest bochs proof mutation page' -- "$word")
        return
        ;;
    --limit | --memory | --smp | --append | --at | --do | --planted | --time | --runs | --jobs | --seed | --minimise | \
        --reason | --name | --target | --maxfail | --repeat | --num-processes | --timeout-multiplier | \
        --test-args | --setup) return ;;
    --initrd | --with | --core | --corpus | --wrapper | --gdb-path)
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
        ;;
    --html)
        if [ "$command" != tutorial ]; then
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
            return
        fi
        ;;
    esac
    case $command in
    run) options='--qemu --kvm --uefi --smp --with --initrd --append --limit --cpu --memory --help --' ;;
    debug)
        options='--stay --planted --at --do --core --gdb --mi --with --initrd --append --cpu --memory --help --'
        ;;
    map) options='--at --timeline --html --text --json --with --initrd --append --help --' ;;
    tutorial) options='--html --check --help 1 2 3 4 5 6 7 8' ;;
    lab) options='list check --help 1 2 3 4 5 6 7 8 9 10' ;;
    test) options="unit fuzz guest bochs proof mutation page $tests --suite --no-suite" ;;
    prove) options=$tests ;;
    fuzz)
        options='all replay minimise merge status coverage adopt --plain --committed --time --runs --jobs --sanitizer'
        options="$options --engine --corpus --seed --minimise --html --reason --name --target --help"
        ;;
    bench) options='build boot instructions frames memory libraries kbench --help' ;;
    completion) options='bash zsh --help' ;;
    help) options='run debug map tutorial lab test fuzz bench prove doctor completion clean' ;;
    *) options='--help' ;;
    esac
    case $command:$word in
    run:-* | debug:-* | map:-*) mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word") ;;
    run:* | debug:* | map:* | fuzz:*/*) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word") ;;
    esac
}
complete -o filenames -F _umbra umbra ./umbra
