"""Three experiments on your own ears: your equal-loudness contour, where you hear the middle of an
interval, and what hides a tone.

Python chooses each trial and counts; the front end plays it and never goes beyond its own limits.
Levels are peaks of sines in dBFS. This is not a hearing test. ValueError refuses a mode that is
none, a name that would make no plain file name, a simulated listener with a scale, a noise or a
rate of lapses that cannot be, and a simulation over answers of yours that no file keeps.
"""

import anywidget
import numpy as np
import traitlets

from helpers._frontend import Stored, bundle, styles
from helpers._frontend.card import card
from helpers._storage import AnswerFile
from helpers.experiments import pictures
from helpers.experiments.bisection import Bisection, SimulatedBisector
from helpers.experiments.contour import iso_shape
from helpers.experiments.masking import SR, NoiseMasking, SimulatedDetector
from helpers.experiments.matching import (
    MODES,
    REFERENCE_DB,
    REFERENCE_HZ,
    LoudnessMatching,
    ceiling_db,
)
from helpers.experiments.staircases import SimulatedEar

__all__ = [
    "Experiment", "SimulatedBisector", "SimulatedDetector", "SimulatedEar", "bisect_pitch",
    "equal_loudness", "tone_in_noise",
]  # fmt: skip

WHAT = "ear experiment"
VOLUME = (
    "Headphones on, in a quiet place. This is not a hearing test: it compares tones with each "
    "other and knows nothing "
    "about the level at your ears.\nFirst turn the volume down. Play the tone, and turn it up "
    "until it is as loud as "
    "quiet speech. Then leave it alone until the end. Escape stops every sound."
)
TITLE = {
    "loudness": "Measure your own equal-loudness contour",
    "pitch": "Bisect the interval",
    "masking": "Find the tone in the noise",
}
QUESTION = {
    "loudness": "Which tone was louder?",
    "pitch": "Where is halfway in pitch between the outer tones?",
    "masking": "Which of the two held the tone?",
}
HOW = {
    "loudness": "You hear two tones, one after the other. Which was louder? Ignore the pitch; "
    "guess when you must: "
    "near a match it is meant to be hard. Keys: 1 or left arrow for the first, 2 or right arrow "
    "for the second.",
    "pitch": "You hear three tones. Move the middle one until its pitch lies halfway between the "
    "outer two, and trust "
    "your first impression: no answer is wrong. Keys: arrows and Page keys move it, Enter "
    "confirms.",
    "masking": "You hear two bursts of noise. In one of them, or right after it, is a tone of "
    "1 kHz. Which one? It gets softer until you have to guess: that is meant to be so. Keys: 1 or "
    "left arrow for the first, 2 or right arrow for the second.",
}
MINUTES = {
    "loudness": {"quick": "under 2", "full": "about 5"},
    "pitch": {"quick": "about 1.5", "full": "about 4"},
    "masking": {"quick": "about 3", "full": "about 6"},
}


def equal_loudness(
    mode: str = "quick", name: str | None = "my_contour", seed: int | None = None
) -> "Experiment":
    """Measure your own equal-loudness contour: which of two tones was louder, over and over.

    Interleaved 1-up/1-down staircases, one per frequency, against 1 kHz at -40 dBFS; among them 1
    kHz against itself and eight obvious pairs. A tone never lies more than 12 dB (125 Hz: 6 dB)
    over the contour of ISO 226:2023, never above -7.5 dBFS, and no track rises by more than 6 dB
    from one of its trials to the next.

    Parameters
    ----------
    mode : {"quick", "full"}
        125 Hz and 4 kHz in under two minutes, or 125, 250 (twice), 500, 2000, 4000 and 8000 Hz in
        about five.
    name : str, optional
        Every answer is saved at once in ``ear_<name>.csv`` beside the notebook (or where
        EARUP_RESULTS says), and the experiment goes on where it stopped. None saves nothing.
    seed : int, optional
        The same seed gives the same random starts and orders.

    Returns
    -------
    Experiment
        A widget, ready to be the last line of a cell. Its `result` is a
        `helpers.experiments.contour.Contour`.

    Examples
    --------
    >>> from helpers.experiments.staircases import SimulatedEar
    >>> experiment = equal_loudness(name=None, seed=1).simulate(SimulatedEar(seed=1))
    >>> experiment.result.reliable, experiment.result.right
    (True, 8)
    """
    return Experiment("loudness", mode, LoudnessMatching(mode, seed=seed), name)


def bisect_pitch(
    mode: str = "quick", name: str | None = "my_pitch", seed: int | None = None
) -> "Experiment":
    """Bisect three intervals of pitch, and see which pitch scale agrees with you.

    Low tone, middle tone, high tone, or the other way round. The slider has no numbers and starts
    at random; its ends move from trial to trial. Tones follow the 40-phon contour of ISO 226:2023,
    so that none stands out.

    Parameters
    ----------
    mode : {"quick", "full"}
        Each pair once ascending and once descending, or three times.
    name : str, optional
        As in `equal_loudness`.
    seed : int, optional
        The same seed gives the same random starts and orders.

    Returns
    -------
    Experiment
        A widget, ready to be the last line of a cell. Its `result` is a
        `helpers.experiments.middles.Middles`.
    """
    return Experiment("pitch", mode, Bisection(mode, seed=seed), name)


def tone_in_noise(
    mode: str = "quick", name: str | None = "my_masking", seed: int | None = None
) -> "Experiment":
    """Measure how much noise hides a tone of 1 kHz, and how much a notch in the noise gives back.

    Two intervals of noise, 400 to 1600 Hz, with a tone in one of them: 2-down/1-up staircases that
    go round in random order. No tone peaks above -28 dBFS, and the noise has an RMS of -36 dBFS.

    Parameters
    ----------
    mode : {"quick", "full"}
        Noise without a notch and with one of 150 Hz on either side of the tone, in about three
        minutes; or these and a short tone 5 ms and 100 ms after the noise, in about six.
    name : str, optional
        As in `equal_loudness`.
    seed : int, optional
        The same seed gives the same orders.

    Returns
    -------
    Experiment
        A widget, ready to be the last line of a cell. Its `result` is a
        `helpers.experiments.masking.Thresholds`.

    Raises
    ------
    ValueError
        For another mode, or a name that does not fit for a file.
    """
    return Experiment("masking", mode, NoiseMasking(mode, seed=seed), name)


class Experiment(Stored, anywidget.AnyWidget):
    """The widget behind `equal_loudness`, `bisect_pitch` and `tone_in_noise`; `procedure` holds the
    trials and the answers.
    """

    _esm = bundle(__file__, "trials")
    _css = styles(__file__, "trials")
    spec = traitlets.Dict().tag(sync=True)
    screen = traitlets.Dict().tag(sync=True)  # {"at": "start" | "trial" | "done", ...}
    picture = traitlets.Bytes().tag(sync=True)
    sound = traitlets.Bytes().tag(sync=True)  # of a trial with noise: float32 at SR
    note = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        kind: str,
        mode: str,
        procedure: LoudnessMatching | Bisection | NoiseMasking,
        name: str | None,
    ):
        self.procedure = procedure
        self.simulated = False
        self._kind = kind
        self._mode = mode
        self._file = AnswerFile(
            name, kind=kind, key=procedure.key, columns=procedure.columns, what=WHAT
        )
        rows, said = self._file.load(procedure.accept)
        procedure.accept(rows)
        super().__init__(spec=self._spec(), note=said)
        self._show("done" if procedure.done else "start")
        self.on_msg(lambda _, content, buffers: self._on_message(content))

    def _spec(self) -> dict:
        between = np.geomspace(125, 8000, 289).round(2)  # 48 an octave
        freqs = np.union1d(between, [REFERENCE_HZ, *MODES["full"][0]])
        table = np.column_stack([freqs, ceiling_db(freqs), REFERENCE_DB + iso_shape(freqs)])
        return {
            "kind": self._kind,
            "title": TITLE[self._kind],
            "intro": f"{HOW[self._kind]} It takes {MINUTES[self._kind][self._mode]} "
            f"minutes.\n{VOLUME}",
            "question": QUESTION[self._kind],
            "sr": SR,
            "reference_db": REFERENCE_DB,
            "table": table.round(2).tolist(),
            "tone_ms": 400,
            "lead_ms": 400,
            "gap_ms": 250,
            "rest_ms": 250,
        }

    def _show(self, at: str) -> None:
        """Tell the page what to show; everything that belongs to a screen travels together."""
        given = len(self.procedure.rows)
        with self.hold_sync():
            if at == "done":
                more = {"words": self.words}
                self.picture = pictures.picture(self.result, self.simulated)
            elif at == "start":
                more = {"go": f"Go on at {given + 1} of {self.procedure.of}" if given else "Start"}
            else:
                more = self.procedure.trial()
                if self._kind == "masking":
                    self.sound = self.procedure.sound().astype(np.float32).tobytes()
            number = self.screen.get("shown", 0) + 1  # a new one each time: always a change
            self.screen = {"at": at, "shown": number, **more}

    def _on_message(self, message: dict) -> None:
        """Do what the page asks."""
        do = message.get("do")
        if do == "simulate":
            self.simulate()
        elif do in ("volume", "again"):
            self._restart("You changed the volume" if do == "volume" else "You measure again")
        elif do in ("begin", "answer"):
            if do == "answer" and not self.procedure.done:
                self._answered(message)
            self._show("done" if self.procedure.done else "trial")

    def _answered(self, message: dict) -> None:
        trial = self.procedure.trial()
        if message.get("n") != trial["n"]:
            return  # a second click on a trial that is answered already
        wanted = [tone["db"] for tone in trial.get("tones", [])]
        if wanted and not np.allclose(message.get("played", []), wanted, atol=0.01):
            self.note = "A tone was not played at its level, so that answer does not count."
            return
        self.procedure.answer(message["answer"])
        try:
            self._file.save(self.procedure.rows)
            self.note = f"Saved in {self._file.label}." if self._file.label else ""
        except OSError as error:
            self.note = self._file.trouble(error)

    def _restart(self, why: str) -> None:
        """Back to the volume: what was answered at another loudness is another measurement."""
        if self.simulated:
            rows, self.note = self._file.load(self.procedure.accept)
            self.procedure.accept(rows)
        else:
            self.procedure.accept([])
            self.note = self._file.set_aside("earlier", why)
        self.simulated = False
        self._show("done" if self.procedure.done else "start")

    def simulate(self, listener=None) -> "Experiment":
        """Let a simulated listener answer all trials, the way a page would; nothing is saved.

        Parameters
        ----------
        listener : SimulatedEar, SimulatedBisector or SimulatedDetector, optional
            By default an ear that follows ISO 226:2023 with 2 dB of noise, one that bisects on the
            ERB-rate scale, or one whom the notch helps by 14 dB.

        Returns
        -------
        Experiment
            This experiment, finished; "Measure again" in the page brings your own answers back.
        """
        if self.procedure.rows and not self.simulated and not self._file.label:
            raise ValueError(
                "there are answers already that no file keeps; make a new experiment to simulate"
            )
        if listener is None:
            listener = {
                "loudness": SimulatedEar(lambda freq: float(iso_shape(freq)), seed=1),
                "pitch": SimulatedBisector("ERB-rate", seed=1),
                "masking": SimulatedDetector(seed=1),
            }[self._kind]
        self.simulated = True
        self.procedure.accept([])
        while not self.procedure.done:
            self.procedure.answer(listener.answer(self.procedure.trial()))
        self.note = "A simulated listener gave these answers. Nothing was saved."
        self._show("done")
        return self

    @property
    def result(self):
        """What the answers say, a `Contour`, `Middles` or `Thresholds`; ValueError before the last
        answer.
        """
        if not self.procedure.done:
            given = len(self.procedure.rows)
            raise ValueError(
                f"{given} of {self.procedure.of} trials answered; the result comes after the last "
                "one"
            )
        return self.procedure.result()

    @property
    def words(self) -> list[str]:
        """The result in words."""
        return ["A simulated listener, not you."] * self.simulated + self.result.words

    def figure(self):
        """Return the result as a matplotlib Figure."""
        return pictures.figure(self.result, self.simulated)

    def stored_text(self) -> str:
        """Return one line that says what stands here; the same on every run."""
        return (
            f"experiment: {TITLE[self._kind]} ({self._mode}, {self.procedure.of} trials). Run this "
            "cell to take it."
        )

    def stored_picture(self) -> bytes:
        """Return a small picture with the title."""
        size = f"{self.procedure.of} trials, {MINUTES[self._kind][self._mode]} minutes"
        return card(TITLE[self._kind], [(size, "headphones", None)], "Run this cell to take it.")
