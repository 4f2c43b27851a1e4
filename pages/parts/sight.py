"""What a person chose is brought into sight: the verdict of a sentence, a case that was opened."""

from pages import state

_sight = state.component("sight")


def follow(name: str, value: object, top: bool = False) -> None:
    """Scroll to this place once each time that the value has changed.

    A page is not scrolled when it is drawn again with what it showed, nor when the session begins with the value, as with
    a link.

    Args:
        name: of what is followed.
        value: what is chosen; nothing is followed while it is empty.
        top: whether the page is scrolled to its beginning, not to the block that this stands in.
    """
    found, key = state.store(), f"sight {name}"
    # What is opened on a page that a click leads to was chosen by that click.
    shown, number = state.unlinked(key, None) or (value if found.page == found.entered else state.NOTHING, 0)
    number += bool(value) and value != shown
    found.change(**{key: (value, number)})
    _sight(key=key, data={"name": name, "number": number, "top": top})
