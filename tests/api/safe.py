#!/usr/bin/env python3
"""safe.py FILE...: fails when a file has a byte or character that can do something to a terminal (or is not UTF-8)."""
import sys

BAD = set(range(0x20)) - {0x0a} | set(range(0x7f, 0xa0)) | {0x200e, 0x200f, 0x061c} | set(range(0x202a, 0x202f)) | set(range(0x2066, 0x206a))
for path in sys.argv[1:]:
    for number, line in enumerate(open(path, "rb").read().decode("utf-8").split("\n"), 1):
        for c in line:
            if ord(c) in BAD:
                sys.exit("%s:%d: U+%04X" % (path, number, ord(c)))
