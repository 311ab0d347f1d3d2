"""Results and boxes under the names that people know."""
import json
import math
import os

import numpy as np
import pytest

import vigil
from conftest import EVERYTHING, picture, write_bmp
from vigil import Boxes, Results

NAMES = {0: "person", 1: "traffic light", 2: 'a/b<"&'}
ROWS = [[10, 20, 50, 60, 0.9, 0], [0, 0, 20, 10, 0.5, 2], [5, 5, 25, 45, 0.25, 0]]


@pytest.fixture
def result():
    return Results(picture(80, 96), "street.jpg", NAMES, ROWS, speed={"preprocess": 1.0, "inference": 2.0, "postprocess": 0.5})


def test_boxes_in_every_form(result):
    b = result.boxes
    assert b.shape == (3, 6) and len(b) == 3 and not b.is_track and b.id is None
    np.testing.assert_allclose(b.xyxy[0], [10, 20, 50, 60])
    np.testing.assert_allclose(b.xywh[0], [30, 40, 40, 40])
    np.testing.assert_allclose(b.xyxyn[0], [10 / 96, 20 / 80, 50 / 96, 60 / 80], rtol=1e-6)
    np.testing.assert_allclose(b.xywhn[0], [30 / 96, 40 / 80, 40 / 96, 40 / 80], rtol=1e-6)
    np.testing.assert_allclose(b.conf, [0.9, 0.5, 0.25])
    assert b.cls.tolist() == [0, 2, 0]
    np.testing.assert_allclose(b.data, ROWS)


def test_what_people_write(result):
    for box in result.boxes:
        assert len(box) == 1
        x1, y1, x2, y2 = box.xyxy[0].tolist()
        assert x2 > x1 and y2 > y1
        assert NAMES[int(box.cls)] and float(box.conf) > 0.2 and int(box.cls[0]) in NAMES
    assert result.boxes.xyxy.cpu().numpy().shape == (3, 4)
    assert type(result.boxes.xyxy.cpu().numpy()) is np.ndarray
    assert result.boxes.cls.int().tolist() == [0, 2, 0]
    sure = result.boxes[result.boxes.conf > 0.4]
    assert len(sure) == 2
    assert len(result[0]) == 1 and len(result[1:]) == 2 and len(list(result)) == 3
    assert result.cpu().numpy() is result
    assert result.masks is None and result.keypoints is None and result.probs is None and result.obb is None
    assert result.boxes.xyxy.sum() > 0 and isinstance(float(result.boxes.conf.max()), float)


def test_tracks_have_ids():
    b = Boxes([[1, 2, 3, 4, 7, 0.9, 1]], (10, 10))
    assert b.is_track and b.id.tolist() == [7] and b.conf[0] == np.float32(0.9) and b.cls.tolist() == [1]
    with pytest.raises(ValueError, match="rows of 6"):
        Boxes(np.zeros((2, 5)), (10, 10))


def test_words(result):
    assert result.verbose() == "2 persons, 1 a/b<\"&, " or result.verbose().startswith("2 persons, ")
    assert "no detections" in result.new().verbose()
    assert "street.jpg" in repr(result)
    first = result.summary()[0]
    assert first["name"] == "person" and first["class"] == 0 and first["box"] == {"x1": 10.0, "y1": 20.0, "x2": 50.0, "y2": 60.0}
    assert math.isclose(first["confidence"], 0.9, abs_tol=1e-5)
    assert json.loads(result.to_json()) == result.summary() == json.loads(result.tojson())
    assert result.summary(normalize=True)[0]["box"]["y1"] == 0.25


def test_plot_draws_into_a_copy(result):
    before = result.orig_img.copy()
    drawn = result.plot()
    assert drawn.shape == before.shape and drawn.dtype == np.uint8
    np.testing.assert_array_equal(result.orig_img, before)
    assert (drawn != before).any()
    np.testing.assert_array_equal(result.plot(boxes=False), before)
    assert (result.plot(labels=False) != drawn).any()
    assert result.plot(line_width=9, labels=False).tobytes() != result.plot(line_width=1, labels=False).tobytes()
    on_black = result.plot(img=np.zeros_like(before))
    assert on_black.any() and (on_black != drawn).any()


def test_files(result, here):
    assert result.save("out/x.png" if os.makedirs("out") is None else "") == "out/x.png"
    loaded = Results(None, "out/x.png", NAMES, orig_shape=(80, 96))
    np.testing.assert_array_equal(loaded.orig_img, result.plot())  # a PNG loses nothing
    assert result.save() == "results_street.jpg" and os.path.getsize("results_street.jpg") > 500
    with pytest.raises(vigil.Error):
        result.save("x.gif")
    result.save_txt("labels/a.txt", save_conf=True)
    lines = (here / "labels" / "a.txt").read_text().splitlines()
    assert len(lines) == 3
    np.testing.assert_allclose([float(v) for v in lines[0].split()], [0, 30 / 96, 40 / 80, 40 / 96, 40 / 80, 0.9], atol=1e-4)
    written = result.save_crop("crops", "street.jpg")
    assert len(written) == 3 and written[0] == os.path.join("crops", "person", "street.jpg")
    assert all(os.path.getsize(f) for f in written)
    assert sorted(os.listdir("crops")) == ["a_b<\"&", "person"]


def test_show_is_refused_with_what_to_do(result):
    with pytest.raises(vigil.Error) as e:
        result.show()
    assert "plot()" in e.value.mend


def test_to_df_wants_pandas(result, monkeypatch):
    import builtins

    real = builtins.__import__

    def no_pandas(name, *a, **k):
        if name == "pandas":
            raise ImportError(name)
        return real(name, *a, **k)

    monkeypatch.setattr(builtins, "__import__", no_pandas)
    with pytest.raises(vigil.Error, match="pandas"):
        result.to_df()


def test_a_notebook_shows_it(result):
    html = result._repr_html_()
    assert "data:image/jpeg;base64," in html and "person" in html and "traffic" not in html
    assert 'a/b<"&' not in html and "a/b&lt;&quot;&amp;" in html
    assert result._repr_png_()[:8] == b"\x89PNG\r\n\x1a\n"


def test_saving_pictures_that_came_from_memory(model, here):
    results = model([picture(), picture(seed=2)], save=True, save_txt=True, save_json=True, **EVERYTHING)
    assert results[0].save_dir == os.path.join("runs", "predict", "exp")
    files = sorted(os.listdir(results[0].save_dir))
    assert files == ["image0.jpg", "image1.jpg", "labels", "predictions.jsonl"]
    lines = [json.loads(line) for line in (here / "runs/predict/exp/predictions.jsonl").read_text().splitlines()]
    assert [line["source"] for line in lines] == ["image0.jpg", "image1.jpg"] and len(lines[0]["boxes"]) == len(results[0])
    assert model(picture(), save=True, **EVERYTHING)[0].save_dir.endswith("exp2")
    write_bmp(here / "a.bmp", picture())
    saved, = model("a.bmp", save=True, save_txt=True, project="out", name="n", **EVERYTHING)
    assert saved.save_dir == os.path.join("out", "n") and os.path.exists("out/n/labels/a.txt")
