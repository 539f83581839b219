"""The one way a statistic says that it does not exist."""


class UndefinedError(ValueError):
    """There is no number, for a reason that can be shown to a reader.

    Parameters
    ----------
    reason : str
        One plain sentence without a full stop: what is missing, or what is wrong.
    n : int
        How many observations there were.
    """

    def __init__(self, reason: str, n: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.n = n
