"""What happens to files that nobody asked for."""

from typing import NoReturn

from django.core.files.uploadhandler import FileUploadHandler, StopUpload


class NoFilesUploadHandler(FileUploadHandler):
    """Hang up at the first file: forms without a file field send none."""

    def new_file(self, *args: object, **kwargs: object) -> NoReturn:
        raise StopUpload(connection_reset=True)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Nothing is received after the refusal."""

    def file_complete(self, file_size: int) -> None:
        """Nothing is complete either."""
