"""The role that is kept in the clear: a word from the list, whatever was written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudonglian.records import derive, roles


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("driver", "driver"),
        (" DRIVER ", "driver"),
        ("司机", "driver"),
        ("stock_clerk", "stock clerk"),
        ("stall-owner", "stall owner"),
        ("driver Wang, 13800000000", "other"),
        ("", "other"),
    ],
)
def test_the_role_that_is_kept(written: str, kept: str) -> None:
    assert roles.role_of(written) == kept
    assert derive.participant_row(0, {"personRef": {}, "role": written}).role == kept


@given(st.text())
def test_free_text_never_stays_in_the_clear(written: str) -> None:
    assert roles.role_of(written) in roles.known()


def test_every_role_has_its_words_and_is_found_by_them() -> None:
    assert {"driver", "loader", "sampler", "disinfector", "buyer", "guard", "other"} <= roles.known().keys()
    spoken = [word for words in roles.known().values() for word in (words["zh"],)]
    assert len(spoken) == len(set(spoken))
    for role, words in roles.known().items():
        assert words.keys() == {"zh", "en"}
        assert roles.role_of(words["zh"]) == roles.role_of(words["en"]) == role
