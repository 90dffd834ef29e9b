"""Redis behind TLS with an authority of one's own."""

import asyncio
import contextlib
import datetime as dt
import ipaddress
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from backstop.clock import FixedClock
from backstop.errors import StoreUnavailable
from backstop.settings import Settings
from backstop.store.connection import connect_async, connect_url
from backstop.store.loader import SlateWriter
from backstop.store.reader import SlateReader
from tests.store.conftest import CUTOFF
from tests.store.rows import DAY, props
from tests.store.servers import binary, free_port, wait_for

pytestmark = pytest.mark.redis_server


def certificate(folder, name, signer=None):
    """Write NAME.key and NAME.crt, signed by another pair or by itself; return both."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer, issuer_key = (subject, key) if signer is None else (signer[1].subject, signer[0])
    now = dt.datetime.now(dt.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=signer is None, path_length=None), critical=True)
        .sign(issuer_key, hashes.SHA256())
    )
    (folder / f"{name}.crt").write_bytes(built.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return key, built


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    certificate(folder, "server", certificate(folder, "authority"))
    certificate(folder, "stranger")
    return folder


@pytest.fixture(scope="module")
def address(folder):
    port = free_port()
    options = [
        "--port", "0", "--tls-port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder),
        "--tls-cert-file", str(folder / "server.crt"), "--tls-key-file", str(folder / "server.key"),
        "--tls-ca-cert-file", str(folder / "authority.crt"), "--tls-auth-clients", "no", "--requirepass", "secret",
    ]  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([str(binary("redis-server")), *options], stdout=log, stderr=log)
    try:
        wait_for(lambda: b"Ready to accept" in (folder / "log").read_bytes() or process.poll() is not None)
        if process.poll() is not None:
            pytest.skip("this redis-server was built without TLS")
        yield f"rediss://:secret@127.0.0.1:{port}/0"
    finally:
        process.kill()
        process.wait()


def test_a_slate_is_published_and_read_through_tls(address, folder):
    with contextlib.closing(connect_url(f"{address}?ssl_ca_certs={folder / 'authority.crt'}")) as client:
        clock = FixedClock(dt.datetime.now(dt.UTC))
        writer, reader = SlateWriter(client, clock), SlateReader(client, clock)
        draft = writer.open(DAY, cutoff=CUTOFF, run_id="r1")
        writer.load(draft, "props", props(400))
        assert writer.publish(draft, {"props": 4800}, {}).served
        assert len(reader.props(DAY)) == 4800
        assert [len(view.props) for view in reader.players([600_001, 600_002], DAY)] == [12, 12]


def test_a_server_signed_by_nobody_known_is_refused(address, folder):
    for query in ("", f"?ssl_ca_certs={folder / 'stranger.crt'}"):
        with pytest.raises(StoreUnavailable, match="certificate verify failed") as refused:
            connect_url(address + query)
        assert "secret" not in str(refused.value)


def test_an_event_loop_reaches_it_too(address, folder):
    async def ping():
        url = f"{address}?ssl_ca_certs={folder / 'authority.crt'}"
        client = await connect_async(Settings(redis_url=url, _env_file=None))
        try:
            return await client.ping()
        finally:
            await client.aclose()

    assert asyncio.run(ping())
