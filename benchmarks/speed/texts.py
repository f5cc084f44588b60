"""Plausible turns and questions from a seed: what somebody tells an assistant, and asks it later.

The common words are English; brands are 5,000 invented ones whose frequencies follow Zipf's law, so that the
word search meets rare words and frequent ones as in real conversations.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate, product
from random import Random

PRODUCTS = str.split(
    "sofa sectional armchair bookshelf lamp rug mirror desk mattress wardrobe blender kettle toaster oven "
    "fridge washer vacuum laptop camera tablet headset monitor printer bicycle tent backpack jacket boots "
    "watch guitar piano novel ladder drill curtain pillow vase stroller scooter grill"
)
PLACES = str.split(
    "Lisbon Porto Madrid Seville Paris Lyon Ghent Bruges Cologne Leipzig Vienna Graz Prague Brno Krakow "
    "Gdansk Riga Tallinn Helsinki Oslo Bergen Malmö Dublin Cork Leeds York Bath Naples Turin Athens Patras "
    "Sofia Izmir Tunis Nairobi Boston Denver Austin Quito Osaka"
)
NAMES = str.split(
    "Marta Ines Pedro Rui Clara Hugo Nadia Omar Leila Karim Anna Jonas Greta Felix Mila Ivan Petra Luka "
    "Elena Marco Giulia Paolo Yuki Kenji Mei Arjun Priya Sam Nora Tom Ruth Ben Ada Leo Iris Max Vera Paul "
    "Zoe Nils"
)
ADJECTIVES = str.split(
    "grey walnut velvet leather compact foldable quiet bright sturdy cheap vintage modern wooden steel "
    "waterproof light heavy green navy cream"
)
ROOMS = str.split("kitchen bedroom office hallway garden balcony cellar attic studio nursery garage bathroom")
ACTIVITIES = str.split(
    "hiking swimming painting chess yoga cooking pottery sailing climbing photography gardening running "
    "dancing knitting fishing astronomy"
)
DAYS = str.split("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
MONTHS = str.split("January February March April May June July August September October November December")

_SYLLABLES = str.split("ba ke lo mi nu ra se ti vo xa del fin gor hal jun kas mor pel ron tav")
BRANDS = ["".join(parts).capitalize() for parts in product(_SYLLABLES, repeat=3)][:5_000]
_ZIPF = list(accumulate(1 / rank for rank in range(1, len(BRANDS) + 1)))

TOLD = (
    "I am looking for a {adjective} {product} for the {room}, at most {number} euros.",
    "We went to {place} with {name} and stayed for {small} nights.",
    "My order of the {brand} {product} has not arrived yet, the number is {number}.",
    "{name} told me that {activity} is what keeps her going these days.",
    "The {product} from {brand} broke after {small} weeks, I want my money back.",
    "On {day} I have an appointment with {name} in {place}.",
    "I moved from {place} to {other} in {month}, for the new job.",
    "I would rather have the {adjective} one, the {other_adjective} {product} looks wrong in our {room}.",
    "My sister {name} is allergic to nuts, please keep that in mind.",
    "Since {month} I do {activity} every {day}, it helps me sleep.",
    "Did you see that {brand} sells a {adjective} {product} now?",
    "The rent in {place} went up to {number} a month, so we think about {other}.",
)
ANSWERED = (
    "The {adjective} {product} by {brand} costs {number} euros and would fit the {room}.",
    "I noted it: {name}, {day}, in {place}.",
    "There are {small} shops in {place} that have the {brand} {product} in stock.",
    "For {activity} I would suggest a {adjective} {product}, since you said it has to be {other_adjective}.",
    "Your order {number} left {place} on {day} and should arrive within {small} days.",
    "Last time you liked the {adjective} one that {name} showed you in {month}.",
)
ASKED = (
    "Which {adjective} {product} by {brand} did I want for the {room}?",
    "When did I go to {place} with {name}, before or after {other}?",
    "What is the number of my order of the {brand} {product}?",
    "Who told me about {activity} in {place}, was it {name}?",
    "What did {name} say about the {adjective} {product} from {brand}?",
    "What do I do on {day} with {name} besides {activity}?",
    "Where did I live before {place}, and what was the {product} there?",
    "Why did I not want the {other_adjective} {product} in the {room} in {month}?",
)


def _fill(luck: Random, template: str) -> str:
    return template.format(
        product=luck.choice(PRODUCTS),
        place=luck.choice(PLACES),
        other=luck.choice(PLACES),
        name=luck.choice(NAMES),
        adjective=luck.choice(ADJECTIVES),
        other_adjective=luck.choice(ADJECTIVES),
        room=luck.choice(ROOMS),
        activity=luck.choice(ACTIVITIES),
        day=luck.choice(DAYS),
        month=luck.choice(MONTHS),
        brand=luck.choices(BRANDS, cum_weights=_ZIPF)[0],
        number=luck.randrange(100, 100_000),
        small=luck.randrange(2, 20),
    )


def turns(luck: Random, count: int) -> Iterator[tuple[str, str]]:
    """The turns of a session, each with its role: the user and the assistant in turn."""
    for place in range(count):
        role, templates = ("assistant", ANSWERED) if place % 2 else ("user", TOLD)
        yield role, " ".join(_fill(luck, luck.choice(templates)) for _ in range(luck.randint(1, 3)))


def questions(luck: Random) -> Iterator[str]:
    """Questions without end, none of them twice."""
    asked: set[str] = set()
    while True:
        question = _fill(luck, luck.choice(ASKED))
        if question not in asked:
            asked.add(question)
            yield question


def vocabulary() -> dict[str, float]:
    """Every word that a text may hold, numbers aside, with its weight in the text's vector.

    What a text is about counts ten times as much as the words around it.
    """
    around = {word.strip(".,?:").lower() for told in (*TOLD, *ANSWERED, *ASKED) for word in told.split()}
    topics = (*PRODUCTS, *PLACES, *NAMES, *ADJECTIVES, *ROOMS, *ACTIVITIES, *DAYS, *MONTHS, *BRANDS)
    return dict.fromkeys(sorted(around), 0.1) | {word.lower(): 1.0 for word in topics}
