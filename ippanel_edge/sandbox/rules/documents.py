"""The rules of a user's documents: which papers are asked for, and what was uploaded."""

from __future__ import annotations

from typing import Any

from ippanel_edge.sandbox.records import DocumentKind, StoredFile, UserDocument
from ippanel_edge.sandbox.replies import Answer, label, not_found, not_valid_text, ok
from ippanel_edge.sandbox.routes import Call, serves


@serves("users.documents.list", "GET", "/api/user/documents")
def listing(call: Call) -> Answer:
    """List the papers, each with what the caller uploaded for it."""
    call.check()
    return ok([_row(call, kind) for kind in call.world.document_kinds.values()])


def _row(call: Call, kind: DocumentKind) -> dict[str, Any]:
    document = call.world.documents.get((call.user.user_id, kind.document_id))
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


@serves("users.documents.upload", "POST", "/api/user/documents/upload")
def upload(call: Call) -> Answer:
    """Keep the files of a paper, in place of those uploaded before."""
    kind = _read_kind(call)
    files = call.body.uploads("files", most=10)
    if kind is not None and files and len(files) != kind.file_count:
        call.body.fail("files", f"تعداد فایل ها باید {kind.file_count} باشد")  # noqa: RUF001 - Persian
    call.check()
    if kind is not None:
        stored = [StoredFile(file.name, file.content) for file in files]
        key = (call.user.user_id, kind.document_id)
        call.world.documents[key] = UserDocument(kind.document_id, call.user.user_id, stored, call.now)
    return ok()


@serves("users.documents.remove", "POST", "/api/user/documents/remove")
def remove(call: Call) -> Answer:
    """Forget what the caller uploaded for a paper."""
    kind = _read_kind(call)
    call.check()
    if kind is None or call.world.documents.pop((call.user.user_id, kind.document_id), None) is None:
        raise not_found("مدرکی یافت نشد")
    return ok()


def _read_kind(call: Call) -> DocumentKind | None:
    """Read which paper is meant; None, with an error noted, where it is none. Its id may come as text."""
    document_id = call.body.integer("document_id", spelled=True)
    kind = call.world.document_kinds.get(document_id)
    if document_id and kind is None:
        call.body.fail("document_id", not_valid_text(label("document_id")))
    return kind
