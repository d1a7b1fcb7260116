"""Where texts become renderings: what is kept and still holds is taken, the rest is made anew."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from blog.content import problems
from blog.content.cores import Cores
from blog.content.manuscripts import Manuscript
from blog.content.markup import Text
from blog.content.problems import Malformed
from blog.content.progress import Progress
from blog.content.references import Shelf
from blog.content.renderings import Kept, Renderings
from blog.content.values import Problem, Prose
from blog.content.witness import Made, still_holds
from blog.errors import BlogError


@dataclass(frozen=True)
class Workshop:
    """Makes renderings with one shelf; `read_again` gives the text of a manuscript that has let go of it."""

    shelf: Shelf
    renderings: Renderings
    read_again: Callable[[Manuscript], Text]
    cores: Cores

    def render(
        self,
        manuscripts: Sequence[Manuscript],
        before: Mapping[str, Kept],
        progress: Progress | None,
        *,
        same_shelf: bool,
    ) -> dict[str, Kept | Problem]:
        """Return what comes of each manuscript, by source; what holds since `before` is not made again."""
        found: dict[str, Kept | Problem] = {}
        texts: dict[str, Text] = {}
        for item in manuscripts:
            known = before.get(item.source)
            kept = known if known and known.name == item.rendering else self.renderings.find(item.rendering)
            unmoved = same_shelf and kept is known
            if kept and still_holds(kept.notes, self.shelf, item.source, same_shelf=unmoved):
                found[item.source] = kept
                continue
            try:
                texts[item.rendering] = item.text or self.read_again(item)
            except Malformed as mistake:
                found[item.source] = mistake.problem
        made = self.cores.make_all(list(texts.values()), self.shelf, self.renderings.make)
        for number, ((name, text), outcome) in enumerate(zip(texts.items(), made, strict=True), start=1):
            found[text.source] = self._kept(name, outcome)
            if progress:
                progress(number, len(texts))
        return found

    def prose(self, manuscript: Manuscript, kept: Kept) -> Prose:
        """Return the long part of a rendering; one that has been lost since is made once more."""
        found = self.renderings.prose(kept)
        if found:
            return found
        try:
            outcome = self.renderings.make(self.read_again(manuscript), self.shelf)
        except Malformed as mistake:
            raise BlogError(problems.line(mistake.problem)) from None
        again = self._kept(kept.name, outcome)
        found = (
            self.renderings.prose(again) if isinstance(again, Kept) and again.digest == kept.digest else None
        )
        if found is None:
            raise BlogError(f"{manuscript.source} was changed while it was read; run blog sync again")
        return found

    def _kept(self, name: str, outcome: Kept | Made) -> Kept | Problem:
        if isinstance(outcome, Kept):
            return outcome
        if isinstance(outcome.outcome, Problem):
            return outcome.outcome
        return self.renderings.hold(name, outcome, outcome.outcome)
