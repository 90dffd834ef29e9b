"""PNG with a palette: a picture of a page has few colours, and its file a third of the size.

Nothing in the locked dependencies reads or writes pictures, so the browser that took one also hands out its pixels.
"""

import base64
import struct
import zlib

import numpy as np
from playwright.sync_api import Page

COLOURS = 256
PIXELS = """async (data) => {
  const picture = new Image();
  picture.src = data;
  await picture.decode();
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  const context = canvas.getContext("2d");
  context.drawImage(picture, 0, 0);
  const bytes = context.getImageData(0, 0, picture.width, picture.height).data;
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return {width: picture.width, height: picture.height, pixels: btoa(text)};
}"""


def reduced(picture: bytes, blank: Page) -> bytes:
    """Return a picture with at most 256 colours: the most frequent ones, and for every other the nearest of them."""
    told = blank.evaluate(PIXELS, f"data:image/png;base64,{base64.b64encode(picture).decode()}")
    pixels = np.frombuffer(base64.b64decode(told["pixels"]), np.uint8).reshape(told["height"], told["width"], 4)
    flat = pixels[:, :, :3].astype(np.int32).reshape(-1, 3)
    # colours that differ by less than the eye sees are one
    coarse = (flat >> 2) @ np.array([1 << 12, 1 << 6, 1])
    _, first, inverse, counts = np.unique(coarse, return_index=True, return_inverse=True, return_counts=True)
    kept = np.argsort(-counts, kind="stable")[:COLOURS]
    palette = flat[first[kept]]
    distances = ((flat[first][:, None, :] - palette[None]) ** 2).sum(axis=2)
    indices = distances.argmin(axis=1).astype(np.uint8)[inverse.reshape(-1)].reshape(told["height"], told["width"])
    return encoded(indices, palette.astype(np.uint8))


def encoded(indices: "np.ndarray", palette: "np.ndarray") -> bytes:
    """Return a PNG of colour type 3, eight bits, no filter (PNG specification, W3C 2003)."""
    height, width = indices.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), indices], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = (
        (b"IHDR", header),
        (b"PLTE", palette.tobytes()),
        (b"IDAT", zlib.compress(rows.tobytes(), 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )
