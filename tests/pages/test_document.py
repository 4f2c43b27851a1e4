"""The document that a browser loads first."""

import re
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit.file_util import get_static_dir

from pages._document import Styled
from pages._shell import STYLE

BROWSER = {"accept": "text/html,*/*;q=0.8", "accept-encoding": "gzip"}


async def document(_: Request) -> Response:
    return FileResponse(Path(get_static_dir()) / "index.html")


async def download(_: Request) -> Response:
    return Response("<html><body>a chart</body></html>", media_type="text/html", headers={"etag": "x"})


async def health(_: Request) -> Response:
    return PlainTextResponse("ok")


@pytest.fixture
def client() -> TestClient:
    routes = [Route("/", document), Route("/chart.html", download), Route("/health", health)]
    return TestClient(Styled(Starlette(routes=routes)))


def test_streamlits_document_comes_with_the_style_sheet_in_its_body(client: TestClient) -> None:
    answer = client.get("/", headers=BROWSER)
    body = answer.text.partition("<body>")[2]
    # After Streamlit's own rules, before anything that it draws.
    assert body.startswith(f"<style>{STYLE}</style>") and '<div id="root">' in body
    assert len(answer.content) == int(answer.headers["content-length"])
    assert re.search(r"</style><p class='w-opening' role='status'>[^<]+</p>", body)


def test_a_browser_with_streamlits_document_in_its_cache_gets_ours(client: TestClient) -> None:
    plain = client.get("/")
    assert STYLE not in plain.text and "etag" in plain.headers
    answer = client.get("/", headers=BROWSER | {"if-none-match": plain.headers["etag"]})
    assert answer.status_code == 200 and STYLE in answer.text and "etag" not in answer.headers


def test_other_answers_go_through_as_they_are(client: TestClient) -> None:
    assert client.get("/chart.html", headers=BROWSER).text == "<html><body>a chart</body></html>"
    assert client.get("/chart.html", headers=BROWSER).headers["etag"] == "x"
    assert client.get("/health", headers=BROWSER).text == "ok"
    assert client.get("/missing", headers=BROWSER).status_code == 404
