"""run.py TEST.py: pytest on one file, for ctest. Exit status 77, which ctest counts as skipped, where pytest is not installed,
and where every test of the file was skipped; the reasons are printed."""
import sys

try:
    import pytest
except ImportError:
    print("skipped: there is no pytest here (Debian: python3-pytest; ./setup.sh --tests installs it)")
    sys.exit(77)


class Count:
    ran = 0

    def pytest_runtest_logreport(self, report):
        self.ran += report.when == "call" and not report.skipped


count = Count()
status = pytest.main(["-q", "-rs", "-p", "no:cacheprovider", *sys.argv[1:]], plugins=[count])
sys.exit(77 if status == 0 and count.ran == 0 else status)
