#!/bin/bash
# workload.sh CLUSTER: apply workload.yaml and wait until all of it is ready.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
[[ $# == 1 ]] || { echo "usage: workload.sh CLUSTER" >&2; exit 2; }
setup "$1"
workload_apply && wait_back 180 && echo "workload: ready on $CLUSTER"
