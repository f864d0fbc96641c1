# Generated from ippanel_edge/models/*.py by tests/codegen/generate_models.py: edit those, then run `nox -s generate`.
"""The classes of requests and responses of all API sections, and `FileInput`. Each is loaded on first use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ippanel_edge.models.auth import LoginStep, ResetToken, TokenOwner
    from ippanel_edge.models.banks import Gender, Place, RecipientsCount
    from ippanel_edge.models.check import ClientCheck
    from ippanel_edge.models.common import Meta, Model, Page
    from ippanel_edge.models.documents import Document, SampleFile
    from ippanel_edge.models.drafts import Draft, DraftGroup
    from ippanel_edge.models.jobs import JobCategory, JobSubCategory
    from ippanel_edge.models.numbers import Number
    from ippanel_edge.models.packages import Package, PackageFilters
    from ippanel_edge.models.patterns import NewPattern, Pattern, PatternFilters, PatternRevision, PatternVariable
    from ippanel_edge.models.payment import Credit
    from ippanel_edge.models.phonebooks import (
        AddedContacts,
        Contact,
        ContactChanges,
        ContactFilters,
        ContactTag,
        NewContact,
        Option,
        OptionType,
        Phonebook,
    )
    from ippanel_edge.models.reports import (
        BulkStats,
        DeliveryReport,
        InboxMessage,
        Languages,
        OutboxFilters,
        OutboxMessage,
        RecipientReport,
        WaitReason,
    )
    from ippanel_edge.models.send import (
        CountryTarget,
        GeolocationTarget,
        JobTarget,
        OperatorSlice,
        PatternContact,
        PeerMessage,
        PhonebookNumbers,
        PostalCodeTarget,
        Price,
        Slice,
        WholePhonebooks,
    )
    from ippanel_edge.models.send_result import SendResult
    from ippanel_edge.models.states import DeliveryStatus, MessageState, PatternStatus, TicketState, VariableType
    from ippanel_edge.models.tickets import (
        CreatedTicket,
        RepliedTicket,
        Ticket,
        TicketCategory,
        TicketFilters,
        TicketForward,
        TicketInteraction,
        TicketReply,
        TicketStateName,
        TicketSubCategory,
        TicketSummary,
        TicketUser,
    )
    from ippanel_edge.models.users import (
        NewUser,
        ParentsTree,
        Tariff,
        TreeUser,
        User,
        UserChanges,
        UserCredit,
        UserFilters,
        UserParent,
        UserRole,
    )
    from ippanel_edge.values.files import FileInput

__all__ = [
    "AddedContacts",
    "BulkStats",
    "ClientCheck",
    "Contact",
    "ContactChanges",
    "ContactFilters",
    "ContactTag",
    "CountryTarget",
    "CreatedTicket",
    "Credit",
    "DeliveryReport",
    "DeliveryStatus",
    "Document",
    "Draft",
    "DraftGroup",
    "FileInput",
    "Gender",
    "GeolocationTarget",
    "InboxMessage",
    "JobCategory",
    "JobSubCategory",
    "JobTarget",
    "Languages",
    "LoginStep",
    "MessageState",
    "Meta",
    "Model",
    "NewContact",
    "NewPattern",
    "NewUser",
    "Number",
    "OperatorSlice",
    "Option",
    "OptionType",
    "OutboxFilters",
    "OutboxMessage",
    "Package",
    "PackageFilters",
    "Page",
    "ParentsTree",
    "Pattern",
    "PatternContact",
    "PatternFilters",
    "PatternRevision",
    "PatternStatus",
    "PatternVariable",
    "PeerMessage",
    "Phonebook",
    "PhonebookNumbers",
    "Place",
    "PostalCodeTarget",
    "Price",
    "RecipientReport",
    "RecipientsCount",
    "RepliedTicket",
    "ResetToken",
    "SampleFile",
    "SendResult",
    "Slice",
    "Tariff",
    "Ticket",
    "TicketCategory",
    "TicketFilters",
    "TicketForward",
    "TicketInteraction",
    "TicketReply",
    "TicketState",
    "TicketStateName",
    "TicketSubCategory",
    "TicketSummary",
    "TicketUser",
    "TokenOwner",
    "TreeUser",
    "User",
    "UserChanges",
    "UserCredit",
    "UserFilters",
    "UserParent",
    "UserRole",
    "VariableType",
    "WaitReason",
    "WholePhonebooks",
]

_MODULE_OF = {
    "AddedContacts": "models.phonebooks",
    "BulkStats": "models.reports",
    "ClientCheck": "models.check",
    "Contact": "models.phonebooks",
    "ContactChanges": "models.phonebooks",
    "ContactFilters": "models.phonebooks",
    "ContactTag": "models.phonebooks",
    "CountryTarget": "models.send",
    "CreatedTicket": "models.tickets",
    "Credit": "models.payment",
    "DeliveryReport": "models.reports",
    "DeliveryStatus": "models.states",
    "Document": "models.documents",
    "Draft": "models.drafts",
    "DraftGroup": "models.drafts",
    "FileInput": "values.files",
    "Gender": "models.banks",
    "GeolocationTarget": "models.send",
    "InboxMessage": "models.reports",
    "JobCategory": "models.jobs",
    "JobSubCategory": "models.jobs",
    "JobTarget": "models.send",
    "Languages": "models.reports",
    "LoginStep": "models.auth",
    "MessageState": "models.states",
    "Meta": "models.common",
    "Model": "models.common",
    "NewContact": "models.phonebooks",
    "NewPattern": "models.patterns",
    "NewUser": "models.users",
    "Number": "models.numbers",
    "OperatorSlice": "models.send",
    "Option": "models.phonebooks",
    "OptionType": "models.phonebooks",
    "OutboxFilters": "models.reports",
    "OutboxMessage": "models.reports",
    "Package": "models.packages",
    "PackageFilters": "models.packages",
    "Page": "models.common",
    "ParentsTree": "models.users",
    "Pattern": "models.patterns",
    "PatternContact": "models.send",
    "PatternFilters": "models.patterns",
    "PatternRevision": "models.patterns",
    "PatternStatus": "models.states",
    "PatternVariable": "models.patterns",
    "PeerMessage": "models.send",
    "Phonebook": "models.phonebooks",
    "PhonebookNumbers": "models.send",
    "Place": "models.banks",
    "PostalCodeTarget": "models.send",
    "Price": "models.send",
    "RecipientReport": "models.reports",
    "RecipientsCount": "models.banks",
    "RepliedTicket": "models.tickets",
    "ResetToken": "models.auth",
    "SampleFile": "models.documents",
    "SendResult": "models.send_result",
    "Slice": "models.send",
    "Tariff": "models.users",
    "Ticket": "models.tickets",
    "TicketCategory": "models.tickets",
    "TicketFilters": "models.tickets",
    "TicketForward": "models.tickets",
    "TicketInteraction": "models.tickets",
    "TicketReply": "models.tickets",
    "TicketState": "models.states",
    "TicketStateName": "models.tickets",
    "TicketSubCategory": "models.tickets",
    "TicketSummary": "models.tickets",
    "TicketUser": "models.tickets",
    "TokenOwner": "models.auth",
    "TreeUser": "models.users",
    "User": "models.users",
    "UserChanges": "models.users",
    "UserCredit": "models.users",
    "UserFilters": "models.users",
    "UserParent": "models.users",
    "UserRole": "models.users",
    "VariableType": "models.states",
    "WaitReason": "models.reports",
    "WholePhonebooks": "models.send",
}


def __getattr__(name: str) -> object:
    """Import a public name from its module on first use."""
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module 'ippanel_edge.models' has no attribute {name!r}")
    value: object = getattr(import_module(f"ippanel_edge.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names, loaded or not."""
    return sorted(__all__)
