"""Declarations are what the headers say, and a library of another shape is refused."""
import importlib.util
import os
import pathlib
import re
import subprocess
import sys

import pytest

from conftest import ROOT


@pytest.fixture(scope="module")
def declare():
    spec = importlib.util.spec_from_file_location("declare", ROOT / "python" / "declare.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def made(declare, tmp_path, header):
    (tmp_path / "vigil").mkdir()
    (tmp_path / "vigil" / "vigil.h").write_text(header)
    text = declare.declarations(str(tmp_path), "cc")
    out = tmp_path / "made.py"
    declare.write(text, str(out))
    scope = {}
    exec(out.read_text(), scope)
    return text, scope["ffi"]


def test_what_is_declared_is_what_the_header_says(declare, tmp_path):
    text, ffi = made(declare, tmp_path, """
        #include <stdbool.h>
        #include <stddef.h>
        #include <stdio.h>
        #define API __attribute__((visibility("default")))
        enum { MOST = 3 };
        typedef struct vg_pair { int a; bool b; char words[MOST]; double d[2]; } vg_pair;
        typedef struct vg_handle vg_handle;
        API int vg_detect(vg_handle *h, const vg_pair *p) __attribute__((nonnull(1)));
    """)
    assert "printf" not in text and "__attribute__" not in text
    assert ffi.sizeof("vg_pair") == 24
    assert [n for n, _ in ffi.typeof("vg_pair").fields] == ["a", "b", "words", "d"]


def test_every_public_function_is_declared():
    from vigil._c import lib

    names = set()
    for header in (ROOT / "include" / "vigil").glob("*.h"):
        if header.name == "bench.h":  # not part of vigil.h
            continue
        text = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S)
        names |= {m for m in re.findall(r"VG_API[^;(]*?\b(vg_\w+)\(", text)}
    assert len(names) > 80
    assert not [n for n in sorted(names) if not hasattr(lib, n)]


def test_a_library_of_another_shape_is_refused():
    from vigil import _c

    class Lib:
        VG_ABI = _c.lib.VG_ABI

        def __init__(self, abi, wrong):
            self.abi, self.wrong = abi, wrong

        def vg_abi(self):
            return self.abi

        def vg_size_of(self, name):
            return _c.lib.vg_size_of(name) + (name == self.wrong)

    _c._check_sizes(_c.ffi, Lib(Lib.VG_ABI, b""))
    with pytest.raises(ImportError, match="vg_detection"):
        _c._check_sizes(_c.ffi, Lib(Lib.VG_ABI, b"vg_detection"))
    with pytest.raises(ImportError, match="version"):
        _c._check_sizes(_c.ffi, Lib(Lib.VG_ABI + 1, b""))


def test_a_library_that_cannot_be_loaded_says_what_to_do(tmp_path):
    import vigil

    package = pathlib.Path(vigil.__file__).parent
    copy = tmp_path / "vigil"
    copy.mkdir()
    for f in package.glob("*.py"):
        (copy / f.name).write_bytes(f.read_bytes())
    (copy / "libvigil.so").write_bytes(b"no library")
    done = subprocess.run([sys.executable, "-c", "import vigil"], env={**os.environ, "PYTHONPATH": str(tmp_path)},
                          cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    assert done.returncode != 0 and "cannot be loaded" in done.stderr and "pip install" in done.stderr


def test_an_import_needs_no_numpy_and_starts_no_thread():
    code = "import sys, threading, os, vigil; assert 'numpy' not in sys.modules; print(len(os.listdir('/proc/self/task')))"
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout.strip() == "1"


def test_every_name_of_the_package_is_there():
    import vigil

    for name in vigil.__all__:
        assert getattr(vigil, name) is not None
    assert set(vigil.__all__) <= set(dir(vigil))
    assert re.fullmatch(r"\d+\.\d+\.\d+", vigil.__version__)
    with pytest.raises(AttributeError):
        vigil.Nothing
