/* fake_fault.h: what the stand-in drivers (fake_cuda.c, fake_opencl.c) share: failures and a report
 * for programs that a test only starts.
 *
 * FAKE_GPU_FAIL=NAME:N:CODE: the N-th call of that name (*: of any that may fail) fails with that
 * code; N+: all from it on, as of a device that is lost. FAKE_GPU_REPORT=FILE: lines are put at its
 * end: "called NAME" the first time, "failed NAME", "mistake: ...", and at the end "calls N". */
#ifndef TESTS_SUPPORT_FAKE_FAULT_H
#define TESTS_SUPPORT_FAKE_FAULT_H

/* The code that this call is to fail with; 0: none. */
int fake_fault(const char *name);
/* A line of the report. */
void fake_report(const char *what, const char *text);

#endif
