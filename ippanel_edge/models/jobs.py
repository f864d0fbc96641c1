"""Models of trades: their main categories and sub-categories. What a choice counts is `banks.RecipientsCount`."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class JobCategory:
    """A main category of trades. Source: send/jobs/categories.md.

    Attributes:
        id: what the other calls take as `main_category_id`.
        name: its Persian name.
    """

    id: int | None = None
    name: str | None = None


@attrs.frozen(kw_only=True)
class JobSubCategory:
    """A trade within a main category. Source: send/jobs/sub-category.md.

    Attributes:
        id: what the other calls take as `sub_category_id`.
        name: its Persian name.
        main_id: the main category.
        main_name: the main category's Persian name.
    """

    id: int | None = None
    name: str | None = None
    main_id: int | None = None
    main_name: str | None = None
