#!/bin/sh
# Runs a command in a folder that holds a system: sh enter.sh FOLDER HANDLER QEMU COMMAND...
# One of aarch64 is emulated; with an empty HANDLER it is of this computer's processor.
# `unshare --mount --pid --fork --kill-child` is to start it, so that mounts and processes end with it, however it ends.
set -eu
root=$1
handler=$2
qemu=$3
shift 3

mount -t proc proc "$root/proc"
# What LiteRT asks for the processor: without it, it silently takes other kernels than XNNPACK's, and where it is of
# another kind, it crashes.
mount -t sysfs -o ro sysfs "$root/sys"
if [ -n "$handler" ]; then
    mount --bind "$(dirname "$0")/cpuinfo" "$root/proc/cpuinfo"
    mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
    # A handler of our own, whatever others there are; F has the kernel open QEMU now, so that the folder needs none.
    trap 'echo -1 >"/proc/sys/fs/binfmt_misc/$handler"' EXIT
    printf '%s' ":$handler:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:$qemu:F" \
        >/proc/sys/fs/binfmt_misc/register
fi
# QEMU's processor is that of a Raspberry Pi 4, with no newer instructions.
env -i QEMU_CPU=cortex-a72 PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 chroot "$root" "$@"
