"""The one exception that Wobble raises for a person to read."""


class WobbleError(ValueError):
    """Something a person asked for cannot be done.

    `str(error)` is one clear sentence for that person: what was wrong, with what, and what to do. Pages and the
    command line show it as it is; everything else that is raised is a defect.
    """


def first_line(error: BaseException) -> str:
    """A library's error in one line of bounded length, ending in a full stop."""
    text = " ".join(str(error).split())
    text = text if len(text) <= 200 else text[:199] + "…"
    return (text or type(error).__name__).rstrip(".") + "."
