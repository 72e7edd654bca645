"""What a learner of a class does by hand: raises a hand, sends a report, answers an offered reset."""

from kata_lib.course import inbox, outbox, report
from kata_lib.course.inbox.told import Offer
from kata_lib.errors import KataError
from kata_lib.lab.learning import Learning

_HAND_UP = "Your hand is up, with the last finding and what `kata analyze` says."
_SENT = "Your instructor gets your report, as `lab.report()` writes it."
_NO_CLASS = "You are in no class, so nobody sees it: `kata class join URL --code CODE`."
_DECLINED = "Nothing was changed; your instructor sees that you declined."


class Attending(Learning):
    """A learner among others, and their instructor; without a class it says so and does nothing."""

    def raise_hand(self) -> None:
        """Show the instructor the last finding and what `kata analyze` says, until `lower_hand()`."""
        self._say(_HAND_UP if outbox.hand(True, self._finding, str(self.analyze())) else _NO_CLASS)

    def lower_hand(self) -> None:
        """Take the hand down."""
        self._say("Your hand is down." if outbox.hand(False) else _NO_CLASS)

    def send_report(self) -> None:
        """Send the instructor this learner's report; KataError where it cannot be made."""
        self._say(_SENT if outbox.report(report.page_of_learner()) else _NO_CLASS)

    def decline_reset(self) -> None:
        """Leave everything as it is, and tell the instructor so; KataError where nothing is offered."""
        outbox.answer(offered().number, False)
        self._say(_DECLINED)


def offered() -> Offer:
    """Return the reset that the instructor offers now; KataError where that is none."""
    if (offer := inbox.ask().offer) is None:
        raise KataError("No reset is offered to you. `kata reset STEP` brings back what a step begins with.")
    return offer
