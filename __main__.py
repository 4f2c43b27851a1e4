"""`wobble`, the command that `pip install .` gives: the app, or any command of `python -m core`.

Installed, this folder is `wobble/` in site-packages, and its `core` and `pages` are on the path of this process only.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> int:
    """Run what the arguments name; none, or `app` before options of Streamlit's, start the app.

    Returns:
        The exit status. Where the app was started it never comes to that: Streamlit ends the process.
    """
    sys.path.insert(0, str(HERE))
    command, *options = sys.argv[1:] or ["app"]
    if command == "app":
        from streamlit.web import cli

        # Streamlit finds .streamlit/config.toml beside the script, wherever it is started.
        cli.main(["run", str(HERE / "app.py"), *options], prog_name="wobble")

    from core.cli import main as run

    return run([command, *options])


if __name__ == "__main__":
    raise SystemExit(main())
