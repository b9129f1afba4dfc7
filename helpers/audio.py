"""Files to arrays and back, resampling, mixing at an SNR, and the clips that come with the course.

The one place that fixes shape, dtype and sampling rate: `y` is float, full scale 1, time last: (n,) or (channels, n).
"""

import io
import json
import threading
from functools import cache
from pathlib import Path

import numpy as np

from helpers import checks
from helpers.checks import check, check_name, check_rate
from helpers.files import load, resample, save

__all__ = ["VOICE_PATH", "check", "check_rate", "clip", "clips", "example", "load", "mix", "resample", "save"]

# librosa's examples that are free to use, and the shipped clip that stands in without a network. Public domain:
# brahms, humpback; CC BY 3.0: fishin, nutcracker, robin, trumpet, vibeace; CC BY 4.0: libri1-3. The keys left out
# (choice, pibble, pistachio, sweetwaltz) forbid commercial use.
EXAMPLES = {
    "brahms": "violin",
    "fishin": "piano_chords",
    "humpback": "cello",
    "libri1": "voice_b",
    "libri2": "voice_b",
    "libri3": "voice_a",
    "nutcracker": "piano_chords",
    "robin": "flute",
    "trumpet": "flute",
    "vibeace": "drum_loop",
}
PATIENCE_S = 6.0  # how long `example` waits for a download


def __getattr__(name: str) -> Path:
    """Return DATA, the repository's data folder: whoever asks for it gets tables that are whole, or one line."""
    if name != "DATA":
        raise AttributeError(f"helpers.audio has no {name!r}")
    for table in checks.sums():
        checks.whole(checks.DATA / table) if table.startswith("tables/") else None
    return checks.DATA


def mix(speech: np.ndarray, noise: np.ndarray, *, snr_db: float) -> np.ndarray:
    r"""Add noise to speech at a signal-to-noise ratio; the speech keeps its level.

    .. math:: y = s + g\,v, \qquad g = \sqrt{\frac{\overline{s^2}}{\overline{v^2}}\,10^{-\mathrm{SNR}/10}}

    The means run over all samples, pauses included, and over all channels. The noise starts at its beginning; it is
    repeated or cut to the length of the speech before its power is measured.

    Parameters
    ----------
    speech : np.ndarray, shape (n,) or (channels, n)
        What stays as it is.
    noise : np.ndarray, shape (m,) or (channels, m)
        What is scaled and added; as many channels as `speech`.
    snr_db : float
        Ratio of the mean powers [dB].

    Returns
    -------
    np.ndarray, shape (n,) or (channels, n)
        The mixture. It is not normalised, so at a low SNR it can go beyond +-1.

    Raises
    ------
    ValueError
        If one of the two is silent or no audio, the channels differ, or `snr_db` is not finite.

    Examples
    --------
    >>> mix(np.array([0.5, -0.5]), np.array([1.0]), snr_db=20.0)
    array([ 0.55, -0.45])
    """
    speech, noise = check(speech, name="speech"), check(noise, name="noise")
    if speech.shape[:-1] != noise.shape[:-1]:
        raise ValueError(f"speech has shape {speech.shape} but noise {noise.shape}; give both the same channels")
    if not np.isfinite(snr_db):
        raise ValueError(f"snr_db={snr_db} must be a finite number of decibels; for no noise use the speech alone")
    n = speech.shape[-1]
    noise = np.concatenate([noise] * -(-n // noise.shape[-1]), axis=-1)[..., :n]
    power = {
        "speech": np.mean(np.square(speech, dtype=np.float64)),
        "noise": np.mean(np.square(noise, dtype=np.float64)),
    }
    for name, value in power.items():
        if value == 0:
            raise ValueError(f"{name} is silent over these {n} samples, so no SNR can be set; pass a part with sound")
    gain = np.sqrt(power["speech"] / power["noise"] * 10 ** (-snr_db / 10))
    return speech + np.asarray(gain, dtype=speech.dtype) * noise


def VOICE_PATH() -> Path:
    """Return where unit 00 keeps your recording.

    Returns
    -------
    Path
        my_voice.wav in the kernel's working folder, which is the notebook's.
    """
    return Path.cwd() / "my_voice.wav"


def clips() -> list[str]:
    """Return the names of the shipped clips, and "my_voice" if you have recorded one.

    Returns
    -------
    list of str
        Names for `clip`, sorted; `data/README.md` describes each.

    Examples
    --------
    >>> "voice_a" in clips()
    True
    """
    return [*sorted(_manifest()), *(["my_voice"] if VOICE_PATH().is_file() else [])]


def clip(name: str) -> tuple[np.ndarray, int]:
    """Return a clip that comes with the course, or your own recording, at its own rate and level.

    Parameters
    ----------
    name : str
        One of `clips()`. The voices among them are machine voices. "my_voice" is the recording you made in unit 00.

    Returns
    -------
    y : np.ndarray, shape (n,), or (2, n) for a stereo clip
        Signal, float32 [full scale = 1].
    sr : int
        Its sampling rate [Hz].

    Raises
    ------
    ValueError
        If there is no clip of that name, no recording of yours yet, or its file is damaged.

    Examples
    --------
    >>> y, sr = clip("voice_a")
    >>> y.dtype.name, sr
    ('float32', 16000)
    """
    if name == "my_voice":
        if not VOICE_PATH().is_file():
            raise ValueError(
                'there is no my_voice.wav here yet; record it in unit 00, or use clip("voice_a") meanwhile'
            )
        return load(VOICE_PATH())
    if name not in _manifest():
        check_name(name, clips(), what="clip")
    path = checks.DATA / "clips" / f"{name}.flac"
    return load(io.BytesIO(checks.whole(path, _manifest()[name]["sha256"])), mono=False)


@cache
def _manifest() -> dict:
    return json.loads(checks.whole(checks.DATA / "clips" / "manifest.json"))["clips"]


def example(name: str) -> tuple[np.ndarray, int]:
    """Return a real recording from librosa's collection, or, without a network, a shipped clip and one printed line.

    Only freely licensed recordings are offered. A recording fetched before is read from librosa's cache.

    Parameters
    ----------
    name : str
        One of librosa's keys: libri1, libri2, libri3 (voices), brahms, fishin, nutcracker, trumpet, vibeace (music),
        humpback, robin (animals).

    Returns
    -------
    y : np.ndarray, shape (n,)
        Signal, float32 [full scale = 1].
    sr : int
        Its sampling rate [Hz]: 22050 for the recordings, the clip's own for a stand-in.

    Raises
    ------
    ValueError
        If `name` is none of these keys.

    See Also
    --------
    librosa.ex
    """
    if name not in EXAMPLES:
        raise ValueError(f"there is no free recording {name!r}; choose from {', '.join(EXAMPLES)}")
    path = _fetch(name)
    if path is not None:
        return load(path)
    print(f'No network for the recording "{name}": this is the shipped clip "{EXAMPLES[name]}".')
    return clip(EXAMPLES[name])


def _fetch(name: str) -> str | None:
    """Return the path that `librosa.ex` gives, or None when it fails or takes too long."""
    found = []

    def work() -> None:
        try:
            import librosa
            import pooch  # librosa's downloader: its log line would stand in the notebook, with a path

            pooch.get_logger().setLevel("WARNING")
            found.append(librosa.ex(name))
        except Exception:  # whatever it is, the shipped clip is the answer
            return

    thread = threading.Thread(target=work, daemon=True)  # a thread, because name look-ups have no time limit
    thread.start()
    thread.join(PATIENCE_S)
    return found[0] if found else None
