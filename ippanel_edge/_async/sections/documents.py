"""The section `users.documents`: the documents that the service requires from a user."""

from __future__ import annotations

import builtins
from collections.abc import Sequence

import attrs

from ippanel_edge import endpoints
from ippanel_edge._async.runner import AsyncRun
from ippanel_edge.api import users
from ippanel_edge.config import Defaults
from ippanel_edge.models.documents import Document
from ippanel_edge.values.checks import ids
from ippanel_edge.values.files import FileInput
from ippanel_edge.wire.call import call


@attrs.frozen(repr=False, eq=False)
class Documents:
    """The documents that the service requires, and the files uploaded for them."""

    _run: AsyncRun
    _defaults: Defaults

    async def list(self) -> builtins.list[Document]:
        """List the documents that the service requires.

        Source: user/documents/list-document.md.
        """
        return await self._run(call(endpoints.USERS_DOCUMENTS_LIST))

    async def upload(self, document_id: int, files: Sequence[FileInput]) -> None:
        """Upload the files of a document.

        Args:
            document_id: the id of the document, from `list`.
            files: paths, binary file objects or (name, bytes); `Document.file_count` is the number that is expected.

        Raises:
            InvalidArgument: a file is missing, empty or cannot be read.
            ValidationFailed: the service rejects the document or its files.

        Source: user/documents/upload-document.md.
        """
        return await self._run(
            call(
                endpoints.USERS_DOCUMENTS_UPLOAD,
                form=ids(document_id=document_id),
                files=users.documents(files),
            )
        )

    async def remove(self, document_id: int) -> None:
        """Remove the uploaded files of a document.

        Args:
            document_id: the id of the document, from `list`.

        Source: user/documents/remove-document.md.
        """
        return await self._run(call(endpoints.USERS_DOCUMENTS_REMOVE, json=ids(document_id=document_id)))
