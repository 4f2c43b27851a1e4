"""`wobble`, the command that `pip install .` gives: the app, or any command of `python -m core`.

Installed, this folder is `wobble/` in site-packages, and its `core` and `pages` are on the path of this process only.
"""

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> int:
    """Run what the arguments name; none, or `app` before options of Streamlit's, start the app.

    Returns:
        The exit status. Where the app was started it never comes to that: Streamlit ends the process.
    """
    sys.path.insert(0, str(HERE))
    # A shell that completes a line calls the command without arguments.
    command, *options = sys.argv[1:] or ([""] if "_WOBBLE_COMPLETE" in os.environ else ["app"])
    if command == "app":
        start(options)

    from core import cli

    cli.app.command("app", add_help_option=False, context_settings={"ignore_unknown_options": True})(start)
    return cli.main([command, *options])


def start(options: list[str]) -> None:
    """start the app, with options of Streamlit's"""
    from streamlit.web import cli

    # Streamlit finds .streamlit/config.toml beside the script, wherever it is started.
    cli.main(["run", str(HERE / "app.py"), *options], prog_name="wobble")


if __name__ == "__main__":
    raise SystemExit(main())
