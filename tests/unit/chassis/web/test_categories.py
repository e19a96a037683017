"""Every category of every measure is in words for people, and no two of a breakdown in the same ones."""

import re
from collections import defaultdict

import pytest

from contracts.cells import CATEGORIES
from contracts.rejections import Reason
from services.chassis.web.categories import category_label, headed_label, plain

REFUSALS = {f"reason={reason}" for reason in Reason}
"""The label of a reason of refusal says how to correct the event, so its code is what is in words here."""

UNIT = re.compile(r"\b(hours|days?|weeks|months?|years?)\b")


@pytest.mark.parametrize("measure", sorted(CATEGORIES))
def test_every_category_is_in_words_that_are_not_its_code(measure: str) -> None:
    said = defaultdict(list)
    for category in CATEGORIES[measure] - {""} - REFUSALS:
        dimension, _, code = category.partition("=")
        label, headed = category_label(category), headed_label(category)
        assert not set("_=.") & set(headed), category
        assert headed.endswith(label)
        if dimension.endswith(("band", "level")) and dimension != "age_band":
            assert UNIT.search(label), category
            assert label.partition(" ")[0] not in {"To", plain(code)}, category
        said[dimension, label].append(category)
    assert [several for several in said.values() if len(several) > 1] == []
