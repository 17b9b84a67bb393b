#!/usr/bin/env python3
"""Writes the first C example of a README to a file: example.py README OUTPUT."""
import re
import sys

with open(sys.argv[1], encoding="utf-8") as readme:
    found = re.search(r"```c\n(.*?)```", readme.read(), re.S)
if not found:
    sys.exit("no example in " + sys.argv[1])
with open(sys.argv[2], "w", encoding="utf-8") as out:
    out.write(found.group(1))
