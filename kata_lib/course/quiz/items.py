"""The quiz: what is asked before the first notebook and again after 05, the key, and why."""

from collections.abc import Mapping
from dataclasses import dataclass

LETTERS = "abcd"
PARTS = ("before", "after")


@dataclass(frozen=True)
class Item:
    """A question with a choice for each of LETTERS; right: the letter of the one that is, why: the reason.

    notebook: where it is shown.
    """

    text: str
    choices: tuple[str, str, str, str]
    right: str
    why: str
    notebook: str

    def choice(self, letter: str) -> str:
        """Return what a letter stands for."""
        return self.choices[LETTERS.index(letter)]


ITEMS: Mapping[str, Item] = {
    "pods": Item(
        "A Service selects two pods of version 1 and one of version 2. No rule was written. What share of "
        "the requests does version 2 get?",
        ("none, until a rule sends it some", "a tenth", "a third", "a half"),
        "c",
        "The Service takes every pod with its label. A Deployment beside the old one is a release to a third "
        "of everyone, at once.",
        "01-deploy",
    ),
    "who-decides": Item(
        "In the mesh: where is it decided which version answers a request?",
        (
            "in the Service",
            "in the sidecar of the caller",
            "in the sidecar of the called pod",
            "in the cluster's DNS",
        ),
        "b",
        "The caller's sidecar knows the weights and the pods. A rule that this proxy does not get has no "
        "effect.",
        "00-setup",
    ),
    "ten-requests": Item(
        "Ten percent are in force. You send ten requests, and none is answered by version 2. What do you "
        "know?",
        (
            "the rule is not in force",
            "the weights are swapped",
            "version 2 has no pod that is ready",
            "hardly anything: it happens one time in three",
        ),
        "d",
        "0.9 to the power of ten is 35 %. Three hundred requests tell ten percent from a third.",
        "02-canary",
    ),
    "scaling": Item(
        "The weights are 90 and 10. Version 2 is scaled from one pod to four; version 1 has two. What share "
        "does version 2 get now?",
        ("10 %, as before", "33 %", "40 %", "67 %"),
        "a",
        "The sidecar chooses the subset first, by weight, then one of its pods. Pods are capacity, not "
        "share.",
        "02-canary",
    ),
    "proportions": Item(
        "Somebody writes the weights 80 and 10. What happens?",
        (
            "they are refused: they do not total 100",
            "version 2 gets 10 %, and a tenth of the requests fails",
            "version 2 gets 11.1 %",
            "version 2 gets 20 %: what is missing goes to it",
        ),
        "c",
        "Each weight is divided by their total: 10 of 90.",
        "02-canary",
    ),
    "price": Item(
        "A version that fails half of its requests is a canary with ten percent. A thousand users send one "
        "request each. How many see an error?",
        ("about 5", "about 500", "about 100", "about 50"),
        "d",
        "One in ten meets it, and half of those an error. All at once it would have been 500.",
        "05-promote",
    ),
    "roll-back": Item(
        "The canary fails. What comes first?",
        (
            "delete its Deployment",
            "send its share back to the version that works",
            "scale it to zero",
            "mend it and deploy again",
        ),
        "b",
        "Weights first, pods later: a weight that points to no pod makes errors of its own (503).",
        "05-promote",
    ),
    "how-many": Item(
        "Is it ten percent or twenty? From how many requests on can you always say, wrong less than once in "
        "a million?",
        ("some 1,200", "some 12", "some 120", "some 120,000"),
        "a",
        "The step is small, so it takes many. From nothing to everything one answer is proof.",
        "03-weight-lab",
    ),
}
"""By their names, in the order in which they are asked."""
