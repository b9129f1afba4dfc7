"""What Sphinx is told. Nothing that a page asks for lies elsewhere; only links that a reader
follows lead away.
"""

from tools.site import address

_REPOSITORY = address.current()

project = "Audio ML from the Ear Up"
author = "The authors of the course"
project_copyright = "CC BY 4.0"
language = "en"
extensions = ["myst_nb"]
exclude_patterns = ["**/_static", "data"]

nb_execution_mode = "off"  # they have run, with the state of their widgets kept
nb_merge_streams = True
nb_code_prompt_show, nb_code_prompt_hide = "Show the code", "Hide the code"
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence"]
myst_heading_anchors = 4
suppress_warnings = ["mystnb.unknown_mime_type", "myst.header"]

html_context = {"default_mode": "auto"}
html_theme = "sphinx_book_theme"
html_title = project
html_favicon = "static/favicon.svg"
html_css_files = ["site.css"]
html_js_files = ["gate.js", "widgets.js", "engine.js", "stages.js", "exercises.js", "site.js"]
html_show_search_summary = (
    False  # it would load every page that was found, which no page from a file may
)
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_last_updated_fmt = None
mathjax_path = "tex-svg.js"
html_theme_options = {
    "repository_url": _REPOSITORY,
    "repository_branch": "main",
    "use_repository_button": True,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "home_page_in_toc": True,
    "navbar_persistent": [],
    "show_navbar_depth": 1,
    "show_toc_level": 1,
    "toc_title": "On this page",
    "extra_footer": "Code: MIT licence. Text and figures: CC BY 4.0.",
}
