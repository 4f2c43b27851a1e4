"""The document that a browser loads before anything else: Streamlit's own, with our style sheet in it.

A sheet that a page sends arrives after the first elements, which then move. Here it is known before any of them: nothing moves
for it, and what is shown until they are there is ours too.
"""

from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.file_util import get_static_dir

from pages._shell import STYLE

PLAIN = (Path(get_static_dir()) / "index.html").read_bytes()
# In the body: among rules that are equally specific the last one counts, and Streamlit's own are written into the head.
FIRST = f"<body><style>{STYLE}</style><p class='w-opening' role='status'>Opening Wobble …</p>".encode()
DOCUMENT = PLAIN.replace(b"<body>", FIRST, 1)
_KEPT = ("accept-encoding", "if-none-match", "if-modified-since")
"""What a browser says of its cache and of compression, so that the answer is Streamlit's document as it is."""


class Styled:
    """Middleware that answers with our document wherever Streamlit answers with its own."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before the app."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; whatever is not for a document goes through as it is."""
        if scope["type"] != "http" or "text/html" not in Headers(scope=scope).get("accept", ""):
            await self.app(scope, receive, send)
            return
        plain = [(name, value) for name, value in scope["headers"] if name.decode("latin-1") not in _KEPT]
        start: Message = {}

        async def answer(message: Message) -> None:
            """Hold back what begins an answer until it is known which one that is."""
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            if start:
                if message.get("body") == PLAIN:
                    message = {**message, "body": DOCUMENT}
                    headers = MutableHeaders(raw=start["headers"])
                    headers["content-length"] = str(len(DOCUMENT))
                    for name in ("etag", "last-modified"):
                        del headers[name]
                await send(start)
                start = {}
            await send(message)

        await self.app({**scope, "headers": plain}, receive, answer)
