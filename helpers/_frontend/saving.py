"""What a notebook keeps when Jupyter saves it: pictures and words, and no view of a widget whose
model ends with the kernel.

An output of a widget holds its picture, its words and a view. The view names a model in the kernel;
opened again with another kernel, JupyterLab prefers it to the picture and can only say "model not
found". As an extension of Jupyter's server (see ``tools/start/frontend.py``) this drops the view
from what is saved. Standard library only: it runs in the server.
"""

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
GONE = "A widget stood here. Run this cell to see it."


def _without_dead_views(notebook: dict) -> dict:
    """Drop every view whose model the file does not hold itself; the notebook is changed in place.

    Parameters
    ----------
    notebook : dict
        A notebook of format 4, as Jupyter saves it.

    Returns
    -------
    dict
        The same notebook.
    """
    held = notebook.get("metadata", {}).get("widgets", {}).get(STATE, {}).get("state", {})
    for cell in notebook.get("cells", []):
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            view = data.get(VIEW)
            if not isinstance(view, dict) or view.get("model_id") in held:
                continue
            del data[VIEW]
            if not data:  # a widget of others, which brings nothing to show in its place
                data["text/plain"] = GONE
    return notebook


def _before_saving(model: dict, **kwargs: object) -> None:
    """Jupyter's hook: change what is about to be written."""
    if model.get("type") == "notebook" and isinstance(model.get("content"), dict):
        _without_dead_views(model["content"])


def _load_jupyter_server_extension(server) -> None:
    """Register the hook, where the server's manager of files knows hooks."""
    register = getattr(server.contents_manager, "register_pre_save_hook", None)
    if register is not None:
        register(_before_saving)


def _jupyter_server_extension_points() -> list[dict]:
    """Tell Jupyter's server where the extension lies."""
    return [{"module": "helpers._frontend.saving"}]
