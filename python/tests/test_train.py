"""Training, validation and export, and the functions that are called on the way."""
import os
import pathlib
import signal
import threading

import numpy as np
import pytest

import vigil
import vigil.metrics as metrics_module
from conftest import RANDOM, dataset, picture
from vigil import YOLO
from vigil._c import ffi

QUICK = {"imgsz": 32, "batch": 4, "plots": False, "workers": 0, "threads": 1, "exist_ok": True, "project": "runs"}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return dataset(tmp_path_factory.mktemp("data"))


@pytest.fixture
def fresh(here):
    return YOLO("yolo11n.yaml")


def test_a_run_with_every_event(fresh, data):
    seen, epochs = [], []
    for event in ("on_pretrain_routine_start", "on_pretrain_routine_end", "on_train_start", "on_train_epoch_start", "on_train_batch_end",
                  "on_train_epoch_end", "on_model_save", "on_fit_epoch_end", "on_train_end"):
        fresh.add_callback(event, lambda _, e=event: seen.append(e))
    fresh.add_callback("on_fit_epoch_end", lambda t: epochs.append((t.epoch, sorted(t.metrics), t.pace()["pictures_per_s"] > 0)))
    metrics = fresh.train(data=data, epochs=2, name="a", **QUICK)
    epoch = ["on_train_epoch_start", "on_train_batch_end", "on_train_batch_end", "on_train_epoch_end", "on_model_save", "on_fit_epoch_end"]
    assert seen == ["on_pretrain_routine_start", "on_pretrain_routine_end", "on_train_start", *epoch, *epoch, "on_train_end"]
    assert [e[0] for e in epochs] == [0, 1] and "metrics/mAP50(B)" in epochs[0][1] and epochs[1][2]
    assert set(metrics.results_dict) == {*metrics.keys, "fitness"} and metrics is fresh.metrics
    assert 0 <= metrics.box.map <= metrics.box.map50 <= 1 and len(metrics.box.maps) == 2
    assert metrics.confusion_matrix.matrix.shape == (3, 3) and metrics.confusion_matrix.matrix[:, :2].sum(0).tolist() == [4, 4]
    assert metrics.n_pictures == 8 and metrics.names == {0: "square", 1: "circle"}
    trainer = fresh.trainer
    assert fresh.ckpt_path == trainer.best and os.path.isfile(trainer.last) and os.path.isfile(trainer.csv)
    assert [h["epoch"] for h in trainer.history] == [1, 2] and trainer.history[0]["train/cls_loss"] > 0
    losses = ["train/box_loss", "train/cls_loss", "train/dfl_loss"]
    assert trainer.label_loss_items() == losses and set(losses) <= set(trainer.history[0])
    assert trainer.label_loss_items(np.array([1, 2.5, 3]), "val") == {"val/box_loss": 1, "val/cls_loss": 2.5, "val/dfl_loss": 3}
    assert len(trainer.tloss) == 3 and trainer.label_loss_items(trainer.tloss)["train/box_loss"] == trainer.history[1]["train/box_loss"]
    assert fresh.names == {0: "square", 1: "circle"}
    assert len(fresh(picture(), imgsz=32)) == 1  # the new weights detect
    html = trainer._repr_html_()
    assert html.count("data:image/svg+xml") == 6 and 'alt="cls_loss"' in html and "mAP50-95" in metrics._repr_html_()
    assert "yolo11n" in fresh._repr_html_()


def test_a_callback_stops_it_and_the_best_weights_are_validated(fresh, data):
    def enough(trainer):
        trainer.stop = trainer.epoch == 1

    fresh.add_callback("on_fit_epoch_end", enough)
    metrics = fresh.train(data=data, epochs=100, name="b", **QUICK)
    assert fresh.trainer.stopped and fresh.trainer.epoch == 1 and metrics.n_pictures == 8


def test_an_exception_of_a_callback_ends_it_and_comes_out(fresh, data):
    def wrong(trainer):
        raise LookupError("mine")

    fresh.add_callback("on_train_batch_end", wrong)
    with pytest.raises(LookupError, match="mine"):
        fresh.train(data=data, epochs=100, name="c", **QUICK)
    assert os.path.isfile("runs/c/weights/last.safetensors")


def test_ctrl_c_leaves_a_checkpoint_from_which_it_goes_on(fresh, data):
    fresh.add_callback("on_fit_epoch_end", lambda t: t.epoch == 0 and os.kill(os.getpid(), signal.SIGINT))
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt, match="resume"):
        fresh.train(data=data, epochs=3, name="d", **QUICK)
    assert signal.getsignal(signal.SIGINT) is before
    last = "runs/d/weights/last.safetensors"
    again = YOLO(last)
    again.train(resume=True)
    assert again.trainer.start_epoch >= 1 and again.trainer.epoch == 2


def test_in_a_thread_ctrl_c_is_nobodys(fresh, data):
    found = []
    thread = threading.Thread(target=lambda: found.append(fresh.train(data=data, epochs=1, name="e", **QUICK)))
    thread.start()
    thread.join()
    assert found and found[0].n_pictures == 8


def test_wrong_arguments(fresh, data):
    with pytest.raises(vigil.Error, match="epochs"):
        fresh.train(data=data, epohs=1)
    with pytest.raises(vigil.Error, match="teacher"):
        fresh.train(data=data, distill_model="x.pt")
    with pytest.warns(UserWarning, match="rle"):
        with pytest.raises(vigil.Error):
            fresh.train(data="nowhere.yaml", rle=3)
    with pytest.raises(OSError):
        fresh.train(data="nowhere.yaml", epochs=1, half=None, retina_masks=False)
    with pytest.raises(vigil.Error) as e:
        fresh.add_callback("on_train_epoch_ends", print)
    assert "on_train_epoch_end" in e.value.mend
    with pytest.raises(vigil.Error, match="within the library"):
        fresh.add_callback("on_train_batch_start", print)
    with pytest.raises(TypeError):
        fresh.add_callback("on_train_start", 3)


def test_validation(model, data, here):
    seen = []
    model.add_callback("on_val_start", lambda v: seen.append("start"))
    model.add_callback("on_val_batch_end", lambda v: seen.append(v.seen <= v.n_pictures == 8))
    model.add_callback("on_val_end", lambda v: seen.append(v.metrics.n_pictures))
    try:
        metrics = model.val(data=as_it_sees_them(model, here), imgsz=64, batch=4, plots=False, conf=1e-3)
    finally:
        model.reset_callbacks()
    assert seen[0] == "start" and seen[-1] == 8 and all(seen)
    assert metrics.box.map == metrics.results_dict["metrics/mAP50-95(B)"] and len(metrics.box.maps) == 80
    n = len(metrics.box.p)
    assert n == len(metrics.summary()) == len(metrics.ap_class_index) > 0 and metrics.box.map50 > 0.2
    assert metrics.box.class_result(0) == tuple(float(v[0]) for v in (metrics.box.p, metrics.box.r, metrics.box.ap50, metrics.box.ap))
    assert metrics.box.maps[metrics.ap_class_index[0]] == metrics.box.ap[0] and metrics.box.f1.shape == (n,)
    assert model.metrics is metrics and model.names[int(metrics.ap_class_index[0])] in metrics._repr_html_()
    with pytest.raises(vigil.Error, match="dataset"):
        YOLO(RANDOM).val()
    with pytest.raises(vigil.Error, match="8.3"):
        model.val(data=data, ap="9")


def test_a_validation_has_the_curves_and_the_matrix_of_the_library(model, data, here, monkeypatch):
    made, c = metrics_module.Metrics, {}

    def note(names, result, save_dir):
        k, n, points, nc = result.curves, result.n_classes, result.curves.n_points, result.curves.nc
        for name, size in (("p", n * points), ("r", n * points), ("f1", n * points), ("pr", n * points), ("ap", n * 10), ("maps", nc),
                           ("confusion", (nc + 1) ** 2)):
            c[name] = np.array(ffi.unpack(getattr(k, name), size))
        c["class_f1"], c["best"] = [result.classes[i].f1 for i in range(n)], round(result.best_conf * (points - 1))
        return made(names, result, save_dir)

    monkeypatch.setattr("vigil.val.Metrics", note)
    metrics = model.val(data=as_it_sees_them(model, here), imgsz=64, batch=4, plots=False, conf=2e-3)
    box, n = metrics.box, len(metrics.ap_class_index)
    assert n > 1 and box.p_curve.shape == (n, 1000) and box.all_ap.shape == (n, 10)
    for ours, theirs in ((box.p_curve, "p"), (box.r_curve, "r"), (box.f1_curve, "f1"), (box.prec_values, "pr"), (box.all_ap, "ap"),
                         (box.maps, "maps"), (box.f1, "class_f1"), (metrics.confusion_matrix.matrix, "confusion")):
        assert ours.ravel().tolist() == list(c[theirs]), theirs
        assert ours.any(), theirs
    # What the figures are says which array is which, and how it lies.
    assert box.all_ap[:, 0].tolist() == box.ap50.tolist() and box.all_ap.mean(1) == pytest.approx(box.ap, abs=1e-12)
    assert box.map75 == pytest.approx(box.all_ap.mean(0)[5], abs=1e-12) and box.map <= box.map75 <= box.map50
    for curve, figure in ((box.p_curve, box.p), (box.r_curve, box.r), (box.f1_curve, box.f1)):
        assert curve[:, c["best"]].tolist() == figure.tolist()
    matrix = metrics.confusion_matrix.matrix
    assert matrix.shape == (81, 81) and matrix[:, metrics.ap_class_index].sum(0).tolist() == box.n_instances.tolist()


def test_metrics_by_hand():
    doubles = {name: ffi.new("double[]", values) for name, values in (
        ("p", [.1, .2, .3, .4, .5, .6]), ("r", [.9, .8, .7, .6, .5, .4]), ("f1", [.11, .12, .13, .14, .15, .16]),
        ("pr", [1, .7, .2, .9, .6, .1]), ("ap", [k / 100 for k in range(20)]), ("maps", [.045, .0951, .145]))}
    counts = ffi.new("uint64_t[]", list(range(16)))
    classes = ffi.new("vg_val_class[]", [{"class_index": 0, "f1": .12}, {"class_index": 2, "f1": .15}])
    result = ffi.new("vg_val_result *", {"n_classes": 2, "classes": classes, "curves": {
        "n_points": 3, "confusion": counts, "nc": 3, **doubles}})
    metrics = metrics_module.Metrics({0: "a", 1: "b", 2: "c"}, result)
    for borrowed in (*doubles.values(), counts, classes):  # the library's next run writes there
        ffi.memmove(borrowed, b"\xff" * ffi.sizeof(borrowed), ffi.sizeof(borrowed))
    box, confusion = metrics.box, metrics.confusion_matrix
    assert box.p_curve.tolist() == [[.1, .2, .3], [.4, .5, .6]] and box.r_curve.tolist() == [[.9, .8, .7], [.6, .5, .4]]
    assert box.all_ap[1].tolist() == [k / 100 for k in range(10, 20)] and box.map75 == pytest.approx((.05 + .15) / 2)
    assert box.maps.tolist() == metrics.maps.tolist() == [.045, .0951, .145] and box.f1.tolist() == [.12, .15]
    assert [(line[2], line[3]) for line in metrics.curves_results] == [
        ("Recall", "Precision"), ("Confidence", "F1"), ("Confidence", "Precision"), ("Confidence", "Recall")]
    assert [line[1][0].tolist() for line in metrics.curves_results] == [[1, .7, .2], [.11, .12, .13], [.1, .2, .3], [.9, .8, .7]]
    assert all(line[0].tolist() == [0, .5, 1] for line in metrics.curves_results) and len(metrics.curves) == 4
    assert confusion.matrix[0, 1] == 1 and confusion.matrix[3].tolist() == [12, 13, 14, 15] and confusion.matrix.dtype == np.int64
    assert confusion.nc == 3 and confusion.names == ["a", "b", "c", "background"]
    assert [v.tolist() for v in confusion.tp_fp()] == [[0, 5, 10], [6, 17, 28]]
    for array in (box.p_curve, box.all_ap, box.maps, confusion.matrix):
        array[:] = 0  # theirs to write

    nothing = ffi.new("vg_val_result *", {"curves": {"n_points": 1000, "nc": 3, "maps": doubles["maps"], "confusion": counts}})
    for box in (metrics_module.Metrics({0: "a"}, nothing).box, metrics_module.Metrics({0: "a", 1: "b", 2: "c"}).box):
        assert box.map75 == 0 and len(box.all_ap) == len(box.p_curve) == len(box.f1) == 0 and box.maps.shape == (3,)
    box = metrics_module.Metrics({0: "a"}, nothing).box
    assert box.all_ap.shape == (0, 10) and box.p_curve.shape == (0, 1000) and box.px.shape == (1000,)


def as_it_sees_them(model, folder):
    """A dataset whose labels are what the model finds."""
    path = pathlib.Path(dataset(folder / "seen"))
    path.write_text(path.read_text().split("names:")[0] + "names: [" + ", ".join(model.names.values()) + "]\n")
    for result in model(str(folder / "seen" / "images" / "val"), imgsz=64, conf=1e-3, max_det=5):
        labels = folder / "seen" / "labels" / "val" / (pathlib.Path(result.path).stem + ".txt")
        labels.unlink()
        result.save_txt(labels)
    return str(path)


def test_export(model, here):
    seen = []
    model.add_callback("on_export_end", lambda m: seen.append(1))
    out = model.export(imgsz=64, output=here / "x.onnx", half=False)
    model.reset_callbacks()
    assert out == str(here / "x.onnx") and os.path.getsize(out) > 1000000 and seen == [1]
    with pytest.raises(vigil.Error):
        model.export(format="engine")
    with pytest.raises(vigil.Error, match="opset"):
        model.export(opse=12)
    with pytest.raises(ValueError, match="batch"):
        model.export(batch="many")
