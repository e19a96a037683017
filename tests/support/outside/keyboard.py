"""The actions of somebody in a browser who has only a keyboard."""

from collections.abc import Callable

from playwright.sync_api import Page


def pressing(page: Page, key: str, arrived: Callable[[], bool], most: int = 150) -> None:
    """Press a key until `arrived` returns True."""
    for _ in range(most):
        page.keyboard.press(key)
        if arrived():
            return
    raise AssertionError(f"not reached by pressing {key} {most} times, but {focused(page)!r}")


def focused(page: Page) -> str:
    """Return the name of what has the focus."""
    page.wait_for_load_state()  # a key may have led to another page, which has begun and holds nothing yet
    found: str = page.evaluate(
        "document.activeElement.getAttribute('aria-label') || document.activeElement.innerText || ''"
    )
    return found


def type_into(page: Page, label: str, text: str) -> None:
    """Go to a field by keyboard, and write."""
    pressing(page, "Tab", lambda: label_of_focus(page) == label)
    page.keyboard.type(text)


def label_of_focus(page: Page) -> str:
    page.wait_for_load_state()
    found: str = page.evaluate("document.activeElement.labels?.[0]?.innerText.trim() ?? ''")
    return found
