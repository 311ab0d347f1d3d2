/* commands.h: the descriptors, each at the end of its own file. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli.h"

extern const cli_command cli_command_predict;
extern const cli_command cli_command_track;
extern const cli_command cli_command_check;
extern const cli_command cli_command_fleet;
extern const cli_command cli_command_train;
extern const cli_command cli_command_attach;
extern const cli_command cli_command_stop;
extern const cli_command cli_command_val;
extern const cli_command cli_command_demo;
extern const cli_command cli_command_watch;
extern const cli_command cli_command_report;
extern const cli_command cli_command_board;
extern const cli_command cli_command_info;
extern const cli_command cli_command_data;
extern const cli_command cli_command_convert;
extern const cli_command cli_command_export;
extern const cli_command cli_command_bench;
extern const cli_command cli_command_devices;
extern const cli_command cli_command_version;
extern const cli_command cli_command_help;

#endif
