"""Samples of the users.documents endpoints."""

from __future__ import annotations

from ippanel_edge import endpoints
from ippanel_edge.models.documents import Document, SampleFile
from tests.contract.sample import Sample, ok

SAMPLES = [
    Sample(
        endpoint=endpoints.USERS_DOCUMENTS_LIST,
        call=lambda client: client.users.documents.list(),
        answer=ok(
            [
                {
                    "id": 4,
                    "title": "کارت ملی",
                    "description": "تصویر دو روی کارت",
                    "need_file": "1",
                    "show_profile": "1",
                    "expire_after_days": "90",
                    "show_order": "0",
                    "file_count": "2",
                    "files_structure": None,
                    "sample_file": [{"title": "نمونه", "address": "https://files.example.test/card.png"}],
                    "user_document": {"status": "pending"},
                },
                {"id": "5", "title": None, "need_file": 0, "sample_file": None, "user_document": None},
            ]
        ),
        returns=[
            Document(
                id=4,
                title="کارت ملی",
                description="تصویر دو روی کارت",
                need_file=True,
                show_profile=True,
                expire_after_days=90,
                show_order=False,
                file_count=2,
                sample_file=(SampleFile(title="نمونه", address="https://files.example.test/card.png"),),
                user_document={"status": "pending"},
            ),
            Document(id=5, need_file=False),
        ],
    ),
    Sample(
        endpoint=endpoints.USERS_DOCUMENTS_UPLOAD,
        call=lambda client: client.users.documents.upload(4, [("front.png", b"front"), ("back.png", b"back")]),
        form={"document_id": "4"},
        files=(("files[0]", "front.png", b"front"), ("files[1]", "back.png", b"back")),
        answer=ok(None),
        returns=None,
    ),
    Sample(
        endpoint=endpoints.USERS_DOCUMENTS_REMOVE,
        call=lambda client: client.users.documents.remove(4),
        json={"document_id": 4},
        answer=ok(None),
        returns=None,
    ),
]
