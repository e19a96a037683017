"""No word is taken for a code that says the opposite, and a word that only resembles a code's is asked about."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.codes import Attendance, Code, Employment, EndReason, WorkType
from services.connect.extracts.cells import plain
from services.connect.form.answering import answered
from services.connect.form.model import OPEN
from services.connect.form.showing import form_of
from services.connect.form.tables import Remarks, Tree
from services.connect.form.uses import labels_of, uses_of
from services.connect.mapping.likeness import asked_about, means, spoken
from services.connect.mapping.opposites import opposed
from services.connect.mapping.seen import Seen, Sheet
from services.connect.mapping.suggest import nearest
from services.connect.mapping.transforms import code_in, words_of
from services.connect.mapping.words import OTHER_WORDS
from services.connect.template import built_in
from tests.support.generated.thorough import TURN, examples, turns

USES = uses_of(labels_of(built_in()))
KINDS = [kind for kind in Code.__subclasses__() if kind.__module__ == "contracts.codes"]
DENIALS = ("not {}", "Not {}", "{} - not", "never {}", "no {}", "un{}", "non-{}", "in{}", "dis{}", "wasn't {}")


def phrases(kind: type[Code]) -> list[tuple[str, Code]]:
    """Return all words for all codes of a list."""
    own = [(word, kind.of(code)) for word, code in OTHER_WORDS.get(kind, {}).items()]
    return [*own, *((one.label, one) for one in kind), *((str(one), one) for one in kind)]


ALL = [(kind, phrase, code) for kind in KINDS for phrase, code in phrases(kind)]


@pytest.mark.parametrize("denial", DENIALS)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_denied_word_is_never_taken_for_the_code_of_the_word(kind: type[Code], denial: str) -> None:
    """Half of the phrases with each denial, the others on another day."""
    known = phrases(kind)
    for phrase, code in turns(known, TURN + DENIALS.index(denial), some=(len(known) + 1) // 2):
        word = denial.format(phrase)
        if plain(word) not in words_of(kind) and code is not WorkType.OTHER:
            assert nearest(word, kind)[0] != str(code), word


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_word_is_never_taken_for_the_code_of_its_denial(kind: type[Code]) -> None:
    """As `working` was for `not working`."""
    for phrase, code in phrases(kind):
        for sign in ("not ", "no ", "non ", "un"):
            bare = plain(phrase).removeprefix(sign)
            if bare == plain(phrase) or plain(bare) in words_of(kind) or bare == "show":
                continue
            assert nearest(bare, kind)[0] != str(code), (phrase, bare)
            assert code not in asked_about(bare, kind) or code is WorkType.OTHER, (phrase, bare)


@given(st.sampled_from(ALL), st.sampled_from(["", "ok", "early", "at last", "part"]), st.integers(0, 12), st.booleans())
@settings(max_examples=examples(150))
def test_what_only_resembles_a_word_is_asked(one: tuple[type[Code], str, Code], more: str, at: int, cut: bool) -> None:
    """Whatever is added to a word or left out of it: what is taken without a doubt is the code in all but spelling."""
    kind, phrase, _ = one
    word = f"{phrase[:at]}{phrase[at + 1 :]} {more}" if cut else f"{more} {phrase}"
    code, doubt = nearest(word.strip(), kind)
    taken = code != '"?"' and "DOUBT" not in doubt
    assert not taken or means(word, kind.of(code)), (word, code)


@pytest.mark.parametrize(
    ("word", "kind", "code"),
    [("Working", Employment, "employed"), ("not working", Employment, "unemployed"), ("Not employed", Employment, '"?"'),
     ("workless", Employment, '"?"'), ("Unsuccessful", EndReason, '"?"'), ("Incomplete", EndReason, '"?"'),
     ("Unattended", Attendance, '"?"'), ("Completed OK", EndReason, '"?"')],
)  # fmt: skip
def test_words_of_offices(word: str, kind: type[Code], code: str) -> None:
    assert nearest(word, kind)[0] == code


@pytest.mark.parametrize(
    ("one", "other", "so"),
    [("working", "not working", True), ("employed", "unemployed", True), ("not unemployed", "unemployed", True),
     ("not not working", "working", False), ("absent - not acceptable", "acceptable absence", True), ("jobless", "job", True),
     ("No - ill", "ill", False), ("unpaid work", "unpaid work", False), ("did not attend", "attended", True)],
)  # fmt: skip
def test_a_denial_is_about_what_follows_it_in_its_clause(one: str, other: str, so: bool) -> None:
    assert opposed(one, other) is so
    assert opposed(other, one) is so


@pytest.mark.parametrize(
    ("word", "kind"), [("Moved to Highland", EndReason), ("Sent to court", EndReason), ("Off to sea", Employment)]
)
def test_nothing_is_offered_for_a_small_word_alone(word: str, kind: type[Code]) -> None:
    assert asked_about(word, kind) == []


def test_what_a_refused_cell_may_have_meant_is_not_the_opposite() -> None:
    with pytest.raises(ValueError, match="is not known") as fault:
        code_in(EndReason, {})("unsuccessful")
    assert "'Successful'" not in str(fault.value)
    assert "successful'" not in str(fault.value).replace("'unsuccessful'", "")


@given(
    st.lists(st.sampled_from([phrase for kind, phrase, _ in ALL if kind is Employment]), min_size=1, max_size=4),
    st.data(),
)
@settings(max_examples=examples(40))
def test_a_column_taken_for_a_code_on_the_form_asks_what_is_a_guess(words: list[str], data: st.DataObject) -> None:
    """Choosing what a column is fills in no guess."""
    cells = [data.draw(st.sampled_from(["{}", "{} ok", "not {}", "un{}", "long {}"])).format(word) for word in words]
    sheet = Sheet("Orders", False, [Seen("Ref", ["A1"] * len(cells)), Seen("Job situation", list(cells))])
    tree: Tree = {
        "authority": "S12000027",
        "tables": [{"sheet": "Orders", "order": "Ref", "states": {"contact.made": {"made_on": "Ref"}}}],
    }
    form = form_of(tree, Remarks(), [sheet], USES)
    [field] = [one.use for one in form.parts[0].lines if one.heading == "Job situation"]
    found = answered(tree, form, {field.name: "order.imposed:employment"}, [sheet], USES)
    node = found.tree["tables"][0]["states"]["order.imposed"]["employment"]
    codes = node.get("codes", {}) if isinstance(node, dict) else {}
    for word, code in codes.items():
        assert code == OPEN or means(word, Employment.of(code)), (word, code, spoken(word))
