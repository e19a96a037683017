"""How risk and outcomes changed: from the first statement to the last, whatever stands between and in whatever order they came."""

from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from contracts.codes import OutcomeDomain, OutcomeStage, RiskLevel
from contracts.events import AssessmentCompleted, OutcomeMeasured
from services.orders.rules import risk_change, score_changes

LEVELS = list(RiskLevel)
DAYS = st.integers(1, 5).map(lambda day: date(2025, 3, day))
assessments = st.lists(
    st.builds(
        lambda ref, day, level: AssessmentCompleted(
            ref=ref, completed_on=day, tool="LS/CMI", level=level, rule_version="1", overridden=False
        ),
        st.text("abc", min_size=1, max_size=2),
        DAYS,
        st.sampled_from(LEVELS),
    ),
    max_size=6,
    unique_by=lambda one: one.ref,
)
measures = st.lists(
    st.builds(
        lambda ref, day, domain, score: OutcomeMeasured(
            ref=ref, measured_on=day, stage=OutcomeStage.START, domain=domain, score=score, tool="star"
        ),
        st.text("abc", min_size=1, max_size=2),
        DAYS,
        st.sampled_from([OutcomeDomain.FINANCE, OutcomeDomain.DRUGS]),
        st.integers(0, 10),
    ),
    max_size=8,
    unique_by=lambda one: one.ref,
)


def named(better: int) -> str:
    return {True: "improved", False: "worse"}[better > 0] if better else "same"


@given(assessments, st.randoms(use_true_random=False))
def test_risk_changed_from_the_first_assessment_to_the_last(found: list[AssessmentCompleted], chance: Any) -> None:
    first = min(found, key=lambda one: (one.completed_on, one.ref), default=None)
    last = max(found, key=lambda one: (one.completed_on, one.ref), default=None)
    chance.shuffle(found)
    if first is None or last is None or first is last:
        assert risk_change(found) is None
    else:
        better = LEVELS.index(first.level) - LEVELS.index(last.level)
        assert risk_change(found) == (last.completed_on, named(better))


@given(measures, st.randoms(use_true_random=False))
def test_the_score_of_each_domain_changed_from_its_first_measure_to_its_last(
    found: list[OutcomeMeasured], chance: Any
) -> None:
    wanted = []
    for domain in sorted({one.domain for one in found}):
        own = [one for one in found if one.domain is domain]
        first, last = (end(own, key=lambda one: (one.measured_on, one.ref)) for end in (min, max))
        if first is not last:
            wanted.append((last.measured_on, domain, named(last.score - first.score)))
    chance.shuffle(found)
    assert score_changes(found) == wanted
