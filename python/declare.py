#!/usr/bin/env python3
"""declare.py: what include/vigil/*.h declare, as a module that cffi loads without a compiler or a parser.

    declare.py --include include --compiler cc OUT.py

The compiler's preprocessor reads vigil/vigil.h, what comes from the folder of vigil's headers is kept, and cffi
writes it down (its "out-of-line ABI mode"). So nothing is declared by hand, and nothing is parsed when the
package is imported. Needs cffi and pycparser; the package itself needs only cffi."""
import argparse
import os
import re
import subprocess
import sys

MARK = re.compile(r'^# \d+ "([^"]*)"')
# GCC's words that say nothing about a call: visibility and the like.
ATTRIBUTE = re.compile(r"__attribute__\s*\(\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)\)")


def own_lines(text, folder):
    """The lines of preprocessed text that come from the headers in folder."""
    own, kept = False, []
    for line in text.splitlines():
        mark = MARK.match(line)
        if mark:
            own = os.path.realpath(mark[1]).startswith(folder + os.sep)
        elif own and line.strip():
            kept.append(line)
    return "\n".join(kept)


def declarations(include, compiler):
    """What vigil/vigil.h and all that it includes of ours declare, as plain C."""
    header = os.path.join(include, "vigil", "vigil.h")
    done = subprocess.run([*compiler.split(";"), "-E", "-std=c17", "-I", include, header],
                          stdout=subprocess.PIPE, check=True, text=True)
    text = own_lines(done.stdout, os.path.realpath(os.path.join(include, "vigil")))
    # bool may be _Bool's macro or, since C23, a word of its own.
    return ATTRIBUTE.sub("", text)


def write(text, out):
    import cffi

    ffi = cffi.FFI()
    ffi.cdef(text)
    ffi.set_source("_declarations", None)
    ffi.emit_python_code(out)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--include", required=True, help="the folder that holds vigil/vigil.h")
    parser.add_argument("--compiler", default="cc", help="a C compiler; arguments behind semicolons")
    parser.add_argument("out", help="the module to write")
    args = parser.parse_args(argv)
    text = declarations(args.include, args.compiler)
    if "vg_detect(" not in text:
        sys.exit(f"declare.py: no declarations were found in {args.include}/vigil")
    write(text, args.out)


if __name__ == "__main__":
    main()
