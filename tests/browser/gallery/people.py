"""What is behind the links that people are mailed, in every state that they can find it in."""

from datetime import timedelta

import time_machine
from sqlalchemy.orm import Session

from blog import clock
from blog.delivery.addresses import parse
from blog.subscribers import account, moving, privacy, unsubscribe
from blog.subscribers.consent import Method, Origin
from blog.subscribers.lifecycle import Act
from blog.subscribers.models import AddressChange, Subscriber
from blog.tokens import Purpose
from blog.web.pieces import Services
from tests.browser.gallery.picture import Picture
from tests.browser.gallery.reading import FRIDAY
from tests.factories import make_subscriber

ACTIVE = (
    *("active", "leaving", "slowing", "asking", "moving", "writing", "going", "resting", "pestered"),
    *("moving-to-a-neighbour", "neighbour", "moving-twice", "spent", "erased"),
)
STATUS = dict.fromkeys(ACTIVE, "active") | {
    **dict.fromkeys(("pending", "confirming"), "pending"),
    **dict.fromkeys(("left", "back"), "unsubscribed"),
}
DOMAIN = "example.org"


def pictures(services: Services) -> list[Picture]:
    """Return what each of some people sees."""
    with services.database.transaction() as session:
        people = {name: _person(session, services, name, status) for name, status in STATUS.items()}
        moves = _moves(session, services, people)
        act = Act(Method.PAGE, Origin(""), clock.now())
        for _ in range(3):
            account.request_link(session, people["pestered"], act, DOMAIN)
        links = {name: links_of(services, person) for name, person in people.items()}
        restore = f"/restore/{unsubscribe.restore_token(services.tokens, people['back'])}"
        with time_machine.travel(FRIDAY - timedelta(days=90)):
            old = links_of(services, people["pending"]) | {
                "restore": f"/restore/{unsubscribe.restore_token(services.tokens, people['back'])}"
            }
        people["spent"].account_nonce = None
        privacy.erase(session, people["erased"], act)
    return [*_of_lists(links, restore, old), *_of_accounts(links, moves)]


def links_of(services: Services, person: Subscriber) -> dict[str, str]:
    """Return the paths of somebody's own links."""
    tokens = services.tokens
    return {
        "confirm": f"/confirm/{tokens.timed(Purpose.CONFIRM, [person.public_id, person.nonce])}",
        "preferences": f"/preferences/{tokens.capability(Purpose.PREFERENCES, person.public_id)}",
        "account": f"/account/{account.token_for(tokens, person)}",
        "unsubscribe": f"/unsubscribe/{tokens.capability(Purpose.UNSUBSCRIBE, person.public_id)}",
    }


def _person(session: Session, services: Services, name: str, status: str) -> Subscriber:
    made = make_subscriber(
        session, services.tokens, f"{name}@example.org", status, now=FRIDAY - timedelta(days=20)
    )
    if status == "unsubscribed":
        made.confirmed_at = made.created_at
    if name in ("writing", "going", "spent"):
        made.account_nonce = name.ljust(32, "0")
    return made


def _moves(session: Session, services: Services, people: dict[str, Subscriber]) -> dict[str, str]:
    """Ask for a move to a new address, to one that has a subscription, and for one that is overtaken."""
    return {
        "move": _move(session, services, people["moving"], "moved@example.org"),
        "taken": _move(session, services, people["moving-to-a-neighbour"], "neighbour@example.org"),
        "over": _move(session, services, people["moving-twice"], "first@example.org"),
        "newer": _move(session, services, people["moving-twice"], "second@example.org"),
    }


def _move(session: Session, services: Services, person: Subscriber, address: str) -> str:
    act = Act(Method.PAGE, Origin(""), clock.now())
    moving.request(session, services.tokens, person, parse(address), act, DOMAIN)
    change = session.query(AddressChange).filter_by(subscriber_id=person.id).one()
    return f"/move/{moving.token_for(services.tokens, change)}"


def _of_lists(links: dict[str, dict[str, str]], restore: str, old: dict[str, str]) -> list[Picture]:
    return [
        Picture("confirm", links["pending"]["confirm"]),
        Picture("confirm-done", links["confirming"]["confirm"], "Yes, subscribe me"),
        Picture("confirm-again", links["active"]["confirm"]),
        Picture("confirm-too-late", old["confirm"]),
        Picture("confirm-broken", "/confirm/broken"),
        Picture("unsubscribe", links["active"]["unsubscribe"]),
        Picture("unsubscribe-done", links["leaving"]["unsubscribe"], "Unsubscribe"),
        Picture("unsubscribe-once-more", links["left"]["unsubscribe"]),
        Picture("unsubscribe-of-nobody", links["erased"]["unsubscribe"]),
        Picture("unsubscribe-broken", "/unsubscribe/broken"),
        Picture("unsubscribe-less-often", links["slowing"]["unsubscribe"], "Once a month instead"),
        Picture("restore", restore),
        Picture("restore-done", restore, "Yes, put me back"),
        Picture("restore-over", old["restore"]),
        Picture("restore-broken", "/restore/broken"),
    ]


def _of_accounts(links: dict[str, dict[str, str]], moves: dict[str, str]) -> list[Picture]:
    break_until, pause = f"{clock.now() + timedelta(days=30):%Y-%m-%d}", "Send nothing before"
    preferences = {name: those["preferences"] for name, those in links.items()}
    return [
        Picture("preferences", preferences["active"]),
        Picture("preferences-saved", preferences["active"], "Save preferences"),
        Picture(
            "preferences-with-a-break",
            preferences["resting"],
            "Save preferences",
            break_until,
            pause,
            unsteady=True,
        ),
        Picture("preferences-wrong-day", preferences["active"], "Save preferences", "2020-02-02", pause),
        Picture("preferences-of-nobody", preferences["left"]),
        Picture("preferences-mailed", preferences["asking"], "Mail me the link"),
        Picture("preferences-enough", preferences["pestered"], "Mail me the link"),
        Picture("preferences-broken", "/preferences/broken"),
        Picture("account", links["going"]["account"]),
        Picture("account-mistyped", links["going"]["account"], "Send the link", "ada@"),
        Picture("account-asked", links["writing"]["account"], "Send the link", "new@example.com"),
        Picture("account-erased", links["going"]["account"], "Erase me", ticked="Yes, erase me"),
        Picture("account-over", links["spent"]["account"]),
        Picture("account-broken", "/account/broken"),
        Picture("move", moves["move"]),
        Picture("move-done", moves["move"], "Yes, send it here"),
        Picture("move-taken", moves["taken"]),
        Picture("move-over", moves["over"]),
        Picture("move-broken", "/move/broken"),
    ]
