"""Devices: the same boxes on one as on the CPU, wherever it is named. Skipped where no driver has a device."""
import pickle

import numpy as np
import pytest

import vigil
from conftest import EVERYTHING, RANDOM, dataset, picture


@pytest.fixture(scope="module")
def device():
    from vigil._c import ffi, lib, text

    found, n = ffi.new("vg_device[]", lib.VG_MOST_DEVICES), ffi.new("size_t *")
    lib.vg_devices(found, n, ffi.new("vg_driver[]", lib.VG_MOST_DRIVERS), ffi.new("size_t *"))
    if n[0] == 0:
        pytest.skip("no driver of a device (Debian: pocl-opencl-icd)")
    return text(found[0].name)


def boxes(model, **kwargs):
    return model(picture(), **EVERYTHING, **kwargs)[0].boxes.data


def test_the_device_of_a_call(device):
    model = vigil.YOLO(RANDOM)
    here, there = boxes(model, device="cpu"), boxes(model, device=device)
    assert len(here) == len(there) > 0
    assert np.abs(here - there).max() < 0.02
    assert (here != there).any(), "it was not computed elsewhere"


def test_to_holds_for_later_calls_and_a_copy(device):
    model = vigil.YOLO(RANDOM)
    here = boxes(model, device="cpu")
    assert model.to(device) is model and model.device == device
    there = boxes(model)
    assert (here != there).any()
    assert (boxes(pickle.loads(pickle.dumps(model))) == there).all()
    assert (boxes(model, device="cpu") == here).all(), "a call's own device comes first"
    assert (boxes(model.cpu()) == here).all()


def test_train_and_val_on_a_device(device, here):
    data = dataset(here)
    model = vigil.YOLO("yolo11n.yaml").to(device)
    model.train(data=data, epochs=1, imgsz=64, batch=4, plots=False)
    assert model.trainer.device == device
    there = model.val(data=data, imgsz=64, plots=False)
    here = model.val(data=data, imgsz=64, plots=False, device="cpu")
    assert abs(here.box.map - there.box.map) < 1e-3


def test_what_is_not_there():
    model = vigil.YOLO(RANDOM)
    with pytest.raises(vigil.Error):
        model.to("opencl:15")
    with pytest.raises(vigil.ArgumentError, match="tpu"):
        model.to("tpu")
    with pytest.raises(vigil.ArgumentError, match="one device"):
        model.to([0, 1])
    assert model.device == "auto"
    with pytest.raises(vigil.ArgumentError, match="task detect"):
        vigil.YOLO(RANDOM, task="pose")
    vigil.YOLO(RANDOM, task="detect")
