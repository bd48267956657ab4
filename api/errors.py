"""Everything that can go wrong in the API, and whose fault it is. Only `problems.py` knows HTTP codes.

ApiError
├── SignInRequired       the caller's: nobody is signed in, or the token is wrong
├── Unknown              the caller's: no such thing, or none that this caller may see (one sentence for both)
│   └── Absent           what a member of the body names: says which, as a body may name several
├── Invalid              the caller's: a value is wrong; says which one, why, and what to give instead
├── Conflict             the caller's: it contradicts what is registered
└── RegistryUnavailable  the machine's: the registry's database does not answer
    └── RegistryDamaged  until somebody restores it: trying again is of no use
"""


class ApiError(Exception):
    """Base of every error raised by `api`."""


class SignInRequired(ApiError):
    """The request carries no valid token and no valid session."""


class Unknown(ApiError):
    """There is no such thing, or the caller may not see it."""


class Absent(Unknown):
    """A member of the body names what there is not, or what the caller may not see; it is named like the member."""


class Invalid(ApiError):
    """A value cannot be accepted; `name` is the parameter or member it came in."""

    def __init__(self, name: str, sentence: str) -> None:
        super().__init__(sentence)
        self.name = name


class Conflict(ApiError):
    """The request contradicts what is registered."""


class RegistryUnavailable(ApiError):
    """The registry cannot be read or written now."""


class RegistryDamaged(RegistryUnavailable):
    """The registry's file is not what was written: somebody has to put it right."""
