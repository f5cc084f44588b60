"""What goes into a context, and where."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from recollect.core.model import USER, Claim, Kind, Memory, Modality, Standing, Trust
from recollect.core.recall.sections import Known, sections

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


def fact(number: int, content: str, attribute: str = "residence", *evidence: int) -> Memory:
    ids = tuple(UUID(int=each) for each in evidence)
    claim = Claim(USER, attribute, content)
    return Memory(UUID(int=number), Kind.FACT, content, Trust.USER, NOW, NOW, claim=claim, evidence=ids)


def said(number: int, content: str) -> Memory:
    return Memory(UUID(int=number), Kind.MESSAGE, content, Trust.USER, NOW, NOW, seq=number, role="user")


def summary(number: int, content: str, *evidence: int) -> Memory:
    at = NOW + timedelta(days=number)
    ids = tuple(UUID(int=each) for each in evidence)
    return Memory(UUID(int=number), Kind.SUMMARY, content, Trust.USER, at, at, session_id="s", evidence=ids)


def shown(what: Known, budget: int = 1_000) -> dict[str, list[str]]:
    return {one.title: [passage.content for passage in one.passages] for one in sections(what, budget)}


def test_each_has_its_place() -> None:
    home, pet, turn, whole = (
        fact(1, "Lives here."),
        fact(2, "Has a cat."),
        said(3, "Hi."),
        summary(4, "All.", 9),
    )
    found = shown(Known([home, pet, whole], [pet, turn], [said(5, "Last.")]))
    assert found == {
        "Profile": ["Lives here."],
        "Facts": ["Has a cat."],
        "Summaries": ["All."],
        "Relevant memories": ["Hi."],
        "Latest in this conversation": ["Last."],
    }


def test_a_turn_that_a_fact_before_it_tells_comes_last() -> None:
    told, other, later = said(1, "I live here."), said(2, "Other."), fact(3, "Lives here.", "residence", 1)
    assert shown(Known([], [later, told, other], []))["Relevant memories"] == ["Other.", "I live here."]
    assert shown(Known([], [told, later, other], []))["Relevant memories"] == ["I live here.", "Other."]


def test_history_and_doubt_are_marked() -> None:
    past = replace(fact(1, "Lived there."), valid_to=NOW)
    doubt = replace(fact(2, "Lives here."), standing=Standing.DISPUTED)
    assert shown(Known([], [past, doubt], []))["Facts"] == [
        "Lived there. (until 2026-03-04)",
        "Lives here. (disputed)",
    ]


def test_the_profile_is_bounded_and_begins_with_what_people_confirmed() -> None:
    many = [fact(number, f"Likes thing number {number}.", "likes") for number in range(1, 200)]
    sure = replace(fact(900, "Likes tea.", "likes"), standing=Standing.CONFIRMED)
    plan = fact(901, "Plans a trip.", "goal")
    assert plan.claim
    plan = replace(plan, claim=replace(plan.claim, modality=Modality.PLANNED))
    found = shown(Known([plan, *many, sure], [], []))["Profile"]
    assert found[0] == "Likes tea."
    assert 1 < len(found) < 20
    assert len(shown(Known(many, [], []), budget=4_000)["Profile"]) > len(found)


def test_a_summary_of_what_is_shown_anyway_is_left_out() -> None:
    assert shown(Known([summary(9, "All.", 1)], [], [said(1, "Hi.")]))["Summaries"] == []
    assert shown(Known([summary(9, "All.", 1, 2)], [], [said(1, "Hi.")]))["Summaries"] == ["All."]


def test_the_newest_summary_comes_before_those_recalled() -> None:
    old, new = summary(1, "Old.", 8), summary(2, "New.", 9)
    assert shown(Known([old, new], [old], []))["Summaries"] == ["New.", "Old."]
