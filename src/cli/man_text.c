/* man_text.c: what the manual pages say beside the options: descriptions, files, signals,
 * examples. */
#include <string.h>

#include "man.h"

#define LIST                                                                                       \
    "In texts, `${NAME}` is taken from the environment, `${file:PATH}` is the first line of a "    \
    "file, and `$${` is a real `${`. TIME is 500ms, 10s, 5m, 2h or 1d; SIZE is 4096, 512M or "     \
    "1.5G.\n"

static const char program[] =
    "`vigil` runs YOLO11 detectors in one native program, and guards long jobs of any kind. Before "
    "the first picture it plans every byte that it will use, and while it runs it takes no more.\n"
    "\n"
    "An option may be spelt `--imgsz 640`, `--imgsz=640` or `imgsz=640`, with - and _ being the "
    "same in its name. A flag is turned off by `--no-save` or `save=False`. Given twice, the last "
    "one wins. An unknown option is an error, which names the nearest known one. A command line "
    "may begin as YOLO's own does: `vigil yolo detect predict model=FILE source=FILE`; of its "
    "options, those that change nothing (`show=False`, `name=None`) are accepted, those without "
    "effect here are reported once, and those whose effect you would miss are refused with what to "
    "do instead.\n"
    "\n"
    "`vigil help --man COMMAND` prints these pages, `vigil help --completion COMMAND` what "
    "completion reads, `vigil help --markdown COMMAND` the tables of the guides.\n"
    "# EXAMPLES\n"
    "    vigil predict --weights yolo11n.pt --source photos/ --save\n"
    "    vigil track --weights yolo11n.pt --source rtsp://camera/1 --serve 127.0.0.1:9300\n"
    "    vigil train --data data.yaml --model yolo11n.yaml --epochs 100\n"
    "    vigil info yolo11n.pt --memory\n"
    "    vigil watch --memory-max 8G -- python train.py\n";

static const char exit_status[] =
    "# EXIT STATUS\n"
    "- 0: Everything was done.\n"
    "- 1: The command was right, but something could not be done: a file that is not there, cannot "
    "be read or written, or has wrong contents; a plan over the limit. Standard error says what, "
    "where, and what to do.\n"
    "- 2: The command line is wrong: an unknown command or option, an option that must be given "
    "and is not, a value out of its range, a class or split that the file does not have, options "
    "that contradict each other.\n"
    "- 129, 130, 143: Stopped by SIGHUP, SIGINT or SIGTERM, with all files closed.\n";

static const char predict[] =
    "Reads pictures or moving pictures, detects objects, and writes what it was asked for. All "
    "memory is planned and taken before the first frame; nothing grows afterwards. `vigil track` "
    "is `vigil predict --track` with results below runs/track.\n"
    "\n"
    "SOURCE is a picture, a video file, a folder, a glob pattern (in quotes), a .txt list of "
    "files; a URL (rtsp://, rtmp://, http://, udp://, tcp://, srt://), a camera (0, /dev/video0), "
    "- for standard input, lavfi:GRAPH for pictures that FFmpeg draws, or a .streams list with one "
    "of these a line. Files end; live sources are connected to again whenever they fail.\n"
    "\n"
    "A file has a line for each frame on standard output. Live sources have a line of status each, "
    "every 10 s, and one for each event and change of health.\n"
    "\n" LIST "# CONFIGURATION\n"
    "A YAML file of `option: value` lines, and `sources`: a list of sources, or of maps of "
    "`source`, `name` and options of its own. The command line wins over it. `vigil check` looks "
    "at it without starting it.\n"
    "# SIGNALS\n"
    "- SIGINT, SIGTERM: End within two seconds, with every file closed. A second one does not "
    "wait.\n"
    "- SIGHUP: Read the .streams list, or the configuration's sources, again; a list that is wrong "
    "changes nothing. When the terminal is gone, it ends the work instead.\n"
    "# ENVIRONMENT\n"
    "- NOTIFY_SOCKET, WATCHDOG_USEC: How systemd is notified: see sd_notify(3).\n"
    "# EXAMPLES\n"
    "    vigil predict --weights yolo11n.pt --source photos/ --save-txt\n"
    "    vigil predict --weights yolo11n.pt --source 'photos/*.jpg' --classes 0 --save-json\n"
    "    vigil track --weights yolo11n.pt --source film.mp4 --zones zones.yaml\n"
    "    vigil predict --config job.yaml\n";

static const char check[] =
    "Reads CONFIG as `vigil predict --config` would: its options, its sources and their lists, the "
    "weights, the zones, and the heads of video files. Nothing is started, connected to or "
    "written; a camera that does not answer is no error. Environment variables that the "
    "configuration names must be set, as they must be for the run.\n"
    "# EXAMPLES\n"
    "    vigil check job.yaml && vigil predict --config job.yaml\n";

static const char train[] =
    "Trains on the CPU, in float32. Every argument of the Python tool has the same name and "
    "default.\n"
    "# SIGNALS\n"
    "- SIGINT, SIGTERM, SIGHUP: Finish the step, write a checkpoint, say how to resume. SIGHUP "
    "that was ignored at the start, as by nohup(1), stays ignored. A second SIGINT or SIGTERM ends "
    "the run at once.\n"
    "# FILES\n"
    "- weights/last.safetensors: The checkpoint, and when the run has finished the last weights; "
    "last.1.safetensors is the one before, used with a warning when the last one is damaged.\n"
    "- weights/best.safetensors: The weights of the best epoch.\n"
    "- vigil.pid, vigil.progress: While the run is running: its process id and start time, locked "
    "by the process; and how far it is.\n"
    "# EXAMPLES\n"
    "    vigil train --data coco.yaml --cfg yolo11s.yaml --batch 32 --epochs 100\n"
    "    vigil train --data coco.yaml --weights yolo11n.pt --epochs 50 --detach\n"
    "    vigil train --resume runs/train/exp\n";

static const char attach[] =
    "Follows train.log of a run with --detach from its last lines on; on a terminal the row of the "
    "current epoch stands below it. For a run with a terminal of its own it shows the rows and "
    "validations that the run notes in vigil.progress. The run is not affected. Without RUN it "
    "takes the run of --project that was started last and is running.\n"
    "# EXIT STATUS\n"
    "That of the run when it ends: 0 finished, 129, 130 or 143 stopped with a checkpoint, 1 failed "
    "or killed. 1, too, when there is no such run or it is not running; 2 when the command line is "
    "wrong; 130 or 143 when `vigil attach` itself was stopped.\n";

static const char stop[] =
    "The process must hold the lock on RUN/vigil.pid and have the start time that is written "
    "there, so that a reused process id is never mistaken. Calling it again does no harm.\n";

static const char val[] =
    "Prints precision, recall, mAP50 and mAP50-95, for all classes and for each, and writes curves "
    "and confusion matrices into runs/val/exp. Pictures go in rectangular batches; a box may have "
    "several classes before suppression.\n"
    "# EXAMPLES\n"
    "    vigil val --data coco.yaml --weights runs/train/exp/weights/best.safetensors\n"
    "    vigil val data=coco.yaml model=yolo11n.pt split=test\n";

static const char demo[] =
    "At the end it prints the memory that was planned, the memory that was measured, by how much "
    "it has grown since the second epoch, and where to look.\n"
    "# FILES\n"
    "- dataset/: Pictures, labels and dataset.yaml, in the form that vigil-train(1) reads.\n"
    "- train/: A run like any other.\n"
    "- predict/: The unseen pictures with boxes.\n";

static const char watch[] =
    "Measures a job and all its descendants from outside, says which of its resources leaks, how "
    "fast, when the limit will be reached and what the probable cause is, and acts on it as its "
    "options say. It writes into runs/watch/exp (exp2 and so on): events.jsonl, history.db, and "
    "what options ask for.\n"
    "# EXIT STATUS\n"
    "The program's own; 130 or 143 after Ctrl-C or SIGTERM, which end the job first; 0 for a job "
    "that was not started here; 1 when the guard could not do its work; 2 when the command line is "
    "wrong.\n"
    "# EXAMPLES\n"
    "    vigil watch -- python train.py\n"
    "    vigil watch --memory-max 8G --on-leaking notify,restart -- python train.py\n"
    "    vigil watch --unit app.service --serve 127.0.0.1:9200\n";

static const char report[] =
    "Reads what vigil-watch(1) wrote, also while it still writes, and makes one HTML file that "
    "needs nothing else: plots of every series, verdicts with their causes and remedies, the tree "
    "of processes, events.\n"
    "# EXAMPLES\n"
    "    vigil report runs/watch/exp\n"
    "    vigil report runs/watch/exp --text\n";

static const char info[] =
    "Prints architecture, scale, classes, parameters, GFLOPs, facts about the file, and layers. "
    "Nothing is run, and nothing in a .pt is executed. With --memory it prints the memory plan of "
    "a detector, by owner; with --memory and --train that of a run of vigil-train(1).\n"
    "# EXAMPLES\n"
    "    vigil info yolo11n.pt --memory\n"
    "    vigil info yolo11s --memory --train --batch -1 --memory-limit 4G\n";

static const char convert[] =
    "Reads a .pt of Ultralytics, of which nothing is ever executed, or a .safetensors, and writes "
    "a .safetensors with the model's YAML, class names and strides in it. The file appears whole "
    "or not at all, and is read back before success is reported.\n"
    "# EXAMPLES\n"
    "    vigil convert --weights yolo11n.pt --output yolo11n.safetensors\n";

static const char help[] =
    "Without COMMAND it lists the commands. --man prints the manual page, which man(1) shows: "
    "`vigil help --man predict | man -l -`.\n";

static const struct {
    const char *name, *text;
} texts[] = {{"", program},        {"EXIT STATUS", exit_status},
             {"predict", predict}, {"track", predict},
             {"check", check},     {"train", train},
             {"attach", attach},   {"stop", stop},
             {"val", val},         {"demo", demo},
             {"watch", watch},     {"report", report},
             {"info", info},       {"convert", convert},
             {"help", help}};

const char *cli_man_text(const char *name)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(texts[i].name, name) == 0)
            return texts[i].text;
    return NULL;
}
