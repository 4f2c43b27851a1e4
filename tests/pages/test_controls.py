"""The widgets of the pages: what a person chose is there when a page is mounted again."""

from streamlit.testing.v1 import AppTest

from tests.pages.test_pages import app, state_of, wished

FILE = b"text,label\n" + b"".join(b"A film %d.,%s\n" % (i, (b"good", b"bad")[i % 2]) for i in range(40))


def shown(test: AppTest) -> tuple[list[str], int]:
    """Names of kept files, and how many uploaders there are."""
    return [text.value for text in test.text], len(test.file_uploader)


def test_an_uploaded_file_stays_until_it_is_removed() -> None:
    test = app("pages/temperature.py", calibration_data="Your file")
    assert shown(test) == ([], 1)
    test.file_uploader[0].upload("own.csv", FILE, "text/csv").run()
    assert not test.exception and shown(test) == (["own.csv"], 0)
    said = [caption.value for caption in test.caption if "2 labels" in caption.value]
    assert said
    for path in ("pages/perturb.py", "pages/temperature.py"):
        test.switch_page(path).run()
    assert not test.exception and shown(test) == (["own.csv"], 0)
    assert [caption.value for caption in test.caption if "2 labels" in caption.value] == said
    assert "own.csv" not in state_of(test).query()
    wished(test, calibration_file=None)
    assert not test.exception and shown(test) == ([], 1)
