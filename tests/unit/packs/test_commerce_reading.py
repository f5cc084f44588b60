"""What the furniture retailer's rules read."""

from __future__ import annotations

from functools import cache

from recollect.core.cases import Judged, Score, judge
from recollect.core.consolidate.attributes import read_vocabulary
from recollect.core.manifest import read_pack


@cache
def judged() -> list[Judged]:
    pack = read_pack("recollect.packs.commerce")
    return judge(pack, read_vocabulary(pack.rules))


def test_what_the_rules_were_made_with_is_read_rightly() -> None:
    known = [one for one in judged() if not one.case.held]
    assert len(known) == 41
    assert {one.case.says: (one.wrong, one.missed) for one in known if one.wrong or one.missed} == {}


def test_what_they_were_not_made_with_is_read_rightly_more_often_than_not() -> None:
    score = Score.of([one for one in judged() if one.case.held])
    assert score.cases == 30
    assert score.precision >= 0.85
    assert score.recall >= 0.8
