/* size.c: bytes of the public structs by name, for languages that declare them a second time. */
#include <string.h>

#include "vigil/bench.h"
#include "vigil/vigil.h"

#define TYPES(X)                                                                                   \
    X(vg_error)                                                                                    \
    X(vg_ints)                                                                                     \
    X(vg_classes)                                                                                  \
    X(vg_size)                                                                                     \
    X(vg_option)                                                                                   \
    X(vg_detection)                                                                                \
    X(vg_keypoint)                                                                                 \
    X(vg_rotated)                                                                                  \
    X(vg_mask)                                                                                     \
    X(vg_class_score)                                                                              \
    X(vg_extras)                                                                                   \
    X(vg_rank_wait)                                                                                \
    X(vg_train_ranks)                                                                              \
    X(vg_predict_times)                                                                            \
    X(vg_predict_result)                                                                           \
    X(vg_stream_event)                                                                             \
    X(vg_stream_times)                                                                             \
    X(vg_stream_result)                                                                            \
    X(vg_stream_listener)                                                                          \
    X(vg_stream_source)                                                                            \
    X(vg_stream_stage)                                                                             \
    X(vg_stream_source_stats)                                                                      \
    X(vg_stream_sink_stats)                                                                        \
    X(vg_fleet_machine)                                                                            \
    X(vg_fleet_cameras)                                                                            \
    X(vg_fleet)                                                                                    \
    X(vg_memory_item)                                                                              \
    X(vg_memory)                                                                                   \
    X(vg_plan_item)                                                                                \
    X(vg_plan)                                                                                     \
    X(vg_model_info)                                                                               \
    X(vg_layer)                                                                                    \
    X(vg_data_report)                                                                              \
    X(vg_dataset_split)                                                                            \
    X(vg_dataset_class)                                                                            \
    X(vg_dataset_size)                                                                             \
    X(vg_dataset_fault)                                                                            \
    X(vg_dataset_total)                                                                            \
    X(vg_dataset_left)                                                                             \
    X(vg_dataset_converted)                                                                        \
    X(vg_train_batch)                                                                              \
    X(vg_train_epoch)                                                                              \
    X(vg_train_pace)                                                                               \
    X(vg_run_view)                                                                                 \
    X(vg_number)                                                                                   \
    X(vg_figures)                                                                                  \
    X(vg_val_class)                                                                                \
    X(vg_val_curves)                                                                               \
    X(vg_val_result)                                                                               \
    X(vg_bar)                                                                                      \
    X(vg_watch_screen)                                                                             \
    X(vg_bench_info)                                                                               \
    X(vg_bench_machine)                                                                            \
    X(vg_bench_stage)                                                                              \
    X(vg_bench_layer)                                                                              \
    X(vg_bench_step)                                                                               \
    X(vg_bench_speed)                                                                              \
    X(vg_device)                                                                                   \
    X(vg_driver)                                                                                   \
    X(vg_options)                                                                                  \
    X(vg_image)                                                                                    \
    X(vg_picture)                                                                                  \
    X(vg_boxes)                                                                                    \
    X(vg_draw_options)                                                                             \
    X(vg_tracker_key)                                                                              \
    X(vg_detect_options)                                                                           \
    X(vg_predict_options)                                                                          \
    X(vg_train_info)                                                                               \
    X(vg_train_rank)                                                                               \
    X(vg_train_listener)                                                                           \
    X(vg_val_options)                                                                              \
    X(vg_demo_argument)                                                                            \
    X(vg_demo_goal)                                                                                \
    X(vg_demo_subject)                                                                             \
    X(vg_demo_options)                                                                             \
    X(vg_demo)                                                                                     \
    X(vg_watch_event)                                                                              \
    X(vg_watch_listener)                                                                           \
    X(vg_dataset_check_options)                                                                    \
    X(vg_dataset_convert_options)                                                                  \
    X(vg_export_options)                                                                           \
    X(vg_export_result)                                                                            \
    X(vg_export_other)                                                                             \
    X(vg_bench_options)
typedef struct type_size {
    const char *name;
    size_t bytes;
} type_size;

static const type_size sizes[] = {
#define X(type) {#type, sizeof(type)},
    TYPES(X)
#undef X
};

size_t vg_size_of(const char *type_name)
{
    for (size_t i = 0; type_name != NULL && i < sizeof sizes / sizeof *sizes; i++)
        if (strcmp(sizes[i].name, type_name) == 0)
            return sizes[i].bytes;
    return 0;
}

int vg_abi(void)
{
    return VG_ABI;
}
