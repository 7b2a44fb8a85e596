#!/bin/bash
# t_kernel.sh: 500 random cases of a fixed seed, each a packet through the kernel and through the walk.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
if [[ ! -x $build/kernel-test ]]; then
	echo "not ok walk-against-kernel: $build/kernel-test is not built"
	exit 1
fi
out=$(KERNEL_FOUND=$(mktemp -d) tests/kernel/run.sh "$build" 500 1 2>&1)
case $? in
0) echo "ok walk-against-kernel" ;;
77) echo "skip walk-against-kernel: $out" ;;
*)
	echo "not ok walk-against-kernel"
	tail -60 <<<"$out"
	;;
esac
