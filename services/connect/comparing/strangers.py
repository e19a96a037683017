"""Names rows about an order that no table has and that was never sent: perhaps its reference was mistyped.

What they state is sent all the same, since the order may be older than the tables.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from itertools import groupby
from string import ascii_lowercase, digits

from contracts.events import OrderImposed
from services.connect.mapping.model import Table
from services.connect.result import ImportResult, listed
from services.connect.state import State

_NOTE = "tables of orders"
_LOOK_ALIKE = str.maketrans("oil", "011")
_SIGNS = f"{digits}{ascii_lowercase}/"
_MOST = 3
"""The number of orders that a message names; more would not help."""


def name_strangers(state: State, tables: Mapping[str, Table], columns: Mapping[str, str], result: ImportResult) -> None:
    """Report these rows, with sheet, row and column, and have them reported again until the order is known.

    `tables` are by name; `columns`, those of the reference, by the name of the sheet in messages.
    """
    orders = _of_orders(state, tables)
    strangers = state.without_order(orders) if orders else []
    if not strangers:
        return
    known = Known(state.orders_in(orders))
    where = orders[0] if len(orders) == 1 and not {*"*?[,"} & {*orders[0]} else "any table of orders"
    for sheet, found in groupby(strangers, key=lambda one: one.sheet):
        for one in found:
            column = f"{sheet}!{columns[sheet]}"
            places = listed(column, [f"{column}{row}" for row in one.rows])
            hint = known.hint(one.subject)
            result.remarks.append(f"{places}: order '{one.subject}' is not in {where} and was never sent{hint}")
            result.strange += len(one.rows)
    state.read_again(strangers)


def _of_orders(state: State, tables: Mapping[str, Table]) -> list[str]:
    """Return the tables that state impositions, including those of earlier imports."""
    before = set(json.loads(state.note(_NOTE) or "[]"))
    here = {name for name, table in tables.items() if any(one.fact is OrderImposed for one in table.facts())}
    if not here <= before:
        state.keep_note(_NOTE, json.dumps(sorted(before | here)))
    return sorted(before | here)


class Known:
    """The references of orders, in which to look for what a mistyped one was meant to be."""

    def __init__(self, references: Collection[str]) -> None:
        self._by_form: dict[str, list[str]] = {}
        for reference in references:
            for form in {_form(reference), _without_zeros(reference)}:
                self._by_form.setdefault(form, []).append(reference)

    def hint(self, reference: str) -> str:
        """Return a hint, as in `; did you mean 'CPO/12'?`; empty if none is near, or too many are."""
        form = _form(reference)
        for forms in ([form, _without_zeros(reference)], _swapped(form), _one_more_or_less(form), _one_other(form)):
            near = sorted({one for each in {*forms} for one in self._by_form.get(each, ())})
            if near:
                meant = " or ".join(f"'{one}'" for one in near)
                return f"; did you mean {meant}?" if len(near) <= _MOST else ""
        return ""


def _form(reference: str) -> str:
    """Return the reference without case and with one separator; 0 stands for O, 1 for I and L."""
    return "/".join(re.split(r"[^0-9a-z]+", reference.casefold().translate(_LOOK_ALIKE)))


def _without_zeros(reference: str) -> str:
    """Return the same without zeros in front of numbers."""
    return "/".join(part.lstrip("0") for part in _form(reference).split("/"))


def _swapped(form: str) -> Iterator[str]:
    return (form[:n] + form[n + 1] + form[n] + form[n + 2 :] for n in range(len(form) - 1))


def _one_more_or_less(form: str) -> Iterator[str]:
    yield from (form[:n] + form[n + 1 :] for n in range(len(form)))
    yield from (form[:n] + sign + form[n:] for n in range(len(form) + 1) for sign in _SIGNS)


def _one_other(form: str) -> Iterator[str]:
    return (form[:n] + sign + form[n + 1 :] for n in range(len(form)) for sign in _SIGNS)
