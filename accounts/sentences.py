"""Database columns of sentences that each reader reads in their own language. See `graph.sentences`."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db import models

from graph import sentences


class _InEnglish:
    """A column that stores a sentence in English, whatever language the page speaks that wrote it."""

    def get_prep_value(self, value: Any) -> Any:
        return super().get_prep_value(sentences.english(value) if isinstance(value, str) else value)


class ShortSentence(_InEnglish, models.CharField):
    pass


class LongSentence(_InEnglish, models.TextField):
    pass


class MadeOf(models.JSONField):
    """Of what the sentence in the column beside it is made; empty for text that is the same in every language."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"default": dict, "db_default": {}, "editable": False, **options})


class Said(models.Model):
    """A row whose sentences come back in the language of who reads it."""

    SAID: ClassVar[dict[str, str]]  # column of a sentence: column of what it is made of

    class Meta:
        abstract = True

    @classmethod
    def from_db(cls, db: str, field_names: Sequence[str], values: Sequence[Any]) -> "Said":
        row = super().from_db(db, field_names, values)
        for text, made in cls.SAID.items():
            if (loaded := row.__dict__).get(made) and text in loaded:
                setattr(row, text, sentences.read(loaded[text], loaded[made]))
        return row
