//! A tiny program with metrics on this machine, as a user would have one.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Serves one metric on every address of the host until the test process ends.
pub(crate) struct Exporter {
    pub(crate) port: u16,
    /// The `Authorization` header that is wanted; empty for none.
    wanted: Arc<Mutex<String>>,
}

impl Exporter {
    pub(crate) fn start(authorization: &str) -> Self {
        Self::serve(authorization, "e2e_answer 42\n")
    }

    /// Serves this text to everybody.
    pub(crate) fn saying(body: &'static str) -> Self {
        Self::serve("", body)
    }

    fn serve(authorization: &str, body: &'static str) -> Self {
        // All addresses: a container reaches the host through the bridge, not through loopback.
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let wanted = Arc::new(Mutex::new(authorization.to_owned()));
        let shared = Arc::clone(&wanted);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let wanted = shared.lock().unwrap().clone();
                std::thread::spawn(move || answer(stream, &wanted, body));
            }
        });
        Self { port, wanted }
    }

    /// From now on another `Authorization` header is wanted.
    pub(crate) fn want(&self, authorization: &str) {
        authorization.clone_into(&mut self.wanted.lock().unwrap());
    }
}

fn answer(mut stream: TcpStream, wanted: &str, body: &str) -> Option<()> {
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let count = stream.read(&mut chunk).ok().filter(|count| *count > 0)?;
        request.extend_from_slice(&chunk[..count]);
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let header = request.lines().find_map(|line| line.strip_prefix("Authorization: ")).unwrap_or_default();
    let (status, body) = if header == wanted { ("200 OK", body) } else { ("401 Unauthorized", "who are you\n") };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).ok()
}
