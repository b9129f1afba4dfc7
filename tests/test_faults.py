"""What goes wrong on a learner's computer, provoked: each fault is told in one line with a remedy,
and loses nothing.

What needs a browser is in tests/browser/test_faults.py; `python3 -m tools.verify.reorder` takes all
notebooks, and minutes.
"""

import contextlib
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from helpers import _checks, audio, coursework, experiments, listening, loudness
from helpers._storage import AnswerFile
from helpers.coursework import catalogue, report, store
from tests.pages import ROOT, code_cells, run
from tools import notebooks
from tools.classroom import grade
from tools.measure import sums
from tools.verify import reorder

Y = 0.1 * np.sin(np.arange(4000) / 5)

# ---- a damaged file of the course ----------------------------------------------------------------


def cut(raw):
    return raw[: 2 * len(raw) // 3]


def flip(raw):
    at = 2 * len(raw) // 3
    return raw[:at] + bytes([raw[at] ^ 0x10]) + raw[at + 1 :]


def pointer(raw):
    return b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab\n"


FAULTS = {
    "truncated": cut,
    "one bit flipped": flip,
    "empty": lambda raw: b"",
    "text": pointer,
    "missing": None,
}


def weights_of(name):
    pytest.importorskip("torch")
    from helpers import _weights

    return _weights.load(_checks.DATA / "weights" / f"{name}.safetensors")


def deep_features():
    pytest.importorskip("torch")
    from helpers.losses import deep

    return deep.DeepFeatures(_checks.DATA / "weights" / "loss_features.safetensors")


USES = {
    "clips/voice_a.flac": lambda: audio.clip("voice_a"),
    "clips/manifest.json": audio.clips,
    "tables/iso226_parameters.csv": lambda: loudness.equal_loudness_contour(40, [1000.0, 4000.0]),
    "tables/bark_critical_bands.csv": lambda: audio.DATA,  # so the notebooks ask for tables
    "weights/gan_40.safetensors": lambda: weights_of("gan_40"),
    "weights/loss_features.safetensors": deep_features,
    "coursework/10/unit.toml": lambda: coursework.hint("10.level"),
    "coursework/10/checks.py": lambda: coursework.check("10.level", lambda y: 0.0),
    "coursework/10/solutions.toml": lambda: coursework.solution("10.level"),
    "coursework/parts.toml": catalogue.parts,
}
# a letter of a text, or of a comment; teachers may change texts, too
MAY_PASS = {(name, "one bit flipped") for name in USES if name.startswith("coursework/")}
MAY_PASS |= {("coursework/10/solutions.toml", "missing")}


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A copy of what is shipped, in which files may be damaged."""
    for name in ["SHA256SUMS", *USES]:
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "data" / name, tmp_path / "data" / name)
    for part in ("tables", "coursework"):
        shutil.copytree(ROOT / "data" / part, tmp_path / "data" / part, dirs_exist_ok=True)
    with contextlib.suppress(ImportError):
        import helpers._weights  # noqa: F401 - it keeps the folder that it finds when first imported
    monkeypatch.setattr(_checks, "DATA", tmp_path / "data")
    monkeypatch.setattr(catalogue, "DATA", tmp_path / "data" / "coursework")
    caches = (audio._manifest, loudness._parameters, catalogue.read, catalogue._run)
    [cache.cache_clear() for cache in caches]
    yield tmp_path / "data"
    [cache.cache_clear() for cache in caches]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", USES)
def test_a_damaged_file_is_named_with_the_way_back(data, name, fault):
    USES[name]()
    [
        cache.cache_clear()
        for cache in (audio._manifest, loudness._parameters, catalogue.read, catalogue._run)
    ]
    if FAULTS[fault]:
        (data / name).write_bytes(FAULTS[fault]((data / name).read_bytes()))
    else:
        (data / name).unlink()
    try:
        USES[name]()
    except (ValueError, FileNotFoundError) as error:
        said = str(error)
        assert re.search(
            rf"^data/{re.escape(name)} (is|does) .*git checkout -- data/{re.escape(name)} ", said
        )
        assert "\n" not in said and str(data) not in said
    else:
        assert (name, fault) in MAY_PASS


def test_damage_in_one_units_texts_leaves_the_others_alone(data):
    (data / "coursework" / "11" / "unit.toml").write_text("]")
    assert coursework.check("10.level", lambda y: ...).outcome == "not attempted"
    assert catalogue.prediction("10.dither")["options"]
    with pytest.raises(
        ValueError, match=r"^data/coursework/11/unit.toml is damaged .*git checkout"
    ):
        coursework.progress()


def test_what_the_list_of_sums_says_is_so_and_all_tables_in_use_are_on_it():
    assert sums.main(["--check"]) == 0, "a table was made anew? python3 -m tools.measure.sums"
    pages = "".join("".join(code_cells(path.stem)) for path in notebooks.paths())
    pages += (ROOT / "helpers" / "loudness.py").read_text(encoding="utf-8")
    used = set(re.findall(r"(\w+)\.csv\b", pages)) | set(
        re.findall(r'audio\.table\("(\w+)"\)', pages)
    )
    used &= {path.stem for path in (ROOT / "data" / "tables").glob("*.csv")}
    assert len(used) >= 12 and {f"tables/{name}.csv" for name in used} <= _checks.checksums().keys()
    assert not used & {Path(name).stem for name in sums.FOR_MAINTAINERS}


def test_the_page_of_faults_quotes_what_is_said(data, folder, capsys):
    page = (ROOT / "tools" / "site" / "pages" / "faults.md").read_text(encoding="utf-8")
    (data / "clips" / "voice_a.flac").write_bytes(b"")
    (data / "tables" / "iso226_parameters.csv").write_bytes(b"")
    (data / "coursework" / "11" / "unit.toml").write_text("]")
    for use in (
        lambda: audio.clip("my_voice"),
        lambda: audio.clip("voice_a"),
        lambda: (data / "clips" / "voice_a.flac").unlink() or audio.clip("voice_a"),
        lambda: loudness.equal_loudness_contour(40),
        lambda: coursework.hint("11.sone"),
    ):
        with pytest.raises((ValueError, FileNotFoundError)) as caught:
            use()
        assert f"`{caught.value}`" in page
    full = OSError(28, "No space left on device")
    file = AnswerFile("x", kind="k", key="y", columns={})
    assert f'"{store._trouble(full)}"' in page and f'"{file.trouble(full)}"' in page


def test_ends_of_lines_are_no_damage(data):
    table = data / "tables" / "bark_critical_bands.csv"
    table.write_bytes(table.read_bytes().replace(b"\r", b"").replace(b"\n", b"\r\n"))
    assert data == audio.DATA


# ---- a full disk ---------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working folder in which progress and answers lie too."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EARUP_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.setenv("EARUP_RESULTS", str(tmp_path))
    monkeypatch.setattr(store, "_waiting", [])
    return tmp_path


class Full:
    """No file may grow beyond some bytes: the operating system cuts each write short, and then
    refuses it.
    """

    def __enter__(self):
        self.before = resource.getrlimit(resource.RLIMIT_FSIZE)
        self.handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (60, self.before[1]))

    def __exit__(self, *_):
        resource.setrlimit(resource.RLIMIT_FSIZE, self.before)
        signal.signal(signal.SIGXFSZ, self.handler)


def progress():
    yield lambda: coursework.check("00.half", lambda y: y * 0.5).note
    yield lambda: coursework.check("00.half", lambda y: y * 0.5).note


def blind():
    test = listening.blind_test(
        "abx", {"one": Y, "two": Y}, sr=16000, name="x", n_trials=5, match=None
    )

    def one():
        test.answers = [*test.answers, {"trial": len(test.answers) + 1, "x": "A", "answer": "A"}]
        return test.fault

    yield one
    yield one


def experiment():
    test = experiments.bisect_pitch(name="x", seed=1)

    def one():
        test._answered({"n": test.procedure.trial()["n"], "answer": 900.0})
        return test.note if "could not" in test.note else ""

    yield one
    yield one


def sound():
    yield lambda: audio.save("a.wav", Y, sr=8000)
    yield lambda: audio.save("a.wav", 2 * Y, sr=8000)


def recording():
    widget, said = listening.recorder(), []
    widget.send = lambda content, buffers=(): said.append(content)

    def save():
        widget._on_message(
            widget, {"do": "save", "sr": 8000, "replace": True}, [Y.astype("<f4").tobytes()]
        )
        return said[-1]["text"] if said[-1]["kind"] == "error" else ""

    yield save
    yield save


def certificate():
    yield (
        lambda: (
            report.write_certificate("Ada", report.standings(store.load()[0]), Path.cwd()) and ""
        )
    )
    yield (
        lambda: (
            report.write_certificate("Bea", report.standings(store.load()[0]), Path.cwd()) and ""
        )
    )


def weights_file():
    torch = pytest.importorskip("torch")
    from helpers import _weights

    for n in (4, 5):
        yield lambda n=n: _weights.save(
            Path("w.safetensors"), torch.nn.Linear(n, n), config={}, provenance={}
        )


def checkpoint():
    torch = pytest.importorskip("torch")
    from tools.training import loop

    for n in (1, 2):
        yield lambda n=n: loop._save(
            Path("checkpoint.pt").resolve(),
            {"model": torch.nn.Linear(n, n)},
            {"step": n},
            loop.Plan(),
        )


def log():
    pytest.importorskip("torch")
    from tools.training import loop

    for n in (10, 20):
        yield lambda n=n: loop._write_log(Path("log.csv"), [{"step": i} for i in range(n)])


@pytest.mark.parametrize(
    "what",
    [progress, blind, experiment, sound, recording, certificate, weights_file, checkpoint, log],
)
def test_a_full_disk_leaves_the_old_file_and_says_so(folder, what):
    first, second = what()
    assert not first()
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with Full():
        try:
            said = second()
        except OSError as error:
            said = error.strerror
    assert "could not be saved" in said and "File too large" in said and "\n" not in said
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before and len(
        before
    ) == 1
    assert not second()  # there is room again
    assert {path.name for path in folder.iterdir()} == set(before)


def test_answers_given_while_the_disk_was_full_are_saved_with_the_next(folder):
    give = next(blind())
    give()
    with Full():
        assert "could not be saved" in give()
    assert give() == ""
    assert len((folder / "blind_x.csv").read_text().splitlines()) == 2 + 3


def test_a_table_of_marks_is_whole_or_not_there(tmp_path):
    rows = [grade.Row("ada", "00", "00.half", "correct", 1, 1, "why")] * 50
    with Full(), pytest.raises(OSError, match="File too large"):
        grade.write(tmp_path / "marks.csv", rows)
    assert list(tmp_path.iterdir()) == []


def test_a_salt_is_whole_or_refused(tmp_path):
    """With an empty one everybody could work out who is who."""
    salt = tmp_path / "salt"
    resource_limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Full(), pytest.raises(OSError, match="File too large"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource_limit[1]))
        grade.salt_from(salt)
    assert not salt.exists()
    salt.write_text("")
    with pytest.raises(ValueError, match="holds no salt of 16 characters or more; remove it"):
        grade.salt_from(salt)
    salt.unlink()
    assert len(grade.salt_from(salt)) == 64 == len(grade.salt_from(salt))


# ---- killed --------------------------------------------------------------------------------------

WRITES = """
import sys
from helpers._storage import AnswerFile
from helpers.coursework import store
file = AnswerFile("x", kind="k", key="y", columns={"n": int})
n = 0
while True:
    n += 1
    file.save([{"n": i} for i in range(n % 400 + 1)])
    more = {"attempts": n, "pad": "x" * (n % 4000)}
    store.update(lambda state: state["exercises"].setdefault("10.level", {}).update(more))
    print(n, flush=True)
"""


@pytest.mark.parametrize("after", [1, 7, 20])
def test_a_kill_in_the_middle_of_saving_leaves_whole_files(folder, after):
    line = [sys.executable, "-c", WRITES]
    with subprocess.Popen(
        line, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}
    ) as job:
        for _ in range(after):
            said = int(job.stdout.readline())
        job.kill()
        said = max([said, *map(int, job.stdout.read().split())])
    rows, note = AnswerFile("x", kind="k", key="y", columns={"n": int}).load(lambda rows: True)
    assert note == "" and len(rows) in (said % 400 + 1, (said + 1) % 400 + 1)
    state, note = store.load()
    assert note == "" and state["exercises"]["10.level"]["attempts"] in (said, said + 1)
    assert (
        store.update(lambda state: state["exercises"].setdefault("10.alias", {})) == ""
    )  # a dead lock does not hold
    assert set(json.loads((folder / "progress.json").read_text())["exercises"]) == {
        "10.level",
        "10.alias",
    }


def test_a_damaged_checkpoint_is_one_line(tmp_path):
    torch = pytest.importorskip("torch")
    from tools.training import loop

    path, parts = tmp_path / "checkpoint.pt", {"model": torch.nn.Linear(2, 2)}
    loop._save(path, parts, {"step": 3}, loop.Plan())
    assert loop._resume(path, parts, loop.Plan())["step"] == 3
    whole = path.read_bytes()
    for broken in (cut(whole), b"", b"hello"):
        path.write_bytes(broken)
        with pytest.raises(
            ValueError, match=r"checkpoint.pt is damaged; remove it, and the training starts anew$"
        ):
            loop._resume(path, parts, loop.Plan())


# ---- a read-only checkout ------------------------------------------------------------------------

LEARNS = """
from helpers import audio, coursework, explore, figures, listening, loudness
import numpy as np
figures.use()
y, sr = audio.clip("voice_a")
loudness.equal_loudness_contour(40)
print(repr(coursework.check("00.half", lambda y: 0.5 * y)))
test = listening.blind_test("abx", {"one": y, "two": y}, sr=sr, name="x", n_trials=5)
test.answers = [{"trial": 1, "x": "A", "answer": "A"}]
print(test.fault)
try:
    audio.save("mine.wav", y, sr=sr)
except OSError as error:
    print(error)
"""


def test_in_a_read_only_folder_everything_works_but_saving_which_says_so(tmp_path):
    """The superuser may write anywhere; so the kernel is asked to take that right away."""
    line = [sys.executable, "-B", "-c", LEARNS]
    if os.geteuid() == 0:
        if not shutil.which("setpriv"):
            pytest.skip("run as the superuser, and there is no setpriv to give up its rights")
        line = ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner", *line]
    shutil.copytree(
        ROOT / "helpers", tmp_path / "helpers", ignore=shutil.ignore_patterns("__pycache__")
    )
    for part in ("SHA256SUMS", "clips", "tables", "coursework"):
        copy = shutil.copytree if (ROOT / "data" / part).is_dir() else shutil.copy
        (tmp_path / "data").mkdir(exist_ok=True)
        copy(ROOT / "data" / part, tmp_path / "data" / part)
    folders = [tmp_path, *(path for path in tmp_path.rglob("*") if path.is_dir())]
    env = {key: value for key, value in os.environ.items() if not key.startswith("EARUP_")}
    try:
        [path.chmod(0o555) for path in folders]
        done = subprocess.run(line, cwd=tmp_path, env=env, capture_output=True, text=True)
    finally:
        [path.chmod(0o755) for path in folders]
    assert done.returncode == 0, done.stderr
    assert re.search(
        r"Correct\. .*\n\(.*session only: progress\.json could not be saved \(Permission",
        done.stdout,
    )
    assert "session only: blind_x.csv could not be saved (Permission denied)" in done.stdout
    assert (
        "mine.wav could not be saved (Permission denied), there is no such file yet" in done.stdout
    )
    assert not [path.name for path in tmp_path.iterdir() if path.name not in ("helpers", "data")]


# ---- no network ----------------------------------------------------------------------------------


@pytest.fixture
def no_network(monkeypatch):
    """Names are not found, and no address but this computer's own answers."""
    real = socket.socket.connect

    def connect(self, address):
        if self.family == socket.AF_UNIX or address[0] in ("127.0.0.1", "::1"):
            return real(self, address)
        raise OSError(101, "Network is unreachable")

    def lookup(*args, **kwargs):
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    for name in [
        name for name in os.environ if name.lower().endswith("_proxy") or name == "HF_ENDPOINT"
    ]:
        monkeypatch.delenv(name)


def test_unit_00_runs_without_a_network(no_network, folder):
    run(code_cells("00_start_here"), folder)
    assert not list(folder.iterdir())


def test_a_vocoder_of_the_hub_gives_up_at_once_in_one_line(no_network, caplog):
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from helpers import settings

    with pytest.raises(
        ValueError, match=r"could not be loaded .*; without a network the shipped .*\"gan\""
    ) as caught:
        settings.load_vocoder("hub:nobody/has_this")
    assert "\n" not in str(caught.value)
    assert not [record for record in caplog.records if "Retrying" in record.getMessage()]


# ---- cells once more, in another order -----------------------------------------------------------


def test_unit_00_runs_again_from_the_last_cell_to_the_first(folder):
    assert reorder.problems(notebooks.paths(["00"])[0]) == []
    assert not list(folder.iterdir())


def test_a_cell_that_another_one_spoils_is_found(tmp_path):
    import nbformat.v4 as v4

    sources = (
        "x = 1",
        "print(x)",
        "y = [x]\nx = 2",
        "y.append(z := 0)\ndel y",
    )
    page = v4.new_notebook(cells=[v4.new_code_cell(source) for source in sources])
    page.cells[1].metadata.tags = ["nbval-check-output"]
    path = tmp_path / "spoiled.ipynb"
    path.write_text(
        v4.writes(page) if hasattr(v4, "writes") else json.dumps(page), encoding="utf-8"
    )
    found = reorder.problems(path)
    assert [line[:13] for line in found] == [
        "cell 3 raises",
        "cell 1 prints",
    ] and "NameError" in found[0]
