#!/usr/bin/python3
"""rtsp_server.py: a camera for tests: GStreamer's RTSP server with pictures that it draws.

    rtsp_server.py [port=N] [size=WxH] [fps=N] [codec=h264|h265|mjpeg] [user=NAME password=WORD] [forks=1]

Prints "port N"; the stream is rtsp://127.0.0.1:N/cam. Lines on standard input are commands:
    size WxH    the pictures have another size from now on, in the same stream
    kill        (forks=1) the server is killed by SIGKILL, and another listens on the same port
    quit
Each is answered by "done COMMAND". The end of standard input ends it.
"""
import os
import signal
import socket
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

options = {"port": "0", "size": "320x240", "fps": "15", "codec": "h264", "user": "", "password": "", "forks": ""}
for argument in sys.argv[1:]:
    name, value = argument.split("=", 1)
    assert name in options, name
    options[name] = value

ENCODERS = {
    # The payloader repeats the parameter sets before every slice of a key picture, so that it comes in parts.
    "h264": "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=10 bitrate=500 option-string=slices=2"
    " ! rtph264pay name=pay0 pt=96 config-interval=-1",
    "h265": "x265enc tune=zerolatency speed-preset=ultrafast key-int-max=10 ! rtph265pay name=pay0 pt=96 config-interval=-1",
    "mjpeg": "jpegenc ! rtpjpegpay name=pay0 pt=26",
}


def say(text):
    print(text, flush=True)


def caps(size):
    w, h = size.split("x")
    return Gst.Caps.from_string("video/x-raw,format=I420,width=%s,height=%s,framerate=%s/1" % (w, h, options["fps"]))


class Server:
    """One server in this process, until it is killed."""

    def __init__(self, commands):
        Gst.init(None)
        self.size = options["size"]
        self.filters = []
        self.server = GstRtspServer.RTSPServer()
        self.server.set_address("127.0.0.1")
        self.server.set_service(options["port"])
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(
            "( videotestsrc is-live=true pattern=ball ! capsfilter name=size ! %s )" % ENCODERS[options["codec"]]
        )
        factory.set_shared(False)  # GStreamer 1.22 aborts when TCP and UDP join one pipeline at the same time
        factory.connect("media-configure", self.configure)
        if options["user"]:
            self.ask_for_password(factory)
        self.server.get_mount_points().add_factory("/cam", factory)
        self.loop = GLib.MainLoop()
        GLib.io_add_watch(commands, GLib.PRIORITY_DEFAULT, GLib.IO_IN | GLib.IO_HUP, self.obey)

    def ask_for_password(self, factory):
        auth = GstRtspServer.RTSPAuth()
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "viewer")
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(options["user"], options["password"]), token)
        self.server.set_auth(auth)
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_permission_for_role("viewer", "media.factory.access", True)
        permissions.add_permission_for_role("viewer", "media.factory.construct", True)
        factory.set_permissions(permissions)

    def configure(self, _factory, media):
        found = media.get_element().get_by_name("size")
        found.set_property("caps", caps(self.size))
        self.filters.append(found)
        media.connect("unprepared", lambda _media: self.filters.remove(found))

    def obey(self, commands, _condition):
        line = commands.readline().strip()
        if line in ("", "quit"):
            say("done quit")
            self.loop.quit()
            return False
        if line.startswith("size "):
            self.size = line[5:]
            for f in self.filters:
                f.set_property("caps", caps(self.size))
        say("done " + line)
        return True

    def run(self):
        if self.server.attach(None) == 0:
            say("cannot listen on port " + options["port"])
            sys.exit(1)
        say("port %d" % self.server.get_bound_port())
        self.loop.run()


def free_port():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
    s.close()
    return str(port)


def run_children():
    """This process never starts GStreamer: what it forks does."""
    if options["port"] == "0":
        options["port"] = free_port()
    parent = os.getpid()
    while True:
        mine, its = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(its)
            GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGTERM, sys.exit)
            Server(os.fdopen(mine, "r", 1)).run()
            os._exit(0)
        os.close(mine)
        line = sys.stdin.readline().strip()
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(its)
        assert os.getpid() == parent
        if line != "kill":
            return
        say("done kill")


if options["forks"]:
    run_children()
else:
    Server(sys.stdin).run()
