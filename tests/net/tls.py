"""A server with TLS that speaks HTTP/2 or HTTP/1.1 on loopback, with a certificate made for the test."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import ssl
from dataclasses import dataclass, field
from pathlib import Path

import h2.config
import h2.connection
import h2.events
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.net.server import Loopback


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a self-signed certificate for 127.0.0.1; its file and that of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "cert.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


@dataclass
class TlsServer(Loopback):
    """Answers every request with the body, after the latency; counts connections and streams at once."""

    cert: Path
    key: Path
    http2: bool = True
    body: bytes = b'{"ok": true}'
    latency_s: float = 0.0
    connections: int = 0
    streams: int = 0
    most_streams: int = 0
    targets: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def _tls(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert, self.key)
        context.set_alpn_protocols(["h2"] if self.http2 else ["http/1.1"])
        return context

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await (self._speak_h2 if self.http2 else self._speak_h1)(reader, writer)

    async def _speak_h1(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._enter()
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.targets.append(head.split(b" ")[1].decode())
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(self.body), self.body))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    async def _speak_h2(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._enter()
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        connection.initiate_connection()
        writer.write(connection.data_to_send())
        try:
            while data := await reader.read(65536):
                for event in connection.receive_data(data):
                    if isinstance(event, h2.events.RequestReceived):
                        self.targets.append(dict(event.headers)[b":path"].decode())
                        self.streams += 1
                        self.most_streams = max(self.most_streams, self.streams)
                        self._loop.call_later(self.latency_s, self._answer, connection, event.stream_id, writer)
                writer.write(connection.data_to_send())
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    def _answer(self, connection: h2.connection.H2Connection, stream: int, writer: asyncio.StreamWriter) -> None:
        self.streams -= 1
        connection.send_headers(stream, [(":status", "200"), ("content-length", str(len(self.body)))])
        connection.send_data(stream, self.body, end_stream=True)
        writer.write(connection.data_to_send())

    def _enter(self) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
