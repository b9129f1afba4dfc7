"""Every unit has its file here, and the last test of it moves and hears everything on the page."""

import ast
from pathlib import Path

import pytest

HERE = Path(__file__).parent
UNITS = sorted((HERE.parents[1] / "notebooks").glob("[0-9][0-9]_*.ipynb"))


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_a_unit_is_swept_after_everything_else_that_is_asked_of_its_page(path):
    source = (HERE / f"test_unit{path.stem[:2]}.py").read_text(encoding="utf-8")
    assert f'PAGE = Path(__file__).parents[2] / "notebooks" / "{path.name}"' in source
    tests = [
        node for node in ast.parse(source).body if getattr(node, "name", "").startswith("test_")
    ]
    asked = [node for node in tests if "lab" in [argument.arg for argument in node.args.args]]
    assert ast.unparse(asked[-1].body) == "sweep(lab)" and not asked[-1].decorator_list
