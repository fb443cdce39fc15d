"""In which of the two languages does a page speak?

Korean strings are the source; English is a translation with the same keys. What comes from the log is not
translated: it is shown in the language in which it was recorded, and marked as such.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from api.portal.catalogue_words import FIELD_WORDS, TYPE_WORDS, VALUE_WORDS
from api.portal.check_words import CHECK_WORDS
from api.portal.words import WORDS

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHARED = frozenset(
    {
        "holds",
        "broken",
        "limit",
        "unit_thousand",
        "provenance",
        "printed",
        "derived",
        "illustrative",
        "synthetic",
        "actual",
    }
)


@dataclass(frozen=True)
class Language:
    """A language of the pages: `code` for `lang=`, `prefix` before every page's path."""

    code: str
    prefix: str
    place: int

    def say(self, key: str, /, **values: object) -> Markup:
        """A phrase of the pages; the phrases are ours, the values that stand in them are escaped.

        Raises:
            KeyError: a template names a phrase that does not exist.
        """
        return Markup(WORDS[key][self.place]).format(**values)  # noqa: S704 - no phrase holds markup (tested)

    def check_phrases(self) -> dict[str, str]:
        """The phrases that a script of the page says, with their places left open: the script fills them."""
        shared = {key: words for key, words in WORDS.items() if key in _SHARED or key.startswith("col_")}
        return {key: words[self.place] for key, words in (shared | dict(CHECK_WORDS)).items()}

    def type_name(self, event_type: str) -> str:
        """What a type of event is called."""
        return self._word(TYPE_WORDS, event_type)

    def field_name(self, field: str) -> str:
        """What a field of an event is called."""
        return self._word(FIELD_WORDS, field)

    def value_name(self, value: str) -> str:
        """What a coded value means; text that is no code stays as it is."""
        return self._word(VALUE_WORDS, value)

    def _word(self, words: Mapping[str, tuple[str, str]], key: str) -> str:
        found = words.get(key)
        return key if found is None else found[self.place]


KOREAN = Language("ko", "", 0)
ENGLISH = Language("en", "/en", 1)
