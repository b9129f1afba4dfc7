"""Two commands on a fresh machine, and everything that can be wrong with that machine. Nothing is
installed here.
"""

import ast
import errno
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tomllib
import urllib.request
import zipfile
from collections import namedtuple
from pathlib import Path

import pytest

import course
from tools import notebooks
from tools.start import copies, frontend, lab, packages, setup
from tools.start.packages import NotToBeHad, SetupError
from tools.verify import check, reach
from tools.verify import test as test_verb

ROOT = Path(__file__).parents[1]
posix = pytest.mark.skipif(os.name == "nt", reason="stands a link in for an environment")


# ---- course.py -----------------------------------------------------------------------------------


def old_pythons():
    """Pythons of this machine that are too old for the course."""
    found = [shutil.which(f"python3.{minor}") for minor in range(6, 11)]
    found += map(str, Path.home().glob(".pyenv/versions/3.[6-9].*/bin/python"))
    found += map(str, Path.home().glob(".pyenv/versions/3.10.*/bin/python"))
    return [python for python in found if python and "shims" not in python]


def test_an_older_python_can_read_the_file():
    ast.parse((ROOT / "course.py").read_text(encoding="utf-8"), feature_version=(3, 6))


@pytest.mark.skipif(not old_pythons(), reason="this machine has no Python older than 3.11")
@pytest.mark.parametrize("python", old_pythons())
def test_an_older_python_is_told_so_in_one_line(python):
    done = subprocess.run([python, "course.py", "lab"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert re.fullmatch(
        r"The course needs Python 3\.11, 3\.12 or 3\.13; this is 3\.\d+\.\d+\..*\n", done.stderr
    )


@pytest.mark.parametrize(
    "name",
    [
        "course",
        "tools/bootstrap",
        "tools/site/address",
        *(f"tools/start/{n}" for n in ["setup", "packages", "lab"]),
    ],
)
def test_what_runs_before_the_install_needs_nothing_installed(name):
    tree = ast.parse((ROOT / f"{name}.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module] if isinstance(node, ast.ImportFrom) else []
        assert {n.split(".")[0] for n in names} <= sys.stdlib_module_names | {"tools"}


def test_course_py_is_small():
    assert len((ROOT / "course.py").read_text(encoding="utf-8").splitlines()) < 120


@pytest.fixture
def bare(tmp_path):
    """A copy of the commands, without an environment."""
    shutil.copy(ROOT / "course.py", tmp_path)
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return lambda *words: subprocess.run(
        [sys.executable, "course.py", *words], cwd=tmp_path, capture_output=True, text=True
    )


@pytest.mark.parametrize("verb", course.VERBS)
def test_every_verb_explains_itself_and_installs_nothing_for_that(verb, bare, tmp_path):
    done = bare(verb, "--help")
    assert done.returncode == 0 and f"course.py {verb}" in done.stdout
    assert not (tmp_path / ".venv").exists()
    assert verb in bare().stdout


def test_a_verb_that_is_none_is_refused_with_the_list(bare):
    done = bare("lba")
    assert done.returncode == 1 and "no verb 'lba'" in done.stderr and "lab " in done.stderr


def test_a_fault_of_setup_is_the_only_thing_said(monkeypatch):
    def fail(**_):
        raise SetupError("one line")

    monkeypatch.setattr(setup, "ensure", fail)
    assert course.main(["lab"]) == "one line"


# ---- setup, with pip and Python played by others -------------------------------------------------


def venv_of(folder, python=sys.executable):
    """Put what looks like an environment into a folder."""
    (folder / "bin").mkdir(parents=True)
    (folder / "bin/python").symlink_to(Path(python).resolve())
    (folder / f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages").mkdir(
        parents=True
    )


def put(site, name, *, whole=True):
    """Install a package of one file, as pip would, or as an interrupted pip."""
    (site / name).mkdir(parents=True, exist_ok=True)
    info = site / f"{name}-1.0.dist-info"
    info.mkdir(exist_ok=True)
    for path in (
        site / name / "__init__.py",
        info / "METADATA",
        *([info / "INSTALLER"] if whole else []),
    ):
        path.touch()
    (info / "RECORD").write_text(
        f"{name}/__init__.py,,\n{info.name}/METADATA,,\n", encoding="utf-8"
    )


class House:
    """A course in a folder of its own; pip only notes what it was asked."""

    def __init__(self, root, monkeypatch):
        self.root, self.venv, self.asked, self.fail = root, root / ".venv", [], {}
        shutil.copytree(
            ROOT / "tools", root / "tools", ignore=shutil.ignore_patterns("*.py", "__pycache__")
        )
        shutil.copy(ROOT / "pyproject.toml", root)
        for name, value in {"ROOT": root, "VENV": self.venv, "pip_install": self.pip}.items():
            monkeypatch.setattr(packages, name, value)
        monkeypatch.setattr(packages, "own_sources", lambda python: True)
        self.run = subprocess.run
        monkeypatch.setattr(setup.subprocess, "run", self.subprocess)

    def pip(self, arguments):
        pins = next((a for a in arguments if "pins" in a), None)
        names = {f"tools/{file}": group for group, (_, file, *_) in setup.GROUPS.items()}
        self.asked.append(names[pins] if pins else "helpers")
        put(packages.site_packages(), self.asked[-1])
        if error := self.fail.get(self.asked[-1]):
            raise error

    def subprocess(self, command, **options):
        if command[1:3] == ["-m", "venv"]:
            venv_of(self.venv)
            command = [sys.executable, "-c", ""]
        if command[1:3] == ["-m", "tools.start.warm"]:
            command = [sys.executable, "-c", ""]
        return self.run(command, **options)

    def stamp(self):
        return json.loads((self.venv / "course.json").read_text(encoding="utf-8"))


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A fresh clone."""
    return House(tmp_path, monkeypatch)


ALL = ["learner", "torch", "optional", "helpers"]


@posix
def test_a_fresh_clone_gets_everything_once(house, capsys):
    setup.ensure()
    assert house.asked == ALL
    said = capsys.readouterr().out
    assert re.search(r"about \d{3} MB to download and \d{3,4} MB on disk", said.splitlines()[0])
    assert re.findall(r"^\[(\d)/5\]", said, re.MULTILINE) == list("12345")
    setup.ensure()
    assert len(house.asked) == len(ALL) and capsys.readouterr().out == ""


@posix
def test_the_tests_packages_come_on_top(house):
    setup.ensure()
    house.asked.clear()
    setup.ensure(dev=True)
    assert house.asked == ["dev", "peers", "helpers"]
    house.asked.clear()
    setup.ensure()
    assert house.asked == []


@posix
@pytest.mark.parametrize("at", ALL)
def test_an_interrupted_install_goes_on_when_run_again(at, house, capsys):
    house.fail[at] = KeyboardInterrupt()
    assert setup.main([]) == setup.STOPPED
    assert not (house.venv / "course.json").exists()
    house.fail.clear()
    house.asked.clear()
    assert setup.main([]) == 0
    assert house.asked == ALL and house.stamp()["groups"].keys() == {"learner", "torch", "optional"}


@posix
def test_a_later_install_that_is_interrupted_leaves_no_stamp_either(house):
    setup.ensure()
    house.fail["dev"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        setup.ensure(dev=True)
    assert setup.installed() == {}


@posix
def test_a_package_that_was_half_unpacked_is_forgotten_so_that_pip_installs_it_again(house, capsys):
    venv_of(house.venv)
    site = packages.site_packages()
    put(site, "whole")
    put(site, "cut", whole=False)
    put(site, "eaten")
    (site / "eaten/__init__.py").unlink()
    setup.ensure()
    assert "cut, eaten" in capsys.readouterr().out
    assert (site / "whole-1.0.dist-info").exists()
    assert not (site / "cut-1.0.dist-info").exists() and not (site / "eaten-1.0.dist-info").exists()


@posix
def test_a_file_that_somebody_deleted_is_noticed(house):
    setup.ensure()
    house.asked.clear()
    (packages.site_packages() / "torch/__init__.py").unlink()
    setup.ensure()
    assert house.asked == ALL


@posix
def test_new_pins_install_only_their_group(house):
    setup.ensure()
    house.asked.clear()
    (house.root / "tools/pins-torch.txt").write_text("torch==9.9\n", encoding="utf-8")
    setup.ensure()
    assert house.asked == ["torch", "helpers"]


@posix
@pytest.mark.parametrize(
    "stamp", ["", "{", "[]", '{"root": "/elsewhere", "groups": {"torch": ""}}']
)
def test_a_stamp_that_is_broken_or_of_another_folder_counts_for_nothing(stamp, house):
    setup.ensure()
    house.asked.clear()
    (house.venv / "course.json").write_text(stamp, encoding="utf-8")
    setup.ensure()
    assert house.asked == ALL


def old_python(path):
    """Write a Python of another version."""
    path.unlink()
    path.write_text("#!/bin/sh\necho 3.9.1\n", encoding="utf-8")
    path.chmod(0o755)


def dead_python(path):
    """Leave a link to a Python that was removed."""
    path.unlink()
    path.symlink_to("gone")


@posix
@pytest.mark.parametrize("harm", [old_python, dead_python])
@pytest.mark.parametrize("finished", [True, False])
def test_an_environment_of_another_or_a_lost_python_is_made_anew(harm, finished, house, capsys):
    setup.ensure()
    if not finished:
        (house.venv / "course.json").unlink()
    harm(house.venv / "bin/python")
    house.asked.clear()
    setup.ensure()
    assert "making it anew" in capsys.readouterr().out
    assert house.asked == ALL and setup.probe(house.venv / "bin/python") == house.stamp()["python"]


@posix
def test_no_torch_is_remembered_until_setup_says_otherwise(house):
    assert setup.main(["--no-torch"]) == 0
    setup.ensure()
    assert "torch" not in house.asked
    assert setup.main([]) == 0
    assert house.asked.count("torch") == 1
    assert setup.main(["--no-torch"]) == 0
    setup.ensure()
    assert house.asked.count("torch") == 1


@posix
def test_a_torch_that_cannot_be_had_costs_part_three_only(house, capsys):
    house.fail["torch"] = NotToBeHad("torch==2.13.0 cannot be had")
    setup.ensure()
    assert "Parts 1 and 2 need no PyTorch" in capsys.readouterr().out
    house.asked.clear()
    setup.ensure()
    assert house.asked == []
    house.fail.clear()
    assert setup.main([]) == 0
    assert house.asked == ["torch", "helpers"]


@posix
def test_without_a_compiler_everything_else_is_installed(house, capsys):
    house.fail["optional"] = SetupError("command 'gcc' failed")
    setup.ensure()
    assert "a C compiler is needed" in capsys.readouterr().out
    house.asked.clear()
    setup.ensure()
    assert house.asked == []


@posix
@pytest.mark.parametrize(
    ("group", "error"),
    [
        ("learner", SetupError("No network")),
        ("torch", SetupError("No network")),
        ("learner", NotToBeHad("newer Python")),
    ],
)
def test_a_lost_network_or_a_package_that_all_units_need_stops_the_install(group, error, house):
    house.fail[group] = error
    assert setup.main([]) == str(error)
    assert house.asked[-1] == group and not (house.venv / "course.json").exists()


Usage = namedtuple("Usage", "total used free")


def test_too_little_space_is_said_before_anything_starts(house, monkeypatch):
    monkeypatch.setattr(setup.shutil, "disk_usage", lambda path: Usage(10**12, 10**12, 300 * 10**6))
    said = setup.main([])
    assert re.search(r"Too little disk space in .+: \d{4} MB are needed, 300 MB are free\.$", said)
    assert house.asked == [] and not house.venv.exists()


def test_a_folder_that_cannot_be_written_is_said_before_anything_starts(house, monkeypatch):
    def refuse(path, **_):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "touch", refuse)
    said = setup.main([])
    assert (
        str(house.root) in said
        and "cannot be written (Read-only file system)" in said
        and "\n" not in said
    )
    assert house.asked == [] and not house.venv.exists()


def test_a_python_without_venv_is_told_what_to_install(house, monkeypatch):
    done = subprocess.CompletedProcess([], 1, "", "ensurepip is not available")
    monkeypatch.setattr(setup.subprocess, "run", lambda *a, **k: done)
    assert "apt install python3-venv" in setup.main([])


def test_python_versions(capsys):
    with pytest.raises(
        SetupError, match=r"needs Python 3\.11, 3\.12 or 3\.13; this is Python 3\.10"
    ):
        setup.check_python((3, 10, 4))
    setup.check_python((3, 13, 0))
    assert capsys.readouterr().out == ""
    setup.check_python((3, 14, 0))
    assert "newer" in capsys.readouterr().out


# ---- pip, the real one, with nothing to reach ----------------------------------------------------


@pytest.fixture
def lonely(monkeypatch, tmp_path):
    """A pip that knows no source; what it installs would go into a temporary folder."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setattr(packages, "VENV", tmp_path)
    return lambda *words: packages.pip_install(
        ["--target", str(tmp_path), "--retries", "1", *words], python=Path(sys.executable)
    )


def test_no_network_is_one_clear_line(lonely):
    with socket.socket() as closed:  # bound and not listening: whoever connects is refused
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(SetupError, match=r"^No network: [^\n]+$"):
            lonely(
                "--index-url",
                f"http://127.0.0.1:{closed.getsockname()[1]}/simple",
                "no-such-package==1.0",
            )


def test_a_pin_that_does_not_exist_here_is_named(lonely):
    with pytest.raises(
        NotToBeHad, match=r"^no-such-package==1\.0 cannot be had for Python 3\.\d+ on this system\."
    ):
        lonely("--no-index", "no-such-package==1.0")


@pytest.mark.parametrize(
    ("output", "line"),
    [
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on "
            "device",
            "disk is full",
        ),
        (
            "WARNING: Retrying: [Errno -3] Temporary failure in name resolution\nERROR: No "
            "matching distribution",
            "No network",
        ),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]", "certificate"),
        (
            "ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied",
            "cannot be written",
        ),
        (
            "ERROR: Package 'numpy' requires a different Python: 3.14.0 not in '<3.14'",
            "cannot be had",
        ),
        ("ERROR: something new", r"something new\. See .*setup\.log"),
        ("", "pip stopped"),
    ],
)
def test_what_pip_says_becomes_one_line(output, line):
    said = str(packages.fault(output))
    assert re.search(line, said) and "\n" not in said


def test_the_users_own_sources_are_seen(monkeypatch, lonely):
    assert not packages.own_sources(Path(sys.executable))
    monkeypatch.setenv("PIP_TIMEOUT", "9")
    assert not packages.own_sources(Path(sys.executable))
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX"):
        with monkeypatch.context() as patch:
            patch.setenv(name, "1")
            assert packages.own_sources(Path(sys.executable)), name


@pytest.mark.parametrize(
    ("system", "nvidia", "own", "cpu"),
    [
        ("linux", False, False, True),
        ("linux", True, False, False),
        ("linux", False, True, False),
        ("darwin", False, False, False),
        ("win32", False, False, False),
    ],
)
def test_torch_comes_as_its_cpu_build_only_where_cuda_would_come_uninvited(
    system, nvidia, own, cpu
):
    index = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["course"][
        "torch_cpu_index"
    ]
    assert packages.torch_source(system=system, nvidia=nvidia, own=own) == (
        ["--index-url", index] if cpu else []
    )


def made_wheel(folder):
    """Write a wheel of a package that holds one empty module."""
    path, info = folder / "tiny-1.0-py3-none-any.whl", "tiny-1.0.dist-info"
    files = {
        "tiny.py": "",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
    return path


def test_pip_shows_its_own_progress_and_its_errors_are_kept_for_the_one_line(
    lonely, tmp_path, capfd
):
    """The log holds all of it; what pip says of an error is not repeated above our line."""
    with pytest.raises(NotToBeHad):
        lonely("--no-index", "no-such-package==1.0")
    shown = capfd.readouterr()
    assert "No matching distribution" not in shown.out + shown.err
    log = (tmp_path / "setup.log").read_text(encoding="utf-8")
    assert "No matching distribution found for no-such-package==1.0" in log
    wheel = made_wheel(tmp_path)
    lonely("--no-index", str(wheel))
    assert "Installing collected packages: tiny" in capfd.readouterr().out


# ---- lab -----------------------------------------------------------------------------------------


def test_a_port_that_was_asked_for_and_is_taken_is_one_clear_line(monkeypatch):
    monkeypatch.setattr(lab, "command", None)  # nothing is started
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not lab.is_free(port)
        assert lab.main(["--port", str(port)]).startswith(f"Port {port} is taken.")


def free_port():
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_port_that_was_asked_for_is_held_to_and_others_are_looked_for():
    port = free_port()
    assert lab.is_free(port)
    assert "--ServerApp.port_retries=0" in lab.command(port=port, rest=[])
    assert "--ServerApp.port_retries=0" not in lab.command(port=None, rest=[])


@posix
def test_the_questions_are_turned_off_before_jupyterlab_starts(monkeypatch, tmp_path):
    started = []
    monkeypatch.setattr(lab.sys, "prefix", str(tmp_path))
    monkeypatch.setattr(lab.os, "execv", lambda program, words: started.append(words) or sys.exit())
    monkeypatch.chdir(ROOT)  # to come back to
    with pytest.raises(SystemExit):
        lab.main(["--originals", "--no-browser", "--ServerApp.token=x"])
    assert started[0][-2:] == ["--ServerApp.token=x", "--no-browser"]
    assert "fetchNews" in (tmp_path / "share/jupyter/lab/settings/overrides.json").read_text(
        encoding="utf-8"
    )
    package = json.loads((tmp_path / frontend.EXTENSION / "package.json").read_text())
    load = package["jupyterlab"]["_build"]["load"]
    assert "earup:pages" in (tmp_path / frontend.EXTENSION / load).read_text(encoding="utf-8")
    frontend.install(tmp_path)
    assert len(list((tmp_path / frontend.EXTENSION / "static").iterdir())) == 1


@posix
def test_lab_opens_the_learners_own_folder_and_says_if_it_cannot_be_made(
    monkeypatch, tmp_path, capsys
):
    started = []
    monkeypatch.setattr(lab.sys, "prefix", str(tmp_path / "prefix"))
    monkeypatch.setattr(lab.os, "execv", lambda program, words: started.append(words) or sys.exit())
    monkeypatch.setattr(lab, "ROOT", tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notebooks").mkdir()
    shutil.copy(ROOT / "notebooks" / lab.FIRST, tmp_path / "notebooks")
    for blocked in (False, True):
        if blocked:  # a file where the folder should be
            shutil.rmtree(tmp_path / copies.FOLDER)
            (tmp_path / copies.FOLDER).write_text("")
        with pytest.raises(SystemExit):
            lab.main([])
    own, originals = (next(w for w in words if "default_url" in w) for words in started)
    assert own.endswith(f"/lab/tree/my_notebooks/{lab.FIRST}")
    assert originals.endswith(f"/lab/tree/notebooks/{lab.FIRST}")
    said = capsys.readouterr().out
    assert "Your pages are made in my_notebooks/: 00_start_here." in said
    assert "Your own pages could not be made (File exists): these are the originals." in said


@posix
def test_lab_serves_the_first_notebook_asks_nothing_and_passes_options_on(tmp_path):
    port, token = free_port(), "a-token"
    env = {**os.environ, "JUPYTER_CONFIG_DIR": str(tmp_path), "JUPYTER_RUNTIME_DIR": str(tmp_path)}
    options = ["--originals", "--no-browser", "--port", str(port)]
    options += [f"--IdentityProvider.token={token}"]
    command = [sys.executable, "-m", "tools.start.lab", *options]
    process = subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        address = next(line for line in process.stdout if f":{port}/lab" in line)
        assert address.split(f":{port}")[1].strip() == f"/lab/tree/notebooks/{lab.FIRST}?token=..."
        next(line for line in process.stdout if "Control-C" in line)
        while lab.is_free(port):  # it says so a little before it listens
            assert process.poll() is None
        setting = "lab/api/settings/@jupyterlab/apputils-extension:notification"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{setting}?token={token}") as answer:
            asks = json.load(answer)["schema"]["properties"]
        assert (asks["fetchNews"]["default"], asks["checkForUpdates"]["default"]) == (
            "false",
            False,
        )
    finally:
        process.send_signal(signal.SIGTERM)
        process.stdout.close()
        process.wait()


# ---- test, check ---------------------------------------------------------------------------------


def test_pytests_counts_are_read(tmp_path):
    tests = tmp_path / "test_three.py"
    code = (
        "import pytest\ndef test_a(): pass\ndef test_b(): assert 0\ndef test_c(): "
        "pytest.skip('no')\n"
    )
    tests.write_text(code, encoding="utf-8")
    here, env = (
        ["--rootdir", str(tmp_path), "-c", os.devnull, "-q"],
        {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )
    assert test_verb.pytest([str(tests), *here], env) == (1, 1, 1)
    tests.write_text("raise SystemExit(3)", encoding="utf-8")
    assert test_verb.pytest([str(tests), *here], env)[1] >= 1
    assert test_verb.pytest(["--no-such-option"], env) == (0, 1, 0)


@pytest.fixture
def steps(monkeypatch):
    """Replace what `course.py test` runs: ``steps(one=(2, 0, 0))``; returns what it was given."""
    seen = []

    def replace(**counts):
        jobs = {
            name: lambda env, count=count: seen.append(env) or count
            for name, count in counts.items()
        }
        monkeypatch.setattr(test_verb, "plan", lambda phases, selected: jobs)
        return seen

    return replace


@pytest.mark.parametrize(
    ("second", "line", "status"),
    [
        ((3, 0, 1), "5 passed, 0 failed, 1 skipped", 0),
        ((3, 2, 0), "5 passed, 2 failed, 0 skipped", 1),
    ],
)
def test_the_last_line_counts_all_steps(second, line, status, steps, capsys):
    steps(one=(2, 0, 0), two=second)
    assert test_verb.main([]) == status
    assert capsys.readouterr().out.splitlines()[-1] == line


@pytest.mark.parametrize(("ci", "required"), [("true", "1"), ("", None)])
def test_ci_refuses_to_skip_the_browser(ci, required, steps, monkeypatch):
    monkeypatch.setenv("CI", ci)
    monkeypatch.delenv("EARUP_REQUIRE_BROWSER", raising=False)
    seen = steps(one=(1, 0, 0))
    test_verb.main([])
    assert seen[0].get("EARUP_REQUIRE_BROWSER") == required
    assert seen[0]["EARUP_PROGRESS"] != os.environ.get("EARUP_PROGRESS")


@pytest.mark.parametrize(
    ("words", "nightly", "shard"),
    [([], "0", "1/1"), (["--nightly", "--shard", "2/3"], "1", "2/3")],
)
def test_what_is_dear_runs_only_when_asked_for(words, nightly, shard, steps):
    seen = steps(one=(1, 0, 0))
    test_verb.main(words)
    assert (seen[0]["EARUP_NIGHTLY"], seen[0]["EARUP_SHARD"]) == (nightly, shard)


def test_each_notebook_runs_in_a_process_of_its_own_and_the_rest_two_at_a_time(monkeypatch):
    asked = []
    monkeypatch.setattr(
        test_verb, "pytest", lambda words, env, **_: asked.append(words) or (1, 0, 0)
    )
    for run in test_verb.plan(["notebooks", "core", "pages"], reach.EVERYTHING).values():
        run({})
    *alone, pages, core = sorted(asked, key=lambda words: "-n" in words)
    assert sorted(words[0] for words in alone) == [
        f"{test_verb.COMPARED}[{p.stem}]" for p in notebooks.paths()
    ]
    files = {word for words in alone for word in words if word.startswith("tests/test_unit")}
    assert files == {f"tests/{path.name}" for path in (ROOT / "tests").glob("test_unit[0-9]*.py")}
    # a browser's driver and a kernel are no good company in one process
    assert "(page)" in pages and "(not browser and not unit)" in core


def test_who_shares_a_run_stays_on_one_worker(tmp_path):
    """Two workers, two notebooks, two files about each."""
    (tmp_path / "tests").mkdir()
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path / "tests")
    code = "NAME = {!r}\n" + "".join(
        f"def test_{k}(worker_id): print(NAME, worker_id)\n" for k in "ab"
    )
    for file, name in (("one", "00_x"), ("two", "10_y"), ("three", "00_x"), ("four", "10_y")):
        path = tmp_path / "tests" / f"test_{file}.py"
        path.write_text(code.format(name).replace("'", '"'), encoding="utf-8")
    marks = ["-o", "markers=unit:\npage:\nnightly:", "-rP", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *test_verb.TWO_AT_ONCE, *marks]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True).stdout
    ran = re.findall(r"^(00_x|10_y) (gw\d)$", said, re.MULTILINE)
    assert len(ran) == 8 and len(set(ran)) == 2, said


def test_every_phase_of_tests_has_its_tests_and_no_test_has_two():
    """By their marks: five facts decide, and each combination that occurs belongs to one phase."""
    for browser, unit, page, site in (
        (0, 0, 0, 0),
        (0, 1, 0, 0),
        (1, 0, 0, 0),
        (1, 0, 1, 0),
        (1, 0, 0, 1),
    ):
        facts = {"browser": browser, "unit": unit, "page": page, "site": site}
        phases = [name for name, mark in test_verb.MARKS.items() if eval(mark, {}, facts)]
        assert len(phases) == (not unit)  # tests about a notebook's names belong to the notebooks


def test_a_linter_that_finds_something_and_a_bad_notebook_fail_the_check(
    monkeypatch, capsys, tmp_path
):
    good = ["json.tool", "--help"]
    monkeypatch.setattr(
        check, "linters", lambda: {"good": good, "bad": ["json.tool", str(tmp_path / "gone")]}
    )
    monkeypatch.setattr(notebooks, "paths", list)
    assert check.main([]) == 1
    said = capsys.readouterr().out
    assert "good: fine" in said and "bad: FAILED" in said and "gone" in said
    monkeypatch.setattr(check, "stored", lambda: ["10_x.ipynb: stores an error"])
    assert check.main([]) == 2
    assert "stores an error" in capsys.readouterr().out
