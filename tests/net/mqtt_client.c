/* mqtt_client.c URL [CA]: a client that is there until it is killed. */
#include <stdio.h>
#include <unistd.h>

#include "net/net.h"

int main(int argc, char **argv)
{
    static base_mem mem = {.tag = "client"};
    vg_error err;
    net_mqtt *m;
    const net_mqtt_options o = {.url = argc > 1 ? argv[1] : "",
                                .ca = argc > 2 ? argv[2] : "",
                                .status = "status",
                                .most_messages = 4,
                                .most_bytes = 1000};
    if (net_mqtt_open(&m, &o, &mem, &err) != VG_OK) {
        fprintf(stderr, "%s\n", err.what);
        return 1;
    }
    for (;;)
        pause();
}
