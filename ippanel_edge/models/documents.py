"""Models of a user's documents: the papers that the service asks for."""

from __future__ import annotations

from typing import Any

import attrs


@attrs.frozen(kw_only=True)
class SampleFile:
    """An example of a paper.

    Attributes:
        title: what it shows.
        address: where it can be fetched.
    """

    title: str | None = None
    address: str | None = None


@attrs.frozen(kw_only=True)
class Document:
    """A paper that the service asks for. Source: user/documents/list-document.md.

    Attributes:
        id: its id; `documents.upload` and `documents.remove` take it.
        need_file: whether files have to be uploaded for it.
        show_profile: whether the panel shows it in the profile.
        show_order: whether the panel shows it with an order.
        expire_after_days: for how many days it is good; 0 for ever.
        file_count: how many files it has.
        files_structure: as the service has it; the documents show it empty only.
        sample_file: examples.
        user_document: what you uploaded, as the service has it; None where there is nothing.
    """

    id: int | None = None
    title: str | None = None
    description: str | None = None
    need_file: bool | None = None
    show_profile: bool | None = None
    expire_after_days: int | None = None
    show_order: bool | None = None
    file_count: int | None = None
    files_structure: Any = None
    sample_file: tuple[SampleFile, ...] = ()
    user_document: Any = None
