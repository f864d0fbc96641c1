"""The section `phonebooks`: phonebooks, their contacts, and the custom fields (options) of contacts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Literal

import attrs

from ippanel_edge import endpoints
from ippanel_edge._async.pagination import AsyncItems
from ippanel_edge._async.runner import AsyncRun
from ippanel_edge.api import phonebooks
from ippanel_edge.config import Defaults
from ippanel_edge.models.common import Page
from ippanel_edge.models.phonebooks import (
    AddedContacts,
    Contact,
    ContactChanges,
    ContactFilters,
    NewContact,
    Option,
    OptionType,
    Phonebook,
)
from ippanel_edge.values.checks import check_ids, choices, ids, optional_ids, optional_texts, paging, texts
from ippanel_edge.values.files import FileInput
from ippanel_edge.wire.call import call


@attrs.frozen(repr=False, eq=False)
class Phonebooks:
    """Phonebooks, with at most 100,000 numbers each. `send.phonebook` and `send.keyword_phonebook` send to them."""

    _run: AsyncRun
    _defaults: Defaults

    @property
    def contacts(self) -> Contacts:
        """The contacts of the phonebooks."""
        return Contacts(self._run, self._defaults)

    @property
    def options(self) -> Options:
        """The custom fields of contacts."""
        return Options(self._run, self._defaults)

    async def list(
        self,
        *,
        page: int = 1,
        per_page: int = 10,
        title: str | None = None,
        id: int | None = None,  # noqa: A002 - the API's own name
    ) -> Page[Phonebook]:
        """List the phonebooks.

        Args:
            page: the page, from 1.
            per_page: rows per page, at most 1,000.
            title: select by title.
            id: select by id.

        Raises:
            InvalidArgument: an argument is out of range.

        Source: phonebook/phonebook/phonebook-list.md.
        """
        return await self._run(
            call(
                endpoints.PHONEBOOKS_LIST,
                query={
                    **paging(page, per_page=per_page, check=self._defaults.validate),
                    **optional_texts(title=title),
                    **optional_ids(id=id),
                },
            )
        )

    def iter_list(
        self,
        *,
        title: str | None = None,
        id: int | None = None,  # noqa: A002 - the API's own name
        per_page: int = 100,
    ) -> AsyncIterator[Phonebook]:
        """Iterate over all phonebooks, fetching pages lazily.

        Args:
            title: select by title.
            id: select by id.
            per_page: rows per page, at most 1,000.

        Source: phonebook/phonebook/phonebook-list.md.
        """
        return AsyncItems(lambda page: self.list(page=page, per_page=per_page, title=title, id=id))

    async def create(self, title: str, options: Iterable[int] = ()) -> Phonebook:
        """Create a phonebook.

        Args:
            title: at most 200 characters.
            options: ids of its custom fields, from `options.list`.

        Returns:
            The phonebook, without `updated_at`.

        Raises:
            InvalidArgument: the title is empty or too long, or an option is not an id.
            ValidationFailed: the option does not exist.

        Source: phonebook/phonebook/store-phonebook.md.
        """
        return await self._run(
            call(endpoints.PHONEBOOKS_CREATE, json=phonebooks.new_phonebook(self._defaults, title, options))
        )

    async def update(
        self, phonebook_id: int, *, title: str | None = None, options: Iterable[int] | None = None
    ) -> None:
        """Change a phonebook; omitted arguments stay unchanged.

        Args:
            phonebook_id: from `list` or `create`.
            title: at most 200 characters.
            options: ids of all its custom fields.

        Raises:
            InvalidArgument: neither title nor options is given, or one of them is invalid.
            NotFound: the phonebook does not exist.

        Source: phonebook/phonebook/update-phonebook.md.
        """
        return await self._run(
            call(
                endpoints.PHONEBOOKS_UPDATE,
                path=ids(phonebook_id=phonebook_id),
                json=phonebooks.phonebook_changes(self._defaults, title, options),
            )
        )

    async def delete(self, phonebook_ids: Iterable[int]) -> None:
        """Delete phonebooks and their contacts.

        Args:
            phonebook_ids: from `list` or `create`; at least one.

        Raises:
            InvalidArgument: the list is empty, or a value is not an id.

        Source: phonebook/phonebook/delete-phonebook.md.
        """
        return await self._run(
            call(
                endpoints.PHONEBOOKS_DELETE, json={"listPhonebooks": check_ids(phonebook_ids, argument="phonebook_ids")}
            )
        )


@attrs.frozen(repr=False, eq=False)
class Contacts:
    """The contacts of the phonebooks."""

    _run: AsyncRun
    _defaults: Defaults

    async def add(self, contacts: Iterable[NewContact]) -> AddedContacts:
        """Add contacts to phonebooks. Existing ones are counted and not added again, so the call is idempotent.

        Args:
            contacts: at least one; each names its phonebook.

        Returns:
            How many were added, existed already, or were rejected.

        Raises:
            InvalidArgument: a contact is invalid; its place is named, such as ``contacts[3].phonebook_id``.
            ValidationFailed: a phonebook or an option does not exist.

        Source: phonebook/number/store-number.md.
        """
        return await self._run(
            call(endpoints.PHONEBOOKS_CONTACTS_ADD, json=phonebooks.new_contacts(self._defaults, contacts))
        )

    async def get(self, contact_id: int) -> Contact:
        """Return one contact, with its tags.

        Args:
            contact_id: from `list`.

        Raises:
            NotFound: the contact does not exist.

        Source: phonebook/number/show-number.md.
        """
        return await self._run(call(endpoints.PHONEBOOKS_CONTACTS_GET, path=ids(contact_id=contact_id)))

    async def list(self, *, page: int = 1, per_page: int = 10, filters: ContactFilters | None = None) -> Page[Contact]:
        """List contacts of all phonebooks.

        Args:
            page: the page, from 1.
            per_page: rows per page, at most 1,000.
            filters: the contacts to select; all if omitted.

        Raises:
            InvalidArgument: an argument is out of range.

        Source: phonebook/number/list-number.md.
        """
        return await self._run(
            call(
                endpoints.PHONEBOOKS_CONTACTS_LIST,
                query={
                    **paging(page, per_page=per_page, check=self._defaults.validate),
                    **phonebooks.contact_filters(filters),
                },
            )
        )

    def iter_list(self, *, filters: ContactFilters | None = None, per_page: int = 100) -> AsyncIterator[Contact]:
        """Iterate over all contacts, fetching pages lazily.

        Args:
            filters: the contacts to select; all if omitted.
            per_page: rows per page, at most 1,000.

        Source: phonebook/number/list-number.md.
        """
        return AsyncItems(lambda page: self.list(page=page, per_page=per_page, filters=filters))

    async def update(self, contact_id: int, changes: ContactChanges) -> None:
        """Change a contact; omitted fields stay unchanged.

        Args:
            contact_id: from `list`.
            changes: the fields to change; at least one.

        Raises:
            InvalidArgument: `changes` has no field set, or an invalid one.
            NotFound: the contact does not exist.
            ValidationFailed: the service rejected the change.

        Source: phonebook/number/update-number.md.
        """
        return await self._run(
            call(
                endpoints.PHONEBOOKS_CONTACTS_UPDATE,
                path=ids(contact_id=contact_id),
                json=phonebooks.contact_changes(changes),
            )
        )

    async def delete(self, contact_ids: Iterable[int]) -> None:
        """Delete contacts.

        Args:
            contact_ids: from `list`; at least one.

        Raises:
            InvalidArgument: the list is empty, or a value is not an id.

        Source: phonebook/number/delete-number.md.
        """
        return await self._run(
            call(
                endpoints.PHONEBOOKS_CONTACTS_DELETE,
                json={"listNumbers": check_ids(contact_ids, argument="contact_ids")},
            )
        )

    async def export(self, filters: ContactFilters | None = None) -> None:
        """Start the export of contacts. The file is then available in the panel.

        Args:
            filters: the contacts to select; all if omitted.

        Source: phonebook/number/export-number-contacts.md.
        """
        return await self._run(call(endpoints.PHONEBOOKS_CONTACTS_EXPORT, query=phonebooks.contact_filters(filters)))

    async def export_members(self, phonebook_id: int) -> None:
        """Start the export of the contacts of a phonebook. The file is then available in the panel.

        Args:
            phonebook_id: from `phonebooks.list`.

        Raises:
            NotFound: the phonebook does not exist.

        Source: phonebook/number/export-number-members.md.
        """
        return await self._run(
            call(
                endpoints.PHONEBOOKS_CONTACTS_EXPORT_MEMBERS,
                path=ids(phonebook_id=phonebook_id),
            )
        )

    async def import_file(self, phonebook_id: int, file: FileInput) -> None:
        """Add the contacts in an Excel file to a phonebook.

        Args:
            phonebook_id: from `phonebooks.list`.
            file: XLSX in the format of `import_sample`, as a path, a binary file object or (name, bytes). It is
                read in chunks.

        Raises:
            InvalidArgument: the file cannot be read, is not an XLSX, or has no rows or too many.
            NotFound: the phonebook does not exist.
            ValidationFailed: the service rejected the file.

        Source: phonebook/number/import-number.md.
        """
        return await self._run(
            call(
                endpoints.PHONEBOOKS_CONTACTS_IMPORT_FILE,
                path=ids(phonebook_id=phonebook_id),
                files=[("file", phonebooks.sheet(file, self._defaults))],
            )
        )

    async def import_sample(self, phonebook_id: int) -> bytes | None:
        """Return the template for `import_file`.

        Args:
            phonebook_id: from `phonebooks.list`.

        Returns:
            The Excel file; None if the service returns none, as its documentation shows.

        Raises:
            NotFound: the phonebook does not exist.

        Source: phonebook/number/sample-import-number.md.
        """
        return await self._run(
            call(
                endpoints.PHONEBOOKS_CONTACTS_IMPORT_SAMPLE,
                path=ids(phonebook_id=phonebook_id),
            )
        )


@attrs.frozen(repr=False, eq=False)
class Options:
    """The custom fields of contacts, such as a birthday or a debt."""

    _run: AsyncRun
    _defaults: Defaults

    async def list(
        self,
        *,
        type: OptionType | Literal["int", "string", "date"] | None = None,  # noqa: A002 - the API's own name
        title: str | None = None,
        page: int = 1,
        per_page: int = 10,
    ) -> Page[Option]:
        """List the options.

        Args:
            type: select by type.
            title: select by title.
            page: the page, from 1.
            per_page: rows per page, at most 1,000.

        Raises:
            InvalidArgument: an argument is out of range.

        Source: phonebook/option/list-option.md (it marks type and title as required; they are filters).
        """
        return await self._run(
            call(
                endpoints.PHONEBOOKS_OPTIONS_LIST,
                query={
                    **paging(page, per_page=per_page, check=self._defaults.validate),
                    **choices(phonebooks.OPTION_TYPES, check=self._defaults.validate, type=type),
                    **optional_texts(title=title),
                },
            )
        )

    def iter_list(
        self,
        *,
        type: OptionType | Literal["int", "string", "date"] | None = None,  # noqa: A002 - the API's own name
        title: str | None = None,
        per_page: int = 100,
    ) -> AsyncIterator[Option]:
        """Iterate over all options, fetching pages lazily.

        Args:
            type: select by type.
            title: select by title.
            per_page: rows per page, at most 1,000.

        Source: phonebook/option/list-option.md.
        """
        return AsyncItems(lambda page: self.list(type=type, title=title, page=page, per_page=per_page))

    async def create(
        self,
        type: OptionType | Literal["int", "string", "date"],  # noqa: A002 - the API's own name
        title: str,
    ) -> Option:
        """Create an option.

        Args:
            type: the type of its values: int, string or date.
            title: the name.

        Raises:
            InvalidArgument: the type is not documented, or the title is empty.

        Source: phonebook/option/store-option.md.
        """
        return await self._run(
            call(
                endpoints.PHONEBOOKS_OPTIONS_CREATE,
                json={
                    **choices(phonebooks.OPTION_TYPES, check=self._defaults.validate, **texts(type=type)),
                    **texts(title=title),
                },
            )
        )

    async def update(self, option_id: int, title: str) -> None:
        """Rename an option.

        Args:
            option_id: from `list` or `create`.
            title: the new name.

        Raises:
            NotFound: the option does not exist.

        Source: phonebook/option/update-option.md.
        """
        return await self._run(
            call(
                endpoints.PHONEBOOKS_OPTIONS_UPDATE,
                path=ids(option_id=option_id),
                json=texts(title=title),
            )
        )

    async def delete(self, option_ids: Iterable[int]) -> None:
        """Delete options.

        Args:
            option_ids: from `list` or `create`; at least one.

        Raises:
            InvalidArgument: the list is empty, or a value is not an id.

        Source: phonebook/option/delete-option.md.
        """
        return await self._run(
            call(
                endpoints.PHONEBOOKS_OPTIONS_DELETE, json={"listOptions": check_ids(option_ids, argument="option_ids")}
            )
        )
