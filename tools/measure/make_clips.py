"""Make every clip in data/clips; the same bytes each time.

Machines make some from our own text, melodies and code: flite and fluidsynth with the FluidR3 sound
font. People made the others: `recordings` says where those are found. All of it is Debian's
(`apt install flite fluidsynth fluid-soundfont-gm ffmpeg`). Run it as
`python3 -m tools.measure.make_clips [FOLDER]`, then `python3 -m tools.measure.sums`; no learner
needs to. manifest.json records the versions, and of each clip the source, licence and measures;
tests/test_clips.py makes the clips again and compares.
"""

import hashlib
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from helpers import audio, loudness, signals
from tools.measure import recordings

SOUND_FONT = Path(
    "/usr/share/sounds/sf2/FluidR3_GM.sf2"
)  # where Debian's fluid-soundfont-gm puts it
VOICE_SR, MUSIC_SR = 16000, 44100
LEVEL_DB, PEAK_DB = -26.0, -6.0  # RMS of every clip, lower where its peak would pass PEAK_DB

BABBLE = [
    "My neighbour waters the tomatoes before breakfast and talks to every one of them.",
    "They moved the piano twice last week and now nobody remembers where it stood.",
    "If the bus is late again we could walk along the river and buy bread on the way.",
    "She keeps a jar of buttons that belonged to coats her family no longer owns.",
    "The meeting was short because the coffee machine had broken in the night.",
    "He counted eleven geese on the pond and then a twelfth came out of the reeds.",
    "We painted the kitchen yellow and it has looked like morning ever since.",
    "A letter arrived for someone who lived here forty years ago.",
]
# Notes are (start, length, pitch, velocity): beats, beats, MIDI number (60 = C4, 69 = A4 = 440 Hz),
# 1 to 127.
CHORDS = [(48, 55, 64, 72), (45, 57, 64, 71), (41, 57, 65, 69), (43, 55, 62, 71), (48, 52, 60, 67)]
PIANO = [(2 * i, 1.9, pitch, 80) for i, chord in enumerate(CHORDS) for pitch in chord]
VIOLIN = [
    (0, 1, 67, 90),
    (1, 0.5, 71, 84),
    (1.5, 0.5, 74, 88),
    (2, 1.5, 76, 96),
    (3.5, 0.5, 74, 84),
    (4, 2, 69, 90),
]
VIOLIN += [(6, 2, 67, 80)]
FLUTE = [(0, 5, 69, 90)]  # one held A4
CELLO = [
    (0, 2, 36, 96),
    (2, 1, 43, 90),
    (3, 1, 46, 92),
    (4, 1.5, 45, 88),
    (5.5, 0.5, 43, 84),
    (6, 2, 38, 92),
]
DUET_FLUTE = [(0, 2, 74, 88), (2, 1, 72, 84), (3, 1, 69, 84), (4, 3, 71, 86)]
DUET_CELLO = [(0, 1, 43, 90), (1, 1, 50, 84), (2, 2, 45, 90), (4, 3, 43, 90)]
KICK, SNARE, HAT, CASTANETS = 36, 38, 42, 85
DRUMS = [(beat, 0.2, KICK, 110) for beat in (0, 1.5, 2, 4, 5.5, 6, 7.5)]
DRUMS += [(beat, 0.2, SNARE, 100) for beat in (1, 3, 5, 7)] + [
    (k / 2, 0.2, HAT, 70 + 20 * (k % 2)) for k in range(16)
]
CLACKS = [(beat, 0.2, CASTANETS, 110) for beat in (0.5, 1.5, 2.5, 2.75, 3, 4.5, 5, 5.25, 5.5)]


def run(*command: str) -> str:
    """Run a program; return what it printed, or raise with it."""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode and "--version" not in command:
        raise RuntimeError(f"{command[0]} failed: {done.stdout.strip()}")
    return done.stdout


def versions() -> dict[str, str]:
    """Return the version of everything that decides the bytes."""
    return {
        "flite": re.search(r"flite-([\w.-]+)", run("flite", "--version"))[1],
        "fluidsynth": re.search(r"version ([\d.]+)", run("fluidsynth", "--version"))[1],
        "FluidR3_GM.sf2": f"{SOUND_FONT.stat().st_size} bytes",
        "ffmpeg": re.search(r"version (\S+)", run("ffmpeg", "-version"))[1],
        "libsndfile": soundfile.__libsndfile_version__,
        "numpy": np.__version__,
    }


def speak(text: str, *, voice: str, pause: float = 0.1) -> np.ndarray:
    """Return flite's speech at 16 kHz, its silent ends replaced by `pause` seconds each."""
    with tempfile.TemporaryDirectory() as folder:
        wav = f"{folder}/speech.wav"
        run("flite", "-voice", voice, "-t", text, "-o", wav)
        y, sr = audio.load(wav, sr=VOICE_SR)
    loud = np.flatnonzero(np.abs(y) > 0.01 * np.abs(y).max())
    return np.pad(y[loud[0] : loud[-1] + 1], round(pause * sr)).astype(np.float64)


def midi(notes: list[tuple], *, program: int, drums: bool = False, bpm: int = 120) -> bytes:
    """Return a one-track MIDI file: 480 ticks a beat, one instrument."""
    channel = 9 if drums else 0
    events = [
        (round(480 * start), bytes([0x90 | channel, pitch, velocity]))
        for start, _, pitch, velocity in notes
    ]
    events += [
        (round(480 * (start + length)), bytes([0x80 | channel, pitch, 0]))
        for start, length, pitch, _ in notes
    ]
    track = (
        b"\x00\xff\x51\x03"
        + (60_000_000 // bpm).to_bytes(3, "big")
        + bytes([0, 0xC0 | channel, program])
    )
    now = 0
    for tick, event in sorted(events):
        step, now = tick - now, tick
        track += (
            bytes([0x80 | step >> 7, step & 0x7F]) + event
        )  # a delta time of two bytes reaches 34 beats
    track += b"\x00\xff\x2f\x00"
    return (
        b"MThd\x00\x00\x00\x06\x00\x00\x00\x01\x01\xe0MTrk" + len(track).to_bytes(4, "big") + track
    )


def play(
    notes: list[tuple], *, program: int = 0, drums: bool = False, seconds: float
) -> np.ndarray:
    """Return fluidsynth's rendering of some notes, mono at 44.1 kHz, cut to `seconds`."""
    with tempfile.TemporaryDirectory() as folder:
        song, raw, config = Path(folder, "song.mid"), Path(folder, "song.raw"), Path(folder, "none")
        song.write_bytes(midi(notes, program=program, drums=drums))
        config.touch()  # an empty one, so that a person's own settings change nothing
        options = [
            "-n",
            "-i",
            "-q",
            "-f",
            config,
            "-C",
            "0",
            "-g",
            "0.5",
            "-r",
            MUSIC_SR,
            "-T",
            "raw",
            "-O",
            "float",
        ]
        run("fluidsynth", *map(str, options), "-F", str(raw), str(SOUND_FONT), str(song))
        y = np.fromfile(raw, dtype="<f4").reshape(-1, 2).mean(axis=1)
    n = round(seconds * MUSIC_SR)
    return np.pad(y, (0, max(0, n - len(y))))[:n].astype(np.float64)


def babble(seconds: float = 6.0) -> np.ndarray:
    """Return sixteen talkers at once: eight sentences by two voices, each at its own speed, pitch
    and start.
    """
    n, y = round(seconds * VOICE_SR), 0.0
    for i, text in enumerate(BABBLE):
        for k, voice in enumerate(("slt", "awb")):
            talk = speak(text, voice=voice)
            talk = audio.resample(talk, sr=VOICE_SR, to=VOICE_SR + 400 * ((5 * i + 3 * k) % 9 - 4))
            talk = np.resize(np.roll(talk, 2500 * (3 * i + 7 * k)), n)
            y = y + talk / np.sqrt(np.mean(talk**2))
    return y


def pink_noise(*, sr: int, duration: float, level_db: float, seed: int) -> np.ndarray:
    """Return Gaussian noise with equal power in every octave, at an RMS level [dBFS]: white noise
    shaped by 1/sqrt(f) in one DFT over the whole length; 0 Hz is removed.
    """
    n = round(sr * duration)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(n))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    spectrum[0] = 0
    y = np.fft.irfft(spectrum, n)
    return y * (10 ** (level_db / 20) / np.sqrt(np.mean(y**2)))


def rain(seconds: float = 6.0) -> np.ndarray:
    """Return a hiss with 600 drops a second in it, each a decaying ring of some kilohertz."""
    rng = np.random.default_rng(1)
    n = round(seconds * VOICE_SR)
    y = np.diff(pink_noise(sr=VOICE_SR, duration=seconds, level_db=-20.0, seed=2), prepend=0.0)
    t = np.arange(round(0.02 * VOICE_SR)) / VOICE_SR
    for at in rng.integers(0, n - len(t), size=round(600 * seconds)):
        freq, decay, amp = (
            rng.uniform(1200, 6500),
            rng.uniform(0.001, 0.004),
            0.06 * rng.lognormal(0, 0.7),
        )
        y[at : at + len(t)] += amp * np.exp(-t / decay) * np.sin(2 * np.pi * freq * t)
    return y


def hum(seconds: float = 5.0) -> np.ndarray:
    """Return mains hum: 50 Hz and its multiples, over a faint hiss."""
    amps = {1: 1.0, 2: 0.55, 3: 0.35, 4: 0.18, 5: 0.2, 6: 0.1, 7: 0.12, 9: 0.06, 11: 0.04, 13: 0.03}
    tones = [
        signals.sine(50 * k, sr=VOICE_SR, duration=seconds, amp=a, phase=0.7 * k)
        for k, a in amps.items()
    ]
    return np.sum(tones, axis=0) + signals.white_noise(
        sr=VOICE_SR, duration=seconds, level_db=-50.0
    )


def left_right() -> np.ndarray:
    """Return "left" on the left, "right" on the right, "both" on both."""
    left, right, both = (
        speak(word, voice="slt", pause=0.25) for word in ("Left.", "Right.", "Both.")
    )
    return np.stack(
        [np.concatenate([left, 0 * right, both]), np.concatenate([0 * left, right, both])]
    )


def duet(seconds: float = 4.0) -> np.ndarray:
    """Return a flute on the left and a cello on the right, equally strong."""
    pair = [
        play(DUET_FLUTE, program=73, seconds=seconds),
        play(DUET_CELLO, program=42, seconds=seconds),
    ]
    return np.stack([y / np.sqrt(np.mean(y**2)) for y in pair])


CLIPS = {  # name: (what it is, origin, rate, maker)
    "voice_a": (
        'Machine voice (slt): "The rain falls on the roof while the old clock ticks on the wall."',
        "flite",
        VOICE_SR,
        lambda: speak(
            "The rain falls on the roof while the old clock ticks on the wall.", voice="slt"
        ),
    ),
    "voice_b": (
        'Machine voice (awb): "Seven ships sail south at dawn, and a small dog watches them go."',
        "flite",
        VOICE_SR,
        lambda: speak(
            "Seven ships sail south at dawn, and a small dog watches them go.", voice="awb"
        ),
    ),
    "machine_slt": (
        'Machine voice (slt), the sentence of arctic_slt: "He turned sharply, and faced Gregson '
        'across the table."',
        "flite",
        VOICE_SR,
        lambda: speak("He turned sharply, and faced Gregson across the table.", voice="slt"),
    ),
    "machine_awb": (
        'Machine voice (awb), the sentence of arctic_awb: "And you always want to see it in the '
        'superlative degree."',
        "flite",
        VOICE_SR,
        lambda: speak("And you always want to see it in the superlative degree.", voice="awb"),
    ),
    "digits": (
        "Machine voice (slt): the digits one to nine, then zero",
        "flite",
        VOICE_SR,
        lambda: np.concatenate(
            [
                speak(f"{word}.", voice="slt", pause=0.08)
                for word in [
                    "One",
                    "Two",
                    "Three",
                    "Four",
                    "Five",
                    "Six",
                    "Seven",
                    "Eight",
                    "Nine",
                    "Zero",
                ]
            ]
        ),
    ),
    "left_right": ("Machine voice (slt), stereo: left, right, both", "flite", VOICE_SR, left_right),
    "babble": ("Sixteen machine voices (slt, awb) at once", "flite", VOICE_SR, babble),
    "rain": ("Rain, synthesised from noise and 3600 drops", "code", VOICE_SR, rain),
    "hum": ("Mains hum, synthesised: 50 Hz and nine multiples up to 650 Hz", "code", VOICE_SR, hum),
    "piano_chords": (
        "Grand piano, five chords",
        "fluidsynth",
        MUSIC_SR,
        lambda: play(PIANO, seconds=5.5),
    ),
    "violin": (
        "Violin, a slow tune of seven notes",
        "fluidsynth",
        MUSIC_SR,
        lambda: play(VIOLIN, program=40, seconds=4.2),
    ),
    "flute": (
        "Flute, one held A4 (440 Hz)",
        "fluidsynth",
        MUSIC_SR,
        lambda: play(FLUTE, program=73, seconds=2.8),
    ),
    "cello": (
        "Cello, a low tune of six notes from C2 (65.4 Hz)",
        "fluidsynth",
        MUSIC_SR,
        lambda: play(CELLO, program=42, seconds=4.2),
    ),
    "drum_loop": (
        "Drum kit, two bars at 120 beats a minute",
        "fluidsynth",
        MUSIC_SR,
        lambda: play(DRUMS, drums=True, seconds=4.0),
    ),
    "castanets": (
        "Castanets, nine clacks",
        "fluidsynth",
        MUSIC_SR,
        lambda: play(CLACKS, drums=True, seconds=3.2),
    ),
    "duet": ("Stereo: flute on the left, cello on the right", "fluidsynth", MUSIC_SR, duet),
}


def active_db(y: np.ndarray, *, sr: int) -> float:
    """Return the RMS level over the 32 ms frames within 30 dB of the loudest one [dB, RMS 1 = 0
    dB].
    """
    m = round(0.032 * sr)
    y = np.atleast_2d(y)
    power = np.mean(y[:, : y.shape[-1] // m * m].reshape(len(y), -1, m) ** 2, axis=-1).ravel()
    return float(10 * np.log10(np.mean(power[power > power.max() / 1000])))


def levelled(y: np.ndarray, *, sr: int) -> np.ndarray:
    """Drop what is below 10 to 30 Hz, fade the ends, set the active level to LEVEL_DB or as near as
    PEAK_DB allows.
    """
    freqs = np.fft.rfftfreq(y.shape[-1], 1 / sr)
    y = np.fft.irfft(
        np.fft.rfft(y) * np.clip((freqs - 10) / 20, 0, 1), y.shape[-1]
    )  # awb has an offset
    y = signals.fade(y, sr=sr)
    gain_db = min(LEVEL_DB - active_db(y, sr=sr), PEAK_DB - 20 * np.log10(np.abs(y).max()) - 0.01)
    return y * 10 ** (gain_db / 20)


def entry(path: Path) -> dict:
    """Return the measures of a clip that was written."""
    y, sr = audio.load(path, mono=False)
    power = np.mean(np.square(y, dtype=np.float64))
    return {
        "sr": sr,
        "channels": len(np.atleast_2d(y)),
        "seconds": round(y.shape[-1] / sr, 3),
        "active_db": round(active_db(y, sr=sr), 2),
        "rms_db": round(float(10 * np.log10(power)), 2),
        "peak_db": round(float(20 * np.log10(np.abs(y).max())), 2),
        "lufs": round(loudness.integrated_loudness(y, sr=sr), 2),
        "bytes": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }


def main(folder: Path, *, tables: Path | None = None) -> None:
    """Write every clip and manifest.json into a folder, and the times of words into another."""
    folder.mkdir(parents=True, exist_ok=True)
    files = recordings.packages()
    entries = {}
    for name, (what, origin, sr, maker) in CLIPS.items():
        path = folder / f"{name}.flac"
        audio.save(path, levelled(maker(), sr=sr), sr=sr)
        entries[name] = {"what": what, "origin": origin, "licence": "CC BY 4.0", **entry(path)}
    for name, (what, package, licence, sr, maker) in recordings.RECORDINGS.items():
        path = folder / f"{name}.flac"
        audio.save(path, levelled(maker(files), sr=sr), sr=sr)
        version = recordings.PACKAGES[package][1]
        said = {"what": what, "origin": f"{package} {version}", "licence": licence}
        entries[name] = {**said, "notice": recordings.NOTICES[licence], **entry(path)}
    for name, stated in entries.items():
        print(f"{name:14s} {stated['seconds']:6.2f} s  {stated['bytes'] / 1000:6.0f} kB")
    manifest = {"versions": versions(), "clips": entries}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    recordings.write_times((tables or folder) / "clip_times.csv", files)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        main(audio.DATA / "clips", tables=audio.DATA / "tables")
