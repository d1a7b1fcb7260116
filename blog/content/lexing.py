"""Pygments' lexers with the rules of a state tried at once.

The library tries them one after the other, some twenty-five for each token. Here neighbours among them are
one expression, in their order, with an empty group behind each that tells which one matched: the same tokens
with less work.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import groupby
from typing import Any, NamedTuple

from pygments.lexer import Lexer, RegexLexer
from pygments.token import Error, Whitespace, _TokenType

#: How a rule matches, what it gives and where it leads, as the library keeps it.
Rule = tuple[Any, Any, Any]

#: What would mean something else among others: groups by number or name, flags for a whole expression.
_BY_ITSELF = re.compile(r"\\[1-9]|\(\?(?:P|\(|[aiLmsux]+\))")


class _Joined(NamedTuple):
    match: Callable[[str, int], "re.Match[str] | None"]
    #: The rule that matched, by the last group that did; what is not joined has one alone.
    rules: dict[int | None, Rule]
    alone: Rule | None


def quick(lexer: Lexer) -> Lexer:
    """Return a lexer that finds its tokens in less time, if it is of the usual kind."""
    if type(lexer).get_tokens_unprocessed is not RegexLexer.get_tokens_unprocessed:
        return lexer

    @cache
    def rules(state: str) -> list[_Joined]:
        return list(_joined(lexer._tokens[state]))  # type: ignore[attr-defined]

    def found(text: str, stack: Sequence[str] = ("root",)) -> Iterator[tuple[int, Any, str]]:
        return _found(lexer, rules, text, list(stack))

    lexer.get_tokens_unprocessed = found  # type: ignore[method-assign]
    return lexer


def _joined(rules: Sequence[Rule]) -> Iterator[_Joined]:
    for flags, neighbours in groupby(rules, _kind):
        several = list(neighbours)
        if flags is None or len(several) == 1:
            yield from (_Joined(rule[0], {}, rule) for rule in several)
            continue
        patterns = [rule[0].__self__ for rule in several]
        ends, group = {}, 0
        for pattern, rule in zip(patterns, several, strict=True):
            group += pattern.groups + 1
            ends[group] = rule
        whole = "|".join(f"(?:{pattern.pattern})()" for pattern in patterns)
        yield _Joined(re.compile(whole, flags).match, ends, None)


def _kind(rule: Rule) -> int | None:
    """Return the flags of a rule that can be joined with others that have the same."""
    pattern = getattr(rule[0], "__self__", None)
    if not isinstance(pattern, re.Pattern) or pattern.flags & re.VERBOSE:
        return None
    return None if _BY_ITSELF.search(pattern.pattern) else int(pattern.flags)


def _found(
    lexer: Lexer, rules: Callable[[str], list[_Joined]], text: str, stack: list[str]
) -> Iterator[tuple[int, Any, str]]:
    # The library's loop, but for the way to the rule.
    place, state = 0, rules(stack[-1])
    while True:
        for joined in state:
            found = joined.match(text, place)
            if found:
                break
        else:
            if place >= len(text):
                return
            kind = Whitespace if text[place] == "\n" else Error
            if kind is Whitespace:
                stack, state = ["root"], rules("root")
            yield place, kind, text[place]
            place += 1
            continue
        own, action, leads = joined.alone or joined.rules[found.lastindex]
        if type(action) is _TokenType:
            yield place, action, found.group()
        elif action is not None:
            yield from action(lexer, found if joined.alone else own(text, place))
        place = found.end()
        if leads is not None:
            _go(stack, leads)
            state = rules(stack[-1])


def _go(stack: list[str], leads: Any) -> None:
    """Change the stack of states; the lowest one stays."""
    if isinstance(leads, int):
        del stack[max(1, len(stack) + leads) :]
        return
    for state in leads if isinstance(leads, tuple) else (leads,):
        if state != "#pop":
            stack.append(stack[-1] if state == "#push" else state)
        elif len(stack) > 1:
            stack.pop()
