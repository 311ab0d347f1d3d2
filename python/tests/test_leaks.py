"""Nothing is left by calls, nor by models that were opened and closed: neither in Python (tracemalloc) nor in the process (RSS).

The counts here are small; python/tests/leaks_long.py runs 10,000 and 1,000 of them."""
import gc
import os
import tracemalloc

import pytest

from conftest import EVERYTHING, RANDOM, dataset, picture, write_bmp
from vigil import YOLO


def resident():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def grown(function, n_warm, n, tracing=True):
    """Bytes that Python and the process hold more after n calls, the first n_warm apart."""
    for _ in range(n_warm):
        function()
    gc.collect()
    before = resident()
    if tracing:
        tracemalloc.start()
        function()
        gc.collect()
        base = tracemalloc.get_traced_memory()[0]
    for _ in range(n):
        function()
    gc.collect()
    python = 0
    if tracing:
        python = tracemalloc.get_traced_memory()[0] - base
        tracemalloc.stop()
    return python, resident() - before


def calls(model, frame, path):
    def once():
        result = model(frame, **EVERYTHING)[0]
        result.plot(), result.boxes.xywhn, result.to_json(), result.summary()
        model(path, **EVERYTHING)
        for _ in model.predict([frame, path], stream=True, **EVERYTHING):
            break  # a generator that is not read to its end

    return once


def opens():
    YOLO(RANDOM)(picture(), imgsz=32, threads=1)


def opens_and_closes():
    with YOLO(RANDOM) as model:
        model(picture(), imgsz=32, threads=1)


def test_calls_leave_nothing(model, here):
    write_bmp(here / "a.bmp", picture())
    python, process = grown(calls(model, picture(), "a.bmp"), 20, 60)
    assert python < 40_000, python  # a list or a dict that grew in CPython itself; a frame is 20,000, and there were 180
    assert process < 4 << 20, process


@pytest.mark.parametrize("function", [opens, opens_and_closes])
def test_models_leave_nothing(function):
    python, process = grown(function, 4, 12)
    assert python < 40_000, python
    assert process < 12 << 20, process  # a model of these weights is 12 MB; there were 12


def test_the_measure_sees_a_leak():
    kept = []
    python, process = grown(lambda: kept.append(bytearray(os.urandom(1 << 20))), 2, 20)
    assert python > 19 << 20 and process > 15 << 20
