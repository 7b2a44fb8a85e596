#!/bin/bash
# make lint: each check of this folder, all of them even when one fails.
cd "$(dirname "$0")/../.." || exit 1
fail=0
for t in layers lengths tables headers; do tests/lint/$t.sh || { echo "lint: $t failed"; fail=1; }; done
exit $fail
