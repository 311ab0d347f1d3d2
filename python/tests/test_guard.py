"""The guard of a job: started here, or this very process."""
import os
import sys

import pytest

import vigil


def test_a_command_is_guarded_until_it_ends(here):
    notes = []
    guard = vigil.watch([sys.executable, "-c", "raise SystemExit(3)"], interval="100ms", on_note=notes.append)
    assert guard.exit_status == 3 and not guard.is_running
    assert any("status 3" in n for n in notes) and list(guard.notes) == notes
    assert os.path.isdir(guard.folder) and "has ended" in repr(guard)


def test_this_process_is_guarded_while_it_works(here):
    with vigil.Guard(interval="100ms", name="mine") as guard:
        assert guard.is_running and guard.folder == os.path.join("runs", "watch", "mine")
        assert str(os.getpid()) in repr(guard)
    assert not guard.is_running and guard.failure is None
    assert guard.exit_status == 0


def test_options_are_checked_before_anything_starts(here):
    with pytest.raises(vigil.ArgumentError) as e:
        vigil.Guard(on_leakin="warn")
    assert "on_leaking" in e.value.mend
    with pytest.raises(vigil.Error):
        vigil.watch("true", interval="never")
    with pytest.raises(vigil.Error, match="nothing to watch"):
        vigil.watch()
    with pytest.raises(vigil.Error, match="empty"):
        vigil.Guard("")
    assert not os.path.exists("runs")


def test_what_fails_in_the_guards_process_is_raised_here(here):
    with pytest.raises(vigil.Error) as e:
        vigil.watch(pid=2**22 + 7)
    assert e.value.what


def test_an_exception_of_a_callback_comes_out(here):
    def wrong(note):
        raise LookupError(note)

    with pytest.raises(LookupError, match="job started"):
        vigil.watch(["true"], interval="100ms", on_note=wrong)
