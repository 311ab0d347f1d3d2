"""subprocess: Popen(stdout=PIPE), waited for, and the pipe never closed since the object is kept."""
import resource
import subprocess
from pace import beats

resource.setrlimit(resource.RLIMIT_NOFILE, (512, 512))
done = []
for n in beats(4.8):
    p = subprocess.Popen(["true"], stdout=subprocess.PIPE)
    p.wait()
    done.append(p)
