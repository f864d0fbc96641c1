"""Phonebooks: the books, the contacts in them, and the fields of one's own that contacts may have."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Literal

import attrs

from ippanel_edge import endpoints
from ippanel_edge._async.pagination import AsyncItems
from ippanel_edge._async.runner import AsyncCaller
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
from ippanel_edge.values.checks import identities, identity, identity_if_given, paging, text
from ippanel_edge.values.files import FileInput


@attrs.frozen(repr=False, eq=False)
class Phonebooks:
    """Your phonebooks, at most 100,000 numbers each. `send.phonebook` and `send.keyword_phonebook` send to them."""

    _call: AsyncCaller
    _defaults: Defaults

    @property
    def contacts(self) -> Contacts:
        """The numbers in the phonebooks."""
        return Contacts(self._call, self._defaults)

    @property
    def options(self) -> Options:
        """The fields of your own that contacts may have."""
        return Options(self._call, self._defaults)

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
            page: from 1.
            per_page: rows a page, at most 1,000.
            title: only those with this title.
            id: only the one with this id.

        Raises:
            ConfigurationError: an argument is out of its limits.

        Source: phonebook/phonebook/phonebook-list.md.
        """
        return await self._call(
            endpoints.PHONEBOOKS_LIST,
            query={
                **paging(page, per_page, check=self._defaults.validate),
                "title": phonebooks.filter_text(title, argument="title"),
                "id": identity_if_given(id, argument="id"),
            },
        )

    def iter_list(
        self,
        *,
        title: str | None = None,
        id: int | None = None,  # noqa: A002 - the API's own name
        per_page: int = 100,
    ) -> AsyncIterator[Phonebook]:
        """Walk all phonebooks, page by page.

        Args:
            title: only those with this title.
            id: only the one with this id.
            per_page: rows a page, at most 1,000.

        Source: phonebook/phonebook/phonebook-list.md.
        """
        return AsyncItems(lambda page: self.list(page=page, per_page=per_page, title=title, id=id))

    async def create(self, title: str, options: Iterable[int] = ()) -> Phonebook:
        """Make a phonebook.

        Args:
            title: at most 200 characters.
            options: ids of the fields that its contacts have, from `options`.

        Returns:
            The phonebook, without `updated_at`.

        Raises:
            ConfigurationError: the title is empty or too long, or an option is no id.
            ValidationFailed: there is no such option.

        Source: phonebook/phonebook/store-phonebook.md.
        """
        return await self._call(
            endpoints.PHONEBOOKS_CREATE, json=phonebooks.new_phonebook(self._defaults, title, options)
        )

    async def update(
        self, phonebook_id: int, *, title: str | None = None, options: Iterable[int] | None = None
    ) -> None:
        """Change a phonebook; what is unset stays.

        Args:
            phonebook_id: from `list` or `create`.
            title: at most 200 characters.
            options: ids of all the fields that its contacts are to have.

        Raises:
            ConfigurationError: neither title nor options are given, or one of them is wrong.
            NotFound: there is no such phonebook.

        Source: phonebook/phonebook/update-phonebook.md.
        """
        return await self._call(
            endpoints.PHONEBOOKS_UPDATE,
            path={"phonebook_id": identity(phonebook_id, argument="phonebook_id")},
            json=phonebooks.phonebook_changes(self._defaults, title, options),
        )

    async def delete(self, phonebook_ids: Iterable[int]) -> None:
        """Delete phonebooks, with the contacts in them.

        Args:
            phonebook_ids: from `list` or `create`; at least one.

        Raises:
            ConfigurationError: none is given, or one is no id.

        Source: phonebook/phonebook/delete-phonebook.md.
        """
        return await self._call(
            endpoints.PHONEBOOKS_DELETE, json={"listPhonebooks": identities(phonebook_ids, argument="phonebook_ids")}
        )


@attrs.frozen(repr=False, eq=False)
class Contacts:
    """The numbers in your phonebooks."""

    _call: AsyncCaller
    _defaults: Defaults

    async def add(self, contacts: Iterable[NewContact]) -> AddedContacts:
        """Add numbers to phonebooks. Those that are in theirs already are counted, so repeating it does no harm.

        Args:
            contacts: at least one; they may go to different phonebooks.

        Returns:
            How many were added, were there already, or were not taken.

        Raises:
            ConfigurationError: a contact is wrong; its place is named, such as ``contacts[3].phonebook_id``.
            ValidationFailed: there is no such phonebook or option.

        Source: phonebook/number/store-number.md.
        """
        return await self._call(
            endpoints.PHONEBOOKS_CONTACTS_ADD, json=phonebooks.new_contacts(self._defaults, contacts)
        )

    async def get(self, contact_id: int) -> Contact:
        """Give one contact, with its tags.

        Args:
            contact_id: from `list`.

        Raises:
            NotFound: there is no such contact.

        Source: phonebook/number/show-number.md.
        """
        return await self._call(
            endpoints.PHONEBOOKS_CONTACTS_GET, path={"contact_id": identity(contact_id, argument="contact_id")}
        )

    async def list(self, *, page: int = 1, per_page: int = 10, filters: ContactFilters | None = None) -> Page[Contact]:
        """List contacts of all phonebooks.

        Args:
            page: from 1.
            per_page: rows a page, at most 1,000.
            filters: which contacts; all where unset.

        Raises:
            ConfigurationError: an argument is out of its limits.

        Source: phonebook/number/list-number.md.
        """
        return await self._call(
            endpoints.PHONEBOOKS_CONTACTS_LIST,
            query={
                **paging(page, per_page, check=self._defaults.validate),
                **phonebooks.contact_filters(filters),
            },
        )

    def iter_list(self, *, filters: ContactFilters | None = None, per_page: int = 100) -> AsyncIterator[Contact]:
        """Walk all contacts, page by page.

        Args:
            filters: which contacts; all where unset.
            per_page: rows a page, at most 1,000.

        Source: phonebook/number/list-number.md.
        """
        return AsyncItems(lambda page: self.list(page=page, per_page=per_page, filters=filters))

    async def update(self, contact_id: int, changes: ContactChanges) -> None:
        """Change a contact; what is unset stays.

        Args:
            contact_id: from `list`.
            changes: the fields to change, at least one.

        Raises:
            ConfigurationError: `changes` has no field set, or a wrong one.
            NotFound: there is no such contact.
            ValidationFailed: the service does not take the change.

        Source: phonebook/number/update-number.md.
        """
        return await self._call(
            endpoints.PHONEBOOKS_CONTACTS_UPDATE,
            path={"contact_id": identity(contact_id, argument="contact_id")},
            json=phonebooks.contact_changes(changes),
        )

    async def delete(self, contact_ids: Iterable[int]) -> None:
        """Delete contacts.

        Args:
            contact_ids: from `list`; at least one.

        Raises:
            ConfigurationError: none is given, or one is no id.

        Source: phonebook/number/delete-number.md.
        """
        return await self._call(
            endpoints.PHONEBOOKS_CONTACTS_DELETE, json={"listNumbers": identities(contact_ids, argument="contact_ids")}
        )

    async def export(self, filters: ContactFilters | None = None) -> None:
        """Let the panel prepare a file of contacts; it is fetched there.

        Args:
            filters: which contacts; all where unset.

        Raises:
            EdgeError: as every call.

        Source: phonebook/number/export-number-contacts.md.
        """
        return await self._call(endpoints.PHONEBOOKS_CONTACTS_EXPORT, query=phonebooks.contact_filters(filters))

    async def export_members(self, phonebook_id: int) -> None:
        """Let the panel prepare a file of one phonebook's contacts; it is fetched there.

        Args:
            phonebook_id: from `phonebooks.list`.

        Raises:
            NotFound: there is no such phonebook.

        Source: phonebook/number/export-number-members.md.
        """
        return await self._call(
            endpoints.PHONEBOOKS_CONTACTS_EXPORT_MEMBERS,
            path={"phonebook_id": identity(phonebook_id, argument="phonebook_id")},
        )

    async def import_file(self, phonebook_id: int, file: FileInput) -> None:
        """Add the numbers of an Excel file to a phonebook.

        Args:
            phonebook_id: from `phonebooks.list`.
            file: an XLSX in the form of `import_sample`: a path, a binary file object or (name, bytes). It is read
                piece by piece.

        Raises:
            ConfigurationError: the file cannot be read or is no XLSX.
            NotFound: there is no such phonebook.
            ValidationFailed: the service does not take the file.

        Source: phonebook/number/import-number.md.
        """
        return await self._call(
            endpoints.PHONEBOOKS_CONTACTS_IMPORT_FILE,
            path={"phonebook_id": identity(phonebook_id, argument="phonebook_id")},
            files=[("file", phonebooks.sheet(file, self._defaults))],
        )

    async def import_sample(self, phonebook_id: int) -> bytes | None:
        """Give the file to fill in for `import_file`.

        Args:
            phonebook_id: from `phonebooks.list`.

        Returns:
            The Excel file; None where the service answers without one, as the documents show it.

        Raises:
            NotFound: there is no such phonebook.

        Source: phonebook/number/sample-import-number.md.
        """
        return await self._call(
            endpoints.PHONEBOOKS_CONTACTS_IMPORT_SAMPLE,
            path={"phonebook_id": identity(phonebook_id, argument="phonebook_id")},
        )


@attrs.frozen(repr=False, eq=False)
class Options:
    """The fields of your own that contacts may have, such as a birthday or a debt."""

    _call: AsyncCaller
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
            type: only those of this type.
            title: only those with this title.
            page: from 1.
            per_page: rows a page, at most 1,000.

        Raises:
            ConfigurationError: an argument is out of its limits.

        Source: phonebook/option/list-option.md (it marks type and title as required; they are filters).
        """
        return await self._call(
            endpoints.PHONEBOOKS_OPTIONS_LIST,
            query={
                **paging(page, per_page, check=self._defaults.validate),
                "type": phonebooks.option_type(type, check=self._defaults.validate),
                "title": phonebooks.filter_text(title, argument="title"),
            },
        )

    def iter_list(
        self,
        *,
        type: OptionType | Literal["int", "string", "date"] | None = None,  # noqa: A002 - the API's own name
        title: str | None = None,
        per_page: int = 100,
    ) -> AsyncIterator[Option]:
        """Walk all options, page by page.

        Args:
            type: only those of this type.
            title: only those with this title.
            per_page: rows a page, at most 1,000.

        Source: phonebook/option/list-option.md.
        """
        return AsyncItems(lambda page: self.list(type=type, title=title, page=page, per_page=per_page))

    async def create(
        self,
        type: OptionType | Literal["int", "string", "date"],  # noqa: A002 - the API's own name
        title: str,
    ) -> Option:
        """Make an option.

        Args:
            type: what its values are: int, string or date.
            title: its name.

        Raises:
            ConfigurationError: another type, or an empty title.

        Source: phonebook/option/store-option.md.
        """
        return await self._call(
            endpoints.PHONEBOOKS_OPTIONS_CREATE, json=phonebooks.new_option(self._defaults, type, title)
        )

    async def update(self, option_id: int, title: str) -> None:
        """Rename an option.

        Args:
            option_id: from `list` or `create`.
            title: its new name.

        Raises:
            NotFound: there is no such option.

        Source: phonebook/option/update-option.md.
        """
        return await self._call(
            endpoints.PHONEBOOKS_OPTIONS_UPDATE,
            path={"option_id": identity(option_id, argument="option_id")},
            json={"title": text(title, argument="title")},
        )

    async def delete(self, option_ids: Iterable[int]) -> None:
        """Delete options.

        Args:
            option_ids: from `list` or `create`; at least one.

        Raises:
            ConfigurationError: none is given, or one is no id.

        Source: phonebook/option/delete-option.md.
        """
        return await self._call(
            endpoints.PHONEBOOKS_OPTIONS_DELETE, json={"listOptions": identities(option_ids, argument="option_ids")}
        )
