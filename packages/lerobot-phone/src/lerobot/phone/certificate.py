"""The certificate of the page, made on this computer for this computer alone, and kept so that phones know it again."""

import datetime
import ipaddress
import os
import socket
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFE = datetime.timedelta(days=365)
NAME = "lerobot phone"


def own_address() -> str:
    """The address of this computer in its network; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address of documentation
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def own_certificate(folder: Path, names: list[str]) -> tuple[Path, Path]:
    """The certificate and its key in a folder; made there if there is none, if it has expired, or lacks a name.

    Args:
        folder: where it is kept.
        names: host names and addresses it has to hold.

    Returns:
        Paths of certificate and key (PEM).
    """
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    if not (key.is_file() and certificate.is_file() and _holds(certificate.read_bytes(), names)):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _make(certificate, key, names)
    return certificate, key


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _holds(pem: bytes, names: list[str]) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        held = set(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except (ValueError, x509.ExtensionNotFound):
        return False
    expires = certificate.not_valid_after_utc
    return {_general(name) for name in names} <= held and expires > datetime.datetime.now(datetime.UTC)


def _make(certificate: Path, key: Path, names: list[str]) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + LIFE)
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(private, hashes.SHA256())
    )
    secret = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(secret)
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
