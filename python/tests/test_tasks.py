"""Results of the other tasks: masks, keypoints, turned boxes and classes, under the names that Ultralytics' users know."""
import json

import numpy as np
import pytest

from conftest import picture
from vigil import Error
from vigil._extras import Extras, Mask, lent, taken
from vigil.results import Results

SEGMENT, POSE, OBB, CLASSIFY = 1, 2, 3, 4
NAMES = {0: "cat", 1: "dog"}
ROWS = np.array([[10, 8, 40, 32, 0.9, 1], [50, 20, 90, 60, 0.5, 0]], np.float32)


def block(x, y, w, h, grid=(72, 96)):
    """A mask that is a rectangle, in a window a little larger."""
    window = np.zeros((h + 2, w + 2), np.uint8)
    window[1:-1, 1:-1] = 1
    outline = np.array([[x, y], [x, y + h - 1], [x + w - 1, y + h - 1], [x + w - 1, y]], np.float32)
    return Mask(grid, x - 1, y - 1, np.packbits(window, axis=1), w + 2, outline)


def result(extras, rows=ROWS):
    return Results(picture(), "a.jpg", NAMES, rows, extras=extras)


@pytest.fixture
def segmented():
    return result(Extras(SEGMENT, [block(12, 9, 20, 15), block(51, 22, 30, 31)]))


def test_masks_are_pixels_and_outlines(segmented):
    m = segmented.masks
    assert len(m) == 2 and m.shape == (2, 72, 96) and m.data.shape == (2, 72, 96)
    assert m.data[0].sum() == 20 * 15 and m.data[1].sum() == 30 * 31
    assert m.data[0, 9, 12] == 1 and m.data[0, 8, 12] == 0 and m.data[0, 23, 31] == 1 and m.data[0, 24, 31] == 0
    assert [len(o) for o in m.xy] == [4, 4]
    assert np.allclose(m.xyn[1][0], [51 / 96, 22 / 72])


def test_a_part_of_a_result_has_its_own_extras(segmented):
    one = segmented[1]
    assert len(one) == 1 and one.masks.data.sum() == 30 * 31
    assert len(segmented[[True, False]].masks) == 1 and segmented[:0].masks is None
    assert [int(r.masks.data.sum()) for r in segmented] == [300, 930]


def test_what_is_lent_comes_back_as_it_was(segmented):
    e, kept = lent(segmented.extras)
    again = taken(e[0], 2)
    del kept
    for a, b in zip(segmented.extras.masks, again.masks):
        assert a.grid == b.grid and (a.bits == b.bits).all() and (a.outline == b.outline).all()


def test_rows_drawings_and_json_have_outlines(segmented, tmp_path):
    lines = open(segmented.save_txt(tmp_path / "a.txt", save_conf=True)).read().split("\n")
    assert [len(line.split()) for line in lines[:2]] == [1 + 8 + 1] * 2 and lines[0].startswith("1 0.125 0.125 ")
    row = json.loads(segmented.to_json())[0]
    assert row["name"] == "dog" and row["segments"]["x"] == [12.0, 12.0, 31.0, 31.0]
    assert (segmented.plot() != result(None).plot()).any(axis=2).sum() > 300  # but for what labels cover


def test_keypoints():
    points = np.zeros((2, 17, 3), np.float32)
    points[:, :, 0], points[:, :, 1], points[:, :, 2] = 30, 20, 0.75
    r = result(Extras(POSE, keypoints=points))
    assert r.keypoints.xy.shape == (2, 17, 2) and r.keypoints.conf.shape == (2, 17) and r.keypoints.has_visible
    assert np.allclose(r.keypoints.xyn[0, 0], [30 / 96, 20 / 72])
    assert r[0].keypoints.data.shape == (1, 17, 3) and r.masks is None and r.obb is None and r.probs is None
    assert r.summary()[0]["keypoints"]["visible"][0] == 0.75
    flat = result(Extras(POSE, keypoints=points, dims=2))
    assert flat.keypoints.conf is None and flat.keypoints.data.shape == (2, 17, 2) and "visible" not in flat.summary()[0]["keypoints"]
    assert (r.plot() != result(None).plot()).any()


def test_turned_boxes(tmp_path):
    turned = np.array([[30, 20, 20, 10, 0], [60, 40, 20, 10, np.pi / 2]], np.float32)
    r = result(Extras(OBB, rotated=turned))
    assert r.obb.data.shape == (2, 7) and (r.obb.xywhr == turned).all() and np.allclose(r.obb.conf, [0.9, 0.5])
    assert np.allclose(r.obb.xyxyxyxy[0], [[40, 25], [40, 15], [20, 15], [20, 25]])
    assert np.allclose(r.obb.xyxyxyxy[1].min(axis=0), [55, 30], atol=1e-4)
    assert set(r.summary()[0]["box"]) == {"x1", "y1", "x2", "y2", "x3", "y3", "x4", "y4"} and r.verbose() == ""
    assert len(open(r.save_txt(tmp_path / "a.txt")).readline().split()) == 9
    with pytest.raises(Error):
        r.save_crop(tmp_path)


def test_classes_of_a_whole_picture(tmp_path):
    r = result(Extras(CLASSIFY, top=[(1, 0.75), (0, 0.25)], probabilities=np.array([0.25, 0.75], np.float32)), np.zeros((0, 6)))
    assert r.probs.top1 == 1 and r.probs.top5 == [1, 0] and np.allclose(r.probs.top5conf, [0.75, 0.25])
    assert r.verbose() == "dog 0.75, cat 0.25, "
    assert r.summary() == [{"name": "dog", "class": 1, "confidence": 0.75}]
    assert open(r.save_txt(tmp_path / "a.txt")).read() == "0.75 dog\n0.25 cat\n"
    assert r.probs.data.tolist() == [0.25, 0.75] and len(r.probs) == 2 and r.probs.shape == (2,)
    assert (r.plot() != picture()).any()
