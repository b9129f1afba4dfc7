"""The harness itself: a widget mounts, a notebook runs, and faults are seen."""

ESM = """export default { render({model, el}) { const b = document.createElement("button");
b.textContent = "n " + model.get("n") + " bytes " + model.get("data").byteLength;
b.onclick = () => { model.set("n", model.get("n") + 1); model.save_changes(); model.send({clicked: true}); };
model.on("change:n", () => { b.textContent = "n " + model.get("n"); }); el.append(b); } };"""


def test_a_widget_mounts_and_talks_to_its_model(widget_page):
    page = widget_page(ESM, "", {"n": 1, "data": b"abcd"})
    assert page.inner_text("button") == "n 1 bytes 4"
    page.click("button")
    assert page.inner_text("button") == "n 2"
    assert page.evaluate("() => [model.saves, model.sent[0].content.clicked]") == [
        1,
        True,
    ]


def test_jupyterlab_runs_a_notebook_and_shows_errors(lab_on, notebook_of):
    lab = lab_on(notebook_of("x = 40 + 2\nx", "1 / 0"))
    lab.open("try.ipynb")
    raised = lab.run_all()
    assert lab.page.inner_text(".jp-OutputArea-executeResult pre") == "42"
    assert len(raised) == 1 and "ZeroDivisionError" in raised[0]
    assert lab.python("print(x)") == "42\n"
    assert not lab.errors
