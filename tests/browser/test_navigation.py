"""What is shown is what was computed, whatever way leads to a page."""

import re
import time
from urllib.parse import urlencode, urljoin, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from core.text.visible import visible
from tests.browser.test_late_browser import LATE
from tests.browser.test_pages import PATHS, TEXT, opened, settled, typed

pytestmark = [pytest.mark.browser, pytest.mark.slow]

OWN = "A slow start , a GREAT end."


def shown(page: Page, sentence: str, temperature: str = "1") -> None:
    """A page rests, and shows what was asked for both in the controls and in what it computed."""
    settled(page)
    expect(page.get_by_role("textbox", name="Sentence", exact=True)).to_have_value(sentence)
    expect(page.get_by_role("spinbutton", name="Temperature", exact=True)).to_have_value(temperature)
    expect(page.get_by_text("Choose a model on the left")).to_have_count(0)
    expect(page.get_by_text("Type a sentence on the left")).to_have_count(0)
    path, main = urlsplit(page.url).path, page.get_by_test_id("stMain")
    # No prediction of the sentence stands on Learn and Train.
    if path not in ("/learn", "/train"):
        computed = re.compile(f"^{re.escape(visible(sentence))}$")
        expect(main.locator(".w-text", has_text=computed).first).to_be_visible()
    if temperature != "1" and path not in ("/learn", "/train", "/temperature"):
        expect(main.locator(".w-line", has_text=re.compile(rf"T = {temperature}\b")).first).to_be_visible()


def link(page: Page, path: str) -> Locator:
    """A page's entry in the menu."""
    return page.get_by_role("link", name=path.strip("/").capitalize() or "Overview", exact=True)


def at(page: Page, address: str, sentence: str) -> None:
    """A page is the current one, in the address and in the menu, and shows a sentence."""
    expect(page).to_have_url(re.compile(re.escape(address) + ("" if "?" in address else "$")))
    expect(link(page, address.partition("?")[0])).to_have_attribute("aria-current", "page")
    shown(page, sentence)


def go(page: Page, path: str) -> None:
    link(page, path).click()
    expect(page).to_have_url(re.compile(f"{path}(\\?|$)"))
    expect(link(page, path)).to_have_attribute("aria-current", "page")


def usual(page: Page) -> str:
    """The sentence that the app starts with."""
    sentence = page.get_by_role("textbox", name="Sentence", exact=True)
    # A text area fills itself after it has been put in.
    expect(sentence).not_to_have_value("")
    return sentence.input_value()


# A sentence is typed on the second of a pair, where the sentence of what is shown stands.
@pytest.mark.parametrize(
    ("path", "other"),
    [
        ("/", "/tokens"),
        ("/perturb", "/preprocessing"),
        ("/dropout", "/temperature"),
        ("/learn", "/seeds"),
        ("/train", "/numerics"),
    ],
)
def test_back_and_forward_show_what_was_there(page: Page, app: str, path: str, other: str) -> None:
    assert {path, other} < set(PATHS)
    opened(page, app, path)
    first = usual(page)
    third = "/numerics" if other != "/numerics" else "/tokens"
    go(page, other)
    shown(page, first)
    typed(page, OWN)
    shown(page, OWN)
    expect(page).to_have_url(re.compile("sentence=A"))
    go(page, third)
    shown(page, OWN)
    page.go_back()
    at(page, f"{other}?sentence=A", OWN)
    page.go_back()
    at(page, path, first)
    page.go_forward()
    at(page, f"{other}?sentence=A", OWN)
    page.go_forward()
    at(page, f"{third}?sentence=A", OWN)


def test_back_twice_at_once_leaves_the_way_forward(page: Page, app: str) -> None:
    page.add_init_script(LATE)
    opened(page, app, "/tokens")
    first = usual(page)
    go(page, "/numerics")
    shown(page, first)
    typed(page, OWN)
    shown(page, OWN)
    go(page, "/perturb")
    shown(page, OWN)
    # What the first step brings arrives after the second one.
    page.evaluate("window.delay = 1000; history.back(); setTimeout(() => history.back(), 300)")
    at(page, "/tokens", first)
    page.evaluate("window.delay = 0")
    for path in ("/numerics", "/perturb"):
        page.go_forward()
        at(page, f"{path}?sentence=A", OWN)


@pytest.mark.parametrize("paths", [PATHS[:5], PATHS[5:]])
def test_reload_a_second_tab_and_a_pasted_link_show_the_same(page: Page, app: str, paths: list[str]) -> None:
    opened(page, app, paths[-1], sentence=OWN, temperature="2", model="bpe-cased")
    tab = page.context.new_page()
    for path in paths:
        go(page, path)
        shown(page, OWN, "2")
        expect(page).to_have_url(re.compile("bpe-cased.*temperature=2"))
        here = page.url
        # A link that is pasted from the menu is the address, so one visit shows both.
        assert urljoin(f"{app}/", link(page, path).get_attribute("href") or "") == here
        page.reload()
        shown(page, OWN, "2")
        expect(page).to_have_url(here)
        tab.goto(here)
        shown(tab, OWN, "2")
        expect(tab).to_have_url(here)
    tab.close()


def test_nothing_is_reset_when_a_page_is_left_and_mounted_again(page: Page, app: str) -> None:
    opened(page, app, "/dropout", passes="20", dropout_seed="3", rate="0.2", alone="false")
    for path in ("/perturb", "/dropout", "/tokens", "/dropout"):
        go(page, path)
    settled(page)
    for label, value in (("Passes", "20"), ("Seed", "3")):
        expect(page.get_by_role("spinbutton", name=label)).to_have_value(value)
    expect(page.get_by_role("textbox", name="Rate")).to_have_value("0.2")
    expect(page.locator(".w-line", has_text="at rate 0.2")).to_be_visible()
    expect(page.locator(".w-verdict").first).to_contain_text("20 passes")
    expect(page).to_have_url(re.compile("passes=20&dropout_seed=3&rate=0.2&alone=false"))


def test_an_uploaded_file_is_there_when_its_page_is_mounted_again(page: Page, app: str) -> None:
    opened(page, app, "/temperature", sentence=TEXT, calibration_data="Your file")
    rows = b"".join(b"A film %d.,%s\n" % (number, (b"good", b"bad")[number % 2]) for number in range(40))
    file = {"name": "own.csv", "mimeType": "text/csv", "buffer": b"text,label\n" + rows}
    page.locator("input[type=file]").set_input_files(files=[file])
    expect(page.get_by_text("2 labels")).to_be_visible()
    for path in ("/perturb", "/temperature"):
        go(page, path)
        settled(page)
    expect(page.get_by_text("own.csv")).to_be_visible()
    expect(page.get_by_text("2 labels")).to_be_visible()
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.locator("input[type=file]")).to_have_count(1)


def test_the_catalog_opens_by_keyboard_and_closes_for_good(page: Page, app: str) -> None:
    opened(page, app, "/tokens", sentence=TEXT)
    page.get_by_role("button", name="Catalog", exact=True).press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    go(page, "/perturb")
    settled(page)
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_model_of_the_catalog_is_taken_by_keyboard_and_the_dialog_closes(page: Page, app: str) -> None:
    opened(page, app, "/tokens", sentence=TEXT)
    page.get_by_role("button", name="Catalog", exact=True).press("Enter")
    # The default one is in use; unreachable ones stand last and cannot be pressed.
    expect(page.get_by_role("button", name="Use this model").last).to_be_disabled()
    page.get_by_role("button", name="Use this model").first.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page).to_have_url(re.compile("model=bpe-cased"))
    settled(page)
    expect(page.locator(".w-verdict").first).to_contain_text("by bpe-cased")


def test_quick_settings_all_count(page: Page, app: str) -> None:
    opened(page, app, "/perturb", sentence=TEXT)
    page.get_by_role("spinbutton", name="Temperature", exact=True).fill("2")
    page.keyboard.press("Enter")
    typed(page, OWN)
    page.get_by_role("button", name="casing", exact=True).click()
    shown(page, OWN, "2")
    expect(page.locator(".w-line", has_text="at T = 2")).to_be_visible()
    expect(page).to_have_url(re.compile("temperature=2&factor=casing"))


def test_a_click_does_not_wait_for_the_running_page(page: Page, app: str) -> None:
    page.goto(f"{app}/?{urlencode({'sentence': 'Nobody has ever profiled this one, which takes its time.'})}")
    expect(page.get_by_text("Still running")).to_be_visible()
    begin = time.monotonic()
    go(page, "/tokens")
    expect(page.locator(".w-verdict").first).to_contain_text("cut into tokens")
    assert time.monotonic() - begin < 5
