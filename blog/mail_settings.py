"""The settings of what comes back: bounces and complaints, and the doors they come in by."""

import re

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings


class MailSettings(BaseSettings):
    """The part of `Settings` that is about returned mail; all of it is optional."""

    bounce_address: str = Field(
        "",
        description="Where bounces go: `bounces@example.org`, or `@bounces.example.org` for a whole domain",
    )

    @field_validator("bounce_address")
    @classmethod
    def _bounces_have_an_address(cls, value: str) -> str:
        # Beside it stand a number and its mark, 37 characters at most, of 64 (RFC 5321 §4.5.3.1.1).
        if value and not re.fullmatch(r"[A-Za-z0-9._-]{0,24}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", value):
            raise ValueError(
                "expected bounces@example.org, or @bounces.example.org where every name is taken"
            )
        return value
