"""What `streamlit run app.py` serves: the app, which router.py is, in a document that knows its style sheet from the start."""

from pathlib import Path

from starlette.middleware import Middleware
from streamlit.starlette import App

from pages import _document

app = App(Path(__file__).parent / "router.py", middleware=[Middleware(_document.Styled)])
