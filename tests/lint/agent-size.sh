#!/bin/bash
# The agent must stay below 1 MiB: it travels to every node and must fit a ConfigMap.
n=$(stat -c %s "$1")
((n < 1048576)) || { echo "$1: $n bytes, wanted < 1048576" >&2; exit 1; }
