/* broker.h: Mosquitto and a subscriber, for tests. */
#ifndef TESTS_NET_BROKER_H
#define TESTS_NET_BROKER_H

#include "programs.h"

typedef struct broker {
    pid_t pid, subscriber;
    int port;
    const char *settings; /* further lines of its configuration */
    const char *options;  /* of its clients, for the shell */
} broker;

static inline bool has_mosquitto(void)
{
    return is_installed("mosquitto") && is_installed("mosquitto_sub") &&
           is_installed("mosquitto_pub");
}

/* Also again, on its old port: until that is free, for somebody who knocks at a port may hold it
 * himself for a moment. Only root may keep its user; others are not asked. Its queues are without
 * limit, or it would drop the newest messages for a subscriber that gets no processor. */
static inline void broker_start(broker *b)
{
    char text[1024];
    const bool is_again = b->port != 0;
    const int n_running = count_in_file("broker.log", " running\n");
    for (int i = 0; i < 100; i++) {
        if (!is_again)
            b->port = free_port();
        else if (i > 0)
            nap_ms(100);
        snprintf(text, sizeof text,
                 "max_queued_messages 0\nmax_inflight_messages 0\nlistener %d 127.0.0.1\n%s%s",
                 b->port, getuid() == 0 ? "user root\n" : "",
                 b->settings != NULL ? b->settings : "allow_anonymous true\n");
        write_file("broker.conf", text);
        b->pid = program_start((const char *[]){"mosquitto", "-c", in_folder("broker.conf"), NULL},
                               "broker.log");
        for (int t = 0; t < PATIENCE_S * 50; t++) {
            if (waitpid(b->pid, NULL, WNOHANG) != 0)
                break; /* the port was taken by another in the meantime */
            /* By its own word: on a port that was taken, another answers. */
            if (count_in_file("broker.log", " running\n") > n_running && is_listening(b->port))
                return;
            nap_ms(20);
        }
        for (int k = 0; k < PROGRAMS_MOST; k++)
            if (programs_pids[k] == b->pid)
                programs_pids[k] = 0;
    }
    fail_msg("mosquitto does not start: %s", text_of("broker.log"));
}

/* Every message goes to the file `output` as "TOPIC RETAINED PAYLOAD". Returns when it is there. */
static inline void broker_listen(broker *b, const char *output)
{
    char command[512];
    snprintf(command, sizeof command,
             "exec mosquitto_sub -h 127.0.0.1 -p %d %s -q 2 -t '#' -F '%%t %%r %%p'", b->port,
             b->options != NULL ? b->options : "");
    b->subscriber = program_start((const char *[]){"sh", "-c", command, NULL}, output);
    snprintf(command, sizeof command,
             "mosquitto_pub -h 127.0.0.1 -p %d %s -t canary -m sings 2>/dev/null", b->port,
             b->options != NULL ? b->options : "");
    UNTIL(system(command) == 0 && (nap_ms(50), file_has(output, "canary 0 sings")));
}

#endif
