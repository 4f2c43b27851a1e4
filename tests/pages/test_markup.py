"""Small pieces of HTML: what changed is seen, and no text becomes markup."""

from pages.parts import markup


def test_a_homoglyph_is_marked_although_it_looks_the_same() -> None:
    cyrillic = "\u0430"
    shown = markup.changed_html(f"w{cyrillic}nt it", "want it", 100)
    assert shown == f"w<mark>{cyrillic}</mark>nt·<wbr>it"


def test_a_text_that_did_not_change_has_no_mark() -> None:
    assert "<mark>" not in markup.changed_html("want it", "want it", 100)


def test_no_changed_text_becomes_markup() -> None:
    assert markup.changed_html("<b>x", "x", 100) == "<mark>&lt;b&gt;</mark>x"


def test_each_cell_of_a_table_knows_its_column_for_a_phone() -> None:
    shown = markup.table_html([("shift", "what it is"), ("it's", "")], [("0.1", "yes")])
    assert "<td data-column='shift'>0.1</td><td data-column='it&#x27;s'>yes</td>" in shown
