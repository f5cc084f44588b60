from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings, strategies as st

from recollect.core.text.entities import LONGEST_READ
from recollect.core.text.pii import Span, find_pii, is_iban, is_luhn


def found(text: str) -> list[tuple[str, str]]:
    return [(span.kind, text[span.start : span.end]) for span in find_pii(text)]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("write to jo.b+x@mail.example.org!", "email", "jo.b+x@mail.example.org"),
        ("see https://example.org/a?b=1.", "url", "https://example.org/a?b=1"),
        ("blocked 195.206.132.199 again", "ip", "195.206.132.199"),
        ("blocked 6e40:4041:c617:e898:c11:40d2:c669:2eb4", "ip", "6e40:4041:c617:e898:c11:40d2:c669:2eb4"),
        ("my IBAN is GB82 WEST 1234 5698 7654 32", "iban", "GB82 WEST 1234 5698 7654 32"),
        ("it's 4111-1111-1111-1111, thanks", "card", "4111-1111-1111-1111"),
        ("my card number is 4111111111111112", "card", "4111111111111112"),
        ("It's 219-09-9998", "ssn", "219-09-9998"),
        ("my ssn is 4587", "ssn", "4587"),
        ("my social security number is 219 09 9998", "ssn", "219 09 9998"),
        ("My driver's license number is F162823540116", "licence", "F162823540116"),
        ("passport number: X1234567", "passport", "X1234567"),
        ("my account number is 00 1234 567", "account", "00 1234 567"),
        ("policy number PVX 752197308", "account", "PVX 752197308"),
        ("the password is hunter2!", "secret", "hunter2!"),
        ("use sk-a1b2c3d4e5f6g7h8i9j0", "secret", "sk-a1b2c3d4e5f6g7h8i9j0"),
        ("I was born on 9/25/1945", "date_of_birth", "9/25/1945"),
        ("dob: March 3rd, 1990", "date_of_birth", "March 3rd, 1990"),
        ("call me at 201-948-1927", "phone", "201-948-1927"),
        ("or +44 7700 900123 after six", "phone", "+44 7700 900123"),
        ("(404) 555-0123", "phone", "(404) 555-0123"),
        ("my zip code is 30014", "zip", "30014"),
        ("postcode: SW1A 1AA", "zip", "SW1A 1AA"),
        ("it's SW1A 1AA, I think", "zip", "SW1A 1AA"),
        ("in Covington, GA 30014", "zip", "30014"),
        ("a 38-year-old", "age", "38"),
        ("my brother just turned 47", "age", "47"),
        ("I'm 29 and single", "age", "29"),
        ("Mr. Rangel is late", "title", "Mr."),
        ("we live at 123 Main Street", "address", "123 Main Street"),
        (
            "send it to 12 Oak St, Apt 4, Covington, GA 30014",
            "address",
            "12 Oak St, Apt 4, Covington, GA 30014",
        ),
        ("I live at Gartenstraße 12a", "address", "Gartenstraße 12a"),
        ("PSC 1437, Box 3833\nAPO AA 66791", "address", "PSC 1437, Box 3833\nAPO AA 66791"),
        ("my sister Maria called", "person", "Maria"),
        ("I work for Acme Corp", "organisation", "Acme Corp"),
        ("I moved to Atlanta", "place", "Atlanta"),
        ("she is Norwegian", "nationality", "Norwegian"),
    ],
)
def test_what_is_personal_is_found(text: str, kind: str, value: str) -> None:
    assert (kind, value) in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I need a sofa",
        "it costs $1,299.99 or 1299",
        "we met on 2023-05-01 at 10:30",
        "version 3.11.4 has 120 changes",
        "the number is 1111 1111 1111 1111",
        "999.999.999.999 is no address",
        "we moved in on 5 March 2023",
        "12 Angry Men 1957",
        "the password is wrong",
        "three bedrooms, 2 baths and 1500 sqft",
        "I turned 47 pages",
        "call me at noon",
        "from 1990 to 2010",
    ],
)
def test_what_is_not_is_left(text: str) -> None:
    assert found(text) == []


def test_what_is_surer_wins() -> None:
    assert found("name: Ann Lee, card 4111 1111 1111 1111") == [
        ("person", "Ann Lee"),
        ("card", "4111 1111 1111 1111"),
    ]


@given(st.integers(10**11, 10**17))
def test_one_check_digit_fits(number: int) -> None:
    assert sum(is_luhn(f"{number}{digit}") for digit in range(10)) == 1


@given(
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=11, max_size=30), st.sampled_from(["GB", "DE"])
)
def test_an_account_is_checked(account: str, country: str) -> None:
    spelt = "".join(str(int(c, 36)) for c in f"{account}{country}00")
    check = 98 - int(spelt) % 97
    assert is_iban(f"{country}{check:02}{account}")
    assert not is_iban(f"{country}{(check + 1) % 97:02}{account}") or (check + 1) % 97 == check


@given(st.text(max_size=200) | st.text("Aa1 ,.\n-@:/#+()St", max_size=300))
@settings(max_examples=300)
def test_spans_stand_in_order_within_the_text(text: str) -> None:
    spans = find_pii(text)
    assert spans == find_pii(text)
    assert all(0 <= s.start < s.end <= len(text) and 0 < s.confidence <= 1 for s in spans)
    assert all(a.end <= b.start for a, b in pairwise(spans))


@pytest.mark.parametrize(
    "piece", ["1", "1 ", "1 a ", "A", "Aa ", "a@", "1.", "1-", ":a", "12 Aa, ", "(1) ", "Apt 1\n", "GB82 "]
)
def test_long_texts_are_read_to_a_bound(piece: str) -> None:
    text = piece * (LONGEST_READ // len(piece)) + " my ssn is 4587"
    assert all(span.end <= LONGEST_READ for span in find_pii(text))


def test_a_mask_leaves_nothing_behind() -> None:
    text = "I'm Ann Lee, call +44 7700 900123 or write to ann@example.org"
    spans: list[Span] = find_pii(text)
    for span in reversed(spans):
        text = f"{text[: span.start]}[{span.kind}]{text[span.end :]}"
    assert re.fullmatch(r"I'm \[person], call \[phone] or write to \[email]", text)
