"""Streams that the program feeds: every frame's boxes are those of model(frame), in order, and nobody waits for ever."""
import threading

import pytest

import vigil
from conftest import EVERYTHING, RANDOM, picture

N = 6


def pushed(stream, n=N):
    """A thread that pushes n frames, and ends the stream."""
    def push_all():
        for i in range(n):
            assert stream.push(picture(seed=i), time_s=10 + 0.5 * i)
        stream.end()

    thread = threading.Thread(target=push_all)
    thread.start()
    return thread


def test_every_frame_has_the_boxes_of_the_model(model):
    want = [model(picture(seed=i), **EVERYTHING)[0].boxes.data for i in range(N)]
    with vigil.Stream(model, **EVERYTHING) as stream:
        thread = pushed(stream)
        results = list(stream)
        thread.join()
        assert list(stream) == []
    assert len(results) == N and all(len(w) for w in want)
    for i, result in enumerate(results):
        assert result.boxes.data.tolist() == want[i].tolist() and result.time_s == pytest.approx(10 + 0.5 * i)
        assert (result.orig_img == picture(seed=i)).all()


def test_a_function_has_the_results_and_the_block_waits_for_the_last():
    seen = []
    with vigil.Stream(RANDOM, on_result=seen.append, track=True, **EVERYTHING) as stream:
        for i in range(N):
            assert stream.push(picture(seed=0))
        with pytest.raises(vigil.Error, match="on_result"):
            next(iter(stream))
    assert [r.frame for r in seen] == list(range(N)) or [r.frame for r in seen] == list(range(1, N + 1))
    assert seen[-1].boxes.is_track
    with pytest.raises(vigil.Interrupted, match="closed"):
        stream.push(picture())
    stream.close()


def test_where_nobody_takes_the_results_pushing_waits_and_says_so(model):
    with vigil.Stream(model, **EVERYTHING) as stream:
        n = 0
        while stream.push(picture(), timeout=0.5):
            n += 1
            assert n < 100
        # One that waits without end is let go when the stream is closed.
        failures = []

        def wait():
            try:
                while True:
                    stream.push(picture())
            except vigil.Interrupted as e:
                failures.append(e)

        thread = threading.Thread(target=wait)
        thread.start()
    thread.join()
    assert n > 0 and len(failures) == 1


def test_with_the_newest_alone_pushing_waits_for_no_network(model):
    with vigil.Stream(model, policy="latest", **EVERYTHING) as stream:
        assert stream.push(picture())
        # Nobody takes the results, so nothing but a newer frame makes room.
        assert all(stream.push(picture(), timeout=10) for _ in range(100))


def test_an_exception_of_the_function_comes_out(model):
    def wrong(_):
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        with vigil.Stream(model, on_result=wrong, **EVERYTHING) as stream:
            while True:
                stream.push(picture())
    with pytest.raises(LookupError, match="mine"):
        with vigil.Stream(model, on_result=wrong, **EVERYTHING) as stream:
            stream.push(picture())


def test_wrong_use(model):
    with pytest.raises(vigil.Error, match="source"):
        vigil.Stream(model, source="x.mp4")
    with pytest.raises(vigil.Error, match="conf"):
        vigil.Stream(model, conff=0.2)
    with pytest.raises(vigil.Error) as e:
        model.predict("push:door")
    assert "vigil.Stream" in e.value.mend
    with pytest.raises(vigil.Error, match="no weights|without weights"):
        vigil.Stream("yolo11n.yaml")
    with vigil.Stream(model, **EVERYTHING) as stream:
        with pytest.raises(vigil.Error, match="no frame"):
            stream.push("street.jpg")
        with pytest.raises(vigil.Error, match="wait|takes"):
            stream.wait()
