#!/bin/sh
# unikernel.sh FILE: starts the unikernel in QEMU. It has to print its line, and to end QEMU by the status of success.
command -v qemu-system-x86_64 >/dev/null ||
    { echo "skipped: qemu-system-x86_64 is not installed (Debian package qemu-system-x86)"; exit 77; }
status=0
printed=$(timeout 60 qemu-system-x86_64 -kernel "$1" -display none -serial stdio -no-reboot -nodefaults \
    -device isa-debug-exit,iobase=0xf4,iosize=4 2>&1 </dev/null) || status=$?
echo "$printed"
[ $status = 3 ] && [ "$printed" = "relocated by libelfparse!" ]
