"""Sphinx configuration of skmoe's documentation."""

import os
import sys
import warnings

import skmoe

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "_extensions"))
import names  # noqa: E402  (found on the path just added)

# Sphinx looks for pages before any extension could write one.
names.write_rooms(os.path.dirname(__file__))
names.write_changes(os.path.dirname(__file__))
os.environ["MPLBACKEND"] = "Agg"
warnings.filterwarnings("ignore", category=UserWarning, message=".*non-interactive.*")

project = "skmoe"
author = "the skmoe developers"
copyright = "the skmoe developers, BSD-3-Clause license"
release = version = skmoe.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx-mathjax-offline",
    "sphinx_design",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "names",
]
exclude_patterns = ["_build", "_changes.rst", "notebooks", "auto_examples/*.ipynb"]
templates_path = ["_templates"]
html_static_path = ["_static"]
html_css_files = ["skmoe.css"]

autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
numpydoc_xref_param_type = False
default_role = "code"

html_theme = "pydata_sphinx_theme"
html_title = "skmoe"
html_favicon = "_static/favicon.svg"
html_theme_options = {
    "show_prev_next": True,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "navbar_align": "left",
    "show_toc_level": 2,
    "pygments_light_style": "default",
}
# Pages without pages below them need no menu of these.
_alone = ("index", "install", "start", "sentences", "lessons", "extend", "compare", "systems")
html_sidebars = {page: [] for page in (*_alone, "whats_new", "search", "genindex")}
html_show_sourcelink = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/plot_",
    "ignore_pattern": r"/(quickstart|_)",
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "show_memory": False,
    "write_computation_times": False,
    "remove_config_comments": True,
    "min_reported_time": 60,
    "abort_on_example_error": True,
}
nitpicky = False
