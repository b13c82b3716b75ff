#!/usr/bin/env python3
"""Compiles text files into the program.

    embed.py OUTPUT.c SYMBOL FILE...

makes `const struct embedded SYMBOL[]`, `const size_t SYMBOL_count` and `const char SYMBOL_names[]` (policy/embed.h), one row
a file, sorted by name; the name is the file's, without folder and extension. The text is followed by a NUL that its length
does not count.
"""
import pathlib
import sys


def row_bytes(data):
    """The bytes as a comma-separated list, 24 to a line."""
    numbers = [str(b) for b in data + b"\0"]
    return ",\n".join("\t" + ",".join(numbers[i:i + 24]) for i in range(0, len(numbers), 24))


def main(output, symbol, files):
    rows = sorted((pathlib.Path(f).stem, pathlib.Path(f).read_bytes()) for f in files)
    out = ['/* Made by policy/embed.py; not to be edited. */', '#include "policy/embed.h"', ""]
    for i, (_, data) in enumerate(rows):
        out += [f"static const unsigned char text_{i}[] = {{", row_bytes(data), "};"]
    out += ["", f"const struct embedded {symbol}[] = {{"]
    out += [f'\t{{ "{name}", (const char *)text_{i}, sizeof text_{i} - 1 }},' for i, (name, _) in enumerate(rows)]
    names = ", ".join(name for name, _ in rows)
    out += ["};", f"const size_t {symbol}_count = {len(rows)};", f'const char {symbol}_names[] = "{names}";', ""]
    pathlib.Path(output).write_text("\n".join(out))


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
