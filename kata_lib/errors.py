"""Every error that a person may meet, as one tree.

KataError                    the root: says what was expected, what was found, what to do
├── EngineError              an engine could not start, stop or be found
│   └── EngineUnavailable    this machine lacks what the engine needs
├── ClusterError             the Kubernetes API refused or did not answer
│   └── WaitTimeout          a wait reached its limit; carries the last thing seen
├── ManifestError            a manifest cannot be read
├── MeshError                weights or routes that make no sense
├── ReleaseError             a plan that cannot be followed, or a release that cannot do what was asked
└── TrafficError             the sampler could not run
"""


class KataError(Exception):
    """Root of all errors that are a person's to mend; its text is shown without a traceback."""

    def _render_traceback_(self) -> list[str]:
        """Return what a notebook shows: IPython asks an exception for this before it writes a traceback."""
        return [f"{type(self).__name__}: {self}"]


class EngineError(KataError):
    """An engine could not start, stop or be found."""


class EngineUnavailable(EngineError):
    """This machine lacks what the engine needs; the text says what, and how to get it."""


class ClusterError(KataError):
    """The Kubernetes API refused a request or did not answer."""


class WaitTimeout(ClusterError):
    """A wait reached its limit; the text ends with the last thing seen."""


class ManifestError(KataError):
    """A manifest is missing or cannot be read."""


class MeshError(KataError):
    """Weights or routes that make no sense, such as weights that total zero."""


class ReleaseError(KataError):
    """A plan cannot be followed, or a release is not where it could do what was asked."""


class TrafficError(KataError):
    """The sampler could not run as asked."""
