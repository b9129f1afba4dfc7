"""Unit 54 in a real JupyterLab: two beats of one harmony on other instruments, a kernel that sees
parts, and a share of neighbours that shows all seams, all by keyboard; near misses are refused.
"""

from pathlib import Path

from tests.browser.scenes import sounds, win
from tests.browser.sweep import shot

PAGE = Path(__file__).parents[2] / "notebooks" / "54_structure.ipynb"


def test_three_stages_are_won_by_keyboard(lab):
    lab.page.set_default_timeout(60_000)
    cell(lab.page)
    kernel(lab.page)
    threshold(lab.page)
    assert lab.errors == []


def cell(page):
    """A stripe is no win: the same harmony in another part is."""
    scene = page.locator(".earup-scene").nth(0)
    scene.scroll_into_view_if_needed()
    two = scene.get_by_role("slider", name="Time 2")
    win(
        page,
        (two, "ArrowDown", "Beat 4 (in A) and beat 51 (in A)", False),
        (two, "PageDown", "Beat 4 (in A) and beat 35 (in B)", False),
        (two, "ArrowUp*6", "Beat 4 (in A) and beat 41 (in B): chroma 0.95", True),
    )
    shot(scene, "54_cell")
    scene.get_by_role("button", name="Listen").press("Enter")
    sounds(page, above=0.02)
    page.keyboard.press("Escape")


def kernel(page):
    """A small kernel sees bars, a large one loses seams."""
    scene = page.locator(".earup-scene").nth(1)
    scene.scroll_into_view_if_needed()
    at = scene.get_by_role("slider", name="Place of the kernel")
    reach = scene.get_by_role("slider", name="Reach")
    win(
        page,
        (at, "PageUp", "At beat 32, 3 beats each way", False),
        (reach, "ArrowRight*9", "12 beats each way", False),
        (reach, "ArrowRight*4", "4 peaks, 4 of them on a seam", True),
        (reach, "End", "4 peaks, 2 of them on a seam", False),
        scene=1,
    )
    shot(scene, "54_kernel")


def threshold(page):
    """Six in a hundred show all seams, and a long context shows them with no share."""
    scene = page.locator(".earup-scene").nth(2)
    scene.scroll_into_view_if_needed()
    share, context = scene.get_by_role("slider", name="Share kept"), scene.locator("select").first
    win(
        page,
        (share, "PageDown*2", "Nearest 10 %", False),
        (share, "ArrowLeft*4", "Nearest 6 %, 1 beat: 5 seams found", True),
        (context, "End", "Nearest 6 %, 9 beats", False),
        scene=2,
    )
    shot(scene, "54_threshold")
