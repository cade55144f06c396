"""OpenPGP: what a file is encrypted with, and how it is known beforehand that it can be."""

import pysequoia
from pysequoia.packet import Packet, PacketPile, Tag

from functions.core.documents import text, wrong
from functions.core.errors import Code, Permanent

EXTENSION = "pgp"
CONTENT_TYPE = "application/pgp-encrypted"
_CURE = "gpg --armor --export SUBKEY_ID!"
_ENCRYPTS = "give a subkey that may encrypt, and has neither ended nor been revoked"


class PublicKey:
    """A keyring with one subkey, to which files are encrypted; only `parse` makes one."""

    def __init__(self, armored: str, certificate: pysequoia.Cert) -> None:
        self.armored = armored
        self._certificate = certificate

    @classmethod
    def parse(cls, armored: object) -> "PublicKey":
        """The key that an armored text holds, tried once.

        Raises:
            Refused: It is no public key, a primary key without a subkey, holds several subkeys, or nothing can be
                encrypted to it.
        """
        given = text(r"(?s).+", "an OpenPGP public key")(armored)
        packets = _packets(given)
        subkeys = sum(packet.tag == Tag.PublicSubkey for packet in packets)
        if sum(packet.tag == Tag.PublicKey for packet in packets) > 1:
            raise wrong("holds several keys; give a keyring with exactly one subkey", _CURE)
        if packets and packets[0].tag == Tag.PublicSubkey:
            raise wrong("is a subkey without the primary key that vouches for it", _CURE)
        if subkeys == 0:
            raise wrong("the key is a primary key; give a subkey or a keyring with exactly one subkey", _CURE)
        if subkeys > 1:
            raise wrong(f"holds {subkeys} subkeys; give a subkey or a keyring with exactly one subkey", _CURE)
        return cls(given, _tried(packets))

    def encrypt_file(self, source: str, target: str) -> None:
        """Encrypt one file to another, both by their paths, in memory that does not grow with them.

        Raises:
            Permanent: The key can no longer be encrypted to, or a file cannot be read or written.
        """
        try:
            pysequoia.encrypt_file(source, target, recipients=[self._certificate], armor=False)
        except RuntimeError as error:
            raise Permanent(Code.BAD_DEFINITION, f"`pgp_public_key`: {_first_line(error)}") from None


def _packets(armored: str) -> list[Packet]:
    try:
        packets = list(PacketPile.from_bytes(armored.encode()))
    except (RuntimeError, UnicodeEncodeError):
        raise wrong(
            "is no OpenPGP public key", "paste the whole block, with its first and last line"
        ) from None
    if any(packet.tag in (Tag.SecretKey, Tag.SecretSubkey) for packet in packets):
        raise wrong("is a private key; give the public one, and count this one as lost", _CURE)
    return packets


def _tried(packets: list[Packet]) -> pysequoia.Cert:
    try:
        certificate = pysequoia.Cert.from_packets(packets)
        pysequoia.encrypt(b"", recipients=[certificate])
    except RuntimeError as error:
        raise wrong(f"nothing can be encrypted to it: {_first_line(error)}", _ENCRYPTS) from None
    return certificate


def _first_line(error: RuntimeError) -> str:
    return str(error).partition("\n")[0]
