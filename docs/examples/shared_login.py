"""Share one login between the processes of a program: each new token is saved to a file that all of them read.

Usage: python shared_login.py

It reads IPPANEL_USERNAME and IPPANEL_PASSWORD. The token file contains a secret: only its owner can read it.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import tempfile
from pathlib import Path

from ippanel_edge import Credentials, EdgeClient, StoredToken

TOKEN = Path("login_token.json")


def load() -> StoredToken | None:
    """Return the token that another process saved, or None."""
    try:
        fields = json.loads(TOKEN.read_text("utf-8"))
    except FileNotFoundError:
        return None
    return StoredToken(fields["token"], created=fields["created"], method=fields["method"])


def save(token: StoredToken) -> None:
    """Replace the file in one step, so that no process reads half of it."""
    handle, name = tempfile.mkstemp(dir=TOKEN.resolve().parent)  # created with the mode 0600
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump({"token": str(token.token), "created": token.created, "method": token.method}, file)
    Path(name).replace(TOKEN)
    print("logged in")


def work(number: int) -> None:
    """Run in a worker process: it makes its own client, which loads the token of the first one."""
    credentials = Credentials(os.environ["IPPANEL_USERNAME"], os.environ["IPPANEL_PASSWORD"], load=load, save=save)
    with EdgeClient(credentials=credentials) as client:
        print("worker", number, "is", client.auth.check_token().user_name, flush=True)


def main() -> None:
    work(0)  # log in once before the workers start: two that start at once would both log in
    for number in (1, 2):
        process = multiprocessing.Process(target=work, args=(number,))
        process.start()
        process.join()


if __name__ == "__main__":
    main()
