"""What can be said of an address while it is written, before anything is called."""

import ipaddress

from evals.endpoints.environment import OPENED, opening
from evals.openai_client import AddressError, check_address, target_of


def check_written_url(base_url: str) -> None:
    """Refuse what can never be called. What a name leads to is known only at the call.

    Raises
    ------
    AddressError
    """
    target = target_of(base_url)
    opened = opening()
    try:
        check_address(target, ipaddress.ip_address(target.host), opened)
    except AddressError:
        raise
    except ValueError:
        if target.scheme != "https" and not opened.may_open(target):
            raise AddressError(
                f"Write https://, or have the operator list {target.host} in {OPENED}."
            ) from None
