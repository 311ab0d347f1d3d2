"""Training, validation and export, and the functions that are called on the way."""
import os
import pathlib
import signal
import threading

import pytest

import vigil
from conftest import RANDOM, dataset, picture
from vigil import YOLO

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
    assert metrics.n_pictures == 8 and metrics.names == {0: "square", 1: "circle"}
    trainer = fresh.trainer
    assert fresh.ckpt_path == trainer.best and os.path.isfile(trainer.last) and os.path.isfile(trainer.csv)
    assert [h["epoch"] for h in trainer.history] == [1, 2] and trainer.history[0]["train/cls_loss"] > 0
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
    with pytest.warns(UserWarning, match="pose"):
        with pytest.raises(vigil.Error):
            fresh.train(data="nowhere.yaml", pose=3)
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
