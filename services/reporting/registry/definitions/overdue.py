"""Duties that are overdue on a day: not done, and due before it."""

from services.reporting.registry.indicators import Good, Indicator, Kind, form

OVERDUE = tuple(
    Indicator(
        id=f"overdue_{standard}",
        title=f"Overdue: {words}",
        definition=f"Orders for which {words} was due before the day that the figure is of, and had not happened, by the month it was due.",
        theme="Overdue",
        kind=Kind.OVERDUE,
        unit="orders",
        numerator=form(f"pending_{standard}"),
        exclusions="What can no longer happen, since the order has ended.",
        good=Good.LOWER,
        note="Not public: it says how single orders stand today.",
    )
    for standard, words in (
        ("first_contact", "the first contact"),
        ("case_meeting", "the first case management meeting"),
        ("induction", "the induction to unpaid work"),
        ("placement", "the first placement"),
        ("plan", "the case management plan"),
        ("review", "a departmental review"),
        ("transfer", "the answer to a request for transfer"),
        ("completion", "the completion of unpaid work"),
    )
)
