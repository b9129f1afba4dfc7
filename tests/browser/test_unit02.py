"""Unit 02 in a real JupyterLab: its arrows are dragged, its challenges won, but by no near miss."""

from pathlib import Path

from tests.browser.sweep import sweep

PAGE = Path(__file__).parents[2] / "notebooks" / "02_sines_and_arrows.ipynb"
SAYS = "([i, text]) => document.querySelectorAll('.earup-scene')[i].innerText.includes(text)"


def test_both_challenges_are_won_by_keyboard_and_not_by_a_near_miss(lab):
    lab.page.set_default_timeout(20000)
    turn_the_arrow(lab.page)
    drag_the_arrow(lab.page)
    turn_the_spiral(lab.page)
    assert lab.errors == []


def press(scene, name, *keys):
    """Press keys on the handle of this name."""
    for key in keys:
        scene.get_by_role("slider", name=name, exact=True).press(key)


def turn_the_arrow(page):
    """A lies at 30 degrees; B wins at 150 degrees with the length of A, and at no other north part."""
    scene = page.locator(".earup-scene").nth(0)
    press(scene, "B, east", "Home", "PageUp", "PageUp")
    press(scene, "B, north", "Home", *["PageUp"] * 10)
    page.wait_for_function(SAYS, arg=[0, "B 0.63 long at 162°"])
    assert "Yes:" not in scene.inner_text()
    press(scene, "B, east", *["ArrowUp"] * 15)  # up and down belong to the other part
    page.wait_for_function(SAYS, arg=[0, "Yes: they are 119° apart."])


def drag_the_arrow(page):
    """Half an axis to the right and half an axis up, and B follows with both its parts."""
    scene = page.locator(".earup-scene").nth(0)
    press(scene, "B, east", "Home")
    press(scene, "B, north", "Home")
    page.wait_for_function(SAYS, arg=[0, "B 1.13 long at −135°"])
    east, north = (
        scene.get_by_role("slider", name=f"B, {way}", exact=True) for way in ("east", "north")
    )
    box = north.bounding_box()
    press(scene, "B, east", *["PageUp"] * 5)
    way = north.bounding_box()["x"] - box["x"]
    press(scene, "B, east", "Home")
    x, y = box["x"] + 22, box["y"] + 22
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + way, y - 2 * way, steps=5)
    page.mouse.up()
    parts = [float(handle.get_attribute("aria-valuenow")) for handle in (east, north)]
    assert abs(parts[0] + 0.3) <= 0.02 and abs(parts[1] - 0.2) <= 0.02


def turn_the_spiral(page):
    """300 Hz the wrong way round is not enough; clockwise, with 60 dB in a quarter of a second, it is."""
    scene = page.locator(".earup-scene").nth(1)
    press(scene, "Dying", "PageDown", *["ArrowLeft"] * 5)
    press(scene, "Turning", "PageUp", "PageUp")
    page.wait_for_function(SAYS, arg=[1, "turns anticlockwise, and loses 60 dB in 0.25 s"])
    assert "Yes:" not in scene.inner_text()
    press(scene, "Turning", *["PageDown"] * 12)
    page.wait_for_function(SAYS, arg=[1, "Yes: 0.25 s, clockwise."])


def test_every_control_moves_and_every_track_sounds(lab):
    sweep(lab)
