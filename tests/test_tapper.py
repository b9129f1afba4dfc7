"""The tapper before any browser sees it."""

import numpy as np
import pytest

from helpers import listening


def test_it_holds_what_it_is_given_and_no_taps():
    y = 0.1 * np.random.default_rng(0).standard_normal(8000)
    one = listening.tapper(y, sr=8000, beats=[0.75, 0.25], title="Noise")
    np.testing.assert_array_equal(np.frombuffer(one.pcm, "<f4"), y.astype("f4"))
    assert one.beats == [0.25, 0.75] and one.times.size == 0
    one.taps = [0.5, 0.2]
    assert one.times.tolist() == [0.2, 0.5]
    assert one.stored_picture().startswith(b"\x89PNG")
    assert one.stored_text() == "tapper: 1.0 s to tap along with. Run this cell to tap."


@pytest.mark.parametrize(
    ("y", "how", "says"),
    [
        (np.zeros((2, 800)), {}, "pass one channel"),
        (np.ones(8000), {}, "ceiling"),
        (0.5 * np.ones(8000), {}, "gain_db|loud"),
        (np.zeros(8000), {"beats": [1.5]}, "beats holds 1.5 s"),
        (np.zeros(8000), {"beats": [-0.1]}, "beats holds -0.1 s"),
        (np.zeros(8000), {"sr": 100}, "sr"),
    ],
)
def test_what_cannot_be_tapped_along_with_is_refused(y, how, says):
    with pytest.raises(ValueError, match=says):
        listening.tapper(y, **{"sr": 8000} | how)
