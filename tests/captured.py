"""Every message that a server of the tests has taken in this process, to be judged when the test is over."""

CAPTURED: list[bytes] = []


def complaints() -> list[str]:
    """Return what is wrong with the messages taken since the last question, and forget them."""
    taken = list(dict.fromkeys(CAPTURED))
    CAPTURED.clear()
    if not taken:
        return []
    # A relay in a process of its own needs neither.
    from blog.delivery.lint import lint
    from tests.mailings import BODY

    found = dict.fromkeys(problem for raw in taken if BODY not in raw for problem in lint(raw))
    # A test may have been in the future, and is back when it is over.
    return [problem for problem in found if problem != "Date is not past yet"]
