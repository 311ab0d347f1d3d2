"""R8: results of a stream are collected in a list, each with its frame."""

from job import Job, touched

job = Job(__doc__).begin()
results = []
for n in job.ticks(20 / job.rate):
    results.append({"frame": touched(640 * 480 * 3 // 2), "boxes": [(0, 0, 1, 1, n)] * 10})
