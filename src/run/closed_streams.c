/* Before the Rust runtime opens /dev/null for standard streams that are closed, do it ourselves, so that a command which
 * `moko-mon run` starts finds them closed, as it would without us: what is O_CLOEXEC does not reach it. */
#include <fcntl.h>

__attribute__((constructor)) static void keep_closed_streams_closed(void) {
    for (int stream = 0; stream <= 2; stream++) {
        if (fcntl(stream, F_GETFD) == -1) {
            /* The lowest free descriptor, which is this one. */
            (void)open("/dev/null", O_RDWR | O_CLOEXEC);
        }
    }
}
