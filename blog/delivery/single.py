"""One finished message over our own client, now and by itself: for tests, outside every ledger."""

from blog.delivery.replies import Envelope, Lost
from blog.delivery.smtp import END_OF_DATA, Connection, Relay, Unreachable
from blog.delivery.waiting import finish
from blog.errors import BlogError


def hand_over(relay: Relay, sender: str, recipient: str, message: bytes) -> str:
    """Hand one message over and return the relay's answer; raise `BlogError` if it did not take it."""
    answer: str = finish(_hand_over(relay, sender, recipient, message))
    return answer


async def _hand_over(relay: Relay, sender: str, recipient: str, message: bytes) -> str:
    content = message + END_OF_DATA
    connection = Connection(relay)
    try:
        await connection.open()
    except Unreachable as error:
        raise BlogError(f"the mail relay cannot be worked with: {error}") from None
    try:
        asked = (await connection.exchange(None, Envelope(sender, recipient, len(content)))).envelope
        if isinstance(asked, Lost):
            raise BlogError(f"the mail relay hung up: {asked.why}")
        if asked is None or not asked.ready:
            said = (
                next((r for r in (asked.mail, asked.rcpt, asked.data) if r.code >= 400), None)
                if asked
                else None
            )
            raise BlogError(f"the mail relay refused it: {said}")
        answer = (await connection.exchange(content, None)).content
    finally:
        await connection.quit()
    if answer is None or isinstance(answer, Lost):
        raise BlogError("the connection was lost before the answer: nobody knows whether the mail was taken")
    if answer.code // 100 != 2:
        raise BlogError(f"the mail relay refused it: {answer}")
    return str(answer)
