#!/bin/bash
# record.sh NAME BUNDLE: make a case of a bundle; what the tool says now becomes what is expected. Read it before you commit it.
set -eu
cd "$(dirname "$0")"
tool=${NETDOCTOR:-../../build/bin/kubectl-netdoctor}
mkdir -p "$1"
cp "$2" "$1/bundle.tar.gz"
code=0
got=$("$tool" diagnose --from "$1/bundle.tar.gz" -o json) || code=$?
jq --argjson exit "$code" -f answer.jq <<<"$got" | tee "$1/expect.json"
