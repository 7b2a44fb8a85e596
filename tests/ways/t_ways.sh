#!/bin/bash
# t_ways.sh: 10 random clusters of fixed seeds, about 60 packets each, through the kernel and through the walk.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
if [[ ! -x $build/ways-test ]]; then
	echo "not ok ways-against-kernel: $build/ways-test is not built"
	exit 1
fi
out=$(tests/ways/run.sh "$build" 10 50 2>&1)
case $? in
0) echo "ok ways-against-kernel" ;;
77) echo "skip ways-against-kernel: $out" ;;
*)
	echo "not ok ways-against-kernel"
	tail -60 <<<"$out"
	;;
esac
