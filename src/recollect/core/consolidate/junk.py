"""What stands in a turn and was not told by its speaker: it is blanked out before anybody reads on.

Of ten thousand facts that a memory of this kind had collected, 98 in a hundred were boiler-plate, tool noise
and its own recalled text. So code, logs, markup, quotations, pasted documents, prompts for machines, stories
and what Recollect itself put into a prompt are not read.
"""

from __future__ import annotations

import re

LONGEST = 6_000
"""So many characters of a turn are read."""

_BLANK = re.compile(r"\s{3,}(?=\S)(?!at )|\s{9,}")
_FENCE = re.compile(
    r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|<remembered>.*?(?:</remembered>|\Z)"
    r"|<(?P<tag>script|style|pre|code|system|context|document|tool_result|function_results|html|svg|table)"
    r"\b[^>\n]{0,200}>.*?(?:</(?P=tag)>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_REMEMBERED = re.compile(r"<remembered>.*?(?:</remembered>|\Z)", re.DOTALL | re.IGNORECASE)
_OURS = re.compile(
    r"What is remembered from earlier stands between [^\n]*"
    r"|^[^\n]{0,200}:\n(?=\[m\d)|^\[m\d{1,4}\] [^\n]*",
    re.MULTILINE,
)
_NOISE = re.compile(
    r"""^[ \t]*(?:
      >                                                             # what an e-mail answers
    | [{}\[\]]|["'][\w -]{1,40}["']\s*:|[\w.-]{1,40}\s*[:=]\s*[{\["'] # JSON and the like
    | </?[a-z!][^>\n]{0,200}>                                       # markup
    | \|.*\||[-=_*#]{3,}\s*$|[+-]{3}\s|@@\s|diff\s--git             # tables, rules, diffs
    | Traceback\b|File\s"|\s+at\s[\w$.<>]{1,80}\(|Caused\sby:|\w{2,40}(?:Error|Exception)\b(?::|$)
    | \[?\d{4}-\d\d-\d\d[T\s]\d\d:\d\d|\[?(?:DEBUG|INFO|WARN(?:ING)?|ERROR|FATAL|TRACE)\]?[\s:]
    | (?:def|class|import|from\s\S+\simport|return|const|let|var|function|public|private|static|async\sdef
       |SELECT|INSERT|UPDATE|CREATE|ALTER|DELETE\sFROM|\#include|package|using|void|int|elif|else:|try:
       |except|print\(|console\.|git|pip|npm|sudo|docker|curl|\$|>>>)(?=[\s(:]).*?[(){};=:]
    | (?:GET|POST|PUT|PATCH|DELETE|HTTP/\d)\s
    | (?:From|To|Cc|Bcc|Sent|Date|Subject|Reply-To|Content-Type|Message-ID):\s
    | On\s.{5,80}\swrote:$
    ).*$""",
    re.VERBOSE | re.MULTILINE,
)
_TRACE = re.compile(r"^[ \t]*Traceback [^\n]*\n(?:[ \t]+[^\n]*(?:\n|\Z))*", re.MULTILINE)
_LETTER = re.compile(r"^[ \t]*(?:From|Subject): [^\n]*(?:\n.*|\Z)", re.MULTILINE | re.DOTALL)
_FOOTER = re.compile(
    r"^[ \t]*(?:--[ \t]*$|[-_]{5,}|Sent from my |Get Outlook for|(?:kind |best |warm )?regards,?[ \t]*$"
    r"|(?:sincerely|cheers|yours (?:truly|faithfully|sincerely)|many thanks|best wishes|best),[ \t]*$"
    r"|(?:This (?:e-?mail|message)|The information (?:contained )?in this|CONFIDENTIAL)|Unsubscribe\b"
    r"|-+ ?(?:Original|Forwarded) message).*",
    re.DOTALL | re.MULTILINE | re.IGNORECASE,
)
_QUOTED = re.compile(
    r"\"[^\"\n]{2,600}\"|“[^”\n]{2,600}”|«[^»\n]{2,600}»|(?<![\w'])'(?=\w+ )[^'\n]{8,600}'(?!\w)"
)
_CODE = re.compile(
    r"`[^`\n]{1,300}`|https?://\S{1,400}|\{[^{}\n]{1,400}:[^{}\n]{1,400}\}|</?[a-z][^<>\n]{0,200}>"
)
_PROMPT = re.compile(
    r"\A\W*(?:system(?: prompt| message)?\s*:|\[(?:system|inst)\]|<\|?\w+\|?>|\#{1,3} "
    r"?(?:instruction|system|role)"
    r"|you are (?:now )?(?:an?|the|my|our|acting|going to (?:act|be|play))\b(?! (?:right|great|star"
    r"|legend|life))"
    r"|(?:your (?:task|role|job|goal|name) is|act as|behave as|pretend|imagine|role-?play|let's "
    r"(?:role-?play|pretend)"
    r"|suppose|hypothetically|assume (?:that|you|the)|in this (?:story|scenario|game|role)|as an ai\b)"
    r"|ignore (?:all|the|any|previous)|once upon a time|chapter \w+|scene \d)",
    re.IGNORECASE,
)
_ROLE = re.compile(
    r"\b(?:you are (?:an? |the )?(?:\w+ ){0,4}(?:assistant|chatbot|bot|agent|language model|ai)\b"
    r"|do not reveal (?:these|this|the)|respond only (?:with|in)|output (?:format|only)|knowledge cut-?off)",
    re.IGNORECASE,
)
_PASTED = re.compile(
    r"(?:(?:^|(?<=[.!?\n] )|(?<=please )|(?<=can you )|(?<=could you )|(?<=help me )|(?<=you to "
    r"))(?:translate|summari[sz]e|proofread|rewrite|rephrase|paraphrase|correct|edit|improve|polish"
    r"|review|check"
    r"|analy[sz]e|explain|shorten|classify|extract|fix|debug|grade|critique|score|continue|finish"
    r"|complete|reply to"
    r"|respond to|look at|read)\b[^.?!\n]{0,120}[:\n]"
    r"|\b(?:write|draft|compose|create|make up|tell|give|generate|invent|act out|come up "
    r"with)\b[^.?!\n]{0,80}?"
    r"\b(?:story|stories|poem|script|dialogue|dialog|scene|novel|song|lyrics|essay|letter|speech|bio|e-?mail"
    r"|message|text|tweet|post|reply|review|monologue|character|sample|example|persona|joke|ad|article"
    r"|cover letter|limerick|haiku|fable|fairy tale|caption)\b[^:\n]{0,120}[:\n]?"
    r"|\bhere(?:'s| is| are) (?:the|my|an?|some|what)\b[^.?!\n]{0,60}"
    r"\b(?:text|paragraph|code|e-?mail|article|document|log|logs|draft|essay|transcript|excerpt|passage|story"
    r"|error|output|message|letter|poem|snippet|file|config|readme|stack ?trace|notes)\b[^.?!\n]{0,40}[:\n]"
    r"|\b(?:my|the|our|this) (?:character|protagonist|hero|heroine|narrator|persona|novel|story|villain)\b"
    r"|\bin (?:my|the|our|this) (?:story|novel|book|dream|game|movie|film|play|role-?play|screenplay)\b)",
    re.IGNORECASE | re.MULTILINE,
)
_IRONY = re.compile(
    r"\b(?:oh,? (?:great|joy|sure)|just love (?:it when|waiting|being|having to|how))\b|(?<!\w)/s\b"
    r"|\byeah,? right\b|\bjust kidding\b|\bjk\b|\b(?:not!|joking)\B|\blol,? no\b",
    re.IGNORECASE,
)
_STAGE = re.compile(
    r"(?<![\w*])\*[^*\n]{2,80}\*(?![\w*])|\([^()\n]{0,6}(?:laughs|sighs|smiles)[^()\n]{0,20}\)"
)
_LISTED = re.compile(r"^[ \t]*(?:[-*•]|\d{1,2}[.)])\s+.*$", re.MULTILINE)


def spoken(text: str, repeated: frozenset[str] = frozenset()) -> str:
    r"""What the speaker says in their own words; the rest is gone, and what was before it stays.

    `repeated`: sentences that our own answers put there, folded by `folded`; a line that is one of them is
    gone too. Time is linear in LONGEST.

    >>> spoken("I use Python.\n```\nname = 'x'\n```\nIt's version 3.12.").split()
    ['I', 'use', 'Python.', "It's", 'version', '3.12.']
    >>> spoken("You are a helpful assistant. The user's name is Ann.")
    ''
    """
    text = _LETTER.sub("", _TRACE.sub("\n", text[:LONGEST]))
    text = _BLANK.sub(lambda blank: "\n\n" if "\n" in blank[0] else "  ", text)
    if _PROMPT.match(text) or _IRONY.search(text):
        return ""
    text = _FENCE.sub("\n", text)
    if _ROLE.search(text):
        return ""
    text = _OURS.sub("", text)
    pasted = _PASTED.search(text)
    if pasted:
        text = _before(text, pasted.start())
    text = _FOOTER.sub("", text)
    text = _NOISE.sub("", text)
    if len(_LISTED.findall(text)) > 2:
        text = _LISTED.sub("", text)
    text = _CODE.sub(" it ", _STAGE.sub("", text))
    if repeated:
        text = "\n".join(line for line in text.split("\n") if folded(line) not in repeated)
    return text


def folded(text: str) -> str:
    """A sentence as it is compared: its words in lower case."""
    return " ".join(re.findall(r"\w+", text.lower()))


def unrecalled(text: str) -> str:
    r"""A text without what was remembered when it was said, and is quoted in it.

    >>> unrecalled("Of course!\nSince 2026-05-18:\n[m1] Likes oak.")
    'Of course!\n'
    """
    return _OURS.sub("", _REMEMBERED.sub("", text))


def ours(text: str) -> frozenset[str]:
    """The lines, and their sentences, that a prompt got from what is remembered, folded."""
    found: set[str] = set()
    for fence in re.findall(r"<remembered>(.*?)(?:</remembered>|\Z)", text[: 8 * LONGEST], re.DOTALL):
        for line in fence.split("\n"):
            said = re.sub(r"^\[m\d+\] (?:.{0,100}?: )?", "", line)
            found.update(map(folded, (line, said, *re.split(r"(?<=[.!?])\s", said))))
    return frozenset(found - {""})


def unquoted(text: str) -> str:
    """The text without its quotations, as long as it was; quotation marks about a word or two go alone."""
    return _QUOTED.sub(_unquoted, text)


def _unquoted(quoted: re.Match[str]) -> str:
    inside = quoted[0][1:-1]
    return f" {inside} " if len(inside.split()) < 3 and inside[-1:].isalnum() else "¤" * len(quoted[0])


def _before(text: str, place: int) -> str:
    """The whole sentences before a place."""
    ends = [text.rfind(mark, 0, place) for mark in (". ", "! ", "? ", "\n")]
    return text[: max(ends) + 1]
