"""Models of the documents that the service requires of a user."""

from __future__ import annotations

from typing import Any

import attrs

from ippanel_edge.models.common import Model


@attrs.frozen(kw_only=True)
class SampleFile(Model):
    """A sample file of a document.

    Attributes:
        title: the title of the sample.
        address: the URL of the sample.
    """

    title: str | None = None
    address: str | None = None


@attrs.frozen(kw_only=True)
class Document(Model):
    """A document that the service requires. Source: user/documents/list-document.md.

    Attributes:
        id: the document's id, for `documents.upload` and `documents.remove`.
        need_file: whether files must be uploaded for the document.
        show_profile: whether the panel shows the document in the profile.
        show_order: whether the panel shows the document with an order.
        expire_after_days: the number of days after which the document expires; 0 if it does not expire.
        file_count: the number of files of the document.
        files_structure: JSON as received; the API documentation only shows it empty.
        sample_file: sample files.
        user_document: your uploaded document, as received; None if there is none.
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
