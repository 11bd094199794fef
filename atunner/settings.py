"""The only reader of the environment: every setting has a default and the name ATUNNER_<FIELD>."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from platformdirs import user_cache_path, user_data_path
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from atunner.core.errors import UserError
from atunner.tools.energy import POWERCAP


class Settings(BaseSettings):
    """Where things lie and what is used when the command line does not say.

    data: runs and the knowledge base. cache: builds by content. database: SQLAlchemy URL, "" for SQLite under `data`.
    locks: where runs are locked, None for under `data`. model: as --model takes it. prices: a file of prices over
    ours. workers: build processes, 0 for one a core. sandbox: the level that every run demands. served_sandbox: at
    least this for jobs of the service whose code comes from a client or a model. torch_python: an interpreter that
    has PyTorch, to compare with. powercap: where Linux tells of the processor's energy. api_keys: the
    file of the hashes of API keys, None for `api-keys` under `data`.
    """

    model_config = SettingsConfigDict(env_prefix="ATUNNER_", extra="ignore")

    locks: Path | None = None
    api_keys: Path | None = None
    data: Path = Field(default_factory=lambda: user_data_path("atunner"))
    cache: Path = Field(default_factory=lambda: user_cache_path("atunner"))
    database: str = ""
    model: str = "none"
    prices: Path | None = None
    workers: int = Field(default=0, ge=0)
    sandbox: str = "rlimits"
    served_sandbox: Literal["none", "rlimits", "landlock", "namespaces"] = "landlock"
    torch_python: str = ""
    powercap: Path = POWERCAP

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            first = error.errors()[0]
            name = f"ATUNNER_{'_'.join(str(part) for part in first['loc'])}".upper()
            raise UserError(f"{name} is wrong: {first['msg']}; got {first['input']!r}.") from error

    @property
    def database_url(self) -> str:
        """The URL of the knowledge base."""
        return self.database or f"sqlite:///{self.data / 'atunner.sqlite'}"

    def lock_of(self, run: str) -> Path:
        """The file that is locked while a process works on a run."""
        return (self.locks or self.data / "locks") / f"{run}.lock"

    @property
    def key_file(self) -> Path:
        """Where the hashes of API keys lie."""
        return self.api_keys or self.data / "api-keys"

    @property
    def build_workers(self) -> int:
        """Processes that build."""
        return self.workers or os.cpu_count() or 1


def environment() -> Mapping[str, str]:
    """The environment itself, for the few libraries that need a variable of their own."""
    return os.environ


def secret(name: str) -> str:
    """A key from the environment, "" when it is not set; it goes to the model's client and nowhere else."""
    return os.environ.get(name, "")
