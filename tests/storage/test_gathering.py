"""What the one statement gathers, against a plain recomputation from the rows."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import pytest
from testbed import NOON, Bed, HashedWords

from recollect.core.indexing import spans
from recollect.core.model import Filter, Message, Note, Principal, Turns
from recollect.core.ports import Aim, Probe
from recollect.core.recall.candidates import Candidates
from recollect.core.text.tokens import tokenize
from recollect.core.text.traits import traits
from recollect.storage import gathering, memories

pytestmark = pytest.mark.anyio
WORDS = [f"word{place}" for place in range(30)]
ROWS = 120
ROLES = {"user": 1, "assistant": 2, "tool": 0}


@dataclass(frozen=True)
class Row:
    """A memory, as the test knows it."""

    id: UUID
    content: str
    session: str | None
    seq: int
    role: str | None = None

    @property
    def tokens(self) -> list[str]:
        return list(tokenize(self.content))


async def fill(bed: Bed, who: Principal, luck: random.Random) -> list[Row]:
    """Ann's turns and notes, with words of very different frequency; and Bob's, which are not in scope.

    A quarter of the notes is shared by the tenant.
    """
    texts = [" ".join(luck.choices(WORDS, weights=range(1, 31), k=luck.randint(1, 12))) for _ in range(ROWS)]
    texts = [text + luck.choice(["", "", "?", " yesterday", " 4 May 2023 and last week"]) for text in texts]
    rows = []
    for place, text in enumerate(texts[:80]):
        session = f"s{place % 7}"
        role = luck.choice(list(ROLES))
        (id_,) = (await bed.service.remember(who, Turns(session, [Message(text, role)], "ann"))).ids
        rows.append(Row(id_, text, session, place // 7 + 1, role))
    notes = [Note(text, user_id=luck.choice(["ann", "ann", "ann", None])) for text in texts[80:]]
    done = await bed.service.add(who, notes)
    rows += [Row(id_, text, None, 0) for id_, text in zip(done.ids, texts[80:], strict=True)]
    await bed.service.add(who, [Note(text, user_id="bob") for text in texts[:20]])
    return rows


async def gather(bed: Bed, who: Principal, query: str, depth: int) -> Candidates:
    tokens = tuple(dict.fromkeys(tokenize(query)))
    (vector,) = await HashedWords().embed([query])
    probe = Probe(Aim(bed.embeddings.model.id, vector), tokens, depth)
    async with bed.storage.transaction(who) as tx:
        return (await tx.gather(probe, Filter(user_id="ann"), NOON)).candidates


async def cosines(query: str, rows: list[Row]) -> dict[UUID, float]:
    vectors = await HashedWords().embed([query, *(row.content for row in rows)])
    halves = vectors.astype(np.float16).astype(np.float64)
    return {row.id: float(halves[0] @ half) for row, half in zip(rows, halves[1:], strict=True)}


@pytest.mark.parametrize("seed", range(3))
async def test_the_columns_are_those_of_the_rows(
    bed: Bed, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    luck = random.Random(seed)
    who = await bed.tenant("loft")
    rows = await fill(bed, who, luck)
    asked = [(" ".join(luck.sample(WORDS, 4)), depth) for depth in (1_000, 5, 20)]
    for page in (memories.PAGE, 20, 7):
        monkeypatch.setattr(memories, "PAGE", page)
        monkeypatch.setattr(gathering, "MOST_HELD", 2 * page)
        for query, depth in asked:
            tokens = list(dict.fromkeys(tokenize(query)))
            near = await cosines(query, rows)
            found = await gather(bed, who, query, depth)
            check_rows(found, rows, tokens, near)
            check_sessions(found, {row.id: row for row in rows})
            check_choice(found, rows, tokens, near, depth)


def check_rows(found: Candidates, rows: list[Row], tokens: list[str], near: dict[UUID, float]) -> None:
    """What each column says of each row, and what is said of them all."""
    by_id = {row.id: row for row in rows}
    assert found.total == ROWS
    assert found.mean_length == pytest.approx(np.mean([len(row.tokens) for row in rows]))
    assert found.holders.tolist() == [sum(token in row.tokens for row in rows) for token in tokens]
    assert len(set(found.ids)) == len(found.ids)
    for place, id_ in enumerate(found.ids):
        row = by_id[id_]
        counts = Counter(row.tokens)
        assert found.frequencies[place].tolist() == [counts[token] for token in tokens]
        assert found.lengths[place] == len(row.tokens)
        assert found.seqs[place] == row.seq
        assert found.dense[place] == pytest.approx(near[id_], abs=2e-3)
        assert np.isnan(found.window[place]) == (row.session is None)
        assert found.roles[place] == ROLES.get(row.role or "", 0)
        assert found.traits[place] == traits(row.content)
        told = found.mentions[found.mentioned_by == place]
        assert [tuple(each) for each in told.tolist()] == spans(row.content, NOON)
    assert found.mentioned_by.tolist() == sorted(found.mentioned_by)


def check_sessions(found: Candidates, by_id: dict[UUID, Row]) -> None:
    """One code a session, -1 for none, in the order of (session, seq)."""
    pairs = {(by_id[id_].session, int(code)) for id_, code in zip(found.ids, found.sessions, strict=True)}
    assert len(pairs) == len({session for session, _ in pairs}) == len({code for _, code in pairs})
    assert all((session is None) == (code == -1) for session, code in pairs)
    order = [(int(code), by_id[id_].seq) for id_, code in zip(found.ids, found.sessions, strict=True)]
    assert order == sorted(order)


def check_choice(
    found: Candidates, rows: list[Row], tokens: list[str], near: dict[UUID, float], depth: int
) -> None:
    """All of a small scope; of a large one the nearest, those with the rarest words, and the newest."""
    if depth >= len(rows):
        assert set(found.ids) == {row.id for row in rows}
        return
    holders = {token: sum(token in row.tokens for row in rows) for token in tokens}
    worth = {row.id: sum(1 / holders[token] for token in set(row.tokens) & set(tokens)) for row in rows}
    newest = sorted((row.id for row in rows), reverse=True)[:depth]
    assert set(newest) <= set(found.ids)
    for score, slack in ((near, 2e-3), (worth, 1e-9)):
        least = sorted(score.values(), reverse=True)[depth - 1]
        assert {id_ for id_, value in score.items() if value > least + slack and value > 0} <= set(found.ids)
    assert len(found.ids) <= 4 * depth


async def test_a_rare_word_is_found_in_a_scope_that_is_not_read_whole(bed: Bed) -> None:
    who = await bed.tenant("loft")
    (rare,) = (await bed.service.add(who, [Note("zygomorphic", user_id="ann")])).ids
    texts = [f"sofa number {place}" for place in range(50)]
    await bed.service.add(who, [Note(text, user_id="ann") for text in texts])
    found = await gather(bed, who, "sofa zygomorphic", 3)
    assert rare in found.ids
    assert found.total == 51
    held = [tokenize(text) for text in (*texts, "zygomorphic")]
    asked = dict.fromkeys(tokenize("sofa zygomorphic"))
    assert found.holders.tolist() == [sum(token in tokens for tokens in held) for token in asked]


async def test_a_query_without_words_and_an_empty_scope_are_answered(bed: Bed) -> None:
    who = await bed.tenant("loft")
    assert len(await gather(bed, who, "sofa", 10)) == 0
    await bed.service.add(who, [Note("a sofa", user_id="ann")])
    found = await gather(bed, who, "…", 10)
    assert (len(found), found.frequencies.shape) == (1, (1, 0))


async def test_names_that_were_heard_since_the_last_recall_count_at_once(bed: Bed) -> None:
    who = await bed.tenant("loft")
    scope = Filter(user_id="ann")
    turns = Turns("s", [Message("Zoe likes the sofa", name="Bea"), Message("And the lamp?")], "ann")
    await bed.service.remember(who, turns)
    asker, other = (type(bed.service)(bed.storage, bed.embeddings, bed.clock) for _ in range(2))
    before = await asker.recall(who, "Zoe sofa", scope)
    await other.remember(who, Turns("t", [Message("I do", name="Zoe")], "ann"))
    after = await asker.recall(who, "Zoe sofa", scope)
    assert after == await bed.service.recall(who, "Zoe sofa", scope)
    assert before[0].similarity != after[0].similarity  # "Zoe" is a participant's name now, and not compared
    await other.forget_user(who, "ann")
    assert not await asker.recall(who, "Zoe sofa", scope)
