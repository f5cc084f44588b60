"""Which language a text is in, as far as its words' forms depend on it: told by its commonest words.

Only what is written in Latin letters needs telling; the other scripts tell themselves.
"""

from __future__ import annotations

import re
from enum import IntEnum

STOP_WORDS = frozenset(
    str.split(
        """
    a about above after again against all am an and any are aren't as at be because been before being below
    between both but by can can't cannot could couldn't did didn't do does doesn't doing don't down during
    each few for from further had hadn't has hasn't have haven't having he her here hers herself him himself
    his how i if in into is isn't it its itself just let me more most mustn't my myself no nor not now of off
    on once only or other ought our ours ourselves out over own same shan't she should shouldn't so some such
    than that the their theirs them themselves then there these they this those through to too under until up
    very was wasn't we were weren't what when where which while who whom why will with won't would wouldn't
    you your yours yourself yourselves
    """
    )
)
"""English ones."""

# English stop words that other languages write too, each with a meaning of its own.
_SHARED = frozenset(
    str.split(
        "all am an are as at be by can do for had has he her i in is me no of on once over so to under was "
        "we were will"
    )
)
_CONTRACTIONS = frozenset(
    str.split(
        "he's i'd i'll i'm i've it'd it'll it's let's she's that's there's they'd they'll they're they've "
        "we'd we'll we're we've what's where's who's you'd you'll you're you've"
    )
)

# English words of everyday life: a short note has no others. None is a common word of another language.
_EVERYDAY = frozenset(
    str.split(
        """
    address afternoon agree airport allergic already always amazing angry anniversary answer anything
    apartment apple asleep away awesome backyard balcony basement bathroom bathtub beach beautiful bedroom
    better bicycle bigger bird birthday black blue book bookshelf bored bought boy bread breakfast bridge
    bright broken brother brought brown build building built busy buy came candle carpet ceiling cheap
    cheaper cheese chicken child childhood children church classroom clean climb clothes cloud coffee cold
    colleague cook cookie cotton cough crazy cupboard curtain customer cycling daughter death decided
    delicious delivery dentist dining dinner dishwasher dislikes doctor downstairs dream drive driver
    driveway drove dryer early earn earring easy eight eighteen eighty eleven employee empty enjoy enough
    equipment evening every everyone everything exactly exciting expensive eye fabric faith family farm
    father favorite favourite feel fence fifteen fifty finish fireplace first fishing five flight floor
    flour flower food forget forgot forty found four fourteen freezer fresh friday fridge friend front
    frozen funny furniture girl girlfriend glasses going gone good goodbye grandfather grandma grandmother
    grandpa grandson green grey grocery guess guest guitar gym hair haircut happen happy hates health
    healthy hear heard heart heat heating heavy hello help high hike hiking holiday honest honey horse
    hour house hundred hungry husband interesting invoice jewelry joke jump keep key keyboard kitchen knee
    knew knife know landlord language laugh laundry lawn lawyer learn leather leave left lesson library
    likes listen little living loan lonely look lost loud lovely loves luck lucky lunch mailbox married
    maybe meal meat medicine milk mirror monday money month moon morning mother mountain mouth movie much
    mushroom neck necklace need needs neighbor neighborhood neighbour neighbourhood nephew never new nice
    niece night nine nineteen ninety nobody noise north nothing number nurse often okay old older onion
    owner paid paint painting pants password payment peanut people pepper perhaps picture pillow play
    please plenty pocket poor potato pottery prefers pregnant price probably proud puppy purple purse
    quick quiet rabbit rain raincoat rainy read ready really repair right river road room roommate runner
    running said sandwich saturday save scary seat seem seen sell send serious seven seventeen seventy
    sewing shade share sharp shelf shell ship shirt shoe short shoulder shower shy side since singing
    sister sixteen sixty sleep slow small smaller smell smoke soap soccer sock someone something sometimes
    soon sorry south speak spend spicy spoon spring stairs stay store strawberry street strong study stuff
    sugar sunday sunny sure sweater sweet swim swimming teach teacher teeth tell thank thanks thing think
    third thirteen thirty thought thousand three thursday tired today together told tomorrow tonight took
    tooth toothbrush towel town tree truck true tuesday turkey twelve twenty twice two uncle understand
    upstairs usually vegetable vegetarian wait walk wallet wants wardrobe warranty wash washer watch wear
    weather wedding wednesday weird welcome well went wheel white wife window woman women wonderful wood
    wooden wool work worked working world worried worry worse worth write wrong wrote yard yeah year
    yellow yes yesterday young
    """
    )
)

# The commonest words of the languages that change a word at its end, folded; none that English has too.
_SUFFIXING = (
    frozenset(
        str.split(
            """
    aber auch auf aus bei das dass dem der des ein eine einem einen einer es fur haben habe ich ihr ist mein
    meine meinem meinen meiner mit nach nicht sie sind uber und unser unsere von wann welche welcher welches
    wer wie wir wo zu zum zur
    aan dat deze geen hebben heb heeft het hun ik je maar mijn naar niet ook onze uit voor waar wat welk welke
    wie wanneer ze zijn
    ar att av det du efter ett han har hon hur inte jag jeg kan med mig min mitt mina nar och ocksa pa som vad
    vara vem vi vilka vilken vilket vores var af er hvad hvem hvilken hvor ikke og
    au aux avec c'est ce cette dans de du elle en est et il j'ai je la le les leur ma mes mon nos notre nous
    ou pas plus qu que quel quelle quelles quels qui sa ses sur un une vos votre vous
    como con cual cuando del donde el esta estan ha han lo los las mi mis muy nuestra nuestro para pero por
    quien se su sus tu una unos unas y
    ao aos as com da das dos e em esta foi isso mais meu meus minha minhas na nao nas nos o onde os ou pela
    pelo quais qual quando quem sao seu sua uma um
    alla alle che chi da dal dei della delle di dove gli io mia mie mio nel nella nostra nostro per quale
    quali quando questo sono sul sulla
    ale am care ce cu din este fost iar in la lui mea mei meu nu pe pentru sa sunt unde unei unui va
    czy dla gdzie jak jest kiedy kto ktora ktore ktory moj moja moje mojej mojemu nasz nasza nie od po przez
    sie w z za ze
    jako jsem jsou kde kdo kdy ktera kterou kterych muj nase pri ve
    ei etta ja ketka kuka kun mika mita mitka missa milla milloin minun myos ne niin on oli olen ovat se taman
    tai
    az de egy es hogy hol hova ki meg melyik mikor mit most nem vagy
    bir bu cok daha gibi hangi icin ile kim mi nasil ne nerede ve
    anh cac cho cua co duoc khong la mot nao nhung o toi trong va
    """
        )
    )
    - STOP_WORDS
    - frozenset(["ale", "ha", "han", "kan", "ma", "min", "per", "pas"])
)

# The commonest words of languages that change a word at its front: Swahili, Indonesian, Malay, Tagalog.
_PREFIXING = (
    frozenset(
        str.split(
            """
    cha gani hii kama kila kuhusu kwa lakini lini nani ni nini sana vya wa wako wangu wapi yake yako yangu
    yetu zake zangu zetu
    adalah akan apa dari dengan ini itu kami kapan ke kita mana mereka pada saya siapa sudah tidak untuk yang
    ako ang ay ito ko mga mo ng sa siya
    """
        )
    )
    - _SUFFIXING
)

_READ = 2_000
_WORD = re.compile("[a-z']+")


class Reading(IntEnum):
    """How words in Latin letters are taken: by their English stems, or by their letters as well."""

    ENGLISH = 0
    UNSURE = 1
    SUFFIXING = 2
    PREFIXING = 3


_VOTES = (
    dict.fromkeys(_SHARED, "?")
    | dict.fromkeys((f"{word}s" for word in _EVERYDAY), "e")
    | dict.fromkeys((STOP_WORDS | _CONTRACTIONS | _EVERYDAY) - _SHARED - {"a"}, "e")
    | dict.fromkeys(_PREFIXING, "p")
    | dict.fromkeys(_SUFFIXING, "s")
    | dict.fromkeys(_PREFIXING & _SUFFIXING, "x")
)

DROPPED: dict[Reading, frozenset[str]] = {
    Reading.ENGLISH: STOP_WORDS,
    Reading.UNSURE: STOP_WORDS,
    Reading.SUFFIXING: _SUFFIXING,
    Reading.PREFIXING: _PREFIXING,
}
"""The words that say nothing, by the reading of their text."""


def read(folded: str) -> Reading:
    """How to take the words of a folded text: as the language whose commonest words it has most of.

    >>> read("where did we leave the bicycles?").name, read("wo sind die fahrrader?").name
    ('ENGLISH', 'SUFFIXING')
    >>> read("grey sofa, leather").name, read("Lisboa 2024").name
    ('ENGLISH', 'UNSURE')
    """
    votes = [_VOTES[word] for word in set(_WORD.findall(folded[:_READ])) if word in _VOTES]
    english, shared, suffixing, prefixing, foreign = map(votes.count, "e?spx")
    if english >= suffixing + prefixing + foreign:
        return Reading.ENGLISH if english or shared > 1 else Reading.UNSURE
    if suffixing == prefixing:
        return Reading.UNSURE
    return Reading.SUFFIXING if suffixing > prefixing else Reading.PREFIXING
