//! A receiver of notifications that does not do its work.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

/// What it does with a request.
#[derive(Clone, Copy)]
pub(super) enum Manner {
    /// Answers 500.
    Refuses,
    /// Reads and says nothing.
    Silent,
}

/// Listens on every address of the host until the test process ends; gives the port.
pub(super) fn start(manner: Manner) -> u16 {
    // A container reaches the host through the bridge, not through loopback.
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let _ = stream.read(&mut [0; 8192]);
                match manner {
                    Manner::Refuses => {
                        let _ = stream.write_all(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                    }
                    Manner::Silent => std::thread::sleep(Duration::from_secs(600)),
                }
            });
        }
    });
    port
}
