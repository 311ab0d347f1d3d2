"""Objects keep their number: frame by frame, and in a video."""
import numpy as np
import pytest

import vigil
from conftest import EVERYTHING, RANDOM, picture
from vigil import YOLO

# Random weights see everything, a little: all of it begins a track.
WEAK = {**EVERYTHING, "track_high_thresh": 0.001, "track_low_thresh": 0.0005, "new_track_thresh": 0.001}


@pytest.fixture
def fresh():
    return YOLO(RANDOM)


@pytest.mark.parametrize("tracker", ["bytetrack.yaml", "botsort.yaml"])
def test_the_same_picture_again_has_the_same_ids(fresh, tracker):
    frame = picture()
    first, = fresh.track(frame, persist=True, tracker=tracker, **WEAK)
    assert first.boxes.is_track and len(first) > 2 and first.boxes.shape[1] == 7
    ids = sorted(first.boxes.id.int().tolist())
    assert len(set(ids)) == len(ids)
    for _ in range(3):
        again, = fresh.track(frame, persist=True, tracker=tracker, **WEAK)
        assert sorted(again.boxes.id.int().tolist()) == ids
    assert again.summary()[0]["track_id"] in ids
    assert (again.plot() != again.orig_img).any()


def test_boxes_are_those_of_predict(fresh):
    frame = picture()
    found = np.asarray(fresh(frame, **EVERYTHING)[0].boxes.data)
    tracked, = fresh.track(frame, persist=True, **WEAK)
    known = {tuple(row) for row in found}
    assert {tuple(row) for row in np.delete(np.asarray(tracked.boxes.data), 4, axis=1)} <= known


def test_without_persist_each_call_is_another_scene(fresh):
    frame = picture()
    first, = fresh.track(frame, **WEAK)
    second, = fresh.track(frame, **WEAK)
    assert not set(first.boxes.id.tolist()) & set(second.boxes.id.tolist())


def test_wrong_words(fresh):
    with pytest.raises(vigil.Error):
        fresh.track(picture(), persist=True, tracker="strong.yaml", **EVERYTHING)
    with pytest.raises(vigil.Error, match="track_buffer"):
        fresh.track(picture(), persist=True, track_bufer=3)
    with pytest.raises(vigil.Error, match="no source"):
        fresh.track()


DRAWN = "lavfi:testsrc2=size=96x64:rate=10:duration=0.5"


def test_a_video_frame_by_frame(fresh):
    results = fresh.track(DRAWN, stream=True, **WEAK)
    first = next(results)
    assert first.frame == 0 and first.orig_shape == (64, 96) and first.boxes.is_track
    rest = list(results)
    assert [r.frame for r in rest] == [1, 2, 3, 4] and rest[-1].time_s == pytest.approx(0.4)
    picture, drawn = rest[0].orig_img, rest[0].plot()
    assert picture.shape == (64, 96, 3) and picture.std() > 20 and (drawn != picture).any()
    assert (picture != rest[3].orig_img).any()  # each its own
    np.testing.assert_array_equal(first.orig_img, fresh.predict(DRAWN, **EVERYTHING)[0].orig_img)
    assert not fresh.predict(DRAWN, **EVERYTHING)[0].boxes.is_track


def test_a_video_that_nobody_reads_to_its_end_is_closed(fresh):
    import threading

    results = fresh.predict("lavfi:testsrc2=size=96x64:rate=10", stream=True, **EVERYTHING)
    next(results)
    results.close()
    assert not [t for t in threading.enumerate() if t.name == "vigil stream"]
    with pytest.raises(vigil.Error):
        list(fresh.predict("rtsp://127.0.0.1:1/x", stream=True, max_retries=1, retry_first="10ms", connect_timeout="200ms"))
