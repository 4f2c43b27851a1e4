"""The main paths, as a person walks them."""

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PATHS = [
    "/",
    "/perturb",
    "/preprocessing",
    "/dropout",
    "/temperature",
    "/seeds",
    "/numerics",
    "/learn",
    "/train",
    "/tokens",
]
TEXT = "This is a test . "
PHONE = 480
SCROLLED = "document.querySelector('[data-testid=stMain]').scrollTop"
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)> **bold** $x^2$ :red[red] [SEP]"


def opened(page: Page, app: str, path: str = "/perturb", **state: str) -> Page:
    page.goto(f"{app}{path}?{urlencode(state)}")
    settled(page)
    return page


def settled(page: Page) -> None:
    """Wait until the page shows its finding and the script rests."""
    expect(page.locator(".w-verdict").first).to_be_visible()
    expect(page.locator(".w-welcome")).to_have_count(0)
    # The widget that says "running" comes later than the run.
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def typed(page: Page, text: str) -> None:
    """Type a sentence and send it with Ctrl+Enter."""
    area = page.get_by_role("textbox", name="Sentence", exact=True)
    area.fill(text)
    area.press("Control+Enter")


def nothing_is_cut(page: Page, width: int) -> None:
    """Wait until a page of some width needs no scrolling to the side: the charts follow a moment later."""
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_function("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def rows(page: Page) -> list[str]:
    expect(page.locator(".w-variants .row").first).to_be_visible()
    return [row.get_attribute("data-key") or "" for row in page.locator(".w-variants .row").all()]


def test_a_typed_sentence_shows_its_finding_tokens_and_bars(page: Page, app: str) -> None:
    opened(page, app)
    typed(page, TEXT)
    expect(page.locator(".w-verdict").first).to_contain_text("absorbed by the tokenizer")
    expect(page.locator(".w-text", has_text="This·is·a·test·.·").first).to_be_visible()
    expect(page.locator(".w-variants .row").first.locator(".w-token").first).to_contain_text("[CLS]")
    expect(page.locator(".w-variants .row").first.locator(".w-bars .fill")).to_have_count(2)
    expect(page.locator(".js-plotly-plot .gtitle").filter(has_text="“negative”").first).to_be_visible()
    expect(page).to_have_url(re.compile("sentence=This"))


def test_filters_narrow_the_table_and_the_url_remembers_them(page: Page, app: str) -> None:
    opened(page, app, sentence=TEXT)
    everything = rows(page)
    page.get_by_role("button", name="casing", exact=True).click()
    expect(page.locator(".w-variants .row[data-key='full_width']")).to_have_count(0)
    assert 0 < len(rows(page)) < len(everything)
    expect(page).to_have_url(re.compile("factor=casing"))
    page.get_by_role("button", name="flips", exact=True).click()
    expect(page).to_have_url(re.compile("fate=flips"))


def test_a_variant_opens_by_click_and_by_keyboard_and_by_its_dot(page: Page, app: str) -> None:
    opened(page, app, sentence=TEXT)
    first, second = rows(page)[:2]
    page.locator(".w-variants .row").first.click()
    expect(page.get_by_text("What made it.")).to_be_visible()
    expect(page).to_have_url(re.compile(f"variant={first}"))
    page.locator(".w-variants .row").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"variant={second}".replace(" ", "[+]|%20")))
    expect(page.locator(".w-variants .row[aria-selected='true']")).to_have_attribute("data-key", second)


def test_a_reloaded_link_finds_the_same_state(page: Page, app: str) -> None:
    opened(page, app, sentence=TEXT, model="bpe-cased", factor="whitespace", own="A test.")
    expect(page.locator(".w-variants .head")).to_contain_text("bpe-cased")
    page.locator(".w-variants .row").first.click()
    expect(page.get_by_text("What made it.")).to_be_visible()
    # The address follows at the end of the run.
    expect(page).to_have_url(re.compile("variant="))
    before, keys = page.url, rows(page)
    page.reload()
    settled(page)
    expect(page.get_by_text("What made it.")).to_be_visible()
    expect(page.locator(".w-variants .row")).to_have_count(len(keys))
    assert rows(page) == keys
    expect(page).to_have_url(before)
    expect(page.get_by_role("textbox", name="Sentence", exact=True)).to_have_value(TEXT)
    expect(page.get_by_role("textbox", name="Your own edits")).to_have_value("A test.")


def test_another_model_is_switched_to_and_stands_beside_the_first(page: Page, app: str) -> None:
    opened(page, app, sentence=TEXT)
    page.get_by_role("combobox", name="Models").click()
    page.get_by_role("option", name="bpe-cased").click()
    expect(page.locator(".w-verdict")).to_have_count(2)
    expect(page.locator(".w-variants .head span")).to_have_text(["variant", "minilm-uncased", "bpe-cased"])


def test_sentence_and_model_survive_the_switch_of_pages(page: Page, app: str) -> None:
    opened(page, app, sentence=TEXT, model="unigram-cased")
    page.get_by_role("link", name="Tokens").click()
    expect(page.locator(".w-verdict").first).to_contain_text("unigram-cased")
    expect(page.get_by_role("textbox", name="Sentence", exact=True)).to_have_value(TEXT)
    page.get_by_role("textbox", name="Compare with a second sentence").fill("This is a test.")
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile("ids"), exact=False).first).to_be_visible()
    expect(page).to_have_url(re.compile("second=This"))


def test_a_segmentation_opens_by_a_click_and_a_link_brings_it_back(page: Page, app: str) -> None:
    opened(page, app, "/tokens", sentence=TEXT, p="0.3")
    expect(page.locator(".w-verdict", has_text="of 20 segmentations")).to_be_visible()
    page.get_by_role("radio", name="the nearest").click()
    row = page.locator(".w-variants .row[data-key='nearest 2']")
    expect(row.locator(".w-token.changed, .w-token.added").first).to_be_visible()
    expect(row.locator(".w-bars .fill")).to_have_count(2)
    row.click()
    expect(page.get_by_text("What made it.")).to_be_visible()
    expect(page).to_have_url(re.compile(r"cuts=nearest.*cut=nearest\+2|cut=nearest\+2.*cuts=nearest"))
    page.reload()
    settled(page)
    expect(page.get_by_text("What made it.")).to_be_visible()
    expect(page.get_by_role("spinbutton", name="Rate p")).to_have_value("0.3")
    expect(row).to_have_attribute("aria-selected", "true")


@pytest.mark.parametrize("path", PATHS)
def test_hostile_text_neither_runs_nor_is_cut_not_on_a_phone_either(page: Page, app: str, path: str) -> None:
    page.set_viewport_size({"width": PHONE, "height": 900})
    opened(page, app, path, sentence=HOSTILE, second="<b onclick=alert(3)>x", own="<img src=y onerror=alert(4)>")
    nothing_is_cut(page, PHONE)
    # Beside the sidebar, as on a wider screen.
    page.get_by_test_id("stExpandSidebarButton").click()
    expect(page.get_by_role("textbox", name="Sentence", exact=True)).to_be_visible()
    expect(page.locator(".w-text", has_text="<script>alert(1)").first).to_be_visible()
    assert page.locator("img[src='x'], img[src='y']").count() == 0
    for width in (1600, 820):
        nothing_is_cut(page, width)


def test_dropout_scatters_and_the_same_seed_repeats(page: Page, app: str) -> None:
    opened(page, app, "/dropout", sentence=TEXT, passes="40")
    first = page.locator(".w-verdict").inner_text()
    assert "40 passes" in first
    page.get_by_role("spinbutton", name="Seed").fill("5")
    page.keyboard.press("Enter")
    expect(page.locator(".w-line", has_text="seed 5")).to_be_visible()
    page.get_by_role("spinbutton", name="Seed").fill("0")
    page.keyboard.press("Enter")
    expect(page.locator(".w-line", has_text="seed 0")).to_be_visible()
    expect(page.locator(".w-verdict")).to_have_text(first)
    page.get_by_text("What if someone forgot model.eval()?").click()
    expect(page.get_by_text("Ten single calls of one sentence")).to_be_visible()


def test_a_click_on_a_dot_opens_its_pass_and_a_link_brings_it_back(page: Page, app: str) -> None:
    opened(page, app, "/dropout", sentence="Coppola has made a film of intoxicating atmosphere and little else.")
    flipped = page.locator(".js-plotly-plot").first.locator(".scatterlayer .trace").last.locator(".points path").first
    # The plot's own layer for the pointer lies above its dots.
    flipped.click(force=True)
    # What opens below the fold is brought into sight, and what hovered over the dot is put away.
    expect(page.get_by_text("What made it.")).to_be_in_viewport()
    expect(page.locator(".hoverlayer .hovertext")).to_have_count(0)
    scrolled = page.evaluate(SCROLLED)
    expect(page).to_have_url(re.compile(r"dot=all\+that\+are\+on%2C\+pass\+\d+"))
    page.reload()
    settled(page)
    expect(page.get_by_text("What made it.")).to_be_visible()
    assert scrolled > 0 == page.evaluate(SCROLLED)


@pytest.mark.parametrize(("path", "name", "given"), [("/dropout", "rate", "5"), ("/temperature", "threshold", "-1")])
def test_what_a_link_may_not_ask_for_is_one_sentence(page: Page, app: str, path: str, name: str, given: str) -> None:
    opened(page, app, path, sentence=TEXT, **{name: given})
    expect(page.get_by_text(f"The link asks for {name} = {given}")).to_be_visible()


def test_long_work_shows_progress_and_can_be_stopped(page: Page, app: str) -> None:
    page.goto(f"{app}/dropout?{urlencode({'sentence': 'A long sentence, ' * 12, 'passes': 1000})}")
    stop = page.get_by_test_id("stMain").get_by_role("button", name="Stop", exact=True)
    stop.click()
    expect(page.get_by_text("Stopped.")).to_be_visible()
    page.get_by_role("button", name="Run it").click()
    expect(stop).to_be_visible()


def test_temperature_moves_probabilities_and_never_the_label(page: Page, app: str) -> None:
    opened(page, app, "/temperature", sentence=TEXT)
    page.get_by_role("button", name="Try T = 2").click()
    expect(page.locator(".w-verdict").first).to_contain_text("At T = 2 it still says")
    expect(page.get_by_text("0 labels moved")).to_be_visible()


def test_a_piece_lights_up_in_the_text_and_among_the_tokens(page: Page, app: str) -> None:
    opened(page, app, "/tokens", sentence=TEXT)
    characters, tokens, lit = page.locator(".w-cut [data-piece]"), page.get_by_role("option"), page.locator(".lit")
    characters.nth(1).hover()
    expect(lit).to_have_count(2)
    # The first token is [CLS], which stands for no character.
    expect(tokens.nth(2)).to_have_class(re.compile("lit"))
    tokens.nth(0).focus()
    expect(lit).to_have_count(1)
    page.keyboard.press("ArrowRight")
    expect(tokens.nth(1)).to_be_focused()
    expect(characters.nth(0)).to_have_class(re.compile("lit"))
    page.get_by_role("heading", name="Where the split changes").hover()
    expect(lit).to_have_count(0)


def test_an_example_becomes_the_sentence(page: Page, app: str) -> None:
    opened(page, app, sentence=TEXT)
    page.evaluate("document.querySelector('[data-testid=stMain]').scrollTo(0, 400)")
    box = page.get_by_role("combobox", name="Examples")
    box.scroll_into_view_if_needed()
    # A list closes when what it stands in scrolls, which is told two frames later; nobody clicks that fast.
    page.evaluate(
        "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 50))))"
    )
    box.click()
    page.get_by_role("option", name="Melodrama with a message. (Four words on the line)").click()
    expect(page.get_by_role("textbox", name="Sentence", exact=True)).to_have_value("Melodrama with a message.")
    expect(page.locator(".w-text", has_text="Melodrama·with·a·message.").first).to_be_visible()
    page.wait_for_function(f"({SCROLLED}) === 0")


def test_an_unknown_model_in_a_link_is_one_sentence(page: Page, app: str) -> None:
    page.goto(f"{app}/?model=/etc")
    expect(page.get_by_text("lies outside the folders")).to_be_visible()


@pytest.mark.parametrize(
    ("name", "factor", "asked", "shown"),
    [
        ("Perturb", "punctuation", "/perturb.*variant=", "All punctuation removed"),
        ("Dropout", "dropout", "/dropout.*dot=", "All that are on, pass"),
        ("Seeds", "seed", "/seeds.*member=", "Seed 4"),
        ("Preprocessing", "preprocessing", "/preprocessing.*step=", "chain_"),
        ("Tokens", "segmentation", "/tokens.*cut=", "Segmentation draw"),
    ],
)
def test_the_link_of_a_card_opens_the_worst_case_on_its_page(
    page: Page, app: str, name: str, factor: str, asked: str, shown: str
) -> None:
    # Somebody has been there before, and opened nothing.
    opened(page, app, f"/{name.lower()}", sentence=TEXT)
    page.get_by_role("link", name="Overview").click()
    page.get_by_role("link", name=f"Explain {factor}").click()
    expect(page).to_have_url(re.compile(asked))
    settled(page)
    expect(page.get_by_text(shown).first).to_be_visible()
    expect(page.get_by_role("textbox", name="Sentence", exact=True)).to_have_value(TEXT)


def test_a_chain_is_built_by_keyboard_and_its_link_reopens_it(page: Page, app: str) -> None:
    text = "Not a GOOD film:  see https://t.co/x !"
    opened(page, app, "/preprocessing", sentence=text)
    box = page.get_by_role("combobox", name="Steps, in the order in which they run")
    for number, name in enumerate(("White space collapsed", "Links replaced", "Lower-cased"), start=1):
        box.focus()
        box.press_sequentially(name)
        # The list narrows a moment after the typing; Enter takes what it stands on.
        expect(page.get_by_role("option")).to_have_count(1)
        expect(box).to_have_attribute("aria-activedescendant", re.compile("option"))
        page.keyboard.press("Enter")
        expect(page.locator(".w-step")).to_have_count(number)
    page.keyboard.press("Escape")
    after = ["Not·a·GOOD·film:·see·https://t.co/x·!", "Not·a·GOOD·film:·see·http·!", "not·a·good·film:·see·http·!"]
    expect(page.locator(".w-step")).to_have_text(after)
    expect(page.locator("code", has_text="text.lower()")).to_be_visible()
    page.get_by_role("textbox", name="Placeholder for a link").fill("LINK")
    page.keyboard.press("Enter")
    expect(page.locator(".w-step").last).to_have_text("not·a·good·film:·see·link·!")
    page.get_by_role("button", name="Move up").last.click()
    expect(page.locator(".w-step").last).to_have_text("not·a·good·film:·see·LINK·!")
    expect(page).to_have_url(re.compile("chain=clean_whitespace&chain=clean_lower&chain=clean_urls&url=LINK"))
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    link = page.evaluate("navigator.clipboard.readText()")
    tab = page.context.new_page()
    tab.goto(link)
    expect(tab.locator(".w-step").last).to_have_text("not·a·good·film:·see·LINK·!")
    expect(tab.locator(".w-step")).to_have_count(3)
    tab.close()


def test_what_is_opened_on_one_page_is_left_alone_by_another(page: Page, app: str) -> None:
    opened(page, app, "/perturb", sentence=TEXT, variant="upper")
    page.get_by_role("link", name="Preprocessing").click()
    settled(page)
    page.locator(".w-variants .row").first.click()
    expect(page.get_by_text("What made it.")).to_be_visible()
    page.get_by_role("link", name="Perturb").click()
    expect(page.get_by_text("What made it.")).to_be_visible()


def test_a_complete_verdict_leaves_nothing_that_says_still_running(page: Page, app: str) -> None:
    opened(page, app, "/", sentence=TEXT)
    for text in ("The plot is thin , but the cast is GREAT!", "Nobody could call this a quiet film, or a short one."):
        typed(page, text)
        expect(page.locator(".w-text", has_text=text.replace(" ", "·")).nth(1)).to_be_visible()
        expect(page.get_by_text("cases tried")).to_be_visible()
        settled(page)
        expect(page.get_by_text("Still running")).to_have_count(0)


def test_a_link_of_the_train_page_brings_its_form(page: Page, app: str) -> None:
    page.goto(f"{app}/train?seeds=1%2C2%2C3&epochs=2&method=full")
    expect(page.get_by_role("textbox", name="Seeds", exact=True)).to_have_value("1,2,3")
    expect(page.get_by_role("spinbutton", name="Epochs")).to_have_value("2")
