"""Drafts in the sandbox: groups, message texts, limits, and rejection of invalid requests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from ippanel_edge import EdgeClient, RetryPolicy, ValidationFailed
from ippanel_edge.sandbox import Sandbox
from ippanel_edge.sandbox.defaults import SUB_USER_API_KEY
from tests.sandbox.caller import Caller

DRAFT = "/api/user/draft"


def errors(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 422, response.text
    found: dict[str, list[str]] = response.json()["meta"]["errors"]
    return found


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[EdgeClient]:
    with sandbox, EdgeClient(sandbox.api_key, base_url=sandbox.base_url, retry=RetryPolicy(retries=0)) as client:
        yield client


def new_group(client: EdgeClient, title: str) -> int:
    client.drafts.groups.create(title)
    group_id = list(client.drafts.groups.iter_list())[-1].draft_group_id
    assert group_id is not None
    return group_id


class TestClient:
    def test_a_draft_is_created_updated_and_deleted(self, client: EdgeClient) -> None:
        group_id = new_group(client, "یادآوری")
        client.drafts.create(group_id, "وقت شما فرداست")
        client.drafts.create(group_id, "سلام")
        first, second = client.drafts.list(group_id)
        assert (first.message, first.type) == ("وقت شما فرداست", "normal")
        assert first.time == datetime(2030, 1, 15, 9, 30, tzinfo=UTC)
        assert first.draft_id is not None
        assert second.draft_id is not None
        client.drafts.update(first.draft_id, "وقت شما پس فرداست")
        client.drafts.delete([second.draft_id])
        assert [draft.message for draft in client.drafts.list()] == ["وقت شما پس فرداست"]

    def test_deleting_a_group_deletes_its_drafts(self, client: EdgeClient) -> None:
        kept, deleted = new_group(client, "a"), new_group(client, "b")
        client.drafts.create(kept, "kept")
        client.drafts.create(deleted, "deleted")
        client.drafts.groups.update(kept, "c")
        client.drafts.groups.delete(deleted)
        assert [group.title for group in client.drafts.groups.list()] == ["c"]
        assert [draft.message for draft in client.drafts.iter_list()] == ["kept"]

    def test_the_21st_group_is_rejected(self, client: EdgeClient) -> None:
        for number in range(20):
            client.drafts.groups.create(f"g{number}")
        with pytest.raises(ValidationFailed, match="حداکثر 20 گروه"):
            client.drafts.groups.create("one more")
        assert len(list(client.drafts.groups.iter_list(per_page=7))) == 20

    def test_the_201st_draft_is_rejected(self, client: EdgeClient, call: Caller) -> None:
        group_id = new_group(client, "a")
        for _ in range(200):
            client.drafts.create(group_id, "x")
        with pytest.raises(ValidationFailed, match="حداکثر 200 پیش نویس"):
            client.drafts.create(group_id, "one more")
        assert len(list(client.drafts.iter_list(group_id))) == 200
        assert call("POST", DRAFT, json={"draft_group_id": group_id, "message": "x"}).status_code == 422

    def test_groups_and_drafts_of_another_user_are_unknown(self, client: EdgeClient, sandbox: Sandbox) -> None:
        group_id = new_group(client, "a")
        client.drafts.create(group_id, "mine")
        draft_id = client.drafts.list().items[0].draft_id
        assert draft_id is not None
        with EdgeClient(SUB_USER_API_KEY, base_url=sandbox.base_url) as other:
            assert len(other.drafts.list()) == len(other.drafts.groups.list()) == 0
            with pytest.raises(ValidationFailed):
                other.drafts.create(group_id, "x")
            with pytest.raises(ValidationFailed):
                other.drafts.update(draft_id, "x")
            with pytest.raises(ValidationFailed):
                other.drafts.groups.delete(group_id)
        assert [draft.message for draft in client.drafts.list()] == ["mine"]


class TestRawHttp:
    def test_missing_fields_are_named(self, call: Caller) -> None:
        assert set(errors(call("POST", DRAFT, json={}))) == {"draft_group_id", "message"}
        assert set(errors(call("PUT", DRAFT, json={}))) == {"draft_id", "message"}
        assert set(errors(call("POST", f"{DRAFT}/delete", json={"draft_ids": []}))) == {"draft_ids"}
        assert set(errors(call("POST", f"{DRAFT}/group", json={}))) == {"title"}
        assert set(errors(call("PUT", f"{DRAFT}/group", json={}))) == {"draft_group_id", "title"}
        assert set(errors(call("POST", f"{DRAFT}/group/delete", json={}))) == {"draft_group_id"}

    def test_missing_fields_have_the_documented_names(self, call: Caller) -> None:
        assert errors(call("POST", DRAFT, json={})) == {
            "draft_group_id": ["تکمیل گزینه draft group id الزامی است"],
            "message": ["تکمیل گزینه message الزامی است"],
        }
        assert errors(call("POST", f"{DRAFT}/group", json={})) == {"title": ["تکمیل گزینه title الزامی است"]}

    def test_long_messages_and_titles_are_rejected(self, call: Caller) -> None:
        assert list(errors(call("POST", f"{DRAFT}/group", json={"title": "x" * 201}))) == ["title"]
        call("POST", f"{DRAFT}/group", json={"title": "x"})
        response = call("POST", DRAFT, json={"draft_group_id": 1001, "message": "x" * 1401})
        assert errors(response) == {"message": ["گزینه message نباید بیشتر از 1400 کاراکتر باشد"]}

    def test_delete_is_all_or_nothing(self, call: Caller) -> None:
        call("POST", f"{DRAFT}/group", json={"title": "x"})
        call("POST", DRAFT, json={"draft_group_id": 1001, "message": "x"})
        assert list(errors(call("POST", f"{DRAFT}/delete", json={"draft_ids": [1001, 7]}))) == ["draft_ids.1"]
        assert len(call("GET", f"{DRAFT}/list").json()["data"]) == 1

    def test_an_id_as_a_str_is_rejected(self, call: Caller) -> None:
        response = call("POST", DRAFT, json={"draft_group_id": "1001", "message": "x"})
        assert list(errors(response)) == ["draft_group_id"]

    def test_an_empty_filter_is_rejected(self, call: Caller) -> None:
        assert list(errors(call("GET", f"{DRAFT}/list", params={"draft_group_id": ""}))) == ["draft_group_id"]
