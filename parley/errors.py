"""The error tree. What a loop does about an error is decided by its class, in one place (`parley.runtime`).

    ParleyError
    ├── InvalidEvent          a record that cannot be read: dead letter, go on
    ├── NewerVersion          a record of a version this build does not know: stop, deploy the reader first
    ├── TransientError        the world is briefly not there: try again within the deadline
    │   ├── BusUnavailable
    │   ├── StoreUnavailable
    │   └── GeneratorUnavailable
    │       └── EngineDied    the engine is gone with all that it had under way: it is started anew
    ├── RequestRefused        the other side understood and said no: do not try again
    │   ├── PromptTooLong     more tokens than the model's context holds
    │   └── UnknownAdapter    an adapter that is not loaded
    ├── AdapterRefused        files that are no adapter for this model
    │   └── AdapterUnreadable files that the system does not hand out: in a store, a reason to try again
    ├── Superseded            another worker owns this partition now: drop the batch
    ├── UnknownTopic          a topic that was never applied
    ├── RecordTooLarge        a record above the bus's limit
    ├── KeyErased             the customer's key is gone: the text is gone with it
    ├── TenantInvalid         a tenant folder with errors (file, line, field)
    ├── UnknownTenant         a tenant, or a version of one, that was never imported
    ├── TooManyInvalid        the flood guard: too large a part of the records cannot be read
    └── ConfigurationError    a setting that cannot work

Backends translate every error of their library into one of these with `raise … from`. Business outcomes (nothing
found, an unknown intent) are events, never exceptions.
"""


class ParleyError(Exception):
    """The root of everything that Parley raises on purpose."""


class InvalidEvent(ParleyError):
    """A record that no reader can read: it becomes a dead letter. The reason never quotes a customer's text."""


class NewerVersion(ParleyError):
    """A record of a schema version newer than this build: readers are deployed first, so the worker stops."""


class TransientError(ParleyError):
    """The world is not there just now; the same call may succeed later."""


class BusUnavailable(TransientError):
    """The broker did not answer or did not acknowledge in time."""


class StoreUnavailable(TransientError):
    """The database did not answer."""


class GeneratorUnavailable(TransientError):
    """The model server did not answer, or is overloaded."""


class EngineDied(GeneratorUnavailable):
    """The engine ended by itself; everything that it had under way is lost, and a new one has to be started."""


class RequestRefused(ParleyError):
    """The other side understood the request and refused it; repeating it would not help."""


class PromptTooLong(RequestRefused):
    """A prompt that leaves no room in the model's context: both numbers in tokens."""

    def __init__(self, prompt_tokens: int, context_tokens: int) -> None:
        super().__init__(f"the prompt has {prompt_tokens} tokens; the context holds {context_tokens}")
        self.prompt_tokens = prompt_tokens
        self.context_tokens = context_tokens


class UnknownAdapter(RequestRefused):
    """An adapter that was not loaded into the engine."""


class AdapterRefused(ParleyError):
    """Files that cannot be served as an adapter; the message names the file, what is wrong, and what is allowed."""


class AdapterUnreadable(AdapterRefused):
    """Files that are not there, or that the system does not hand out. Of a store that may be away this says nothing of the files."""


class Superseded(ParleyError):
    """Another worker committed past this one: its batch is dropped and nothing of it was written."""


class AlreadySeen(ParleyError):
    """An event of the batch was decided before: nothing of the batch was written."""


class UnknownTopic(ParleyError):
    """The topic does not exist on the bus (`parley topics apply` creates the design's topics)."""


class RecordTooLarge(ParleyError):
    """The record exceeds the bus's limit of 1 MB with room for the envelope."""


class KeyErased(ParleyError):
    """The customer's key was erased, and everything sealed with it cannot be read any more."""


class TenantInvalid(ParleyError):
    """A tenant folder that fails its checks. `problems` holds one line each: file, line, field, what is allowed."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class UnknownTenant(ParleyError):
    """No such tenant, or no such version of it, was imported."""


class TooManyInvalid(ParleyError):
    """The flood guard: so many records are invalid that this is a bad deployment, not a bad record."""


class ConfigurationError(ParleyError):
    """A setting that cannot work; the message names it and what is allowed."""
