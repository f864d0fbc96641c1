"""Models of jobs (trades): main categories and sub-categories. For counts, see `banks.RecipientsCount`."""

from __future__ import annotations

import attrs

from ippanel_edge.models.common import Model


@attrs.frozen(kw_only=True)
class JobCategory(Model):
    """A main category of jobs. Source: send/jobs/categories.md.

    Attributes:
        id: the category's id, which other calls take as `main_category_id`.
        name: the Persian name.
    """

    id: int | None = None
    name: str | None = None


@attrs.frozen(kw_only=True)
class JobSubCategory(Model):
    """A sub-category of jobs. Source: send/jobs/sub-category.md.

    Attributes:
        id: the sub-category's id, which other calls take as `sub_category_id`.
        name: the Persian name.
        main_id: the id of the main category.
        main_name: the Persian name of the main category.
    """

    id: int | None = None
    name: str | None = None
    main_id: int | None = None
    main_name: str | None = None
