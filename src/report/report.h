/* report.h: what a run leaves behind: its folder, results.csv, event files for TensorBoard, plots,
 * COCO results; and the rows and the progress line that it prints. It does not know where the
 * numbers come from. Everything that others include of this folder is here.
 *
 * Files are replaced whole or not at all; the two that grow, results.csv and the event file, end
 * with a whole row or record whatever happens. Nothing here has threads or globals. */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "coco_json.h"
#include "columns.h"
#include "dota.h"
#include "plots.h"
#include "progress.h"
#include "results_csv.h"
#include "run_folder.h"
#include "table.h"
#include "tensorboard.h"
#include "text_file.h"

#endif
