"""The base of all bodies of an API, so that its OpenAPI document holds only text that was written for readers."""

from typing import Any, ClassVar

from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema


class Schema(BaseModel):
    """Takes its description as an argument of the class: a docstring is for those who read the code, and is never served."""

    _description: ClassVar[str]

    def __init_subclass__(cls, *, description: str, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._description = description

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler, /) -> JsonSchemaValue:
        found = handler.resolve_ref_schema(handler(core_schema))
        return found | {"description": cls._description}
