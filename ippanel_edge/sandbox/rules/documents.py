"""The rules of the documents of users: the required kinds of documents and the uploaded files."""

from __future__ import annotations

from typing import Any

from ippanel_edge.sandbox.bodies import MULTIPART
from ippanel_edge.sandbox.records import DocumentKind, StoredFile, UserDocument
from ippanel_edge.sandbox.replies import Reply, invalid_message, label, not_found, ok
from ippanel_edge.sandbox.routes import Call, serves


@serves("users.documents.list", "GET", "/api/user/documents")
def listing(call: Call) -> Reply:
    """List the kinds of documents, each with the files that the caller uploaded."""
    call.check()
    return ok([_row(call, kind) for kind in call.state.document_kinds.values()])


def _row(call: Call, kind: DocumentKind) -> dict[str, Any]:
    document = call.state.documents.get((call.user.user_id, kind.document_id))
    return {
        "id": kind.document_id,
        "title": kind.title,
        "description": kind.description,
        "need_file": "1",
        "show_profile": "1",
        "expire_after_days": str(kind.expire_after_days),
        "show_order": "0",
        "file_count": str(kind.file_count),
        "files_structure": None,
        "sample_file": [{"title": title, "address": address} for title, address in kind.samples],
        "user_document": None if document is None else _document_row(document),
    }


def _document_row(document: UserDocument) -> dict[str, Any]:
    return {
        "status": document.status,
        "files": [file.name for file in document.files],
        "created_at": f"{document.uploaded_at:%Y-%m-%d %H:%M:%S}",
    }


@serves("users.documents.upload", "POST", "/api/user/documents/upload", content_types=(MULTIPART,))
def upload(call: Call) -> Reply:
    """Store the files of a document, replacing earlier ones."""
    kind = _read_kind(call)
    files = call.body.uploads("files", max_items=None)
    call.check()
    if kind is not None:
        stored = [StoredFile(file.name, file.content) for file in files]
        key = (call.user.user_id, kind.document_id)
        call.state.documents[key] = UserDocument(kind.document_id, call.user.user_id, stored, call.now)
    return ok()


@serves("users.documents.remove", "POST", "/api/user/documents/remove")
def remove(call: Call) -> Reply:
    """Delete the files that the caller uploaded for a document."""
    kind = _read_kind(call)
    call.check()
    if kind is None or call.state.documents.pop((call.user.user_id, kind.document_id), None) is None:
        raise not_found("مدرکی یافت نشد")
    return ok()


def _read_kind(call: Call) -> DocumentKind | None:
    """Return the kind with the id `document_id`, an int or a str of digits; record an error if it is unknown."""
    document_id = call.body.integer("document_id", allow_string=True)
    kind = call.state.document_kinds.get(document_id)
    if document_id and kind is None:
        call.body.add_error("document_id", invalid_message(label("document_id")))
    return kind
