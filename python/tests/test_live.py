"""What happens while it happens, outside a notebook (tests/e2e/notebooks.py has the inside), and datasets looked at."""
import os

import numpy as np
import pytest

import vigil
from conftest import RANDOM, dataset, picture, write_bmp
from vigil import YOLO, datasets, live
from vigil.results import Results

QUICK = {"imgsz": 32, "batch": 4, "epochs": 2, "plots": False, "workers": 0, "exist_ok": True, "project": "runs"}


def drawn(html):
    """The first curve in it, as SVG: well-formed, and without what a page could not show."""
    import base64
    import xml.dom.minidom

    svg = base64.b64decode(html.split("data:image/svg+xml;base64,")[1].split('"')[0]).decode()
    xml.dom.minidom.parseString(svg)
    assert "currentColor" not in svg
    return svg


def test_live_is_lines_outside_a_notebook_and_off_by_itself(here, capsys):
    data = dataset(here / "data")
    YOLO("yolo11n.yaml").train(data=data, name="quiet", **QUICK)
    assert capsys.readouterr().out == ""
    model = YOLO("yolo11n.yaml")
    model.train(data=data, name="told", live=True, **QUICK)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith(", begins") and lines[-1].endswith(", done") and len(lines) == 4
    assert "epoch 2 of 2" in lines[2] and "mAP50" in lines[2] and "planned" in lines[2]
    assert model.callbacks["on_fit_epoch_end"] == []  # and the next training is not followed


def test_a_training_that_fails_is_no_longer_followed(here):
    model = YOLO("yolo11n.yaml")
    with pytest.raises(vigil.Error):
        model.train(data="nowhere.yaml", live=True)
    assert all(model.callbacks[e] == [] for e in live.Training.EVENTS)


def test_a_picture_is_shrunk_by_means():
    p = np.zeros((4, 6, 3), np.uint8)
    p[:2, :2] = 100
    p[0, 0] = 20
    small = live.shrunk(p, 3)
    assert small.shape == (2, 3, 3) and small[0, 0, 0] == 80 and small[1].max() == 0
    assert live.shrunk(p, 6) is p


def test_play_takes_all_and_counts(capsys):
    found = [Results(picture(), f"{i}", {0: "cup"}, [[0, 0, 5, 5, 0.9, 0]] * i or None) for i in range(4)]
    assert live.play(iter(found)) == {"results": 4, "shown": 1, "cup": 6}
    assert live.play(iter(found), most=2)["results"] == 2
    assert "frame 1" in capsys.readouterr().out


def test_a_recording_is_within_the_page(here):
    (here / "a.mp4").write_bytes(b"film")
    shown = live.video(here / "a.mp4")
    assert 'src="data:video/mp4;base64,ZmlsbQ=="' in shown._repr_html_() and "4 bytes" in repr(shown)
    with pytest.raises(vigil.Error, match="browsers"):
        live.video(here / "a.avi")


def test_bars():
    shown = live.bars("a <b>", [1, 3], [0, 1, 2])
    svg = drawn(shown.html)
    assert svg.count("<rect") == 2 and "a &lt;b&gt;" in svg and "<b>" not in shown.html and repr(shown).endswith("1 3")
    with pytest.raises(vigil.Error, match="one edge more"):
        live.bars("", [1, 3], [0, 1])


def test_names_in_what_is_shown_stay_text(here):
    bad = "<img src=x onerror=alert(1)>"
    r = Results(picture(), bad, {0: bad}, [[0, 0, 5, 5, 0.9, 0]])
    assert "<img src=x" not in r._repr_html_()
    data = dataset(here / "set", classes=("square", "circle"))
    text = open(data).read().replace("[square, circle]", f"['{bad}', circle]")
    open(data, "w").write(text)
    html = datasets.check(data)._repr_html_()
    assert "<img" not in html and "&lt;img src=x" in html


def test_a_dataset_is_checked(here):
    data = dataset(here / "set")
    check = datasets.check(data)
    assert check.is_clean and check.splits["train"]["pictures"] == 8 and check.splits["val"]["objects"] == 8
    assert check.names == {0: "square", 1: "circle"} and check.classes["circle"] == {"train": 4, "val": 4}
    assert check.sizes["train"] == [(64, 64, 8)] and "8 pictures" in repr(check)
    (here / "set/labels/train/0.txt").write_text("5 0.5 0.5 0.1 0.1\n")
    wrong = datasets.check(data)
    assert wrong.n_faults == 1 and "class 5" in wrong.faults[0].what and wrong.faults[0].where.endswith("0.txt:1")
    with pytest.raises(vigil.Error):
        datasets.check("nowhere.yaml")


def test_a_picture_with_its_labels(here):
    for folder in ("images/a", "labels/a"):
        os.makedirs(folder)
    write_bmp("images/a/7.bmp", picture(40, 80))
    assert len(datasets.labelled("images/a/7.bmp")) == 0  # no label file: no objects
    (here / "labels/a/7.txt").write_text("1 0.5 0.5 0.25 0.5\n0 0 0 0.5 0 0.5 0.5\n")
    r = datasets.labelled("images/a/7.bmp", {0: "a", 1: "b"})
    assert r.boxes.xyxy.tolist() == [[30, 10, 50, 30], [0, 0, 40, 20]] and r.boxes.conf.tolist() == [1, 1]
    assert r.plot().shape == (40, 80, 3)
    (here / "labels/a/7.txt").write_text("1 0.5 0.5\n")
    with pytest.raises(vigil.FormatError, match="7.txt:1"):
        datasets.labelled("images/a/7.bmp")
    assert datasets.label_file("/x/images/y/images/z/a.b.jpg") == "/x/images/y/labels/z/a.b.txt"


def test_shelves_are_drawn(here):
    made = datasets.draw(n_train=3, n_val=2, n_unseen=1, threads=1)
    assert made.folder == "runs/demo" and len(list(datasets.pictures(made.unseen))) == 1 and made.n_objects > 10
    assert datasets.check(made.data).splits["train"]["pictures"] == 3
    assert datasets.draw(n_train=1, n_val=1, n_unseen=1, threads=1).folder == "runs/demo2"
    goods = datasets.draw(n_train=3, n_val=2, n_unseen=1, threads=1, task="classify")
    assert sorted(os.listdir(goods.data)) == ["train", "unseen", "val"] and goods.n_objects == 6
    with pytest.raises(vigil.ArgumentError, match="detect, segment, pose, obb, classify"):
        datasets.draw(task="depth")


def test_samples_of_a_guard(here):
    import sys

    guard = vigil.watch([sys.executable, "-c", "import time; time.sleep(1.2)"], interval="0.2s", project="runs")
    found = live.samples(guard)
    assert found["main.rss_bytes"]["unit"] == "bytes" and len(found["main.rss_bytes"]["points"]) >= 3
    assert "<polyline" in drawn(live.chart(guard)) and live.chart(guard, "no.such") == ""
    assert live.follow(guard) is guard  # it has ended: shown once
