# Generated from ippanel_edge/_async/sections/documents.py by tests/codegen/generate_sync.py: edit that, not this.
"""Documents: the papers that the service asks of a user."""

from __future__ import annotations

import builtins
from collections.abc import Sequence

import attrs

from ippanel_edge import endpoints
from ippanel_edge._sync.runner import Caller
from ippanel_edge.api import users
from ippanel_edge.config import Defaults
from ippanel_edge.models.documents import Document
from ippanel_edge.values.checks import identity
from ippanel_edge.values.files import FileInput


@attrs.frozen(repr=False, eq=False)
class Documents:
    """Papers: which ones are asked for, and what you uploaded."""

    _call: Caller
    _defaults: Defaults

    def list(self) -> builtins.list[Document]:
        """List the papers that the service asks for.

        Source: user/documents/list-document.md.
        """
        return self._call(endpoints.USERS_DOCUMENTS_LIST)

    def upload(self, document_id: int, files: Sequence[FileInput]) -> None:
        """Upload the files of a paper.

        Args:
            document_id: the paper's id, from `list`.
            files: paths, binary file objects or (name, bytes), as many as `Document.file_count` says.

        Raises:
            ConfigurationError: a file is missing, empty or cannot be read.
            ValidationFailed: there is no such paper, or it wants other files.

        Source: user/documents/upload-document.md.
        """
        return self._call(
            endpoints.USERS_DOCUMENTS_UPLOAD,
            form={"document_id": identity(document_id, argument="document_id")},
            files=users.documents(files),
        )

    def remove(self, document_id: int) -> None:
        """Remove what was uploaded for a paper.

        Args:
            document_id: the paper's id, from `list`.

        Source: user/documents/remove-document.md.
        """
        return self._call(
            endpoints.USERS_DOCUMENTS_REMOVE, json={"document_id": identity(document_id, argument="document_id")}
        )
