"""Sources of every kind give the boxes that the library gives, and no frame is copied on the way."""
import multiprocessing
import os
import pickle
import threading

import numpy as np
import pytest

import vigil
from conftest import EVERYTHING, RANDOM, picture, write_bmp
from vigil import YOLO


def rows(result):
    return np.asarray(result.boxes.data)


def direct(path_or_array, **options):
    """The boxes of the C call itself."""
    from vigil._c import call, ffi, lib

    o = ffi.new("vg_options *", lib.vg_options_default())
    weights = ffi.new("char[]", RANDOM.encode())
    o.weights, o.imgsz = weights, options["imgsz"]
    d = ffi.new("vg_detector **")
    call(lib.vg_detector_open, d, o)
    detect = ffi.new("vg_detect_options *", lib.vg_detect_options_default())
    detect.conf, detect.max_det = options["conf"], options["max_det"]
    a = np.ascontiguousarray(path_or_array)
    image = ffi.new("vg_image *", {"pixels": ffi.cast("void *", a.ctypes.data), "width": a.shape[1], "height": a.shape[0],
                                   "format": lib.VG_BGR})
    found, n = ffi.new("vg_detection[300]"), ffi.new("size_t *")
    call(lib.vg_detect, d[0], found, 300, n, image, detect)
    out = np.array([[f.x1, f.y1, f.x2, f.y2, f.confidence, f.class_index] for f in found[0:n[0]]], np.float32).reshape(-1, 6)
    lib.vg_detector_close(d)
    return out


def test_an_array_gives_the_boxes_of_the_c_call(model):
    frame = picture()
    expected = direct(frame, **EVERYTHING)
    assert len(expected) > 3
    result, = model(frame, **EVERYTHING)
    np.testing.assert_array_equal(rows(result), expected)
    assert result.orig_img is frame
    assert result.orig_shape == (72, 96)
    assert set(result.speed) == {"preprocess", "inference", "postprocess"} and result.speed["inference"] > 0


def test_augment_gives_other_boxes_to_arrays_and_files_alike(model, tmp_path):
    frame = picture()
    write_bmp(tmp_path / "a.bmp", frame)
    expected = rows(model(frame, augment=True, **EVERYTHING)[0])
    assert not np.array_equal(expected, rows(model(frame, **EVERYTHING)[0]))
    for more in ({}, {"save": True, "project": str(tmp_path / "runs")}):
        result, = model(str(tmp_path / "a.bmp"), augment=True, **more, **EVERYTHING)
        np.testing.assert_array_equal(rows(result), expected)


def test_no_copy_is_made_of_a_frame_its_parts_and_its_mirror():
    from vigil._pictures import pictures_of

    frame = picture()
    for view in (frame, frame[8:40, 16:80], frame[..., ::-1], frame[:, :, 0:1].copy()[:, :, 0], picture().astype(np.float32) / 255):
        (p, _), = pictures_of(view)
        assert np.shares_memory(p.array, view), view.strides
    (p, _), = pictures_of(frame[:, ::2])  # rows with holes are what the library cannot read
    assert not np.shares_memory(p.array, frame)


def test_views_give_the_boxes_of_their_copies(model):
    frame = picture(144, 192)
    for view in (frame[8:80, 16:112], frame[..., ::-1], frame[:, ::2], frame[::2], frame[::-1]):
        np.testing.assert_array_equal(rows(model(view, **EVERYTHING)[0]), rows(model(view.copy(), **EVERYTHING)[0]))


def test_pil_is_rgb_and_a_tensor_is_rgb_in_planes(model):
    frame = picture()
    expected = rows(model(frame, **EVERYTHING)[0])

    class Tensor:  # what torch's answer to
        def __init__(self, a):
            self.a = a

        def __array__(self, dtype=None, copy=None):
            return self.a

    rgb = frame[..., ::-1]
    planes = np.ascontiguousarray(rgb.transpose(2, 0, 1)[None])
    result, = model(Tensor(planes), **EVERYTHING)
    np.testing.assert_array_equal(rows(result), expected)
    assert result.orig_img.shape == frame.shape
    np.testing.assert_array_equal(result.orig_img, frame)
    floats, = model(Tensor(planes.astype(np.float32) / 255), **EVERYTHING)
    np.testing.assert_array_equal(floats.orig_img, frame)
    assert floats.orig_shape == (72, 96)
    Image = pytest.importorskip("PIL.Image")
    result, = model(Image.fromarray(np.ascontiguousarray(rgb)), **EVERYTHING)
    np.testing.assert_array_equal(rows(result), expected)
    np.testing.assert_array_equal(result.orig_img, frame)


def test_dlpack_alone_is_enough(model):
    class Capsule:
        def __init__(self, a):
            self.a = a

        def __dlpack__(self, *a, **k):
            return self.a.__dlpack__(*a, **k)

        def __dlpack_device__(self):
            return self.a.__dlpack_device__()

    frame = picture()
    np.testing.assert_array_equal(rows(model(Capsule(frame), **EVERYTHING)[0]), rows(model(frame, **EVERYTHING)[0]))


def test_a_list_a_folder_a_glob_and_a_file(model, here):
    frames = [picture(seed=i) for i in range(3)]
    for i, frame in enumerate(frames):
        write_bmp(here / f"p{i}.bmp", frame)
    expected = [rows(model(f, **EVERYTHING)[0]) for f in frames]
    for source in (frames, ["p0.bmp", frames[1], here / "p2.bmp"], ".", "p*.bmp", str(here)):
        results = model(source, **EVERYTHING)
        assert len(results) == 3
        for result, rows_ in zip(results, expected):
            np.testing.assert_array_equal(rows(result), rows_)
            assert result.orig_shape == (72, 96)
    result, = model("p1.bmp", **EVERYTHING)
    assert result.path == "p1.bmp"
    np.testing.assert_array_equal(result.orig_img, frames[1])
    assert not (here / "runs").exists()
    several = model(frames, batch=2, **EVERYTHING)
    for result, rows_ in zip(several, expected):
        np.testing.assert_array_equal(rows(result), rows_)


def test_a_picture_on_the_web(model, here):
    import functools
    import http.server

    write_bmp(here / "a.bmp", picture())
    (here / "b.jpg").write_bytes(b"no picture")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(here)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    root = f"http://127.0.0.1:{server.server_port}"
    try:
        result, = model(root + "/a.bmp?secret=1", **EVERYTHING)
        np.testing.assert_array_equal(rows(result), rows(model(picture(), **EVERYTHING)[0]))
        np.testing.assert_array_equal(result.orig_img, picture())
        saved, = model(root + "/a.bmp", save=True, save_crop=True, **EVERYTHING)
        assert os.path.isdir(os.path.join(saved.save_dir, "crops"))
        with pytest.raises(OSError, match="404"):
            model(root + "/nowhere.png")
        with pytest.raises(vigil.Error) as e:
            model(root + "/b.jpg?secret=1")
        assert "b.jpg" in str(e.value) and "secret" not in str(e.value)
    finally:
        server.shutdown()
        server.server_close()


def test_stream_is_a_generator_that_holds_one(model):
    n = [0]

    def frames():
        while True:
            n[0] += 1
            yield picture()

    results = model.predict(frames(), stream=True, **EVERYTHING)
    next(results), next(results)
    assert n[0] == 2
    results.close()


def test_a_broken_picture_is_skipped_with_a_warning_and_alone_an_error(model, here):
    write_bmp(here / "a.bmp", picture())
    (here / "b.bmp").write_bytes(b"BM and no more")
    with pytest.warns(UserWarning, match="b.bmp"):
        assert len(model(str(here), **EVERYTHING)) == 1
    with pytest.raises(vigil.Error) as e:
        model("b.bmp")
    assert "b.bmp" in str(e.value)
    with pytest.raises(OSError):
        model("nowhere.jpg")


def test_errors_have_what_where_and_mend(model):
    with pytest.raises(vigil.ArgumentError) as e:
        model(picture(), agnostic_nm=True)
    assert "agnostic_nm" in e.value.what and "agnostic_nms" in e.value.mend and e.value.status == "VG_ERR_ARGUMENT"
    with pytest.raises(ValueError, match="0 to 1"):
        model(picture(), conf=3)
    with pytest.raises(vigil.Error, match="did you mean class"):
        model(picture(), classes=["clas12"])
    with pytest.raises(vigil.Error, match="80"):
        model(picture(), classes=[80])
    with pytest.raises(vigil.Error, match="videos"):
        model(picture(), vid_stride=3)
    with pytest.raises(OSError):
        YOLO("nowhere.pt")
    with pytest.raises(vigil.Error, match="no picture"):
        model(np.zeros((4, 4, 7), np.uint8))
    with pytest.raises(vigil.Error, match="255"):
        model(picture().astype(np.float32))


def test_classes_by_number_and_name(model):
    frame = picture()
    found = {int(c) for c in model(frame, **EVERYTHING)[0].boxes.cls}
    one = sorted(found)[0]
    for wanted in (one, [one], model.names[one], [model.names[one]], np.array([one])):
        result, = model(frame, **{**EVERYTHING, "classes": wanted})
        assert len(result) and {int(c) for c in result.boxes.cls} == {one}
    assert len(model(frame, **{**EVERYTHING, "classes": []})[0]) in (0, len(model(frame, **EVERYTHING)[0]))


def test_results_are_their_owners(model):
    frame = picture()
    first = model(frame, **EVERYTHING)[0]
    kept = rows(first).copy()
    model(picture(seed=5), **EVERYTHING)
    model.close()
    np.testing.assert_array_equal(rows(first), kept)
    rows(first)[0, 0] = -1  # and may be written to
    assert model(frame, **EVERYTHING)[0].boxes.data[0, 0] == kept[0, 0]


def test_threads_share_a_model(model):
    frames = [picture(seed=i) for i in range(4)]
    expected = [rows(model(f, **EVERYTHING)[0]) for f in frames]
    wrong = []

    def work(i):
        for _ in range(10):
            if not np.array_equal(rows(model(frames[i], **EVERYTHING)[0]), expected[i]):
                wrong.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert wrong == []


def test_the_lock_is_given_away_while_it_computes(model):
    """A second thread of Python runs while the network does."""
    counted, done = [0], threading.Event()

    def count():
        while not done.is_set():
            counted[0] += 1

    frame = picture(640, 640)
    model(frame, conf=0.9, imgsz=640)
    from vigil import _engine

    seen = []
    real = _engine.lib.vg_detect_batch

    class Lib:
        def __getattr__(self, name):
            return getattr(lib, name)

        @staticmethod
        def vg_detect_batch(*args):
            before = counted[0]
            status = real(*args)
            seen.append(counted[0] - before)
            return status

    lib = _engine.lib
    thread = threading.Thread(target=count)
    thread.start()
    try:
        _engine.lib = Lib()
        for _ in range(4):
            model(frame, conf=0.9, imgsz=640)
    finally:
        _engine.lib = lib
        done.set()
        thread.join()
    assert max(seen) > 1000  # with the lock held it would be a switch's worth at most


def _child(model, frame, queue):
    queue.put(rows(model(frame, **EVERYTHING)[0]))


def test_a_fork_after_the_import_and_after_a_call_is_safe(model):
    frame = picture()
    expected = rows(model(frame, **EVERYTHING)[0])
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_child, args=(model, frame, queue))
    child.start()
    np.testing.assert_array_equal(queue.get(timeout=60), expected)
    child.join(60)
    assert child.exitcode == 0
    np.testing.assert_array_equal(rows(model(frame, **EVERYTHING)[0]), expected)


def test_a_handle_that_cannot_be_made_again_says_that_it_is_the_parents():
    from vigil._c import lib
    from vigil._handles import opened

    handle = opened("vg_train", lib.vg_train_destroy, "a training", lib.vg_train_create)
    pid = os.fork()
    if pid == 0:
        try:
            handle.p
        except vigil.Error as e:
            os._exit(0 if "forked" in e.what else 2)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert handle.p


def test_a_model_is_pickled_by_its_path(model):
    other = pickle.loads(pickle.dumps(model))
    assert other.names == model.names
    frame = picture()
    np.testing.assert_array_equal(rows(other(frame, **EVERYTHING)[0]), rows(model(frame, **EVERYTHING)[0]))


def test_no_more_detectors_are_kept_than_said(model):
    from vigil.model import MOST_DETECTORS

    for imgsz in (32, 64, 96, 128):
        model(picture(), imgsz=imgsz)
    assert len(model._detectors) == MOST_DETECTORS
    assert {r["owner"] for r in model.memory()} >= {"weights", "activations"}


def test_facts(model, capsys):
    assert model.names[7] == "class7" and len(model.names) == 80
    assert model.info()[1] > 2_000_000
    assert "parameters" in capsys.readouterr().out
    assert "yolo11n" in repr(model) and model.task == "detect"
    model.info(detailed=True)
    assert "C3k2" in capsys.readouterr().out
    with pytest.raises(vigil.Error):
        YOLO(RANDOM, task="segment")
    with pytest.raises(vigil.Error, match="without weights"):
        YOLO("yolo11n.yaml")(picture())


def test_a_call_like_the_last_one_gives_the_same_by_the_short_way(model):
    model.close()
    frame = picture()
    first = rows(model(frame, **EVERYTHING)[0])
    assert model._quick is not None
    again = model(frame, **EVERYTHING)[0]
    np.testing.assert_array_equal(rows(again), first)
    assert again.orig_img is frame and again.path == "image0.jpg" and again.speed["inference"] > 0
    for other in (frame[:, ::2], frame[:, :, 0], frame.astype(np.float32) / 255):  # what it is not for
        assert model(other, **EVERYTHING)[0].orig_shape == other.shape[:2]
    assert {int(c) for c in model(frame, **{**EVERYTHING, "classes": [int(first[0, 5])]})[0].boxes.cls} == {int(first[0, 5])}
    seen = []
    model.add_callback("on_predict_end", seen.append)
    model(frame, **EVERYTHING)
    model.reset_callbacks()
    assert len(seen) == 1
    assert model(frame, conf=0.9999, imgsz=96, threads=1)[0].boxes.shape == (0, 6)
    with pytest.raises(vigil.Error):
        model(np.zeros((0, 4, 3), np.uint8), **EVERYTHING)
