"""What holds the project's files together: pins and ranges, Binder, continuous integration,
licences, the README.
"""

import ast
import importlib
import json
import operator
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from numpydoc.validate import validate
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import notebooks
from tools.site import readme
from tools.start import setup
from tools.verify import test as test_verb

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
GROUPS = {group: ROOT / "tools" / file for group, (_, file, *_) in setup.GROUPS.items()}


def pins(group):
    """The versions of a group, by name."""
    lines = [
        line
        for line in GROUPS[group].read_text(encoding="utf-8").splitlines()
        if line and line[0] != "#"
    ]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines), "names and versions only"
    return {
        canonicalize_name(name): version for name, version in (line.split("==") for line in lines)
    }


def tracked():
    """The files of the repository."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("not a clone")
    return [path for name in done.stdout.split("\0") if name and (path := ROOT / name).is_file()]


# ---- packages ------------------------------------------------------------------------------------


@pytest.mark.parametrize("group", GROUPS)
def test_this_environment_holds_the_pinned_versions(group):
    for name, version in pins(group).items():
        try:
            assert metadata.version(name).split("+")[0] == version, name
        except metadata.PackageNotFoundError:
            assert group in ("optional", "torch", "peers"), f"{name} is not installed"


@pytest.mark.parametrize(
    ("extra", "groups"),
    [
        (None, ["learner"]),
        ("lab", ["learner"]),
        ("learning", ["learner", "torch"]),
        ("quality", ["learner", "optional"]),
        ("dev", ["dev"]),
        ("peers", ["peers"]),
    ],
)
def test_every_range_has_a_pin_inside_it(extra, groups):
    wanted = PROJECT["dependencies"] if extra is None else PROJECT["optional-dependencies"][extra]
    have = {name: version for group in groups for name, version in pins(group).items()}
    for requirement in map(Requirement, wanted):
        assert requirement.specifier.contains(have[canonicalize_name(requirement.name)]), (
            requirement
        )


def test_every_pin_of_the_tests_is_wanted_by_the_project():
    for group in ("dev", "peers"):
        wanted = {
            canonicalize_name(Requirement(r).name) for r in PROJECT["optional-dependencies"][group]
        }
        assert set(pins(group)) == wanted


def test_colabs_versions_are_inside_the_ranges():
    """As of August 2026; Colab keeps ipywidgets at 7.7.1."""
    colab = """numpy==2.0.2 scipy==1.16.3 matplotlib==3.10.0 librosa==0.11.0 ipywidgets==7.7.1 ipython==7.34.0
        anywidget==0.9.21 soundfile==0.14.0 soxr==1.1.0"""  # noqa: E501
    have = dict(pair.split("==") for pair in colab.split())
    brought = {"mir-eval"}  # what Colab does not ship comes with the course
    needed = {canonicalize_name(r.name): r for r in map(Requirement, PROJECT["dependencies"])}
    assert set(needed) == set(have) | brought
    for name, version in have.items():
        assert needed[name].specifier.contains(version), needed[name]


def test_pip_finds_no_conflict():
    done = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_what_helpers_imports_is_declared(root):
    trees = [
        ast.parse(path.read_text(encoding="utf-8")) for path in (root / "helpers").rglob("*.py")
    ]
    found = [n for tree in trees for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom)]
    names = [n.module if isinstance(n, ast.ImportFrom) else n.names[0].name for n in found]
    used = {name.split(".")[0] for name in names} - set(sys.stdlib_module_names) - {"helpers"}
    wanted = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["learning"]
    declared = {canonicalize_name(Requirement(r).name) for r in wanted}
    names = {"IPython": "ipython", "PIL": "pillow"}
    assert {names.get(name, name) for name in used} - declared <= {
        "pillow",
        "traitlets",
    }  # come with those above


def called_by_notebooks():
    """Every function or class of helpers/ that a notebook reaches as room.name."""
    names = set()
    for path in notebooks.paths():
        code = [c for c in notebooks.read(path)["cells"] if c["cell_type"] == "code"]
        trees = [ast.parse(notebooks.source(cell)) for cell in code]
        nodes = [node for tree in trees for node in ast.walk(tree)]
        imports = [n for n in nodes if isinstance(n, ast.ImportFrom) and n.module == "helpers"]
        rooms = {alias.name for node in imports for alias in node.names}
        reached = [
            n for n in nodes if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name)
        ]
        names |= {f"helpers.{n.value.id}.{n.attr}" for n in reached if n.value.id in rooms}
    return sorted(
        name
        for name in names
        if callable(operator.attrgetter(name.split(".", 2)[2])(room_of(name)))
    )


def room_of(name):
    """The module that a dotted name begins with."""
    return importlib.import_module(".".join(name.split(".")[:2]))


@pytest.mark.parametrize("name", called_by_notebooks())
def test_what_notebooks_call_is_documented_in_full(name):
    said = validate(name)["errors"]
    assert [
        f"{code} {what}" for code, what in said if code in ("GL08", "PR01", "PR02", "RT01")
    ] == []


# ---- conda and Binder ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def environment():
    """What environment.yml says."""
    return yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))


def test_conda_gets_the_pins_the_package_and_a_torch_without_cuda(environment):
    *conda, pip = environment["dependencies"]
    index = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["course"][
        "torch_cpu_index"
    ]
    files = [f"-r {GROUPS[group].relative_to(ROOT).as_posix()}" for group in ("learner", "torch")]
    assert pip == {"pip": [f"--extra-index-url {index}", *files, "-e ."]}
    assert environment["channels"] == ["conda-forge"]
    python = next(entry for entry in conda if entry.startswith("python="))
    setup.check_python(tuple(int(part) for part in python.removeprefix("python=").split(".")))
    assert set(conda) == {python, "pip"}


def test_binder_finds_the_environment_and_warms_the_caches():
    tool = Path(sys.executable).with_name("jupyter-repo2docker")
    if not tool.exists():
        pytest.skip("jupyter-repo2docker is not installed")
    done = subprocess.run(
        [tool, "--no-build", "--debug", "."], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    python = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"][
        0
    ]
    assert f"Building conda environment for {python.replace('=', '=', 1)}" in done.stderr
    source, update, post = (
        done.stdout.find(s)
        for s in ("COPY --chown=0:0 src/", '--file "environment.yml"', "./postBuild")
    )
    assert (
        0 < source < update < post
    )  # the pins and the package are there when the environment is made
    assert os.access(ROOT / "postBuild", os.X_OK)
    assert "python -m tools.start.warm" in (ROOT / "postBuild").read_text(encoding="utf-8")


@pytest.mark.nightly
def test_warming_really_compiles(tmp_path):
    """In an empty cache, what Binder's postBuild runs leaves numba's files behind."""
    env = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "NUMBA_OPT": "0"}  # in half the time
    subprocess.run([sys.executable, "-m", "tools.start.warm"], cwd=ROOT, env=env, check=True)
    assert list(tmp_path.rglob("*.nbi"))


# ---- continuous integration ----------------------------------------------------------------------


def test_ci_runs_the_test_command_and_names_no_host():
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert os.access(ROOT / ".ci/run", os.X_OK)
    assert script.splitlines()[-1] == 'exec python3 course.py test "$@"'
    assert "set -euo pipefail" in script and "export CI=true" in script and "://" not in script
    assert subprocess.run(["bash", "-n", ROOT / ".ci/run"]).returncode == 0


def test_the_workflow_runs_every_phase_on_a_push_and_everything_at_night():
    workflow = yaml.safe_load((ROOT / ".github/workflows/course.yml").read_text(encoding="utf-8"))
    jobs, when = workflow["jobs"], workflow[True]  # YAML reads a bare `on` as true
    assert "push" in when and "pull_request" in when
    night, week = (entry["cron"] for entry in when["schedule"])
    assert re.fullmatch(r"\d+ \d+ \* \* \*", night) and re.fullmatch(r"\d+ \d+ \* \* \d", week)
    assert night in jobs["nightly"]["if"] and week in jobs["matrix"]["if"]
    commands = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    assert "bash .ci/run --nightly" in commands and "bash .ci/run ${{ matrix.run }}" in commands
    matrix = jobs["phase"]["strategy"]["matrix"]
    asked = [*matrix["run"], *(entry["run"] for entry in matrix["include"])]
    assert {words.split()[0] for words in asked} | {"site"} == set(test_verb.PHASES)
    shards = [words.split()[-1].split("/") for words in asked if "--shard" in words]
    assert [int(k) for k, _ in shards] == list(range(1, len(shards) + 1))
    assert {int(n) for _, n in shards} == {len(shards)}
    assert not [
        step for job in jobs.values() for step in job["steps"] if step.get("continue-on-error")
    ]
    for python in [*matrix["python"], *(entry["python"] for entry in matrix["include"])]:
        setup.check_python(tuple(int(part) for part in python.split(".")))


def test_a_workflow_builds_the_site_and_publishes_what_it_built():
    workflow = yaml.safe_load((ROOT / ".github/workflows/site.yml").read_text(encoding="utf-8"))
    assert (
        workflow[True]["push"]["branches"] == ["main"]
        and workflow["permissions"]["pages"] == "write"
    )
    build, publish = workflow["jobs"]["build"]["steps"], workflow["jobs"]["publish"]
    command = next(step["run"] for step in build if "run" in step)
    folder = next(
        step["with"]["path"]
        for step in build
        if step.get("uses", "").startswith("actions/upload-pages")
    )
    assert command == f"python course.py site --out {folder}" and publish["needs"] == "build"
    assert any(step["uses"].startswith("actions/deploy-pages") for step in publish["steps"])


def test_pre_commit_runs_the_same_check_and_fetches_nothing():
    repos = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert [repo["repo"] for repo in repos] == ["local"]
    assert [hook["entry"] for hook in repos[0]["hooks"]] == ["python3 course.py check"]


# ---- what is in the repository, and what never is ------------------------------------------------


def test_no_file_names_a_machine_or_a_registry():
    machine = r"(?<![\w.])/(?:root|work|opt/wheels|opt/pypi|farm)/"
    registry = r"py" + r"pi\.org|python" + r"hosted|deb\." + r"debian\.org|registry\.npm" + r"js"
    for path in tracked():
        if path.suffix not in (
            ".flac",
            ".gz",
            ".wav",
            ".ogg",
            ".mp3",
            ".png",
            ".npz",
            ".svg",
            ".safetensors",
        ):
            found = re.search(f"{machine}|{registry}", path.read_text(encoding="utf-8"))
            assert not found, f"{path.relative_to(ROOT)}: {found[0]}"


def test_the_whole_course_stays_small():
    assert sum(path.stat().st_size for path in tracked()) < 80e6


@pytest.mark.parametrize(
    "name",
    [
        "notebooks/my_voice.wav",
        "notebooks/my_voice.wav.tmp",
        "my_notebooks/12_pitch.ipynb",
        ".venv/x",
        "notebooks/.ipynb_checkpoints/x",
        "a/__pycache__/x",
    ],
)
def test_what_belongs_to_one_learner_is_ignored_by_git(name):
    tracked()
    assert subprocess.run(["git", "check-ignore", "-q", name], cwd=ROOT).returncode == 0


def test_both_licences_stand_with_what_they_exclude():
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    for part in ("MIT License", "CC BY 4.0", "ISO 226", "BS.1770", "data/README.md"):
        assert part in text


# ---- the front page ------------------------------------------------------------------------------


def test_the_first_screen_has_a_picture_and_the_two_commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    first = text[: text.index("## ")]
    assert len(first.splitlines()) < 30
    assert "python3 course.py lab" in first and "python3 course.py test" in first
    assert re.search(r"!\[.{20,}\]\(data/look/three_settings\.png\)", first)
    assert PROJECT["urls"]["Repository"] in first


def test_the_table_of_units_is_made_from_the_units():
    """A unit that was added or renamed? python3 -m tools.site.readme."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme.TABLE.findall(text) == [readme.table()]


def test_the_table_has_every_unit_once_with_its_question_and_minutes_and_says_what_is_to_come():
    lines = [
        line
        for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("|")
    ]
    linked = [re.findall(r"\[(\d\d) [^\]]+\]\(notebooks/(\1_\w+\.ipynb)\)", line) for line in lines]
    there = {path.name for path in notebooks.paths()}
    assert sorted(name for found in linked for _, name in found) == sorted(there)
    for line, found in zip(lines, linked, strict=True):
        for number, name in found:
            head = notebooks.source(notebooks.read(ROOT / "notebooks" / name)["cells"][0])
            question, minutes = [cell.strip() for cell in line.split("|")][3:5]
            assert question.endswith("?") and head.startswith(f"# {number} · {question}\n")
            assert re.search(r"(\d+) minutes", head)[1] == minutes
    coming = [
        number
        for line in lines
        if "to come" in line
        for number in re.findall(r"(?<!\d)\d\d(?= )", line)
    ]
    written = {name[:2] for name in there}
    assert len(coming) == len(set(coming)) and not written & set(coming)
    assert [re.search(r"\d", line)[0] for line in lines if re.match(r"\| \d", line)] == list(
        "012345"
    )


def test_the_changelog_names_this_version():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings and (headings[0] == "Unreleased" or headings[0].startswith(PROJECT["version"]))


def test_the_package_carries_its_style_and_scripts(tmp_path):
    """What a wheel would hold: every file of helpers/ that is no cache."""
    copy = tmp_path / "course"
    ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "helpers", copy / "helpers", ignore=ignore)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    code = "from setuptools import build_meta; build_meta.build_wheel('dist')"
    subprocess.run([sys.executable, "-c", code], cwd=copy, capture_output=True, check=True)
    wheel = next((copy / "dist").glob("*.whl"))
    listed = subprocess.run(
        [sys.executable, "-m", "zipfile", "-l", wheel], capture_output=True, text=True, check=True
    )
    held = {line.split()[0] for line in listed.stdout.splitlines() if line.startswith("helpers/")}
    assert {path.relative_to(copy).as_posix() for path in (copy / "helpers").rglob("*.*")} == held


def test_stored_notebooks_are_valid():
    nbformat = pytest.importorskip("nbformat")
    for path in notebooks.paths():
        nbformat.validate(json.loads(path.read_text(encoding="utf-8")))
