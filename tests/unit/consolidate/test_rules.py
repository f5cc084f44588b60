from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings, strategies as st

from recollect.core.consolidate.extraction import Conversation, Extraction
from recollect.core.consolidate.junk import LONGEST
from recollect.core.consolidate.rules import extract
from recollect.core.model import Kind, Memory, Modality, Trust

AT = datetime(2026, 3, 11, 12, tzinfo=UTC)
NAMES = {"B": "Bob", "C": "Carla"}


def turn(number: int, said: str, role: str = "user", name: str | None = None) -> Memory:
    at = AT + timedelta(minutes=number)
    return Memory(UUID(int=number), Kind.MESSAGE, said, Trust.USER, at, at, role=role, name=name, seq=number)


def conversation(said: str, new: int = 0, names: tuple[str, ...] = ()) -> Conversation:
    """Turns parted by " / "; "A:" is the agent's, "B:" and "C:" are two people's, others the person's."""
    turns = []
    for number, line in enumerate(said.split(" / "), 1):
        who = line[0] if line[1:3] == ": " and line[0] in "ABC" else ""
        text = line[3:] if who else line
        turns.append(turn(number, text, "assistant" if who == "A" else "user", NAMES.get(who)))
    return Conversation(turns, new, names=names)


def told(extraction: Extraction) -> list[str]:
    """The facts as "subject|attribute|value", marked: ! negated, ~ planned, < over, ^ corrects."""
    facts = []
    for finding in extraction.findings:
        claim = finding.claim
        marks = "!" * claim.negated + "~" * (claim.modality is Modality.PLANNED)
        marks += "<" * (finding.valid_to is not None and finding.valid_to <= AT + timedelta(hours=1))
        marks += "^" * finding.corrects
        facts.append(f"{marks}{claim.subject}|{claim.attribute}|{claim.value}")
    return facts


def check(line: str) -> None:
    said, _, facts = line.partition(" => ")
    assert told(extract(conversation(said))) == [fact.strip() for fact in facts.split(";") if fact.strip()]


@pytest.mark.parametrize(
    "line",
    [
        "I live in Lisbon. => user|residence|Lisbon",
        "we're based in Austin, Texas => user|residence|Austin, Texas",
        "I just moved to Leeds. => user|residence|Leeds",
        "My name is Ada Byron. => user|name|Ada Byron",
        "I'm Tomas, nice to meet you => user|name|Tomas",
        "I am 51 years old. => user|age|51",
        "My birthday is June 3. => user|birthday|June 3",
        "I'm a carpenter. => user|occupation|carpenter",
        "I work as a tax consultant at Deloitte. => user|occupation|tax consultant; user|employer|Deloitte",
        "I'm married. => user|marital status|married",
        "My husband's name is Aldo. => user|husband|Aldo",
        "We have three children. => user|children|three children",
        "I've got a parrot called Kiwi. => user|parrot|Kiwi; user|pet|parrot",
        "I'm allergic to latex. => user|allergy|latex",
        "I'm vegan. => user|diet|vegan",
        "I speak Welsh. => user|language|Welsh",
        "I love thrillers and rye bread. => user|likes|thrillers; user|likes|rye bread",
        "My favourite film is Alien. => user|favourite film|Alien",
        "I play badminton. => user|hobby|badminton",
        "We own a camper. => user|owns|camper",
        "My budget is $1,800. => user|budget|$1,800",
        "I'm looking for a round oak table. => user|wants|round oak table",
        "My email is ada@example.org. => user|email|ada@example.org",
        "You can call me at 020 7946 0018. => user|phone|020 7946 0018",
        "Please change my address to 9 Hill Road, York. => user|address|9 Hill Road, York",
        "I prefer phone calls. => user|contact preference|phone calls",
        "My account number is AC-4471. => user|account number|AC-4471",
        "I have asthma. => user|health|asthma",
        "I use Notion for my notes. => user|uses|Notion",
        "I quit my job at Intel. => !user|employer|Intel",
    ],
)
def test_what_is_closed(line: str) -> None:
    check(line)


@pytest.mark.parametrize(
    "line",
    [
        "The deadline for the second sprint is May 29. => user|second sprint deadline|May 29",
        "My test coverage recently reached 78%. => user|test coverage|78%",
        "I have 52 sources in my Zotero library. => user|zotero library sources|52",
        "We moved the retrospective to Friday at 3. => user|retrospective|Friday at 3",
        "I've read 120 pages. => user|pages read|120",
        "150 commits merged so far => user|commits merged|150",
        "The launch is now on 4 July. => user|launch|4 July",
        "The invoice total came to 1,240 euros. => user|invoice|1,240 euros",
        "My rent went up from $900 to $1,050. => user|rent|$1,050",
        "There are 31 tickets in the backlog. => user|backlog tickets|31",
        "I'm running Node 22.4. => user|node version|22.4",
        "My team has grown to 14 people. => user|team|14 people",
        "The contract is signed. => user|contract|signed",
        "I walk 8 kilometres a day. => user|kilometres walk day|8",
    ],
)
def test_what_is_open(line: str) -> None:
    check(line)


@pytest.mark.parametrize(
    "line",
    [
        "I refactored it, which brought test coverage up to 78%. => user|test coverage|78%",
        "How do I speed it up, now that its response time is down to 250ms? => user|response time|250ms",
        "I'm worried about the deadline being on May 3, can you help? => user|deadline|May 3",
        "My boss extended the essay deadline to May 10, how come? => user|essay deadline|May 10",
        "The load time has improved further, now averaging 250ms. => user|load time|250ms",
        "My parents' budget for their house is $350,000. => parents|house budget|$350,000",
        "Is my deadline on May 3? => ",
        "My password is 4411. => ",
    ],
)
def test_what_is_told_by_the_way(line: str) -> None:
    check(line)


@pytest.mark.parametrize(
    "line",
    [
        "I need a 3 bedroom flat in Oslo. => user|bedrooms|3; user|area|Oslo",
        "Find me an unfurnished flat with 2 baths? => user|bathrooms|2; user|furnished|no",
        "A: What city? / I want to look in Santa Rosa. => user|area|Santa Rosa",
        "A: Do you need it furnished? / Yes, please. => user|furnished|yes",
        "A: Does it need to be pet friendly? / No. => user|pets allowed|no",
        "A: When would you like to visit? / March 3rd, please => user|visit|March 3rd",
        "A: How many baths? / two / make it three => user|bathrooms|two; ^user|bathrooms|three",
        "I have a 3 bedroom flat. => user|owns|3 bedroom flat",
    ],
)
def test_what_is_looked_for(line: str) -> None:
    check(line)


def test_names_are_mentioned() -> None:
    extraction = extract(conversation("My sister Maria lives in Rome. I have a dog named Rex."))
    mentions = {(one.name, one.kind, one.aliases) for one in extraction.mentions}
    assert mentions == {
        ("Maria", "person", ("my sister",)),
        ("Rome", "place", ()),
        ("Rex", "pet", ("my dog",)),
    }


@pytest.mark.parametrize(
    ("said", "again"),
    [
        ("I've merged 150 commits.", "165 commits merged now."),
        ("The deadline for the first sprint is March 29.", "The first sprint deadline is April 2."),
        ("We moved the demo to Monday.", "The demo is on Tuesday."),
        ("My test coverage is 60%.", "My test coverage reached 71%."),
        ("I have 40 books in my library.", "My library has 44 books."),
        ("Always end class names with '_k'.", "From now on, I want you to end class names with '_m'."),
        ("From now on answer in French.", "Always answer in Spanish."),
    ],
)
def test_two_tellings_of_one_thing_have_one_attribute(said: str, again: str) -> None:
    first, second = (extract(conversation(text)).findings for text in (said, again))
    assert [one.claim.attribute for one in first] == [one.claim.attribute for one in second] != []
    assert all(one.claim.single for one in (*first, *second))
    assert {one.claim.value for one in first} != {one.claim.value for one in second}


@pytest.mark.parametrize(
    "line",
    [
        "Always answer in bullet points. => user|instruction: answer|answer in bullet points",
        "From now on call me Jo. => user|nickname|Jo",
        "Please never use emojis. => user|instruction: emoji|never use emojis",
        "Start function names with 'y_'. => user|instruction: function start|Start function names with 'y_'",
        "Make sure to always add unit tests. => user|instruction: unit test|add unit tests",
        "Send me the invoice. => ",
        "Write a short reply. => ",
        "I want you to check the invoice. => ",
    ],
)
def test_standing_instructions(line: str) -> None:
    check(line)


@pytest.mark.parametrize(
    "line",
    [
        "A: How many beds? / Four / No, I said three bedrooms => user|bedrooms|Four; ^user|bedrooms|three",
        "The review is on Friday. / Actually, it's Monday. => user|review|Friday; ^user|review|Monday",
        "My budget is 20k. / Sorry, I meant 25k. => user|budget|20k; ^user|budget|25k",
        "I work at Oracle. / Not Oracle but SAP. => user|employer|Oracle; ^user|employer|SAP",
        "I live in Bonn. / Correction: I live in Mainz. => user|residence|Bonn; ^user|residence|Mainz",
        "I'm 40. / Wait, no, I'm 41. => user|age|40; ^user|age|41",
        "Actually, I live in Bonn. => user|residence|Bonn",
        "No, I don't think so. => ",
    ],
)
def test_corrections(line: str) -> None:
    check(line)


@pytest.mark.parametrize(
    "line",
    [
        "I don't like leather any more. => !user|likes|leather",
        "We no longer live in Bergen. => !user|residence|Bergen",
        "I've never used Zotero. => !user|experience|used Zotero",
        "I hate olives. => !user|likes|olives",
        "I can't stand techno. => !user|likes|techno",
        "I'm not allergic to nuts. => !user|allergy|nuts",
        "I don't have any pets. => !user|pet|pets",
        "I don't work at Bosch anymore. => !user|employer|Bosch",
        "I don't hate it. => ",
    ],
)
def test_negations(line: str) -> None:
    check(line)


@pytest.mark.parametrize(
    "line",
    [
        "We're going to move to Denver. => ~user|residence|Denver",
        "I'm starting at Bosch on Monday. => ~user|employer|Bosch",
        "I plan to repaint the hall in May. => ~user|plan|repaint the hall in May",
        "I'll call you back. => ",
        "If I lived in Boston, I would ski. => ",
        "I wish I had a garden. => ",
        "Suppose we have three kids. => ",
        "I might move to Oslo. => ",
        "I would have bought a boat. => ",
        "Do I live in Rome? => ",
        "Is the demo on Friday? => ",
        "Do you have a shop in Rome? I have two dogs. => user|pet|two dogs",
        "I'm vegan, do you have a menu for that? => user|diet|vegan",
        'My friend said "I love leather". => ',
        "He says he lives in Rome. => ",
        "My neighbour claims I own 2 cars. => ",
    ],
)
def test_plans_hypotheticals_questions_and_quotations(line: str) -> None:
    check(line)


def test_what_is_only_thought_of_is_hardly_sure() -> None:
    sure, unsure = (
        extract(conversation(said)).findings
        for said in ("We're going to move to Denver.", "We're thinking of moving to Denver.")
    )
    assert unsure[0].claim == sure[0].claim
    assert unsure[0].confidence < 0.5 < sure[0].confidence


@pytest.mark.parametrize(
    "line",
    [
        "My sister loves jazz and lives in Boston. => sister|likes|jazz; sister|residence|Boston",
        "Tom is vegan. => tom|diet|vegan",
        "My mother is a surgeon. She works at Fiat. => mother|occupation|surgeon; mother|employer|Fiat",
        "My son Leo plays chess. => user|son|Leo; son|hobby|chess",
        "My cat is called Miso and my brother is Jim. => user|cat|Miso; user|brother|Jim",
        "My brother is Jim. She plays golf. => user|brother|Jim",
        "She lives in Rome. => ",
        "They have two cats. => ",
        "B: I live in Paris. / C: I live in Rome. => bob|residence|Paris; carla|residence|Rome",
        "B: My budget is 500. => user|budget|500",
    ],
)
def test_other_people(line: str) -> None:
    check(line)


def test_of_two_speakers_the_one_remembered_is_the_user() -> None:
    said = conversation("B: I live in Paris. / C: I live in Rome.", names=("Carla Rossi",))
    assert told(extract(said)) == ["bob|residence|Paris", "user|residence|Rome"]


def test_nobody_corrects_what_another_said() -> None:
    said = conversation("B: The review is on Friday. / C: Sorry, I meant Monday. / B: Sorry, I meant Monday.")
    assert told(extract(said)) == ["bob|review|Friday", "^bob|review|Monday"]


@pytest.mark.parametrize("name", ["", "  ", "\u2003"])
def test_a_speaker_without_a_name_is_the_user(name: str) -> None:
    turns = [turn(1, "I live in Oslo.", name=name), turn(2, "I live in Rome.", name="Bob")]
    assert told(extract(Conversation(turns))) == ["user|residence|Oslo", "bob|residence|Rome"]


@pytest.mark.parametrize("role", ["assistant", "system", "tool"])
def test_only_people_tell_facts(role: str) -> None:
    said = Conversation([turn(1, "I live in Oslo. Always answer in French.", role)])
    assert not extract(said).findings


@pytest.mark.parametrize(
    "line",
    [
        "A: Where do you live? / Atlanta. => user|residence|Atlanta",
        "A: How many bedrooms do you need? / three => user|bedrooms|three",
        "A: What's your budget? / around $900 => user|budget|$900",
        "A: Do you like leather? / No. => !user|likes|leather",
        "A: Are you married? / Yes, I am. => user|marital status|married",
        "A: What's your order number? / It's B-2210 => user|order number|B-2210",
        "A: Where do you live? / I'd rather not say. => ",
        "A: How can I help? / Hi => ",
        "Where do you live? / Atlanta. => ",
    ],
)
def test_answers_beside_their_question(line: str) -> None:
    check(line)


def test_an_answer_rests_on_its_question_too() -> None:
    (finding,) = extract(conversation("A: Where do you live? / Atlanta.")).findings
    assert finding.evidence == (UUID(int=2), UUID(int=1))
    assert finding.quote == "Atlanta."


@pytest.mark.parametrize(
    "line",
    [
        "There's four of us plus grandma. => user|household size|four",
        "Two of us are waiting outside. => ",
        "our son Leo, who is six, is shy => user|son|Leo; son|age|six",
        "This is Anna, my wife. => user|wife|Anna",
        "I love Paris, my wife hates it. => user|likes|Paris",
        "And yes, a pet: Biscuit, our ginger cat. => user|cat|Biscuit; user|pet|ginger cat",
        "Our dog Bella chewed it, is that bad? => user|dog|Bella",
        "A: Any pets? / two cats, Milo and Otis => user|cat|Milo; user|cat|Otis; user|pet|two cats",
        "A: Do you live with pets or kids? / Only Bo, a grey parrot. => user|parrot|Bo; user|pet|grey parrot",
        "My sister has a shop. Her name is Ida. => user|sister|Ida",
        "If our son Leo moves out, tell me. => ",
    ],
)
def test_who_belongs_to_somebody(line: str) -> None:
    check(line)


@pytest.mark.parametrize(
    "said",
    [
        "I do not need anybody to come.",
        "I need basically everything lol",
        "I would like the other one",
        "I'm after a new one, three seater, nothing fancy",
        "Could we have the design review on Wednesday instead?",
        "Should I move the demo to Friday?",
        "I want it delivered",
        "I want the driver to call first",
        "I need a hand with the form",
        "I want that one",
        "I like the teal one best.",
        "I run three times a week.",
        "My wife makes 30 part time",
        "A: How can I help? / to speak to a human",
        "A: How many will you be at Easter? / no idea yet",
        "A: And the material? / something I can wipe clean",
        "A: And your wife's age? / Maureen's 61",
        "A: What do you want? / to speak to a human",
        "So:\nTraceback (most recent call last):\n  File 'a.py', line 3\n    budget = 9999\nKeyError: 1",
        "From: Jim <jim@x.example>\nSubject: hi\nI live in Paris and my budget is 300.",
    ],
)
def test_fragments_and_what_others_wrote_give_nothing(said: str) -> None:
    assert told(extract(conversation(said))) == []


@pytest.mark.parametrize(
    ("said", "contents"),
    [
        (
            "A: What would you like to spend? / Up to 1,800 euros, delivery included.",
            ["Budget: up to 1,800 euros."],
        ),
        ("A: How much is it to be? / Thanks!", []),
        ("A: What is the most you would pay? / After the sofa? Let us say 900.", ["Budget: 900."]),
        ("A: What is your budget per chair? / 60 or so", ["Chair budget: 60."]),
        ("A: How many chairs do you need? / six, no wait, eight", ["Chairs: eight."]),
        (
            "A: Which colour? / dark blue, my son hates beige",
            ["Son: does not like beige.", "Colour: dark blue."],
        ),
        ("A: How would you like to be contacted? / email's best", ["Prefers email."]),
        ("A: And your VAT number? / BE0123456749", ["Vat number: BE0123456749."]),
        ("A: When can we collect it? / Mondays, I work nights", ["Is available Mondays."]),
        ("I would like leather.", ["Wants leather."]),
        ("I need an armchair, for reading", ["Wants an armchair for reading."]),
        ("I need shelves for my office", ["Wants shelves for their office."]),
        ("I'd love real wood, oak if we can", ["Wants real wood, oak."]),
        ("Thursday mornings suit me best.", ["Is available Thursday mornings."]),
        ("I am seventy-eight, and slow.", ["Is seventy-eight years old."]),
        ("I don't drink coffee", ["Does not drink coffee."]),
        ("please dont call before 10, I do nights", ["Instruction: never call before 10."]),
        ("A: Where do you live? / Sorry, Leeds", ["Lives in Leeds."]),
        ("We've moved into 9 Oak Lane in Kirkwood.", ["Lives in Kirkwood."]),
        ("We currently rent an apartment in Decatur", ["Lives in Decatur."]),
        ("I want to rent a flat in Leeds", ["Area: Leeds."]),
        ("We rented a flat in Paris last summer", []),
        ("I'm from Texas but live in Maine", ["Is from Texas.", "Lives in Maine."]),
        ("Our dog Rex passed away last month.", ["Dog (formerly): Rex."]),
        ("The closing is on June 28, 2026.", ["Closing: June 28, 2026."]),
        ("I work with Tom at Bosch.", ["Works at Bosch."]),
        ("My dad is diabetic.", ["Dad: is diabetic."]),
    ],
)
def test_what_is_said_in_passing_reads_as_english(said: str, contents: list[str]) -> None:
    assert [finding.content for finding in extract(conversation(said)).findings] == contents


@pytest.mark.parametrize(
    "line",
    [
        "So forget what I said about green. => !user|wants|green",
        "I want a bed in rust. / I've gone off the bed => user|wants|bed in rust; !user|wants|bed in rust",
        "I need a desk and a lamp. / I went off the lamp => user|wants|desk and a lamp; !user|wants|lamp",
        "A: What is it for? / reading. => ",
        "Forget what I said about the meeting. => ",
        "scrap the bonds thing => ",
        "never mind => ",
    ],
)
def test_what_is_taken_back(line: str) -> None:
    check(line)


@pytest.mark.parametrize(
    ("said", "begin", "end"),
    [
        ("I've lived in Rome since 2019.", datetime(2019, 1, 1, tzinfo=UTC), None),
        ("We moved to Rome last year.", datetime(2025, 1, 1, tzinfo=UTC), None),
        (
            "I lived in Rome from 2010 to 2015.",
            datetime(2010, 1, 1, tzinfo=UTC),
            datetime(2016, 1, 1, tzinfo=UTC),
        ),
        (
            "I lived in Rome before 2010.",
            datetime(2010, 1, 1, tzinfo=UTC) - timedelta(microseconds=1),
            datetime(2010, 1, 1, tzinfo=UTC),
        ),
        ("I live in Rome.", AT + timedelta(minutes=1), None),
        ("I live in Rome until June.", AT + timedelta(minutes=1), datetime(2026, 7, 1, tzinfo=UTC)),
    ],
)
def test_times(said: str, begin: datetime, end: datetime | None) -> None:
    (finding,) = extract(conversation(said)).findings
    assert finding.claim.value == "Rome"
    assert (finding.valid_from, finding.valid_to) == (begin, end)


@pytest.mark.parametrize(
    "said", ["I used to live in Rome.", "I worked at Fiat until 2019.", "I was a chef before."]
)
def test_what_is_over_has_ended(said: str) -> None:
    (finding,) = extract(conversation(said)).findings
    assert finding.valid_to is not None
    assert finding.valid_from < finding.valid_to <= AT + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("said", "content"),
    [
        ("I live in Atlanta.", "Lives in Atlanta."),
        ("I love fabric sofas.", "Likes fabric sofas."),
        ("My sister lives in Boston.", "Sister: lives in Boston."),
        ("I don't speak French.", "Does not speak French."),
        ("We're going to move to Rome.", "Plans to live in Rome."),
        ("I used to live in Rome.", "Used to live in Rome."),
        ("My budget is $500.", "Budget: $500."),
        ("I have a dog.", "Has a dog."),
        ("I've never used Zotero.", "Has never used Zotero."),
        ("Always answer in French.", "Instruction: answer in French."),
    ],
)
def test_a_fact_is_a_sentence_that_stands_alone(said: str, content: str) -> None:
    assert [finding.content for finding in extract(conversation(said)).findings] == [content]


def test_only_new_turns_are_read_and_the_others_are_understood() -> None:
    said = "My budget is 500. / A: Noted. / Sorry, I meant 600."
    assert told(extract(conversation(said, new=2))) == ["^user|budget|600"]
    assert told(extract(conversation(said, new=3))) == []


def test_a_claim_is_made_once_a_turn() -> None:
    assert told(extract(conversation("I live in Oslo. As I said, I live in Oslo."))) == [
        "user|residence|Oslo"
    ]


JUNK = Path(__file__).with_name("junk.txt").read_text("utf-8").rstrip("\n").split("\n%%\n")


@pytest.mark.parametrize("junk", JUNK)
def test_junk_gives_nothing(junk: str) -> None:
    assert not extract(Conversation([turn(1, junk)])).findings


def test_there_is_enough_junk() -> None:
    assert len(set(JUNK)) >= 150


def test_a_fact_beside_junk_is_read() -> None:
    said = 'I moved to Oslo.\n```\nname = "My budget is 500"\n```\n> I have two dogs\n\nMy budget is 900.'
    assert told(extract(Conversation([turn(1, said)]))) == ["user|residence|Oslo", "user|budget|900"]


def test_what_we_put_into_a_prompt_is_not_read_again() -> None:
    prompt = "<remembered>\n[m1] 2026-01-03 10:00, Ann: I live in Atlanta. I have two dogs.\n</remembered>"
    turns = [turn(1, prompt, "system"), turn(2, "I live in Atlanta. I work at Acme.")]
    assert told(extract(Conversation(turns))) == ["user|employer|Acme"]


WORDS = st.sampled_from(
    str.split(
        "I we my sister the a live lives in Rome at Acme not never no longer used to have has 3 $5 "
        "20% May always call me if"
        " would said that and but , . ? ! : ; ( ) \" ' “ ” ` ``` < > [m1] { } is was are moved from "
        "since until No Sorry meant"
        " actually 'x_' names start with bedrooms budget likes dog named Rex don't gonna \n - *"
    )
)


@given(st.lists(st.lists(WORDS, max_size=20).map(" ".join), max_size=4))
@settings(max_examples=150)
def test_any_conversation(said: list[str]) -> None:
    turns = [
        turn(number, text, "assistant" if number % 3 == 2 else "user") for number, text in enumerate(said, 1)
    ]
    extraction = extract(Conversation(turns))
    assert extract(Conversation(turns)) == extraction
    by_id = {one.id: one for one in turns}
    for finding in extraction.findings:
        spoken = by_id[finding.evidence[0]]
        assert finding.claim.value
        assert finding.claim.attribute
        assert finding.claim.subject
        assert finding.quote in " ".join(spoken.content.split())
        assert finding.valid_to is None or finding.valid_from < finding.valid_to
        assert 0 < finding.confidence <= 1
    claims = [(one.evidence[0], one.claim) for one in extraction.findings]
    assert len(set(claims)) == len(claims)


@given(st.text(max_size=300))
def test_any_text(text: str) -> None:
    extract(Conversation([turn(1, text)]))


@pytest.mark.parametrize(
    "piece",
    [
        *" \n\t'\"([{<`*-|>@.,;:1",
        "I ",
        "my ",
        "and ",
        "not ",
        "I have ",
        "my sister's ",
        "A ",
        "a@a.",
        "of the ",
    ],
)
def test_long_texts_end(piece: str) -> None:
    said = piece * (2 * LONGEST // len(piece)) + " I live in Oslo."
    assert not extract(Conversation([turn(1, said)])).findings
