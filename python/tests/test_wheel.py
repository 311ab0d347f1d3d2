"""The wheel as people install it: into an empty virtual environment, with the newest cffi and numpy there are, and
supervision reading a result. Only the compiling is spared: the library is that of this build.

What comes from PyPI is fetched by pip; where it cannot be, the test is skipped with pip's reason."""
import os
import subprocess
import sys
import zipfile

import pytest

from conftest import RANDOM, ROOT, picture, write_bmp


def run(*words, **kwargs):
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    environment.update(PIP_NO_COMPILE="1", PIP_DISABLE_PIP_VERSION_CHECK="1")
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, **kwargs)


def of_pypi(*words, **kwargs):
    done = run(*words, **kwargs)
    missing = ("No matching distribution", "Could not find a version", "Temporary failure", "Network is unreachable", "Connection refused")
    if done.returncode != 0 and any(m in done.stdout for m in missing):
        pytest.skip("PyPI is not to be had: " + done.stdout.strip().splitlines()[-1])
    assert done.returncode == 0, done.stdout
    return done


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """A Python with the package in an environment of its own."""
    folder = tmp_path_factory.mktemp("venv")
    if run(sys.executable, "-m", "venv", str(folder / "venv")).returncode != 0:
        pytest.skip("no venv here (Debian: python3-venv)")
    python = str(folder / "venv" / "bin" / "python")
    of_pypi(python, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(ROOT / "python"), "--config-settings=cmake.source-dir=.",
            f"--config-settings=cmake.define.VIGIL_PREBUILT={os.environ['VIGIL_BUILD']}")
    wheel, = folder.glob("*.whl")
    assert wheel.name.endswith("-py3-none-linux_x86_64.whl"), wheel.name
    names = zipfile.ZipFile(wheel).namelist()
    assert "vigil/libvigil.so" in names and "vigil/_declarations.py" in names and "vigil/py.typed" in names
    of_pypi(python, "-m", "pip", "install", "-q", str(wheel))
    return python


def test_ten_lines_in_an_empty_environment(python, tmp_path):
    write_bmp(tmp_path / "street.bmp", picture())
    code = f"""
from vigil import YOLO

model = YOLO({RANDOM!r})
for result in model("street.bmp", conf=0.001, imgsz=96):
    result.save("seen.png")
    for box in result.boxes:
        print(result.names[int(box.cls)], float(box.conf), box.xyxy[0].tolist())
"""
    done = run(python, "-W", "error", "-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert len(done.stdout.splitlines()) > 3 and (tmp_path / "seen.png").exists()


def test_supervision_reads_a_result(python, tmp_path):
    of_pypi(python, "-m", "pip", "install", "-q", "supervision")
    code = f"""
import sys
sys.path.insert(0, {str(ROOT / "python" / "tests")!r})
import numpy as np, supervision
from vigil import YOLO, Results
model = YOLO({RANDOM!r})
rng = np.random.RandomState(0)
frame = np.kron(rng.randint(0, 256, (9, 12, 3)), np.ones((8, 8, 1))).astype(np.uint8)
result = model(frame, conf=0.001, imgsz=96)[0]
found = supervision.Detections.from_ultralytics(result)
assert len(found) == len(result) > 3
np.testing.assert_array_equal(found.xyxy, result.boxes.xyxy)
np.testing.assert_array_equal(found.confidence, result.boxes.conf)
assert found.class_id.tolist() == [int(c) for c in result.boxes.cls]
assert list(found["class_name"]) == [model.names[int(c)] for c in result.boxes.cls]
assert found.tracker_id is None
tracked = model.track(frame, persist=True, conf=0.001, imgsz=96, track_high_thresh=0.001,
                      track_low_thresh=0.0005, new_track_thresh=0.001)[0]
found = supervision.Detections.from_ultralytics(tracked)
assert found.tracker_id.tolist() == tracked.boxes.id.int().tolist() and len(found) > 0
print(supervision.__version__)
"""
    done = run(python, "-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
