"""tempfile.TemporaryFile() for each upload, kept in a list: deleted files that stay open."""
import resource
import tempfile

from pace import beats

resource.setrlimit(resource.RLIMIT_NOFILE, (512, 512))
uploads = []
for n in beats(4.8):
    f = tempfile.TemporaryFile()
    f.write(b"x" * 100000)
    f.flush()
    uploads.append(f)
