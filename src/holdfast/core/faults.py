"""The one tree of exceptions. Each has a stable code and says whether a retry can help."""


class Fault(Exception):
    """Something that should not happen in business; an operator or a program must act."""

    code = "fault"
    retriable = False

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class MalformedFault(Fault):
    """Bytes from outside do not have the form that the protocol states."""

    code = "malformed"


class TooLargeFault(MalformedFault):
    """Bytes from outside exceed a stated bound; they were not read further."""

    code = "too-large"


class ChainFault(Fault):
    """A chain does not join: a hash or a sequence number is not what it must be."""

    code = "chain.broken"


class SignatureFault(Fault):
    """A signature does not verify under any key known for its signer."""

    code = "signature.invalid"


class KeyFault(Fault):
    """A key is missing, foreign or wrong; the sentence names which file and the cure."""

    code = "key"


class DatabaseFault(Fault):
    """A database cannot be used as it is; the sentence names the cause and the cure."""

    code = "database"


class DamagedFault(DatabaseFault):
    """Part of a database cannot be read. What was to be written was not; the rest can still be used."""

    code = "database.damaged"

    def __init__(self, sentence: str, path: str = "") -> None:
        super().__init__(sentence)
        self.path = path
        """The file, where it is known."""


class NewerVersionFault(DatabaseFault):
    """A database was written by a newer version of Holdfast than this one."""

    code = "database.newer-version"


class StorageFullFault(Fault):
    """The disk is full. Retriable once there is room."""

    code = "storage.full"
    retriable = True


class UnavailableFault(Fault):
    """A part that is needed did not answer (PostgreSQL, head office). Retriable."""

    code = "unavailable"
    retriable = True


class ConfigurationFault(Fault):
    """A setting is wrong or something on this machine is in the way; the sentence says which."""

    code = "configuration"
