"""A finished file into a bucket of S3 or of whatever speaks its protocol, by Arrow's client.

Credentials are the machine's, by the rules of AWS's own tools: variables, profile or instance role.
"""

from pathlib import Path
from urllib.parse import urlsplit

from connectors.base.errors import PipeledgerError
from connectors.base.redact import redact


def upload(path: Path, bucket: str) -> None:
    """Put a file into a bucket under its own name, in place of an older one.

    Args:
        path: the finished file.
        bucket: ``s3://<bucket>/<prefix>``, with the region or another endpoint as its query.

    Raises:
        PipeledgerError: the storage did not take it; the older object stands.
    """
    from pyarrow import ArrowException, fs, memory_map

    parts = urlsplit(bucket)
    place = f"{parts.scheme}://{parts.netloc}?{parts.query}"
    try:
        storage, root = fs.FileSystem.from_uri(place)
        target = "/".join(part for part in (root, parts.path.strip("/"), path.name) if part)
        with memory_map(str(path)) as file, storage.open_output_stream(target) as stream:
            # In one call: a stream that is left early would be completed with what it has.
            stream.write(file.read_buffer())
    except (OSError, ArrowException) as error:
        text = " ".join(str(error).split())
        raise PipeledgerError(
            f"{path} is written, and {parts.scheme}://{parts.netloc}{parts.path} did not take it: "
            f"{redact(text)}"
        ) from error
