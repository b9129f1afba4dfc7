"""Sound files as they come: what a path or an upload holds, read whole, or named with a remedy.

`helpers.audio.load` is what notebooks call. libsndfile decodes; what it gets wrong without a word
(the length of some mp3 and FLAC files, a wav that was cut off) is found in the bytes here.
"""

import difflib
import io
import warnings
from pathlib import Path

import numpy as np
import soundfile

from helpers._checks import check_positive, check_rate

SUFFIXES = {".wav", ".flac", ".ogg", ".opus", ".mp3", ".aif", ".aiff", ".au"}
CONVERT = "convert it to wav first, for example with `ffmpeg -i old new.wav`"
# First bytes of what people try to load; libsndfile only says "Format not recognised".
KNOWN = {
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive",
    b"\x1f\x8b": "a gzip archive",
    b"\x1aE\xdf\xa3": "a WebM or Matroska recording",
    b"#!AMR": "an AMR recording",
    b"0&\xb2u\x8ef\xcf\x11": "a WMA or ASF recording",
}
# format tags of wav files that libsndfile decodes; all others are some codec that it lacks
WAV_TAGS = {1, 2, 3, 6, 7, 0x11, 0x31, 0x40, 0x55, 0xFFFE}
WAV_CODECS = {0x20: "Yamaha ADPCM", 0x42: "G.723", 0x45: "G.726 ADPCM", 0x50: "MPEG", 0x92: "AC-3"}
WAV_CODECS |= {0xFF: "AAC", 0x160: "WMA", 0x161: "WMA", 0x162: "WMA", 0x1610: "AAC", 0x2000: "AC-3"}
# what stands at the beginning of the first packet of an Ogg file
OGG_CODECS = {b"\x7fFLAC": "FLAC", b"Speex   ": "Speex", b"\x80theora": "Theora video"}
OGG_CODECS |= {b"fishead": "several streams", b"PCM     ": "PCM"}

BLOCK = 1 << 20  # frames read at once where the length is not known
FAR_TOO_LONG = 1 << 40  # [frames] no file holds that many: it does not state its length


class _Pipe(soundfile.SoundFile):
    """A sound file that is read from start to end: soundfile seeks after each read, which fails in
    a file that does not state its length.
    """

    def seekable(self) -> bool:
        """Return whether it has a length to seek in."""
        return self.frames < FAR_TOO_LONG


def read_sound(path, max_seconds: float | None) -> tuple[str, np.ndarray, int]:
    """Return a name for messages, all channels as (channels, n) float32, and its own rate."""
    if max_seconds is not None:
        remedy = "number of seconds, or None for no limit"
        check_positive(max_seconds, name="max_seconds", what=remedy)
    name, source, head = _open(path)
    if not head:
        raise ValueError(f"{name} is empty (0 bytes); copy or record it again")
    source = _with_length(source, name, head)
    try:
        with _Pipe(source) as file:
            sr = check_rate(file.samplerate, name=f"the sampling rate in {name}'s header, sr")
            most = None if max_seconds is None else int(max_seconds * sr)
            y = _read_frames(file, name, most)
    except (soundfile.LibsndfileError, TypeError) as error:
        raise ValueError(f"{name} is no audio that can be read: {_what(head)}") from error
    if y.shape[-1] == 0:
        raise ValueError(f"{name} has a header but no samples; export or record it again")
    return name, y, sr


def _read_frames(file, name: str, most: int | None) -> np.ndarray:
    """Return all frames, or refuse more than `most`."""
    if file.frames < FAR_TOO_LONG:
        _refuse_length(file.frames, name, file.samplerate, most)
        return file.read(dtype="float32", always_2d=True).T
    blocks = []  # a FLAC that went through a pipe does not state its length
    n_read = 0
    while not blocks or len(blocks[-1]) == BLOCK:
        block = np.empty((BLOCK, file.channels), np.float32)
        n = file.buffer_read_into(block, dtype="float32")
        blocks.append(block[:n])
        n_read += n
        _refuse_length(n_read, name, file.samplerate, most, least="at least ")
    return np.concatenate(blocks).T


def _refuse_length(n: int, name: str, sr: int, most: int | None, least: str = "") -> None:
    if most is not None and n > most:
        raise ValueError(
            f"{name} lasts {least}{n / sr:.0f} s, longer than {most / sr:g} s; "
            "cut it, or pass max_seconds= if you have the memory"
        )


def _open(path) -> tuple[str, str | io.BytesIO, bytes]:
    """Return a name for messages, what soundfile is to read, and the first bytes."""
    if isinstance(path, bytes | bytearray | memoryview):
        path = io.BytesIO(path)
    if hasattr(path, "read"):
        data = path.read()
        if not data and hasattr(path, "seek"):  # just written, or read before: it stands at its end
            path.seek(0)
            data = path.read()
        if isinstance(data, str):
            raise ValueError("the file is open as text; open it with open(path, 'rb')")
        return Path(str(getattr(path, "name", "the upload"))).name, io.BytesIO(data), data[:512]
    if isinstance(path, dict):
        raise ValueError(
            f"path is a dict with {', '.join(map(repr, path))}, no file; a sound in a dict is read "
            'already: y, sr = path["array"], path["sampling_rate"]'
        )
    try:
        path = Path(path)
    except TypeError as error:
        raise ValueError(
            f"path is {type(path).__name__}, no file; pass its path as text, or its bytes"
        ) from error
    if path.parts[:1] in (("http:",), ("https:",), ("ftp:",)):
        raise ValueError(
            f"{path.name} stands at an address of the web; download it first, then pass its path"
        )
    return _open_path(path.expanduser())


def _open_path(path: Path) -> tuple[str, str, bytes]:
    if path.is_dir():
        found = sorted(p.name for p in path.iterdir() if p.suffix.lower() in SUFFIXES)
        has = (
            f"pick one of its files: {', '.join(found[:8])}" if found else "it holds no sound files"
        )
        raise ValueError(f"{str(path)!r} is a folder; {has}")
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {str(path)!r}; {_near(path)}")
    with path.open("rb") as file:
        return path.name, str(path), file.read(512)


def _near(path: Path) -> str:
    if not path.parent.is_dir():
        return (
            f"there is no folder {str(path.parent)!r} either; the kernel works in "
            f"{Path.cwd().name!r}"
        )
    files = [p.name for p in path.parent.iterdir() if p.is_file()]
    close = difflib.get_close_matches(path.name, files, n=4, cutoff=0.5)
    close = close or sorted(f for f in files if Path(f).suffix.lower() in SUFFIXES)[:8]
    return f"did you mean {' or '.join(close)}?" if close else "its folder holds no sound files"


# ---- lengths that libsndfile gets wrong ----------------------------------------------------------


def _with_length(source, name: str, head: bytes):
    """Return the source, with its length before it if it is an mp3 that does not state it; warn if
    a wav or mp3 is shorter than it states.
    """
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        data = source.getbuffer() if isinstance(source, io.BytesIO) else np.memmap(source, mode="r")
        stated, there, what = (*_wav_bytes(data), "bytes")
    elif head[:4] in (b"fLaC", b"OggS", b"FORM", b".snd", b"caff", b"riff", b"RIFX"):
        return source
    else:
        data = source.getvalue() if isinstance(source, io.BytesIO) else Path(source).read_bytes()
        start, there = _mp3_frames(data)
        stated, what = _stated_frames(data, start), "frames"
        if there > 1 and stated is None:
            return io.BytesIO(_length_frame(data[start : start + 4], there) + data[start:])
    if stated and there < 0.99 * stated:
        warnings.warn(
            f"{name} states {stated} {what} of sound and holds {there}, so it was cut off; "
            "this is what is there; copy it again",
            stacklevel=4,
        )
    return source


def _wav_bytes(data) -> tuple[int, int]:
    """Return how many bytes of samples a wav states (0: it does not know) and holds."""
    at = 12
    while at + 8 <= len(data):
        size = int.from_bytes(bytes(data[at + 4 : at + 8]), "little")
        if bytes(data[at : at + 4]) == b"data":
            unknown = size >= 0x7FFF0000  # written to a pipe
            return 0 if unknown else size, len(data) - at - 8
        at += 8 + size + size % 2
    return 0, 0


# bit rates of layer III [kbit/s], of MPEG 1 and of MPEG 2 and 2.5
RATES_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
RATES_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)


LONGEST_JUNK = 1 << 16  # bytes before the first frame


def _frame(data: bytes, at: int) -> tuple[int, int] | None:
    """Return the size of the mp3 frame that begins here, and where a length would stand in it; None
    if none begins here.
    """
    h = int.from_bytes(data[at : at + 4], "big")
    version, layer, bits, rate = h >> 19 & 3, h >> 17 & 3, h >> 12 & 15, h >> 10 & 3
    if at + 4 > len(data) or h >> 21 != 0x7FF or version == 1 or layer != 1:
        return None
    if bits in (0, 15) or rate == 3:
        return None
    first = version == 3  # MPEG 1
    sr = (44100, 48000, 32000)[rate] // (1 if first else 2 if version == 2 else 4)
    kbits = (RATES_1 if first else RATES_2)[bits]
    size = (144 if first else 72) * 1000 * kbits // sr + (h >> 9 & 1)
    mono = h >> 6 & 3 == 3
    side = (17 if mono else 32) if first else (9 if mono else 17)
    return size, 4 + side


def _next_frame(data: bytes, at: int, end: int) -> int | None:
    """Return where a frame begins that is followed by another one or by the end of the file."""
    while 0 <= at < end:
        frame = _frame(data, at)
        after = at + frame[0] if frame else 0
        if frame and (_frame(data, after) or after == len(data)):
            return at
        at = data.find(b"\xff", at + 1, end)
    return None


def _mp3_frames(data: bytes) -> tuple[int, int]:
    """Return where the first mp3 frame begins, and how many there are (0: it is no mp3)."""
    start = 0
    if data[:3] == b"ID3" and len(data) > 10:  # its size has 7 bits a byte
        start = 10 + sum(b << 7 * (3 - k) for k, b in enumerate(data[6:10]))
    start = _next_frame(data, start, start + LONGEST_JUNK)
    at = start
    n = 0
    while at is not None:
        frame = _frame(data, at)
        if frame:
            n += 1
            at += frame[0]
        else:  # a tag, or damage
            at = _next_frame(data, at, len(data))
    return start or 0, n


def _stated_frames(data: bytes, start: int) -> int | None:
    """Return how many frames an mp3 says it has, in its Xing, Info or VBRI header; None if there
    is none.
    """
    frame = _frame(data, start)
    if frame is None:
        return None
    if data[start + 36 : start + 40] == b"VBRI":
        return int.from_bytes(data[start + 50 : start + 54], "big")
    at = start + frame[1]
    if data[at : at + 4] not in (b"Xing", b"Info"):
        return None
    has_frames = data[at + 7] & 1
    return int.from_bytes(data[at + 8 : at + 12], "big") if has_frames else None


def _length_frame(header: bytes, n_frames: int) -> bytes:
    """Return a frame of silence with a Xing header: this many frames follow."""
    protected, rate = header[1] | 1, header[2]  # without a checksum
    size, at = _frame(header, 0)
    while size < at + 12:  # the lowest bit rates have no room for it
        rate += 0x10
        size, at = _frame(bytes([0xFF, protected, rate, header[3]]), 0)
    tag = b"Xing" + (1).to_bytes(4, "big") + n_frames.to_bytes(4, "big")
    frame = bytes([0xFF, protected, rate, header[3]]) + bytes(at - 4) + tag
    return frame + bytes(size - len(frame))


# ---- what a file is that cannot be read ----------------------------------------------------------


def _what(head: bytes) -> str:
    for start, kind in KNOWN.items():
        if head.startswith(start):
            return (
                f"it is {kind}; "
                f"{CONVERT if 'recording' in kind else 'pass a wav, flac, ogg or mp3 file'}"
            )
    if head[4:8] == b"ftyp":
        return f"it is an MP4 or M4A file; {CONVERT}"
    codec = _codec(head)
    if codec:
        return f"it holds {codec}, which cannot be decoded here; {CONVERT}"
    if head[:4] in (b"RIFF", b"fLaC", b"OggS") or head[:3] == b"ID3":
        return "it starts like a sound file, but the rest is damaged; copy or export it again"
    text = head.decode("utf-8", errors="ignore")  # the last letter may be cut in half
    if len(text.encode()) < len(head) - 3 or "\0" in text:
        return f"its first bytes are {head[:8].hex(' ')}; {CONVERT}"
    return (
        f"it is text, starting with {' '.join(text.split())[:30]!r}; pass a wav, flac, ogg or mp3 "
        "file"
    )


def _codec(head: bytes) -> str | None:
    """Return what a known container holds that libsndfile cannot decode; None if that is not it."""
    if head[:4] == b"OggS":
        packet = head[27 + head[26] :] if len(head) > 27 else b""
        found = [codec for start, codec in OGG_CODECS.items() if packet.startswith(start)]
        return f"{found[0]} in an Ogg file" if found else None
    if head[:4] != b"RIFF":
        return None
    form = head[8:12].decode("latin-1").strip()
    if form != "WAVE":
        return {"AVI": "a film (AVI)", "WEBP": "a picture (WebP)"}.get(
            form, f"a RIFF file {form!r}"
        )
    at = head.find(b"fmt ")
    tag = int.from_bytes(head[at + 8 : at + 10], "little")
    if at < 0 or len(head) < at + 10 or tag in WAV_TAGS:
        return None
    return f"{WAV_CODECS.get(tag, 'the codec')} (format tag 0x{tag:04x}) in a wav file"
