"""Disclosures: one text, one digest, nothing repaired."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudonglian.chain import disclosure
from sudonglian.chain.disclosure import DisclosureRefused, base64url

SALT = bytes(range(16))


def test_the_example_of_rfc_9901() -> None:
    # RFC 9901 §4.2.3: the digest is over the encoded string, whatever its white space was.
    text = "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0"
    assert disclosure.digest_of(text) == "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0"
    with pytest.raises(DisclosureRefused):  # but white space is not canonical
        disclosure.parse(text)


@given(
    st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]))),
    st.text(st.characters(exclude_categories=["Cs"])),
)
def test_what_is_made_is_read_back(name: str | None, value: str) -> None:
    made = disclosure.make(SALT, {"v": value}, name)
    assert disclosure.parse(made.text) == made


@pytest.mark.parametrize(
    "raw",
    [
        b'["AAECAwQFBgcICQoLDA0ODw"]',
        b'["AAECAwQFBgcICQoLDA0ODw","a",1,2]',
        b'["AAECAwQFBgcICQoLDA0OD","a",1]',
        b'["AAECAwQFBgcICQoLDA0OD\\u0077","a",1]',
        b'["AAECAwQFBgcICQoLDA0ODx","a",1]',
        b'["AAECAwQFBgcICQoLDA0OD=","a",1]',
        b'["AAECAwQFBgcICQoLDA0ODw",7,1]',
        b'["AAECAwQFBgcICQoLDA0ODw","a",1.5]',
        b'["AAECAwQFBgcICQoLDA0ODw", "a",1]',
        b'[22,"a",1]',
        b"{}",
        b"",
    ],
)
def test_another_form_is_refused(raw: bytes) -> None:
    with pytest.raises(DisclosureRefused):
        disclosure.parse(base64url(raw))


def test_base64url_is_strict() -> None:
    text = disclosure.make(SALT, 1, "a").text
    for wrong in (text + "=", text + "\n", " " + text, text.replace(text[5], "+", 1), text[:-1], text + "é"):
        with pytest.raises(DisclosureRefused):
            disclosure.parse(wrong)
    with pytest.raises(DisclosureRefused):
        disclosure.unbase64url("AB")  # the last four bits are not zero


@given(st.one_of(st.text(max_size=200), st.binary(max_size=100).map(base64url)))
def test_garbage_is_refused_in_our_own_words(text: str) -> None:
    with contextlib.suppress(DisclosureRefused):
        disclosure.parse(text)


def test_what_could_not_be_read_back_is_not_made() -> None:
    for salt, value in ((b"short", 1), (SALT, "x" * 4_000_000)):
        with pytest.raises(DisclosureRefused):
            disclosure.make(salt, value, "a")
