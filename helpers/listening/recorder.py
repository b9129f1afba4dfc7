"""Your voice: a recorder in the notebook that writes a wav file beside it."""

import io
import re
import warnings
from pathlib import Path

import anywidget
import numpy as np
import traitlets

from helpers import audio
from helpers._checks import is_number
from helpers._frontend import Stored, bundle, styles
from helpers._frontend.card import card

LONGEST_S = 60.0


def recorder(name: str = "my_voice", *, seconds: float = 10.0) -> "Recorder":
    """Show a recorder: microphone, level meter, trimming, and a file to listen to later.

    The browser is asked for the raw sound: no echo cancelling, no noise suppression, no automatic
    gain. What you keep is written as a 32-bit float wav at the microphone's rate, in the kernel's
    working folder, which is the notebook's. On your own computer it stays there; on Colab and
    Binder it is sent to that server. Without a microphone you can choose a sound file instead. An
    older recording is replaced only when you say so.

    Parameters
    ----------
    name : str, default "my_voice"
        Letters, digits, ``-`` and ``_``; the file is ``name.wav``. ``audio.clip("my_voice")`` reads
        "my_voice".
    seconds : float, default 10.0
        The recording stops by itself after this time [s]; 1 to 60.

    Returns
    -------
    Recorder
        A widget, ready to be the last line of a cell.

    Examples
    --------
    >>> recorder("my_voice", seconds=5).stored_text()
    'recorder: my_voice.wav, up to 5 s. Run this cell to record.'
    """
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", name):
        raise ValueError(
            f"name={name!r} must be 1 to 40 letters, digits, - or _; the file becomes name.wav"
        )
    if not is_number(seconds) or not 1 <= seconds <= LONGEST_S:
        raise ValueError(f"seconds={seconds!r} must lie between 1 and {LONGEST_S:.0f}")
    return Recorder(name=name, seconds=float(seconds))


class Recorder(Stored, anywidget.AnyWidget):
    """The widget behind `recorder`: the browser sends what it recorded, and this side checks and
    writes it.
    """

    _esm = bundle(__file__, "microphone", "deck", "recorder")
    _css = styles(__file__, "recorder")
    name = traitlets.Unicode().tag(sync=True)
    seconds = traitlets.Float().tag(sync=True)
    saved = traitlets.Dict().tag(sync=True)  # {} or what lies in the file: seconds, sr, peak_db

    def __init__(self, **traits: object) -> None:
        super().__init__(**traits)
        self._path = audio.voice_path().with_name(
            f"{self.name}.wav"
        )  # the folder of now: a later chdir moves nothing
        self._parts: list[bytes] = []
        self._look()
        self.on_msg(self._on_message)

    @property
    def path(self) -> Path:
        """Where the recording is written."""
        return self._path

    def stored_text(self) -> str:
        """Return one line, the same whether or not there is a recording."""
        return f"recorder: {self.name}.wav, up to {self.seconds:g} s. Run this cell to record."

    def stored_picture(self) -> bytes:
        """Return a small card as PNG."""
        detail = f"up to {self.seconds:g} s from your microphone, or a file of your own"
        row = (f"{self.name}.wav", detail, None)
        return card("Recorder", [row], "Run this cell to record.")

    def _look(self) -> None:
        """Say what lies in the file."""
        try:
            y, sr = audio.load(self._path)
            self.saved = {"seconds": y.size / sr, "sr": sr, "peak_db": _peak_db(y)}
        except (ValueError, OSError):  # none yet, or no sound file
            self.saved = {"seconds": 0.0} if self._path.is_file() else {}

    def _on_message(self, _: object, content: dict, buffers: list) -> None:
        """Answer a message of the browser; long sounds come in parts, because servers limit a
        message.
        """
        if content.get("part", 0) == 0:
            self._parts = []
        self._parts.extend(bytes(buffer) for buffer in buffers)
        if content.get("part", 0) + 1 < content.get("parts", 1):
            return
        data = b"".join(self._parts)
        self._parts = []
        actions = {"save": self._save, "upload": self._upload, "delete": self._delete}
        try:
            actions[content["do"]](content, data)
        except (ValueError, OSError) as error:
            self.send({"kind": "error", "text": getattr(error, "strerror", None) or f"{error}"})

    def _save(self, content: dict, data: bytes) -> None:
        if self._path.exists() and not content.get("replace"):
            return self.send(
                {"kind": "ask", "text": f"{self._path.name} already holds a recording."}
            )
        y = audio.check(np.frombuffer(data, dtype="<f4"), name="the recording", min_samples=1)
        audio.save(self._path, y, sr=audio.check_rate(content["sr"]))
        self._look()
        self.send(
            {"kind": "saved", "text": f"Saved {y.size / content['sr']:.2f} s as {self._path.name}."}
        )

    def _upload(self, content: dict, data: bytes) -> None:
        """Decode a chosen file and hand it to the browser, to be trimmed and saved like a
        recording.
        """
        raw = io.BytesIO(data)
        raw.name = str(content.get("filename", "the file"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a peak beyond full scale is dealt with and said below
            y, sr = audio.load(raw, max_seconds=LONGEST_S)
        over = max(0.0, _peak_db(y) or 0.0)
        text = f"{raw.name}: {y.size / sr:.2f} s at {sr} Hz."
        if over:
            y = y / np.abs(y).max()
            text += f" It went {over:.1f} dB beyond full scale and was lowered by that much."
        self.send({"kind": "take", "sr": sr, "text": text}, buffers=[y.astype("<f4").tobytes()])

    def _delete(self, content: dict, data: bytes) -> None:
        self._path.unlink(missing_ok=True)
        self._look()
        self.send({"kind": "deleted", "text": f"{self._path.name} is deleted."})


def _peak_db(y: np.ndarray) -> float | None:
    peak = float(np.abs(y).max())
    return 20 * float(np.log10(peak)) if peak else None
