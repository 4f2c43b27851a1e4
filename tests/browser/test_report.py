"""The report in a browser: silent, alone with itself, and on paper."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from core.models.catalog import load
from core.models.classifier import Classifier
from core.studies.study import profile
from core.views.report import report
from tests.architectures import loaded, save

pytestmark = pytest.mark.browser

TEXT = "Even in this less  than magic kingdom, Reese rules."
HOSTILE = "<img src=x onerror=alert(1)> </script><script>alert('two')</script> <b onclick=alert(3)>$x$</b> -->"
LABELS = ["' onmouseover=alert(4) x='", "</script><script>alert(5)</script>", "<a href='javascript:alert(6)'>x</a>"]


@pytest.mark.parametrize("hostile", [False, True])
def test_it_opens_without_a_word_or_a_request_and_prints(browser: Browser, tmp_path: Path, hostile: bool) -> None:
    model: Classifier = loaded(save("bert", tmp_path / "model", labels=LABELS)) if hostile else load()
    file = tmp_path / "report.html"
    file.write_text(report(model, profile(model, HOSTILE if hostile else TEXT)), encoding="utf-8")
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("dialog", lambda dialog: (heard.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: None if request.url.startswith("file://") else heard.append(request.url))
    page.goto(file.as_uri())
    expect(page.locator(".wide circle").first).to_be_visible()
    for dot in page.locator(".wide circle").all()[:3]:
        dot.hover(force=True)
    page.wait_for_timeout(300)
    assert page.locator("img, script[src], link, [onmouseover], [onerror], [onclick]").count() == 0
    paper = page.pdf(prefer_css_page_size=True)
    # No part of it is wider than the sheet.
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 718, "height": 1047})
    assert page.evaluate("document.documentElement.scrollWidth") <= 718
    # The answer fits on the first sheet, and the appendix begins a new one.
    appendix = page.locator(".appendix")
    assert appendix.evaluate("(node) => node.getBoundingClientRect().top") <= 1047
    expect(appendix).to_have_css("break-before", "page")
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.locator(".narrow svg")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()
    assert not heard, heard
    assert paper.startswith(b"%PDF") and len(paper) > 20_000
