"""A text cut where its tokens are: nothing of it is lost, and each stretch names the tokens that stand for it."""

import pytest

from core.text.stages import stages
from core.text.tokens import TextEncoder
from core.views.tables_tokens import cuts, tokens_frame
from tests.architectures import byte_level, unigram, wordpiece

TEXT = "  Na\u00efve \U0001f469 TEST."


@pytest.mark.parametrize("made", [wordpiece, byte_level, unigram])
def test_the_stretches_make_up_the_text_and_hold_every_token_that_has_characters_once(made) -> None:  # type: ignore[no-untyped-def]
    found = stages(TextEncoder(made(), 100), TEXT)
    parts = cuts(found, 2000)
    assert "".join(part.text for part in parts) == TEXT
    offsets = found.encoding.offsets or ()
    spanning = [i for i, (begin, end) in enumerate(offsets) if end > begin]
    assert [i for part in parts for i in part.positions] == spanning
    assert len(tokens_frame("m", found)) == len(found.encoding.ids)


def test_bytes_of_one_character_share_a_stretch() -> None:
    parts = cuts(stages(TextEncoder(byte_level(), 100), "\U0001f469"), 2000)
    assert [(part.text, len(part.positions)) for part in parts] == [("\U0001f469", 4)]
