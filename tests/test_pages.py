"""The pages beside the notebooks: every link, section, word, default and quotation in them is what
it claims to be.
"""

import importlib
import inspect
import re
import subprocess
import sys

import pytest
import yaml

from helpers.coursework import catalogue
from tools import notebooks
from tools.site import address

ROOT = notebooks.ROOT
PAGES = ROOT / "tools" / "site" / "pages"
TEACH = {
    path.parent.name: path
    for path in sorted((ROOT / "data" / "coursework").glob("[0-9][0-9]/teach.md"))
}
EVERY = [*sorted(PAGES.rglob("*.md")), *TEACH.values()]
BOOKS = {path.name[:2]: path for path in notebooks.paths()}


def prose(number):
    """The text of a notebook's Markdown cells."""
    cells = notebooks.read(BOOKS[number])["cells"]
    return "\n\n".join(notebooks.source(cell) for cell in cells if cell["cell_type"] == "markdown")


def headings(number):
    """The sections of a notebook, without the minutes of chapters."""
    return re.findall(r"^##+ (.+?)(?: \(\d+ minutes.*\))?\s*$", prose(number), re.MULTILINE)


def text(name):
    """The text of a page."""
    return (PAGES / name).read_text(encoding="utf-8")


def rows(words):
    """The rows of all tables of a text, cell by cell."""
    lines = [
        line for line in words.splitlines() if line.startswith("| ") and not line.startswith("|---")
    ]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


# ---- links and sections --------------------------------------------------------------------------


@pytest.mark.parametrize("page", EVERY, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_link_of_a_page_leads_somewhere(page):
    body = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)\s]+)\)", body) + re.findall(
        r"^\[\w+\]: (\S+)$", body, re.MULTILINE
    )
    for target in targets:
        if "://" in target:
            assert re.fullmatch(r"https://[\w.-]+\.[a-z]+(/\S*)?", target), target
        else:
            goal = (page.parent / target.split("#")[0]).resolve()
            assert goal.exists() and goal.is_relative_to(ROOT), target
    defined = set(re.findall(r"^\[(\w+)\]: ", body, re.MULTILINE))
    assert set(re.findall(r"\[(\d\d)\](?![(:])", body)) <= defined


def test_the_short_names_of_the_companion_and_the_glossary_are_their_notebooks():
    for name in ("companion.md", "glossary.md"):
        for number, target in re.findall(r"^\[(\d\d)\]: .*/(\S+)$", text(name), re.MULTILINE):
            assert target == BOOKS[number].name


def test_sections_that_the_companion_names_exist_in_the_unit_before_them():
    body, seen = text("companion.md"), 0
    for number, sections in re.findall(
        r"\[(\d\d)\](?:, whole)?:\s+((?:\*[^*]+\*(?:;\s+)?)+)", body
    ):
        for section in re.findall(r"\*([^*]+)\*", sections):
            assert section in headings(number), f"{number}: {section}"
            seen += 1
    assert seen > 70


def test_the_companion_covers_every_unit_and_chapter_of_the_others():
    parts = dict(
        re.findall(r"^## (.+?)$(.*?)(?=^## |\Z)", text("companion.md"), re.MULTILINE | re.DOTALL)
    )
    first = {name: re.findall(r"^\| (\d+) ", body, re.MULTILINE) for name, body in parts.items()}
    assert first["Hugging Face Audio Course"] == [str(n) for n in range(9)]
    assert first["Preparation Course Python (PCP)"] == [str(n) for n in range(1, 11)]
    assert first["Fundamentals of Music Processing (FMP)"] == [str(n) for n in range(1, 9)]
    assert {
        "Spectral Leakage and Zero-Padding of the DFT",
        "Loss Functions in Audio ML",
    } <= parts.keys()


# ---- glossary and notation -----------------------------------------------------------------------


def test_every_word_of_the_glossary_stands_in_the_unit_that_is_named():
    found = [row for row in rows(text("glossary.md")) if row[-1].startswith("[")]
    assert len(found) > 70
    words = [row[0].lower() for row in found]
    assert len(set(words)) == len(words)
    for word, meaning, unit in found:
        page = prose(unit[1:3]).lower().replace("-", " ").replace("\n", " ")
        head = word.lower().replace("-", " ").removesuffix(" test")
        assert head in page or head.replace("quantisation", "quantis") in page, (
            f"{word} is not in unit {unit}"
        )
        assert meaning.endswith(".") and len(meaning) < 200


DEFAULT = re.compile(r"`(librosa|torch|scipy|soundfile)\.([\w.]+)\((\w+)=([^)`]*)\)`")


def test_defaults_of_other_libraries_are_those_of_the_installed_ones():
    pytest.importorskip("torch")
    found = DEFAULT.findall(text("notation.md"))
    assert len(found) > 25
    for package, path, argument, stated in found:
        *rooms, name = path.split(".")
        room = importlib.import_module(".".join([package, *rooms]))
        default = inspect.signature(getattr(room, name)).parameters[argument].default
        assert repr(default) == stated, f"{package}.{path}({argument}) is {default!r}"


def test_our_own_names_and_defaults_in_the_notation_are_those_of_the_helpers():
    from helpers import audio, mel, phase, stft

    def of(fn, name):
        return inspect.signature(fn).parameters[name].default

    bank = {
        name: of(mel.filterbank, name) for name in ("n_mels", "fmin", "fmax", "variant", "norm")
    }
    assert bank == {"n_mels": 80, "fmin": 0.0, "fmax": None, "variant": "slaney", "norm": "slaney"}
    rounds = [of(phase.griffin_lim, name) for name in ("n_iter", "momentum", "init")]
    assert rounds == [32, 0.99, "random"] and of(mel.mel_spectrogram, "power") == 2.0
    assert of(stft.stft, "n_fft") is inspect.Parameter.empty and of(audio.load, "sr") is None
    for stated in (
        "`n_mels` (80)",
        '`variant` ("slaney")',
        "`n_iter` (32)",
        "`momentum` (0.99)",
        '`init` ("random")',
    ):
        assert stated in text("notation.md")


# ---- references ----------------------------------------------------------------------------------


def fields(body):
    """The fields of a BibTeX entry; braces may nest."""
    found, at = {}, 0
    while match := re.compile(r"\s*,?\s*(\w+)\s*=\s*\{").match(body, at):
        depth, end = 1, match.end()
        while depth:
            depth += {"{": 1, "}": -1}.get(body[end], 0)
            end += 1
        found[match[1]], at = body[match.end() : end - 1], end
    assert not body[at:].strip(", \n}"), body[at:]
    return found


def bibliography():
    """All entries by key."""
    source = (ROOT / "data" / "references.bib").read_text(encoding="utf-8")
    found = re.findall(r"^@(\w+)\{(\w+),(.*)\}$", source, re.MULTILINE)
    assert len(found) == source.count("\n@") and len({key for _, key, _ in found}) == len(found)
    return {key: fields(body) for _, key, body in found}


def bare(words):
    """Text without accents' markup, case and punctuation."""
    import unicodedata

    words = words.replace("{", "").replace("}", "")
    words = re.sub(
        r"\\[\"'`^~rvcoi]\s?|\\o|\\i",
        lambda m: {"\\o": "o", "\\i": "i"}.get(m[0].strip(), ""),
        words,
    )
    words = unicodedata.normalize("NFKD", words.replace("ø", "o").replace("ı", "i"))
    return re.sub(r"[^a-z0-9]+", " ", words.encode("ascii", "ignore").decode().lower()).strip()


BIB = bibliography()


def sources(number):
    """What a notebook says about its sources."""
    return bare(prose(number).split("**Sources.**")[1].split("**Next:**")[0])


@pytest.mark.parametrize("key", BIB)
def test_every_entry_has_what_it_needs_and_is_cited_where_it_says(key):
    entry = BIB[key]
    assert entry["author"] and entry["title"] and ("units" in entry or "rooms" in entry)
    organisation = entry["author"].startswith("{")
    name = (
        entry["title"].removeprefix("Recommendation ").split(":")[0]
        if organisation
        else entry["author"]
    )
    name = bare(name.split(" and ")[0].split(",")[0] if not organisation else name.split(", ")[-1])
    for number in filter(None, entry.get("units", "").split(", ")):
        if number in BOOKS:
            said = (
                bare(prose(number)) if organisation else sources(number)
            )  # standards stand in the text
            assert name in said, f"{name} is not among the sources of unit {number}"
            assert organisation or entry["year"] in sources(number)
    for room in filter(None, entry.get("rooms", "").split(", ")):
        path = ROOT / ("." if room.startswith("tools/") else "helpers") / f"{room}.py"
        assert name in bare(path.read_text(encoding="utf-8")), f"{name} not in {room}"


@pytest.mark.parametrize("number", BOOKS)
def test_every_title_that_a_unit_quotes_is_in_the_bibliography(number):
    titles = [bare(entry["title"]) for entry in BIB.values()]
    said = prose(number).split("**Sources.**")[1].split("**Next:**")[0]
    for title in re.findall(r"[\"“]([^\"”]{12,})[\"”]", said.replace("\n", " ")):
        assert any(bare(title) in t or t in bare(title) for t in titles), title


def test_the_page_of_references_lists_every_entry_once_and_no_other():
    assert re.findall(r"^\| `(\w+)` \|", text("references.md"), re.MULTILINE) == list(BIB)


# ---- teachers ------------------------------------------------------------------------------------


def test_every_unit_of_the_course_has_a_teachers_page():
    assert TEACH.keys() == BOOKS.keys() == set(catalogue.units())


@pytest.fixture(params=TEACH)
def lesson(request):
    """Each teacher's page: its number and the rows of its tables."""
    return request.param, rows(TEACH[request.param].read_text(encoding="utf-8"))


def test_the_timings_add_up_and_name_sections_that_exist(lesson):
    number, table = lesson
    timing = [row for row in table if len(row) == 4 and row[2].startswith("*")]
    for column, total in ((0, 45), (1, 90)):
        assert sum(int(row[column]) for row in timing if row[column] != "–") == total
    names = [re.sub(r" \(\d+ minutes.*\)$", "", row[2].strip("*")) for row in timing]
    order = [headings(number).index(name) for name in names]
    assert order == sorted(order)


def test_each_misconception_is_exposed_by_a_question_of_this_unit(lesson):
    number, table = lesson
    unit = catalogue.unit(number)
    asked = {item["key"]: item for item in unit["predict"]}
    asked |= {f"quiz {item['key']}": item for item in unit["question"]}
    shown = [re.fullmatch(r"`([^`]+)`, ([A-H]): (.+)", row[1]) for row in table if len(row) == 3]
    shown = [match for match in shown if match]
    assert len(shown) >= 5
    for key, letter, quoted in (match.groups() for match in shown):
        option = asked[key]["option"]["ABCDEFGH".index(letter)]
        assert quoted.replace("\\|", "|") == catalogue.flat(option["text"])
        assert not option.get("right"), f"{key} {letter} is the right answer"


def test_every_exercise_of_the_unit_has_its_marking_note(lesson):
    number, table = lesson
    noted = [
        row[0].strip("`") for row in table if len(row) == 3 and re.fullmatch(r"`\d\d\.\w+`", row[0])
    ]
    assert sorted(noted) == sorted(catalogue.exercises(number))


def test_figures_named_by_a_teachers_page_exist(lesson):
    number, _ = lesson
    for figure in re.findall(r"Figure (\d+\.\d)", TEACH[number].read_text(encoding="utf-8")):
        assert f"**Figure {figure}." in prose(number)


# ---- classes and citation ------------------------------------------------------------------------


def test_the_commands_for_classes_exist():
    import course

    for verb, rest in re.findall(
        r"^python3 course\.py (\w+) ?(.*)$", text("classes.md"), re.MULTILINE
    ):
        assert verb in course.VERBS
        done = subprocess.run(
            [sys.executable, "-m", f"tools.{course.VERBS[verb][0]}", "--help"],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0
        for word in [
            word for word in rest.split() if word.startswith("--") or word in ("student", "teacher")
        ]:
            assert word in done.stdout


def test_the_link_for_a_hub_opens_a_notebook_and_the_chart_is_yaml():
    from urllib.parse import parse_qs, urlsplit

    link = re.search(r"https://HUB\S+", text("classes.md"))[0]
    asked = parse_qs(urlsplit(link).query)
    assert asked["repo"] == ["https://github.com/YOU/REPO"] and asked["branch"] == ["main"]
    assert (ROOT / asked["urlpath"][0].removeprefix("lab/tree/REPO/")).exists()
    chart = yaml.safe_load(re.search(r"```yaml\n(.*?)```", text("classes.md"), re.DOTALL)[1])
    python = re.search(r"```python\n(.*?)```", text("classes.md"), re.DOTALL)[1]
    limit, guarantee = (
        re.search(rf'mem_{word} = "(\S+)"', python)[1] for word in ("limit", "guarantee")
    )
    assert chart["singleuser"]["memory"] == {"limit": limit, "guarantee": guarantee}
    compile(python, "config", "exec")


def test_the_citation_file_agrees_with_the_project():
    import tomllib

    cff = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert str(cff["version"]) == project["version"]
    assert cff["repository-code"] == address.current()
    assert cff["cff-version"] == "1.2.0" and cff["authors"] and cff["message"]
    assert "MIT" in cff["license"]
